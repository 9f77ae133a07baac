//! What a form sends: names and values, in one of the two encodings that browsers have.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use url::form_urlencoded;

use super::door::refuse;
use crate::http::{Door, Refused};

/// The fields of a form.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body of a request, within the size and time of the API's bodies.
    pub(super) async fn read(door: &Door, parts: &Parts, body: Body) -> Result<Self, Refused> {
        let body = door.body(body).await?;
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        Self::parse(kind, &body).ok_or_else(|| {
            let advice = "Send the page's own form.";
            refuse(axum::http::StatusCode::BAD_REQUEST, "BAD_BODY", "The body is not a form's.", advice)
        })
    }

    fn parse(kind: &str, body: &[u8]) -> Option<Self> {
        let (kind, parameters) = kind.split_once(';').unwrap_or((kind, ""));
        match kind.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => {
                Some(Self(form_urlencoded::parse(body).into_owned().collect()))
            }
            "multipart/form-data" => {
                let boundary = parameters.split(';').find_map(|one| one.trim().strip_prefix("boundary="))?;
                parts(body, boundary.trim_matches('"')).map(Self)
            }
            _ => None,
        }
    }

    /// The field's value; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// The field's value, if it says anything.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name).trim()).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// What somebody signed: the file that they chose, or what they pasted.
    pub(super) fn signed(&self) -> String {
        self.some("file").or_else(|| self.some("signed")).unwrap_or_default()
    }

    /// Why it is not to be shown or kept: a seed or a token stands in it.
    pub(super) fn secret(&self, door: &Door) -> Option<Refused> {
        self.0.iter().find_map(|(_, value)| door.secret_in(value))
    }

    /// The same without those.
    pub(super) fn without_secrets(self, door: &Door) -> Self {
        let shown = |(name, value): (String, String)| (name, door.without_secrets(&value));
        Self(self.0.into_iter().map(shown).collect())
    }

    /// Every value of the field.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.clone()).collect()
    }
}

/// The parts of a `multipart/form-data` body (RFC 7578) as browsers write it. All of the body is here, at most 64 kB of
/// it, and what is uploaded is text: no streams, no other encodings.
fn parts(body: &[u8], boundary: &str) -> Option<Vec<(String, String)>> {
    if boundary.is_empty() {
        return None;
    }
    // The first boundary has no line before it.
    let body = [b"\r\n", body].concat();
    let mark = format!("\r\n--{boundary}");
    let mut fields = Vec::new();
    let mut rest = after(&body, mark.as_bytes())?;
    while !rest.starts_with(b"--") {
        let end = find(rest, mark.as_bytes())?;
        let part = rest.get(..end)?;
        let split = find(part, b"\r\n\r\n")?;
        let (head, value) = (std::str::from_utf8(part.get(..split)?).ok()?, part.get(split + 4..)?);
        let disposition = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
        })?;
        let name = disposition.split(';').find_map(|one| one.trim().strip_prefix("name=\""))?;
        let name = name.strip_suffix('"')?.to_owned();
        // A file of something else than text says nothing that could be read.
        fields.push((name, String::from_utf8_lossy(value).into_owned()));
        rest = rest.get(end + mark.len()..)?;
    }
    Some(fields)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn after<'a>(text: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    text.get(find(text, what)? + what.len()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/form-data; boundary=----WebKitFormBoundaryX";

    #[test]
    fn both_encodings_of_browsers_are_read() {
        let form =
            Form::parse("application/x-www-form-urlencoded; charset=UTF-8", b"a=1&a=2&b=x+y%26").unwrap();
        assert_eq!((form.all("a"), form.text("b")), (vec!["1".to_owned(), "2".to_owned()], "x y&"));
        let body = "------WebKitFormBoundaryX\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n\
                    ------WebKitFormBoundaryX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"s.json\"\r\n\
                    Content-Type: application/json\r\n\r\n{\r\n \"a\": \"--\"\r\n}\r\n------WebKitFormBoundaryX--\r\n";
        let form = Form::parse(KIND, body.as_bytes()).unwrap();
        assert_eq!((form.text("csrf"), form.text("file")), ("abc", "{\r\n \"a\": \"--\"\r\n}"));
        assert_eq!((form.text("none"), form.some("none")), ("", None));
    }

    #[test]
    fn what_is_no_form_is_none_and_nothing_panics() {
        let whole = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B--";
        assert!(Form::parse("multipart/form-data; boundary=B", whole.as_bytes()).is_some());
        for cut in 0..whole.len() {
            assert!(
                Form::parse("multipart/form-data; boundary=B", &whole.as_bytes()[..cut]).is_none(),
                "{cut}"
            );
        }
        for kind in ["", "application/json", "multipart/form-data", "multipart/form-data; boundary="] {
            assert!(Form::parse(kind, whole.as_bytes()).is_none(), "{kind}");
        }
    }
}
