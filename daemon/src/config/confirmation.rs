//! Who confirms whom the address book makes known.

use treasury_core::address_book::Confirmation;
use treasury_core::config::Role;
use treasury_tools::value;

use super::activation::terms;
use super::parties::Parties;
use super::reader::Section;

/// A day: as long as it takes until people have slept over it, and whoever is paid has been asked.
const COOLING_SECONDS: u32 = 86_400;

/// Reads it, if the people there are can reach it.
pub(super) fn read(root: &Section<'_>, parties: &Parties) -> Option<Confirmation> {
    let section = root.section("confirmation")?;
    let cooling = section.text("cooling", value::duration);
    Some(Confirmation {
        by: terms(&section, parties, Role::Approver, "nobody could make a destination known any more"),
        cooling_seconds: cooling.map_or(COOLING_SECONDS, |cooling| cooling.value),
    })
}
