//! QR codes, drawn by the daemon into the page: no script, no other request, nothing that the strict policy has to allow.

use std::fmt::Write as _;

use askama::Template;
use axum::http::HeaderMap;
use axum::http::header::HOST;
use qrcode::{Color, EcLevel, QrCode, Version};
use treasury_api::types::ProposalView;
use url::{Host, Url};

use super::ConsoleConfig;

/// The largest code that is drawn, in modules along an edge. More stand in none that a phone's camera tells apart from a screen
/// held in the other hand, and a page with one stays below its hundred kilobytes.
const MODULES_MAX: usize = 125;

/// Light modules around a code, by which a reader finds it (ISO/IEC 18004).
const QUIET: usize = 4;

/// A code as a page shows it.
#[derive(Template)]
#[template(path = "code.html")]
pub(super) struct Code {
    /// What it holds, in words.
    label: &'static str,
    /// Modules along an edge, with the light ones around.
    edge: usize,
    /// The dark ones, as an SVG path.
    dark: String,
}

impl Code {
    /// A code with this text; `None`: it is too long for one.
    fn of(text: &str, label: &'static str, level: EcLevel) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, level).ok()?;
        let width = code.width();
        (width <= MODULES_MAX && matches!(code.version(), Version::Normal(_))).then(|| Self {
            label,
            edge: width.saturating_add(2 * QUIET),
            dark: path(&code.to_colors(), width),
        })
    }
}

/// The dark modules of each row, runs of them at once: an element for each module would be a page of its own.
fn path(modules: &[Color], width: usize) -> String {
    let mut path = String::new();
    for (y, row) in modules.chunks(width.max(1)).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            let length = run.len();
            if run.first() == Some(&Color::Dark) {
                // Writing to a text cannot fail.
                let _ = write!(path, "M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET);
            }
            x += length;
        }
    }
    path
}

/// The way to a page by a phone.
pub(super) struct Link {
    /// The page's address, whole.
    pub(super) address: String,
    pub(super) code: Code,
    /// Whether no other machine can follow it.
    pub(super) is_local: bool,
}

impl Link {
    /// To the page with this path: by the name that the configuration says, or by the one that the request came to. `None`
    /// where that is no name.
    pub(super) fn to(path: &str, config: &ConsoleConfig, headers: &HeaderMap) -> Option<Self> {
        let host = || headers.get(HOST).and_then(|host| host.to_str().ok());
        let origin = config.origin.clone().or_else(|| Some(format!("http://{}", host()?)))?;
        let is_bare = |url: &Url| {
            url.username().is_empty()
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
        };
        let url = Url::parse(&origin).ok().filter(is_bare)?;
        let is_local = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback() || address.is_unspecified(),
            Host::Ipv6(address) => address.is_loopback() || address.is_unspecified(),
        };
        let address = url.join(path).ok()?.to_string();
        let code = Code::of(&address, "QR code of the address of this page", EcLevel::M)?;
        Some(Self { address, code, is_local })
    }
}

/// What a signer's device needs of a package, and nothing else: the bytes of every transaction to sign, in the order of the
/// package, in hex, with a space between. `None`: there is nothing to sign.
pub(super) fn package_text(proposal: &ProposalView) -> Option<String> {
    let blobs = proposal.rungs.iter().chain(&proposal.void_rungs);
    // Capital letters and digits take half the room.
    let blobs: Vec<String> = blobs.map(|rung| rung.blob.to_ascii_uppercase()).collect();
    (!blobs.is_empty()).then(|| blobs.join(" "))
}

/// The package as a code; `None`: it is too large for one.
pub(super) fn of_package(text: &str) -> Option<Code> {
    Code::of(text, "QR code of the transactions to sign, in hex", EcLevel::L)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader finds in a code that is drawn: the path is painted anew and read by somebody else's program.
    fn read(code: &Code) -> String {
        const SCALE: usize = 4;
        let mut dark = vec![vec![false; code.edge]; code.edge];
        for run in code.dark.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let length = rest.split('v').next().unwrap();
            let [x, y, length] = [x, y, length].map(|number| number.parse::<usize>().unwrap());
            dark[y][x..x + length].fill(true);
        }
        let edge = code.edge * SCALE;
        let shade = |x: usize, y: usize| if dark[y / SCALE][x / SCALE] { 0 } else { 255 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(edge, edge, shade);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code is found");
        grids[0].decode().unwrap().1
    }

    fn link(origin: Option<&str>, host: &str) -> Option<Link> {
        let config = ConsoleConfig { origin: origin.map(str::to_owned), ..ConsoleConfig::default() };
        let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
        Link::to("/console/proposals/P3", &config, &headers)
    }

    #[test]
    fn a_link_is_by_the_name_that_people_type_and_a_reader_finds_it_in_the_code() {
        for (origin, host, address, is_local) in [
            (
                Some("https://treasury.example"),
                "10.0.0.7:8580",
                "https://treasury.example/console/proposals/P3",
                false,
            ),
            (None, "10.0.0.7:8580", "http://10.0.0.7:8580/console/proposals/P3", false),
            (None, "127.0.0.1:8580", "http://127.0.0.1:8580/console/proposals/P3", true),
            (None, "localhost:8580", "http://localhost:8580/console/proposals/P3", true),
            (None, "[::1]:8580", "http://[::1]:8580/console/proposals/P3", true),
        ] {
            let link = link(origin, host).unwrap();
            assert_eq!((link.address.as_str(), link.is_local), (address, is_local));
            assert_eq!(read(&link.code), address);
        }
        for host in
            ["", "a b", "alice@evil.example", "evil.example/path", "evil.example/?x=", "evil.example/#x"]
        {
            assert!(link(None, host).is_none(), "{host}");
        }
        assert!(link(None, &"a".repeat(4_000)).is_none(), "longer than any code");
    }

    #[test]
    fn a_package_is_read_again_as_it_was_until_it_is_too_large_for_one_code() {
        let text = |letters: usize| "12AF 0".repeat(letters).chars().take(letters).collect::<String>();
        for letters in [1, 300, 1_400, 2_132] {
            let text = text(letters);
            let code = of_package(text.trim()).unwrap();
            assert_eq!(read(&code), text.trim(), "{letters}");
        }
        assert!(of_package(&text(2_133)).is_none());
    }
}
