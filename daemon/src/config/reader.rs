//! Reads keys out of TOML, remembers where each stands, and collects what is wrong with them.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use toml::de::{DeTable, DeValue};
use treasury_tools::text::without_secrets;

use super::Problem;
use super::keys;

/// What is wrong so far.
pub(super) struct Report<'a> {
    text: &'a str,
    /// Where its lines begin.
    begins: Vec<usize>,
    file: Option<PathBuf>,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Report<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let begins = std::iter::once(0).chain(ends.map(|(end, _)| end + 1)).collect();
        Self { text, begins, file: None, problems: RefCell::default() }
    }

    /// Of a file beside the one that the rest is of.
    pub(super) fn of_file(text: &'a str, file: PathBuf) -> Self {
        Self { file: Some(file), ..Self::new(text) }
    }

    fn line_of(&self, offset: usize) -> Place {
        let line = self.begins.partition_point(|begin| *begin <= offset).max(1);
        let begin = self.begins.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(begin..offset).unwrap_or_default();
        Place { line, column: before.chars().count() + 1 }
    }

    fn add(&self, key: String, place: Place, what: String, advice: &str) {
        // What is wrong is quoted, and goes into the log of a daemon.
        let key = without_secrets(&key);
        let what = without_secrets(&what);
        let (file, advice) = (self.file.clone(), without_secrets(advice));
        self.problems.borrow_mut().push(Problem {
            file,
            key,
            line: place.line,
            column: place.column,
            what,
            advice,
        });
    }

    /// All of them, in the order of their lines.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems.dedup();
        problems
    }
}

/// The text as TOML; `None` after reporting why it is none.
pub(super) fn parse_toml<'a>(text: &'a str, report: &Report<'_>) -> Option<DeTable<'a>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = report.line_of(error.span().map_or(0, |span| span.start));
        report.add(String::new(), place, format!("not TOML: {}", error.message()), "");
    }
    errors.is_empty().then(|| document.into_inner())
}

/// Where something stands in a text, both counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The letter of the line.
    pub column: usize,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    key: String,
    place: Place,
}

impl<T> At<T> {
    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// The same place, another value.
    pub(super) fn with<U>(&self, value: U) -> At<U> {
        At { value, key: self.key.clone(), place: self.place }
    }
}

/// A member of a list that may be written in two ways.
pub(super) enum Entry<'a> {
    Text(At<String>),
    Table(Section<'a>),
}

/// One table of the file.
#[derive(Clone)]
pub(super) struct Section<'a> {
    report: &'a Report<'a>,
    table: &'a DeTable<'a>,
    key: String,
    place: Place,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(super) fn root(table: &'a DeTable<'a>, report: &'a Report<'a>) -> Self {
        Self::top(table, report, &keys::sections())
    }

    /// A whole file in which these may be.
    pub(super) fn top(table: &'a DeTable<'a>, report: &'a Report<'a>, known: &[&str]) -> Self {
        let root = Self { report, table, key: String::new(), place: Place { line: 1, column: 1 } };
        root.check_keys(known);
        root
    }

    /// The table of this name, empty where the file has none.
    pub(super) fn section(&self, name: &str) -> Option<Section<'a>> {
        let found = self.find(name)?;
        let Some(table) = found.value.as_table() else {
            self.blame(&found, "must be a table".to_owned(), &format!("write [{name}] on a line of its own"));
            return None;
        };
        let section = Section { report: self.report, table, key: found.key, place: found.place };
        section.check_keys(&keys::keys_of(name));
        Some(section)
    }

    /// The tables of this name, in the file's order.
    pub(super) fn sections(&self, name: &str) -> Vec<Section<'a>> {
        let Some(found) = self.find(name) else { return Vec::new() };
        let advice = format!("write [[{name}]] on a line of its own before each");
        let Some(array) = found.value.as_array() else {
            self.blame(&found, "must be a list of tables".to_owned(), &advice);
            return Vec::new();
        };
        let tables = array.iter().zip(1..).filter_map(|(item, number): (_, usize)| {
            let place = self.report.line_of(item.span().start);
            let key = format!("{name}[{number}]");
            let Some(table) = item.get_ref().as_table() else {
                self.report.add(key, place, "must be a table".to_owned(), &advice);
                return None;
            };
            let section = Section { report: self.report, table, key, place };
            section.check_keys(&keys::keys_of(name));
            Some(section)
        });
        tables.collect()
    }

    /// Says that a key of this section is wrong, at its line or, where it is missing, at the section's.
    pub(super) fn wrong(&self, name: &str, what: impl Into<String>, advice: &str) {
        let place = self.find(name).map_or(self.place, |found| found.place);
        self.report.add(self.path(name), place, what.into(), advice);
    }

    /// Says that a value is wrong.
    pub(super) fn blame<T>(&self, at: &At<T>, what: impl Into<String>, advice: &str) {
        self.report.add(at.key.clone(), at.place, what.into(), advice);
    }

    /// Where it begins.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Whether the key is there, right or wrong.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// A text, if it is there and `parse` takes it.
    pub(super) fn text<T>(&self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<At<T>> {
        let found = self.find(name)?;
        self.parse_text(&found, &parse)
    }

    /// As [`Section::text`], and a problem where it is not there.
    pub(super) fn required<T>(&self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<At<T>> {
        if !self.has(name) {
            self.missing(name);
        }
        self.text(name, parse)
    }

    /// Says that a key is missing.
    pub(super) fn missing(&self, name: &str) {
        let advice = keys::advice_for(self.key.split('[').next().unwrap_or_default(), name);
        self.report.add(self.path(name), self.place, "is missing".to_owned(), &advice);
    }

    /// A whole number within a range, if it is there.
    pub(super) fn integer(&self, name: &str, range: RangeInclusive<u32>) -> Option<At<u32>> {
        let found = self.find(name)?;
        self.parse_integer(&found, &range)
    }

    /// `true` or `false`, if it is there.
    pub(super) fn flag(&self, name: &str) -> Option<At<bool>> {
        let found = self.find(name)?;
        let said = found.value.as_bool();
        if said.is_none() {
            let what = format!("must be true or false, and is of type {}", found.value.type_str());
            self.blame(&found, what, "write it without quotes");
        }
        said.map(|said| found.with(said))
    }

    /// A list of texts, if it is there. What is wrong with one of them is reported and the rest kept.
    pub(super) fn texts<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<At<T>>> {
        let items = self.items(name, "must be a list of texts")?;
        Some(items.iter().filter_map(|item| self.parse_text(item, &parse)).collect())
    }

    /// A list of texts or tables with these keys, if it is there and all of it is that.
    pub(super) fn entries(&self, name: &str, keys: &[&str]) -> Option<Vec<Entry<'a>>> {
        let items = self.items(name, "must be a list of texts or tables")?;
        let entry = |item: At<&'a DeValue<'a>>| {
            if let Some(text) = item.value.as_str() {
                return Some(Entry::Text(item.with(text.to_owned())));
            }
            let Some(table) = item.value.as_table() else {
                let what = format!("must be a text or a table, and is of type {}", item.value.type_str());
                self.blame(&item, what, "");
                return None;
            };
            let section = Section { report: self.report, table, key: item.key, place: item.place };
            section.check_keys(keys);
            Some(Entry::Table(section))
        };
        // Every one is looked at before the first that is wrong counts.
        items.into_iter().map(entry).collect::<Vec<_>>().into_iter().collect()
    }

    /// A list of whole numbers within a range, if it is there.
    pub(super) fn integers(&self, name: &str, range: &RangeInclusive<u32>) -> Option<Vec<At<u32>>> {
        let items = self.items(name, "must be a list of whole numbers")?;
        Some(items.iter().filter_map(|item| self.parse_integer(item, range)).collect())
    }

    /// A table of names and whole numbers within a range, if it is there.
    pub(super) fn weights(&self, name: &str, range: &RangeInclusive<u32>) -> Option<Vec<(At<String>, u32)>> {
        let found = self.find(name)?;
        let Some(table) = found.value.as_table() else {
            self.blame(&found, "must be a table", "such as { alice = 1, bob = 1 }");
            return None;
        };
        let pairs = table.iter().filter_map(|(key, value)| {
            let place = self.report.line_of(key.span().start);
            let at = At { value: value.get_ref(), key: format!("{}.{}", found.key, key.get_ref()), place };
            let weight = self.parse_integer(&at, range)?;
            Some((at.with(key.get_ref().to_string()), weight.value))
        });
        Some(pairs.collect())
    }

    /// Whether the key is there as a text, and not as something else.
    pub(super) fn is_text(&self, name: &str) -> bool {
        self.find(name).is_some_and(|found| found.value.is_str())
    }

    /// An inline table with keys of its own, named `section.name` in the reference.
    pub(super) fn inner(&self, name: &str, keys: &[&str]) -> Option<Section<'a>> {
        let found = self.find(name)?;
        let Some(table) = found.value.as_table() else {
            self.blame(
                &found,
                "must be a table",
                &format!("such as {{ {} = \"…\" }}", keys.join(" = \"…\", ")),
            );
            return None;
        };
        let section = Section { report: self.report, table, key: found.key, place: found.place };
        section.check_keys(keys);
        Some(section)
    }

    fn find(&self, name: &str) -> Option<At<&'a DeValue<'a>>> {
        let (key, value) = self.table.iter().find(|(key, _)| key.get_ref() == name)?;
        let place = self.report.line_of(key.span().start);
        Some(At { value: value.get_ref(), key: self.path(name), place })
    }

    /// Whether it is a list in which nothing is written: one whose entries are all wrong has been blamed for those.
    pub(super) fn is_empty_list(&self, name: &str) -> bool {
        self.find(name).and_then(|found| found.value.as_array()).is_some_and(|array| array.is_empty())
    }

    fn items(&self, name: &str, otherwise: &str) -> Option<Vec<At<&'a DeValue<'a>>>> {
        let found = self.find(name)?;
        let Some(array) = found.value.as_array() else {
            self.blame(&found, otherwise, "write it in square brackets");
            return None;
        };
        let items = array.iter().zip(1..).map(|(item, number): (_, usize)| At {
            value: item.get_ref(),
            key: format!("{}[{number}]", found.key),
            place: self.report.line_of(item.span().start),
        });
        Some(items.collect())
    }

    fn parse_text<T>(
        &self,
        found: &At<&DeValue<'_>>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<At<T>> {
        let Some(text) = found.value.as_str() else {
            let what = format!("must be a text, and is of type {}", found.value.type_str());
            self.blame(found, what, "write it in double quotes");
            return None;
        };
        match parse(text) {
            Ok(value) => Some(found.with(value)),
            Err(what) => {
                self.blame(found, what, "");
                None
            }
        }
    }

    fn parse_integer(&self, found: &At<&DeValue<'_>>, range: &RangeInclusive<u32>) -> Option<At<u32>> {
        let number = found.value.as_integer().and_then(|integer| {
            u32::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
        });
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(found.with(number)),
            None => {
                let what = format!("must be a whole number from {} to {}", range.start(), range.end());
                self.blame(found, what, "");
                None
            }
        }
    }

    fn check_keys(&self, known: &[&str]) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let place = self.report.line_of(key.span().start);
                let advice = match keys::nearest(name, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", known.join(", ")),
                };
                self.report.add(self.path(name), place, "is not a key".to_owned(), &advice);
            }
        }
    }

    fn path(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) }
    }
}
