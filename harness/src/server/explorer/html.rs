//! HTML in which nothing of the ledger is ever more than text.

use std::fmt::Display;

/// A piece of HTML. What is put in as text is escaped; only literals of this program go in as they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Html(String);

impl Html {
    /// A literal.
    pub(super) fn of(literal: &'static str) -> Html {
        Html(literal.to_owned())
    }

    /// Text, escaped.
    pub(super) fn text(text: impl Display) -> Html {
        Html(escape(&text.to_string()))
    }

    /// Adds a literal.
    pub(super) fn raw(mut self, literal: &'static str) -> Html {
        self.0.push_str(literal);
        self
    }

    /// Adds text, escaped.
    pub(super) fn say(mut self, text: impl Display) -> Html {
        self.0.push_str(&escape(&text.to_string()));
        self
    }

    /// Adds HTML.
    pub(super) fn put(mut self, html: &Html) -> Html {
        self.0.push_str(&html.0);
        self
    }

    /// A link within the explorer: `/kind/what`.
    pub(super) fn link(kind: &'static str, what: impl Display, shown: impl Display) -> Html {
        let page = Html::of("<a href=\"/").raw(kind).raw("/").say(what).raw("\">");
        page.say(shown).raw("</a>")
    }

    /// A table with a heading for each column. Rows are lists of cells.
    pub(super) fn table(columns: &'static [&'static str], rows: impl IntoIterator<Item = Vec<Html>>) -> Html {
        let mut html = Html::of("<div class=\"wide\"><table><thead><tr>");
        for column in columns {
            html = html.raw("<th>").raw(column).raw("</th>");
        }
        html = html.raw("</tr></thead><tbody>");
        for row in rows {
            html = html.raw("<tr>");
            // Where there is no room for columns, each cell says what it is.
            for (column, cell) in columns.iter().zip(row) {
                html = html.raw("<td data-of=\"").raw(column).raw("\"><span>").put(&cell).raw("</span></td>");
            }
            html = html.raw("</tr>");
        }
        html.raw("</tbody></table></div>")
    }

    /// Names with their values, one below the other.
    pub(super) fn list(pairs: impl IntoIterator<Item = (&'static str, Html)>) -> Html {
        let mut html = Html::of("<dl>");
        for (name, value) in pairs {
            html = html.raw("<dt>").raw(name).raw("</dt><dd>").put(&value).raw("</dd>");
        }
        html.raw("</dl>")
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// The five characters that mean something to a browser, in text or in a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_text_and_stays_in_its_attribute() {
        let nasty = "\"><script>alert('x&y')</script>";
        let safe = "&quot;&gt;&lt;script&gt;alert(&#39;x&amp;y&#39;)&lt;/script&gt;";
        assert_eq!(Html::text(nasty).into_string(), safe);
        let link = Html::link("tx", nasty, nasty).into_string();
        assert_eq!(link, format!("<a href=\"/tx/{safe}\">{safe}</a>"));
    }
}
