//! What was worked out of late of the few accounts and keys that are asked about again and again: a hash is most of
//! the work each time.

use std::cell::Cell;

/// How many results are kept: who shows, judges or applies much does so mostly for the same few. A power of two, and
/// some kilobytes for each thread.
const KEPT: usize = 128;

/// What was asked last of a place, and its result.
type Place<const N: usize, V> = Cell<Option<([u8; N], V)>>;

/// Results of a pure function of so many bytes, each in a place that its bytes tell: never more than [`KEPT`], whoever
/// asks for what. It changes how long an answer takes and nothing else.
pub(crate) struct Recent<const N: usize, V>([Place<N, V>; KEPT]);

impl<const N: usize, V: Copy> Recent<N, V> {
    pub(crate) const fn new() -> Recent<N, V> {
        Recent([const { Cell::new(None) }; KEPT])
    }

    /// The result for these bytes, worked out if it is not there.
    pub(crate) fn get(&self, bytes: &[u8; N], work_out: impl FnOnce() -> V) -> V {
        let place = self.0.get(place(bytes));
        match place.and_then(Cell::get) {
            Some((of, result)) if of == *bytes => result,
            _ => {
                let result = work_out();
                if let Some(place) = place {
                    place.set(Some((*bytes, result)));
                }
                result
            }
        }
    }
}

/// Below [`KEPT`]. Ids and keys are hashes or as good; made-up ones differ in some of their bytes.
fn place(bytes: &[u8]) -> usize {
    let mixed = bytes.chunks(8).fold(0_u64, |mixed, part| {
        let word = part.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        (mixed ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    });
    usize::try_from(mixed >> 57).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_that_of_its_bytes_whatever_was_asked_before() {
        let recent = Recent::<4, u32>::new();
        let numbers = (0..2_000_u32).chain((0..2_000).rev()).chain((0..2_000).flat_map(|n| [n, n]));
        for number in numbers {
            let bytes = number.to_be_bytes();
            assert!(place(&bytes) < KEPT);
            assert_eq!(recent.get(&bytes, || number + 1), number + 1);
        }
    }

    #[test]
    fn what_was_asked_last_is_not_worked_out_again() {
        let recent = Recent::<4, u32>::new();
        assert_eq!(recent.get(&[1, 2, 3, 4], || 7), 7);
        assert_eq!(recent.get(&[1, 2, 3, 4], || unreachable!("it is there")), 7);
    }
}
