//! Entries of the address book that people confirm: a file alone makes nobody known.

use std::collections::BTreeSet;

use treasury_core::address_book::{AddressBook, Confirmation, Standing};
use treasury_core::charter::Table;
use treasury_core::command::{Answer, Command, CommandError};
use treasury_core::decide::is_known;
use treasury_core::input::Input;
use treasury_core::list::List;
use treasury_core::policy::{Action, Approvers, DestinationMatch, Policy, Rule};
use treasury_core::prove::{Outcome, Query, prove};
use treasury_core::units::AccountId;
use treasury_core::{Event, Treasury};

use crate::world::{World, XRP, amount, config, id};

const DAY: u32 = 86_400;

/// Two of bob, carol and dave, and a day.
fn terms() -> Confirmation {
    let people = ["bob", "carol", "dave"].map(str::to_owned).into();
    Confirmation { by: Approvers { signatures: 2, people, ..Approvers::default() }, cooling_seconds: DAY }
}

/// Known ones are paid, and nobody else.
fn known_are_paid(confirmation: Option<Confirmation>) -> Policy {
    let known = Rule { destination: Some(DestinationMatch::Known), ..Rule::new("known", Action::Allow) };
    Policy::new(vec![known]).with_confirmation(confirmation)
}

fn world(policy: Policy, book: &[&str]) -> World {
    let mut w = World::with(Treasury { policy, ..config() });
    configure(&mut w, book);
    w
}

/// As the daemon does with another configuration.
fn configure(w: &mut World, book: &[&str]) {
    w.config.destinations = book.iter().map(|name| (id(name), (*name).to_owned())).collect();
    let configured = w.config.clone();
    w.input(Input::Configured { table: Box::new(Table::of(&configured)) });
    w.config = w.state.charter.in_force(&configured);
}

fn table_of(policy: &Policy) -> Table {
    Table::of(&Treasury { policy: policy.clone(), ..config() })
}

fn confirm(w: &mut World, person: &str, destination: AccountId) -> Result<Answer, CommandError> {
    let reason = "called them back by the number in the contract".to_owned();
    w.command(person, Command::ConfirmDestination { destination, reason })
}

fn knows(w: &World, name: &str) -> bool {
    is_known(&w.config, &w.state, &id(name), w.state.now())
}

fn words(w: &World) -> Vec<&str> {
    w.events.iter().map(Event::word).filter(|word| word.starts_with("destination")).collect()
}

#[test]
fn nothing_is_kept_and_all_are_known_where_the_configuration_does_not_say_so() {
    let mut w = world(known_are_paid(None), &["shop"]);
    configure(&mut w, &["shop", "other"]);
    assert_eq!(w.state.address_book, AddressBook::default());
    assert!(knows(&w, "shop") && knows(&w, "other") && knows(&w, "hot") && !knows(&w, "stranger"));
    let refused = confirm(&mut w, "bob", id("shop")).unwrap_err();
    assert_eq!(refused.code(), "UNKNOWN_DESTINATION");
}

/// Danger: whoever can write the file, or talk somebody into it, is paid as one who has been known for years.
#[test]
fn whoever_comes_to_the_address_book_is_new_until_two_people_confirm_it_and_a_day_has_passed() {
    let mut w = world(known_are_paid(Some(terms())), &["other"]);
    assert!(knows(&w, "other"), "it was there before");
    configure(&mut w, &["other", "shop"]);
    assert!(!knows(&w, "shop"));
    let denied = w.propose("hot", 1);
    assert_eq!(w.word(denied), "denied");
    let answer = |changed, enough, has| Ok(Answer::Confirmed { changed, enough, has, wants: 2 });
    assert_eq!(confirm(&mut w, "bob", id("shop")), answer(true, false, 1));
    assert_eq!(confirm(&mut w, "bob", id("shop")), answer(false, false, 1), "twice the same person is one");
    w.jump(2 * DAY);
    assert!(!knows(&w, "shop"), "it cools from when enough have confirmed it");
    assert_eq!(confirm(&mut w, "carol", id("shop")), answer(true, true, 2));
    // An answer that was lost can be asked for again.
    assert_eq!(confirm(&mut w, "dave", id("shop")), answer(false, true, 2));
    w.jump(DAY - 1);
    assert!(!knows(&w, "shop"));
    let denied = w.propose("hot", 2);
    assert_eq!(w.word(denied), "denied");
    w.jump(1);
    assert!(knows(&w, "shop"));
    let paid = w.propose("hot", 3);
    assert_eq!(w.word(paid), "in_flight");
    assert_eq!(
        words(&w),
        [
            "destinations_adopted",
            "destination_proposed",
            "destination_confirmed",
            "destination_confirmed",
            "destination_admitted"
        ]
    );
    // And that outlives the process.
    w.restart();
    w.settle();
    assert!(knows(&w, "shop"));
}

/// Danger: a name that people have confirmed is pointed at another address, or comes back after it was taken out.
#[test]
fn who_is_taken_out_and_whose_address_is_another_is_confirmed_anew() {
    let mut w = world(known_are_paid(Some(terms())), &["shop", "other"]);
    configure(&mut w, &["other"]);
    assert!(!knows(&w, "shop"));
    configure(&mut w, &["other", "shop"]);
    assert_eq!(w.state.address_book.entries[&id("shop")].standing, Standing::Waiting);
    // The same name for another account.
    w.config.destinations = [(id("stranger"), "shop".to_owned()), (id("other"), "other".to_owned())].into();
    let configured = w.config.clone();
    w.input(Input::Configured { table: Box::new(Table::of(&configured)) });
    assert!(!knows(&w, "stranger") && knows(&w, "other"));
    let standing: BTreeSet<AccountId> = w.state.address_book.entries.keys().copied().collect();
    assert_eq!(standing, [id("stranger"), id("other")].into());
    assert_eq!(confirm(&mut w, "bob", id("shop")).unwrap_err().code(), "UNKNOWN_DESTINATION");
}

/// Danger: taking `[confirmation]` out and putting it back adopts whoever came in between.
#[test]
fn what_came_while_nobody_had_to_confirm_waits_when_they_have_to_again() {
    let mut w = world(known_are_paid(Some(terms())), &["other"]);
    w.config.policy = known_are_paid(None);
    configure(&mut w, &["other", "shop"]);
    assert!(
        knows(&w, "shop"),
        "whoever changes the configuration has said so, and without [activation] that holds"
    );
    w.config.policy = known_are_paid(Some(terms()));
    configure(&mut w, &["other", "shop"]);
    assert!(knows(&w, "other") && !knows(&w, "shop"));
}

/// Danger: whoever can write the file takes the confirmation out of it.
#[test]
fn where_people_put_policies_in_force_a_file_alone_cannot_do_without_confirmation() {
    let people: BTreeSet<String> = ["bob", "carol"].map(str::to_owned).into();
    let activation = Approvers { signatures: 2, people, ..Approvers::default() };
    let asked = known_are_paid(Some(terms())).with_activation(Some(activation.clone()));
    let mut w = world(asked.clone(), &["other"]);
    w.config.policy = known_are_paid(None).with_activation(Some(activation.clone()));
    configure(&mut w, &["other", "shop"]);
    assert_eq!(w.config.policy, asked, "it waits for people");
    assert!(!knows(&w, "shop"));
    let waits = w.state.charter.candidate.clone().unwrap();
    let differs = waits.table.differs_from(&w.state.charter.active.as_ref().unwrap().table);
    assert_eq!(differs, ["entries of the address book need no confirmation"]);
    // And a table that asks for it adopts who is there when it comes in force.
    let mut w = world(known_are_paid(None).with_activation(Some(activation)), &["other"]);
    w.config.policy = asked.clone();
    configure(&mut w, &["other"]);
    assert_eq!(w.state.address_book, AddressBook::default());
    for person in ["bob", "carol"] {
        let policy = table_of(&asked).hash();
        w.command(person, Command::ActivatePolicy { policy, reason: "agreed".to_owned() }).unwrap();
    }
    w.config.policy = asked.clone();
    assert!(knows(&w, "other"));
    assert_eq!(table_of(&asked).differs_from(&table_of(&asked)), Vec::<String>::new());
    let differs = table_of(&asked).differs_from(&table_of(&known_are_paid(None)));
    assert!(
        differs[0]
            == "entries of the address book are confirmed by 2 of bob or carol or dave and cool for 86400 s",
        "{differs:?}"
    );
}

/// Danger: somebody whom nobody has named confirms their own account; or it cools while nothing is seen.
#[test]
fn others_cannot_confirm_nor_anybody_without_a_reason_or_sight() {
    let mut w = world(known_are_paid(Some(terms())), &[]);
    configure(&mut w, &["shop"]);
    let before = w.state.clone();
    assert_eq!(confirm(&mut w, "alice", id("shop")).unwrap_err().code(), "NOT_A_CONFIRMER");
    let reason = "  ".to_owned();
    let silent = w.command("bob", Command::ConfirmDestination { destination: id("shop"), reason });
    assert_eq!(silent.unwrap_err().code(), "BAD_VALUE");
    assert_eq!(w.state.address_book, before.address_book);
    // Who has lost what they counted by does not count any more.
    confirm(&mut w, "bob", id("shop")).unwrap();
    let mut other = terms();
    other.by.people.remove("bob");
    w.config.policy = known_are_paid(Some(other));
    assert_eq!(
        confirm(&mut w, "carol", id("shop")),
        Ok(Answer::Confirmed { changed: true, enough: false, has: 1, wants: 2 })
    );
    w.input(Input::SightLost { reason: "the server is gone".to_owned() });
    assert_eq!(confirm(&mut w, "dave", id("shop")).unwrap_err().code(), "NO_SIGHT");
}

/// Danger: a payment that was asked for to a known one leaves to one that is not known any more.
#[test]
fn what_was_decided_on_for_a_known_one_is_asked_about_again_when_it_is_not() {
    let mut policy = known_are_paid(Some(terms()));
    let two = Approvers { signatures: 2, ..Approvers::default() };
    let asked =
        Rule { destination: Some(DestinationMatch::Known), ..Rule::new("known", Action::Approve(two)) };
    policy = Policy::new(vec![asked]).with_confirmation(policy.confirmation().cloned());
    let mut w = world(policy, &["shop"]);
    let waits = w.propose("hot", 1);
    assert_eq!(w.word(waits), "collecting");
    configure(&mut w, &[]);
    w.close(&[]);
    assert!(w.waits(waits).iter().any(|why| why.contains("no match")), "{:?}", w.waits(waits));
}

/// Danger: the prover calls an entry known that is not yet, and rules out what happens to new ones.
#[test]
fn the_prover_takes_whoever_may_have_to_be_confirmed_for_a_new_one_too() {
    let named = Rule {
        destination: Some(DestinationMatch::Accounts(vec![id("shop")])),
        amount_max: Some(amount(5 * XRP)),
        ..Rule::new("shop", Action::Allow)
    };
    let mut treasury = config();
    treasury.destinations = [(id("shop"), "shop".to_owned())].into();
    let asked =
        Query { outcome: Outcome::Alone, destination: Some(DestinationMatch::New), ..Query::default() };
    let found = |confirmation: Option<Confirmation>| {
        let policy = Policy::new(vec![named.clone()]).with_confirmation(confirmation);
        let treasury = Treasury { policy: policy.clone(), ..treasury.clone() };
        prove(&treasury, &policy, treasury_core::units::RippleTime(800_000_000), &asked).unwrap()
    };
    assert_eq!(found(None), None);
    assert_eq!(found(Some(terms())).unwrap().example.recipient.account, Some(id("shop")));
}

/// Danger: an entry that nobody has confirmed is let through by its label.
#[test]
fn whoever_is_not_known_yet_has_no_label() {
    let labelled =
        Rule { listed: Some(["exchange".to_owned()].into()), ..Rule::new("exchange", Action::Allow) };
    let labels = || [List::label("exchange", vec![id("shop"), id("other")])];
    let policy = Policy::new(vec![labelled]).with_lists(labels()).with_confirmation(Some(terms()));
    let mut w = world(policy.clone(), &["other"]);
    configure(&mut w, &["other", "shop"]);
    let denied = w.propose("hot", 1);
    assert_eq!(w.word(denied), "denied");
    for person in ["bob", "carol"] {
        confirm(&mut w, person, id("shop")).unwrap();
    }
    w.jump(DAY);
    let paid = w.propose("hot", 1);
    assert_eq!(w.word(paid), "in_flight");
    let asked =
        Query { outcome: Outcome::Alone, destination: Some(DestinationMatch::New), ..Query::default() };
    let now = treasury_core::units::RippleTime(800_000_000);
    assert_eq!(prove(&w.config, &policy, now, &asked).unwrap(), None);
}

/// Danger: who was taken out while nobody had to confirm anything comes back as it went.
#[test]
fn who_is_taken_out_while_nobody_has_to_confirm_anything_waits_when_it_comes_back() {
    let mut w = world(known_are_paid(Some(terms())), &["shop", "other"]);
    w.config.policy = known_are_paid(None);
    configure(&mut w, &["other"]);
    w.config.policy = known_are_paid(Some(terms()));
    configure(&mut w, &["other", "shop"]);
    assert!(!knows(&w, "shop") && knows(&w, "other"));
}
