use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;
use crate::log::Form;

/// What is logged while something is done, line by line.
fn logged(form: Form, done: impl Fn()) -> Vec<String> {
    #[derive(Clone, Default)]
    struct Taken(Arc<Mutex<Vec<u8>>>);
    impl Write for Taken {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let taken = Taken::default();
    let writer = taken.clone();
    let subscriber = crate::log::subscriber("info", form, move || writer.clone());
    // Whether anybody wants a line is remembered for all threads when it is met first: another test may be meeting it
    // at this moment, with nobody who listens. So each is met once, and then asked about again.
    done();
    tracing::dispatcher::with_default(&subscriber, || {
        tracing::callsite::rebuild_interest_cache();
        done();
    });
    let text = String::from_utf8(taken.0.lock().unwrap().clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Danger: a name, a reason or what a server said breaks a line in two, turns it round, or carries a secret into it.
#[test]
fn a_line_is_one_json_object_with_the_fields_of_its_table_whatever_is_in_them() {
    let hostile = "\u{202e}a\nb\"}\u{1b}[2J wss://u:PASS99@host/KEY99";
    let lines = logged(Form::Json, || all_with(hostile));
    assert_eq!(lines.len(), LINES.len());
    for (text, line) in lines.iter().zip(LINES) {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!((&json["line"], &json["level"]), (&line.name.into(), &line.level.into()), "{text}");
        assert_eq!(json["target"], TARGET);
        let usual = ["timestamp", "level", "target", "line"];
        let fields: BTreeSet<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let wanted: BTreeSet<&str> =
            usual.into_iter().chain(line.fields.iter().map(|(name, _)| *name)).collect();
        assert_eq!(fields, wanted, "{text}");
        for (name, _) in line.fields {
            let value = json[*name].as_str().unwrap();
            assert_eq!(value, format!("{name} \\u{{202e}}a\\nb\"}}\\u{{1b}}[2J wss://host/…"));
        }
        assert!(!text.contains("PASS99") && !text.contains("KEY99"), "{text}");
    }
    let lines = logged(Form::Text, || all_with(hostile));
    assert_eq!(lines.len(), LINES.len());
    for (text, line) in lines.iter().zip(LINES) {
        assert!(text.contains(&format!("line=\"{}\"", line.name)), "{text}");
        assert!(text.chars().all(|letter| !treasury_tools::text::is_hidden(letter)), "{text}");
    }
}

#[test]
fn the_reference_of_the_log_is_what_the_table_says() {
    crate::testing::reference("log.md", &reference());
    let names: BTreeSet<&str> = LINES.iter().map(|line| line.name).collect();
    assert_eq!(names.len(), LINES.len());
}
