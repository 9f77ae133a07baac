//! The policy's table: in the configuration itself, or in a file beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use treasury_core::Treasury;
use treasury_core::list::List;
use treasury_core::policy::{Policy, Rule};

use super::lists::{self, ListFile};
use super::parties::Parties;
use super::reader::{self, Place, Report, Section};
use super::{DaemonConfig, Problem, activation, confirmation, prints, risk, rules};
use crate::clock;
use crate::private;

/// What a file of its own may hold.
const SECTIONS: [&str; 3] = ["rule", "list", "risk"];

/// Where rules stand, by their names.
pub type Places = BTreeMap<String, Place>;

/// A table as it was read.
pub(super) struct Table {
    pub(super) policy: Policy,
    /// Where its rules stand, by their names.
    pub(super) places: Places,
    pub(super) lists: Vec<ListFile>,
    pub(super) file: Option<PathBuf>,
    /// The file of the table that decides beside it, and where its rules stand.
    pub(super) shadow: Option<(PathBuf, Places)>,
    /// Hashes of the texts of those files, by the keys that name them.
    pub(super) texts: BTreeMap<&'static str, String>,
    /// What is wrong with a file of its own.
    pub(super) problems: Vec<Problem>,
}

/// Reads the table, from the file that the key `policy` names where there is one, and the one that decides beside it.
pub(super) fn read(root: &Section<'_>, parties: &Parties, base_dir: &Path) -> Table {
    let table = in_force(root, parties, base_dir);
    let policy = table.policy.with_activation(activation::read(root, parties));
    let policy = policy.with_confirmation(confirmation::read(root, parties));
    let table = Table { policy, ..table };
    let Some(named) = root.text("shadow", |text| match text {
        "" => Err("the path is empty".to_owned()),
        text => Ok(base_dir.join(text)),
    }) else {
        return table;
    };
    let path = named.value.clone();
    match private::read_regular(&path) {
        Ok(text) => {
            let mut texts = table.texts;
            texts.insert("shadow", prints::digest(&text));
            let lists = table.policy.lists();
            let beside =
                of_text(&text, path.clone(), |section, file| of_known(section, parties, lists, file));
            let mut problems = table.problems;
            problems.extend(beside.problems);
            let policy = table.policy.with_shadow(Some(beside.policy));
            Table { policy, shadow: Some((path, beside.places)), texts, problems, ..table }
        }
        Err(error) => {
            root.blame(&named, format!("{} cannot be read: {error}", path.display()), "");
            table
        }
    }
}

fn in_force(root: &Section<'_>, parties: &Parties, base_dir: &Path) -> Table {
    let Some(named) = root.text("policy", |text| match text {
        "" => Err("the path is empty".to_owned()),
        text => Ok(base_dir.join(text)),
    }) else {
        return of(root, parties, base_dir, None);
    };
    for section in SECTIONS.into_iter().filter(|section| root.has(section)) {
        let what = "stands here, and the policy is in a file of its own";
        root.wrong(section, what, "move it there, or leave the key `policy` out");
    }
    let path = named.value.clone();
    match private::read_regular(&path) {
        Ok(text) => {
            let base_dir = path.parent().unwrap_or(base_dir).to_owned();
            let table = of_text(&text, path, |section, file| of(section, parties, &base_dir, Some(file)));
            Table { texts: BTreeMap::from([("policy", prints::digest(&text))]), ..table }
        }
        Err(error) => {
            root.blame(&named, format!("{} cannot be read: {error}", path.display()), "");
            nothing(Some(path), Vec::new())
        }
    }
}

/// A table that somebody asks about, in place of that of a treasury: it means the same people and accounts, and the lists
/// of that treasury, whose files are not looked for.
///
/// # Errors
/// All that is wrong with it.
pub fn other(treasury: &Treasury, text: &str) -> Result<(Treasury, Places), Vec<Problem>> {
    let parties = Parties::of(treasury);
    let known = treasury.policy.lists();
    let table =
        of_text(text, PathBuf::from("policy.toml"), |section, file| of_known(section, &parties, known, file));
    if !table.problems.is_empty() {
        return Err(table.problems);
    }
    // What it would be called where it is put in force by the people of now.
    let policy = table.policy.with_activation(treasury.policy.activation().cloned());
    let policy = policy.with_confirmation(treasury.policy.confirmation().cloned());
    Ok((Treasury { policy, ..treasury.clone() }, table.places))
}

/// A table whose lists are those that there are already: their files are not looked for.
fn of_known(
    section: &Section<'_>,
    parties: &Parties,
    known: &BTreeMap<String, List>,
    file: PathBuf,
) -> Table {
    let lists = lists::read(section, Path::new(""), |name| {
        let unknown = (!known.contains_key(name)).then(|| format!("the daemon has no list \"{name}\""));
        unknown.map(|what| (what, "its file is read only where the configuration of the daemon names it"))
    });
    let names = known.keys().cloned().collect();
    let (rules, places) = rules_of(section, parties, &names);
    let risk = risk::read(section, parties, &names);
    let policy = Policy::new(rules).with_lists(known.values().cloned()).with_risk(risk);
    Table {
        policy,
        places,
        lists,
        file: Some(file),
        shadow: None,
        texts: BTreeMap::new(),
        problems: Vec::new(),
    }
}

impl DaemonConfig {
    /// Takes these in the place of the lists of their names; the rules stay.
    pub(crate) fn take_lists(&mut self, lists: Vec<List>) {
        let policy = &self.treasury.policy;
        let kept = policy.lists().values().filter(|list| lists.iter().all(|new| new.name() != list.name()));
        let all: Vec<List> = kept.cloned().chain(lists.iter().cloned()).collect();
        let with_these = |policy: &Policy| {
            Policy::new(policy.rules().to_vec()).with_lists(all.clone()).with_risk(policy.risk().clone())
        };
        let shadow = policy.shadow().map(with_these);
        let (activation, confirmation) = (policy.activation().cloned(), policy.confirmation().cloned());
        let policy = with_these(policy).with_shadow(shadow);
        self.treasury.policy = policy.with_activation(activation).with_confirmation(confirmation);
    }

    /// Of lists that cannot be read now, those who were on them before stay on them.
    pub(crate) fn keep_lists_of(&mut self, before: &Self) {
        let known = before.treasury.policy.lists();
        let lost = self.treasury.policy.lists().values().filter_map(|list| {
            let problem = list.fault(clock::utc()).filter(|_| list.entries().is_empty())?;
            Some(known.get(list.name())?.clone().gone_bad(problem))
        });
        let lost: Vec<List> = lost.collect();
        if !lost.is_empty() {
            self.take_lists(lost);
        }
    }
}

fn of_text(text: &str, file: PathBuf, read: impl FnOnce(&Section<'_>, PathBuf) -> Table) -> Table {
    let report = Report::of_file(text, file.clone());
    let Some(document) = reader::parse_toml(text, &report) else {
        return nothing(Some(file), report.into_problems());
    };
    let table = read(&Section::top(&document, &report, &SECTIONS), file);
    Table { problems: report.into_problems(), ..table }
}

fn nothing(file: Option<PathBuf>, problems: Vec<Problem>) -> Table {
    let (policy, places) = (Policy::new(Vec::new()), BTreeMap::new());
    Table { policy, places, lists: Vec::new(), file, shadow: None, texts: BTreeMap::new(), problems }
}

fn of(section: &Section<'_>, parties: &Parties, base_dir: &Path, file: Option<PathBuf>) -> Table {
    let lists = lists::read(section, base_dir, |name| {
        let label = parties.labels.contains_key(name);
        let what = label.then(|| format!("\"{name}\" is a label of the address book"));
        what.map(|what| (what, "rules name both in the same way; choose another"))
    });
    let names = lists.iter().map(|list| list.name.clone()).collect();
    let (rules, places) = rules_of(section, parties, &names);
    let labels = parties.labels.iter().map(|(label, accounts)| List::label(label, accounts.clone()));
    let lists_of_all = labels.chain(lists.iter().map(ListFile::load));
    let policy = Policy::new(rules).with_lists(lists_of_all).with_risk(risk::read(section, parties, &names));
    Table { policy, places, lists, file, shadow: None, texts: BTreeMap::new(), problems: Vec::new() }
}

fn rules_of(section: &Section<'_>, parties: &Parties, lists: &BTreeSet<String>) -> (Vec<Rule>, Places) {
    let read = rules::read(section, parties, lists);
    let places = read.iter().map(|(rule, place)| (rule.name.clone(), *place)).collect();
    (read.into_iter().map(|(rule, _)| rule).collect(), places)
}
