// Added to the copy of the core: which mutant is on, and which ones were come by.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::OnceLock;

const UNREAD: u32 = u32::MAX;
const RECORD: u32 = u32::MAX - 1;

static ACTIVE: AtomicU32 = AtomicU32::new(UNREAD);
static REACHED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];
static RECORDED: OnceLock<File> = OnceLock::new();

#[inline]
pub(crate) fn on(number: u32) -> bool {
    let active = ACTIVE.load(Relaxed);
    active == number || (active >= RECORD && seldom(number))
}

#[cold]
fn seldom(number: u32) -> bool {
    if ACTIVE.load(Relaxed) == UNREAD {
        let recorded = std::env::var("MUTANTS_RECORD");
        let active = std::env::var("MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(RECORD - 1);
        if let Ok(path) = &recorded {
            let _ = RECORDED.set(OpenOptions::new().create(true).append(true).open(path).unwrap());
        }
        ACTIVE.store(if recorded.is_ok() { RECORD } else { active }, Relaxed);
        return on(number);
    }
    if !REACHED[number as usize].swap(true, Relaxed) {
        RECORDED.get().unwrap().write_all(format!("{number}\n").as_bytes()).unwrap();
    }
    false
}

/// Of a function that returns `impl Iterator`: what it gave, or what a mutant gives.
pub(crate) enum Either<A, B> {
    A(A),
    B(B),
}

impl<T, A: Iterator<Item = T>, B: Iterator<Item = T>> Iterator for Either<A, B> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Self::A(a) => a.next(),
            Self::B(b) => b.next(),
        }
    }
}
