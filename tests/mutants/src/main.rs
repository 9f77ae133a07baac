//! Which faults in the core its tests would not see. See docs/reference/mutation.md.

mod rewrite;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rewrite::Mutant;
use serde_json::Value;

const PACKAGE: &str = "treasury-core";
const CORE: &str = "daemon/core";
/// What is built of it, of which each test is tried.
const TESTS: [&str; 3] = ["--lib", "--test", "decisions"];
/// A test that takes so many times as long as it does, and this much more, has found that something never ends.
const PATIENCE: u32 = 10;
const PATIENCE_MORE: Duration = Duration::from_secs(5);
/// So many tests that saw the last changes of a file are tried first of the next one there.
const REMEMBERED: usize = 6;

#[derive(Clone, PartialEq)]
enum Outcome {
    Caught(String),
    Timeout(String),
    Missed(&'static str),
    /// The compiler refuses it.
    NotViable,
    /// It stands where nothing can be switched, or what its switch needs does not compile.
    NotTried,
}

/// A test of one of the programs, and how long it takes.
#[derive(Clone)]
struct Test {
    program: PathBuf,
    name: String,
    takes: Duration,
}

fn main() {
    let (options, parts): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let room = PathBuf::from("target/mutants");
    fs::create_dir_all(&room).expect("a folder for the copy");
    let room = room.canonicalize().expect("it was made");
    // Where parts of paths are given, what is in such files comes first, or is all that is tried.
    let named = |mutant: &Mutant| parts.iter().any(|part| mutant.file.contains(part.as_str()));
    let (mut mutants, mut others): (Vec<Mutant>, Vec<Mutant>) = list().into_iter().partition(named);
    if !options.iter().any(|option| option == "--only") {
        mutants.append(&mut others);
    }
    let earlier = fs::read_to_string(room.join("outcomes")).unwrap_or_default();
    let before = previous(&earlier);
    // What is said of the others stays said.
    let others: BTreeSet<&str> = others.iter().map(|mutant| mutant.name.as_str()).collect();
    let kept =
        earlier.lines().filter(|line| line.split('\t').nth(1).is_some_and(|name| others.contains(name)));
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    copy(&room.join("copy"));
    let mut outcomes: Vec<Option<Outcome>> = vec![None; mutants.len()];
    switch(&room, &mutants, &mut outcomes);
    let tests = build(&room);
    println!(
        "{} tests in {} programs",
        tests.len(),
        tests.iter().map(|test| &test.program).collect::<BTreeSet<_>>().len()
    );
    let (tests, reached) = record(&room, tests, mutants.len());
    // Those that were caught before are taken for caught again.
    if options.iter().any(|option| option == "--missed") {
        for (mutant, outcome) in mutants.iter().zip(&mut outcomes) {
            if outcome.is_none() {
                *outcome =
                    before.get(&mutant.name).cloned().filter(|before| !matches!(before, Outcome::Missed(_)));
            }
        }
    }
    let outcomes = Mutex::new(outcomes);
    run(&room, &tests, &reached, &outcomes, &mutants);
    let outcomes = outcomes.into_inner().expect("no worker panicked");
    report(&room, &mutants, &outcomes, kept);
}

fn text_of(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().expect("it starts");
    assert!(output.status.success(), "{command:?} failed");
    String::from_utf8(output.stdout).expect("text")
}

/// What cargo-mutants would change.
fn list() -> Vec<Mutant> {
    let text = text_of(Command::new("cargo").args(["mutants", "--list", "--json", "-p", PACKAGE]));
    let list: Vec<Value> = serde_json::from_str(&text).expect("a list");
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number =
        |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok()).expect("a number");
    list.iter()
        .map(|entry| {
            let (file, name, start) = (word(&entry["file"]), word(&entry["name"]), &entry["span"]["start"]);
            let line = number(&start["line"]);
            let source = fs::read_to_string(&file).expect("a file of the core");
            let text = source.lines().nth(line - 1).unwrap_or_default().trim();
            let what = name.split_once(": ").map(|(_, what)| what).unwrap_or_default();
            Mutant {
                key: format!("{} | {what} | {text}", file.trim_start_matches("daemon/core/src/")),
                genre: word(&entry["genre"]),
                replacement: word(&entry["replacement"]),
                at: (line, number(&start["column"])),
                file,
                name,
            }
        })
        .collect()
}

fn previous(text: &str) -> HashMap<String, Outcome> {
    let parsed = |line: &str| {
        let mut parts = line.split('\t');
        let (word, name, test) = (parts.next()?, parts.next()?, parts.next()?.to_owned());
        let outcome = match word {
            "caught" => Outcome::Caught(test),
            "timeout" => Outcome::Timeout(test),
            _ => return None,
        };
        Some((name.to_owned(), outcome))
    };
    text.lines().filter_map(parsed).collect()
}

/// What git tracks, as it stands here. What has not changed keeps its time, so that it is not compiled again.
fn copy(to: &Path) {
    let files = text_of(Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]));
    for file in files.lines().filter(|file| Path::new(file).is_file()) {
        put(&to.join(file), &fs::read(file).expect("it is there"));
    }
}

fn put(path: &Path, bytes: &[u8]) {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return;
    }
    fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
    fs::write(path, bytes).expect("room on the disk");
}

/// Rewrites the copy, and takes out what does not compile until all does.
fn switch(room: &Path, mutants: &[Mutant], outcomes: &mut [Option<Outcome>]) {
    let module = format!("{}\nconst COUNT: usize = {};\n", include_str!("switch.rs"), mutants.len().max(1));
    let source = |file: &str| fs::read_to_string(file).expect("a file of the core");
    put(&room.join("copy").join(CORE).join("src/mutant.rs"), module.as_bytes());
    let root = source(&format!("{CORE}/src/lib.rs")) + "\nmod mutant;\n";
    put(&room.join("copy").join(CORE).join("src/lib.rs"), root.as_bytes());
    let files: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.file.as_str()).collect();
    for round in 1.. {
        for file in &files {
            let of_file =
                |(number, mutant): &(usize, &Mutant)| mutant.file == *file && outcomes[*number].is_none();
            let on: Vec<(usize, &Mutant)> = mutants.iter().enumerate().filter(of_file).collect();
            let done = rewrite::rewrite(&source(file), &on);
            put(&room.join("copy").join(file), done.text.as_bytes());
            for number in done.placeless {
                println!("no place for a switch: {}", mutants[number].name);
                outcomes[number] = Some(Outcome::NotTried);
            }
            done.refused.into_iter().for_each(|number| outcomes[number] = Some(Outcome::NotViable));
        }
        let output =
            cargo(room, &["check", "-p", PACKAGE, "--lib", "--message-format=json"]).output().expect("cargo");
        if output.status.success() {
            return;
        }
        let found = errors(room, &String::from_utf8_lossy(&output.stdout), outcomes);
        println!("round {round}: {found} taken out that do not compile");
        assert!(found > 0, "errors that no mutant has made; see target/mutants/errors");
    }
}

/// Takes out whose errors these are.
fn errors(room: &Path, messages: &str, outcomes: &mut [Option<Outcome>]) -> usize {
    let before = outcomes.iter().flatten().count();
    let mut texts: HashMap<String, String> = HashMap::new();
    let mut unknown = String::new();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let message = &message["message"];
        if message["level"] != "error" {
            continue;
        }
        let children = message["children"].as_array().into_iter().flatten();
        let spans =
            std::iter::once(message).chain(children).flat_map(|part| part["spans"].as_array()).flatten();
        let owner = |span: &Value| {
            let file = span["file_name"].as_str()?.to_owned();
            let at = usize::try_from(span["byte_start"].as_u64()?).ok()?;
            let text = texts
                .entry(file.clone())
                .or_insert_with(|| fs::read_to_string(room.join("copy").join(file)).unwrap_or_default());
            // An arm is not there where its guard says so, which is no error before all arms are looked at together.
            if message["code"]["code"] == "E0004" {
                return rewrite::first_arm(text, at).map(|number| (true, vec![number]));
            }
            Some(rewrite::whose(text, at)).filter(|(_, numbers)| !numbers.is_empty())
        };
        let owners: Vec<(bool, Vec<usize>)> = spans.filter_map(owner).collect();
        let Some((alone, numbers)) = owners.iter().find(|(alone, _)| *alone).or(owners.first()) else {
            unknown.push_str(message["rendered"].as_str().unwrap_or_default());
            continue;
        };
        for number in numbers {
            outcomes[*number] = Some(if *alone { Outcome::NotViable } else { Outcome::NotTried });
        }
        if !alone {
            unknown.push_str(message["rendered"].as_str().unwrap_or_default());
        }
    }
    fs::write(room.join("errors"), unknown).expect("room on the disk");
    outcomes.iter().flatten().count() - before
}

fn cargo(room: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(room.join("copy")).env("CARGO_TARGET_DIR", room.join("target"));
    // Overflows and assertions stay checked, as in the tests themselves.
    command
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0");
    command.env("RUSTFLAGS", "-Awarnings").stderr(Stdio::null());
    command
}

/// Builds the tests, and names them.
fn build(room: &Path) -> Vec<Test> {
    let arguments = [&["test", "-p", PACKAGE, "--no-run", "--message-format=json"], &TESTS[..]].concat();
    let messages = text_of(&mut cargo(room, &arguments));
    let built = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let programs = built.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    programs
        .flat_map(|program| {
            let names = text_of(Command::new(&program).args(["--list", "--format", "terse"]));
            let names = names.lines().filter_map(|line| line.strip_suffix(": test").map(str::to_owned));
            names
                .map(|name| Test { program: program.clone(), name, takes: Duration::ZERO })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The package's folder of one worker: tests write beside themselves what failed, which others must not read.
fn desk(room: &Path, worker: usize) -> PathBuf {
    let desk = room.join(format!("desk-{worker}"));
    let _ = fs::remove_dir_all(&desk);
    fs::create_dir_all(&desk).expect("a folder");
    let mut copied = Command::new("cp");
    copied.args(["-a", "--parents", CORE]).arg(&desk).current_dir(room.join("copy"));
    assert!(copied.status().expect("cp").success(), "room on the disk");
    desk.join(CORE)
}

/// Whether it passes; `None` where it does not end.
fn passes(desk: &Path, test: &Test, limit: Duration, variables: &[(&str, String)]) -> Option<bool> {
    let mut command = Command::new(&test.program);
    command
        .args(["--exact", &test.name, "--test-threads=1"])
        .current_dir(desk)
        .env("CARGO_MANIFEST_DIR", desk);
    command.envs(variables.iter().map(|(name, value)| (name, value))).envs(settings());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return Some(status.success());
        }
        if started.elapsed() > limit {
            child.kill().and_then(|()| child.wait()).expect("it ends");
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What cargo would set for tests.
fn settings() -> Vec<(String, String)> {
    let text = fs::read_to_string(".cargo/config.toml").unwrap_or_default();
    let setting = |line: &str| {
        let (name, value) = line.split_once(" = ")?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    text.lines().skip_while(|line| *line != "[env]").filter_map(setting).collect()
}

/// Runs each test alone: how long it takes, and which mutants it comes by.
fn record(room: &Path, tests: Vec<Test>, count: usize) -> (Vec<Test>, Vec<Vec<usize>>) {
    let desk = desk(room, 0);
    let mut reached = vec![Vec::new(); count];
    let record = room.join("reached");
    let mut timed = Vec::new();
    for (index, test) in tests.into_iter().enumerate() {
        let _ = fs::remove_file(&record);
        let started = Instant::now();
        let passed = passes(
            &desk,
            &test,
            Duration::from_secs(600),
            &[("MUTANTS_RECORD", record.display().to_string())],
        );
        assert_eq!(passed, Some(true), "{} fails without a mutant", test.name);
        let numbers = fs::read_to_string(&record).unwrap_or_default();
        numbers
            .lines()
            .filter_map(|number| number.parse::<usize>().ok())
            .for_each(|number| reached[number].push(index));
        timed.push(Test { takes: started.elapsed(), ..test });
    }
    let all: Duration = timed.iter().map(|test| test.takes).sum();
    println!("each test alone: {:.1} s", all.as_secs_f32());
    (timed, reached)
}

fn run(
    room: &Path,
    tests: &[Test],
    reached: &[Vec<usize>],
    outcomes: &Mutex<Vec<Option<Outcome>>>,
    mutants: &[Mutant],
) {
    let next = AtomicUsize::new(0);
    let progress = Mutex::new(fs::File::create(room.join("progress")).expect("room on the disk"));
    let saw: Mutex<HashMap<&str, VecDeque<usize>>> = Mutex::default();
    let started = Instant::now();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let work = |worker: usize| {
        let mut place = desk(room, worker);
        loop {
            let number = next.fetch_add(1, Relaxed);
            let Some(reached) = reached.get(number) else { return };
            if outcomes.lock().expect("no worker panicked")[number].is_some() {
                continue;
            }
            let file = mutants[number].file.as_str();
            let likely = saw.lock().expect("no worker panicked").get(file).cloned().unwrap_or_default();
            let mut order = reached.clone();
            order.sort_by_key(|test| (!likely.contains(test), tests[*test].takes));
            let mut outcome =
                Outcome::Missed(if order.is_empty() { "nothing comes by it" } else { "every test passes" });
            for index in order {
                let test = &tests[index];
                let limit = test.takes * PATIENCE + PATIENCE_MORE;
                match passes(&place, test, limit, &[("MUTANT", number.to_string())]) {
                    Some(true) => continue,
                    Some(false) => outcome = Outcome::Caught(test.name.clone()),
                    None => outcome = Outcome::Timeout(test.name.clone()),
                }
                place = desk(room, worker);
                let mut saw = saw.lock().expect("no worker panicked");
                let of_file = saw.entry(file).or_default();
                of_file.retain(|known| *known != index);
                of_file.push_front(index);
                of_file.truncate(REMEMBERED);
                break;
            }
            if let Outcome::Missed(why) = outcome {
                println!("missed ({why}): {}", mutants[number].name);
            }
            if number.is_multiple_of(100) {
                println!("{number} of {} after {} s", mutants.len(), started.elapsed().as_secs());
            }
            let line = line(&mutants[number], Some(&outcome));
            progress
                .lock()
                .expect("no worker panicked")
                .write_all(line.as_bytes())
                .expect("room on the disk");
            outcomes.lock().expect("no worker panicked")[number] = Some(outcome);
        }
    };
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let work = &work;
            scope.spawn(move || work(worker));
        }
    });
}

/// A mutant and what became of it. Of a missed one, what it is called where lines move.
fn line(mutant: &Mutant, outcome: Option<&Outcome>) -> String {
    let (word, more) = match outcome {
        Some(Outcome::Caught(test)) => ("caught", test.as_str()),
        Some(Outcome::Timeout(test)) => ("timeout", test.as_str()),
        Some(Outcome::Missed(_)) | None => ("missed", mutant.key.as_str()),
        Some(Outcome::NotViable) => ("not viable", ""),
        Some(Outcome::NotTried) => ("not tried", ""),
    };
    format!("{word}\t{}\t{more}\n", mutant.name)
}

/// Every mutant with its outcome, and how many there are of each.
fn report(room: &Path, mutants: &[Mutant], outcomes: &[Option<Outcome>], kept: String) {
    let equivalent = include_str!("../equivalent");
    let equivalent: BTreeSet<&str> =
        equivalent.lines().filter(|line| !line.starts_with([' ', '#'])).collect();
    let mut lines = kept;
    let mut counts: BTreeMap<&str, [usize; 6]> = BTreeMap::new();
    for (mutant, outcome) in mutants.iter().zip(outcomes) {
        lines.push_str(&line(mutant, outcome.as_ref()));
        let column = match outcome {
            Some(Outcome::Caught(_)) => 0,
            Some(Outcome::Timeout(_)) => 1,
            Some(Outcome::Missed(_)) if equivalent.contains(mutant.key.as_str()) => 3,
            Some(Outcome::Missed(_)) | None => 2,
            Some(Outcome::NotViable) => 4,
            Some(Outcome::NotTried) => 5,
        };
        let module = mutant.file.trim_start_matches("daemon/core/src/");
        counts.entry(module).or_default()[column] += 1;
        counts.entry("all").or_default()[column] += 1;
    }
    fs::write(room.join("outcomes"), lines).expect("room on the disk");
    println!(
        "{:32} {:>7} {:>8} {:>7} {:>11} {:>11} {:>10}",
        "", "caught", "timeouts", "missed", "equivalent", "not viable", "not tried"
    );
    for (module, of) in &counts {
        println!(
            "{module:32} {:>7} {:>8} {:>7} {:>11} {:>11} {:>10}",
            of[0], of[1], of[2], of[3], of[4], of[5]
        );
    }
    let all = counts.get("all").copied().unwrap_or_default();
    let seen = all[0] + all[1];
    println!(
        "{} mutants, {seen} of {} seen: {:.2} %",
        mutants.len(),
        seen + all[2],
        100.0 * seen as f64 / (seen + all[2]).max(1) as f64
    );
}
