//! A life shortened to what the difference needs.

use std::collections::BTreeSet;

use super::{Deed, Lived, Opponent, OpponentError, live_without};

/// Leaves out of a life in which something came out otherwise whatever it does not need for that: halves first, then
/// ever smaller parts. Tries so many shorter lives at most, and answers with the shortest and how it was lived.
///
/// # Errors
/// As [`live`](super::live).
pub fn shorten(
    opponent: &mut Opponent,
    lived: Lived,
    acts: &[u64],
    tries: usize,
) -> Result<(Vec<Deed>, Lived), OpponentError> {
    let beginning = lived.beginning;
    let mut shortest: Vec<Deed> = (0..beginning).map(Deed::Begin).collect();
    shortest.extend(acts.iter().copied().map(Deed::Act));
    let mut best = lived;
    let mut left = tries;
    let mut part = shortest.len().div_ceil(2);
    while part > 0 {
        let mut at = 0;
        let mut is_shorter = false;
        while at < shortest.len() && left > 0 {
            left -= 1;
            let end = shortest.len().min(at + part);
            let trial: Vec<Deed> = shortest[..at].iter().chain(&shortest[end..]).copied().collect();
            let lived = live_deeds(opponent, &trial, beginning)?;
            if lived.difference.is_some() {
                (shortest, best, is_shorter) = (trial, lived, true);
            } else {
                at = end;
            }
        }
        if left == 0 {
            break;
        }
        // What could not be left out before may be now.
        part = match part {
            1 if is_shorter => 1,
            part => part / 2,
        };
    }
    Ok((shortest, best))
}

/// Lives some of the deeds of a life whose beginning has so many steps.
///
/// # Errors
/// As [`live`](super::live).
pub fn live_deeds(opponent: &mut Opponent, deeds: &[Deed], beginning: u32) -> Result<Lived, OpponentError> {
    let mut without: BTreeSet<u32> = (0..beginning).collect();
    let mut acts = Vec::new();
    for deed in deeds {
        match deed {
            Deed::Begin(step) => {
                without.remove(step);
            }
            Deed::Act(number) => acts.push(*number),
        }
    }
    live_without(opponent, &acts, without)
}
