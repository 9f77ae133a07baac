//! How far ahead is looked, and the file of prices.
//!
//! Prices decide nothing: a file that cannot be read, or is too old, is said to be so wherever they would be shown, and nothing is
//! told in money then.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use treasury_core::outlook::Outlook;
use treasury_core::units::{Asset, Hash256};
use treasury_core::worth::{self, Prices};

use super::lists::{moment, read_up_to};
use super::reader::Section;
use super::value;

/// The longest file: some thousand prices.
const FILE_MAX_BYTES: u64 = 1024 * 1024;

/// What a line begins with that says of when the prices are.
const DATE: &str = "# date:";

/// Days of which a forecast knows anything.
const DAYS: std::ops::RangeInclusive<u32> = 1..=treasury_core::forecast::HORIZON_DAYS;

/// When people are told where the file says nothing.
const WARN_DAYS: [u32; 4] = [14, 7, 3, 1];

/// Where prices come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceFile {
    /// What they are in.
    pub currency: String,
    /// The file.
    pub path: PathBuf,
    /// How old they may become, in seconds.
    pub age_max_seconds: u32,
}

/// Reads what is looked at.
pub(super) fn read(root: &Section<'_>, base_dir: &Path) -> (Outlook, Option<PriceFile>) {
    let mut outlook = Outlook { warn_days: WARN_DAYS.into(), ..Outlook::default() };
    let Some(section) = root.section("forecast") else { return (outlook, None) };
    if let Some(days) = section.integers("warn_days", &DAYS) {
        outlook.warn_days = days.iter().map(|day| day.value).collect::<BTreeSet<u32>>();
    }
    if let Some(permille) = section.integer("unsigned_permille", 0..=1_000) {
        outlook.unsigned_permille = permille.value;
    }
    if let Some(permille) = section.integer("stopped_permille", 0..=1_000) {
        outlook.stopped_permille = permille.value;
    }
    let path = section.text("prices", |text| match text {
        "" => Err("the path is empty".to_owned()),
        text => Ok(base_dir.join(text)),
    });
    let currency = section.text("currency", currency);
    let age_max = section.text("prices_age_max", value::duration).map_or(86_400, |age| age.value);
    let prices = match (path, currency) {
        (Some(path), Some(currency)) => {
            Some(PriceFile { currency: currency.value, path: path.value, age_max_seconds: age_max })
        }
        (Some(path), None) if !section.has("currency") => {
            section.blame(&path, "are in no currency", "say `currency`, such as \"EUR\"");
            None
        }
        (None, Some(currency)) if !section.has("prices") => {
            section.blame(&currency, "is of no prices", "say where `prices` are");
            None
        }
        _ => None,
    };
    (outlook, prices)
}

fn currency(text: &str) -> Result<String, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_plain && (1..=12).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" is no currency; write 1 to 12 letters or digits, such as \"EUR\""))
}

impl PriceFile {
    /// The prices as the file has them now.
    ///
    /// # Errors
    /// What is wrong with it. None of its prices count then: half of a file could be anything.
    pub fn load(&self) -> Result<Prices, String> {
        let (shown, bytes) = (self.path.display(), read_up_to(&self.path, FILE_MAX_BYTES)?);
        let sha256 = Hash256(<[u8; 32]>::from(Sha256::digest(&bytes)));
        let text = String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8"))?;
        self.parse(&text, sha256).map_err(|problem| format!("{shown}, {problem}"))
    }

    fn parse(&self, text: &str, sha256: Hash256) -> Result<Prices, String> {
        let (mut at, mut of) = (None, BTreeMap::new());
        for (line, number) in text.lines().zip(1_u64..) {
            let line = line.trim();
            if let Some(date) = line.strip_prefix(DATE) {
                let moment = moment(date.trim()).ok_or_else(|| {
                    format!("line {number}: is not a date; write {DATE} 2026-11-26T08:00:00Z, or a day")
                })?;
                if at.replace(moment).is_some() {
                    return Err(format!("line {number}: is a second date"));
                }
            } else if !line.is_empty() && !line.starts_with('#') {
                let wrong = || {
                    format!("line {number}: is no price; write an asset and a number, such as \"XRP 2.1734\"")
                };
                let mut words = line.split_ascii_whitespace();
                let (asset, price) = words.next().zip(words.next()).ok_or_else(wrong)?;
                let asset: Asset = asset.parse().map_err(|_| wrong())?;
                let price = worth::price(price).filter(|_| words.next().is_none()).ok_or_else(wrong)?;
                if of.insert(asset, price).is_some() {
                    return Err(format!("line {number}: is a second price of {asset}"));
                }
            }
        }
        let at = at.ok_or_else(|| format!("line 1: has no `{DATE}`: nobody knows of when its prices are"))?;
        let (currency, age_max_seconds) = (self.currency.clone(), self.age_max_seconds);
        Ok(Prices { currency, at, age_max_seconds, sha256, of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USD: &str = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";

    fn load(text: &[u8]) -> Result<Prices, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prices.txt");
        std::fs::write(&path, text).unwrap();
        PriceFile { currency: "EUR".to_owned(), path, age_max_seconds: 60 }.load()
    }

    #[test]
    fn prices_are_an_asset_and_a_number_a_line_with_the_time_that_they_are_of() {
        let text = format!("# date: 2026-11-26T08:00:00Z\n# from somewhere\n\nXRP 2.1734\n  {USD}\t0.92\r\n");
        let prices = load(text.as_bytes()).unwrap();
        assert_eq!((prices.at.to_string().as_str(), prices.of.len()), ("2026-11-26T08:00:00Z", 2));
        assert_eq!(prices.of[&Asset::Xrp], 2_173_400_000);
        let digest = <[u8; 32]>::from(Sha256::digest(text.as_bytes()));
        assert_eq!(prices.sha256, Hash256(digest));
    }

    /// Danger: half of a file, or a file of nobody knows when, is told as what there is.
    #[test]
    fn a_file_that_is_not_right_throughout_has_no_prices() {
        for (text, expected) in [
            ("XRP 2.1", "has no `# date:`"),
            ("# date: yesterday\nXRP 2.1", "line 1: is not a date"),
            ("# date: 2026-11-26\nXRP 2.1\n# date: 2026-11-27", "line 3: is a second date"),
            ("# date: 2026-11-26\nXRP", "line 2: is no price"),
            ("# date: 2026-11-26\nXRP 2,1", "line 2: is no price"),
            ("# date: 2026-11-26\nXRP 2.1 EUR", "line 2: is no price"),
            ("# date: 2026-11-26\nEUR 2.1", "line 2: is no price"),
            ("# date: 2026-11-26\nXRP 2.1\nXRP 2.2", "line 3: is a second price of XRP"),
        ] {
            let said = load(text.as_bytes()).unwrap_err();
            assert!(said.contains(expected), "{text}: {said}");
        }
        assert!(load(&[0xFF]).unwrap_err().contains("is not UTF-8"));
        let long = vec![b'#'; usize::try_from(FILE_MAX_BYTES).unwrap() + 1];
        assert!(load(&long).unwrap_err().contains("is longer than"));
        let path = PathBuf::from("nowhere/prices.txt");
        let gone = PriceFile { currency: "EUR".to_owned(), path, age_max_seconds: 60 };
        assert!(gone.load().unwrap_err().contains("cannot be read"));
    }
}
