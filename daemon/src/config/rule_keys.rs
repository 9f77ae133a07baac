//! The keys of a rule.

use super::keys::{Key, REQUIRED, key};

/// In the order of the reference: matchers, then what follows.
pub(super) const KEYS: &[Key] = &[
    key("name", "name", REQUIRED, "Unique among rules; decisions quote it."),
    key("askers", "list of people", "anybody", "Who asks, by name; `treasuryd` is the daemon itself."),
    key("accounts", "list of accounts", "any", "The paying account, by name or address."),
    key(
        "kinds",
        "list of `pay`, `move`",
        "both",
        "`pay`: a payment somebody asks for. `move`: a move along a link.",
    ),
    key(
        "assets",
        "list of assets",
        "any",
        "What is paid: `\"XRP\"`, `\"USD.rIssuer…\"`. Where nothing is said, whatever the rule's amounts are of; where it has none, any asset, \
         and of an `allow` XRP alone.",
    ),
    key(
        "destination",
        "`known`, `new`, `treasury` or a list",
        "any",
        "Who receives: in the address book or the treasury's own; neither; the treasury's own; one of these, by name or address.",
    ),
    key("amount_above", "amount", "none", "Amounts above this: where another rule's `amount_max` ends."),
    key("amount_min", "amount", "none", "Amounts from here."),
    key("amount_max", "amount", "none", "Amounts up to and including this."),
    key(
        "rolling",
        "table",
        "none",
        "Matches only where what leaves within `period`, up to 366 days, this payment included, is at most `amount_max`, or \
         above `amount_above`: `{ period = \"24h\", per = \"account\", amount_above = \"2000 XRP\" }`. `per` is whose payments are summed: \
             of the paying `account`, all that leaves it, whoever makes it leave (where nothing is said); to the `destination`; of what the `asker` asked for; or \
             of all accounts of the `asset`, moves along links aside. Of months, write days.",
    ),
    key(
        "asker_roles",
        "list of `proposer`, `approver`, `security`, `admin`",
        "any",
        "Who asks is a person with one of these roles. The daemon has none.",
    ),
    key("tiers", "list of `cold`, `warm`, `hot`, `board`", "any", "The tier of the paying account."),
    key(
        "listed",
        "list of names",
        "any",
        "The destination is on one of these lists, or has one of these labels.",
    ),
    key(
        "unlisted",
        "list of names",
        "any",
        "The destination is on none of these lists, and has none of these labels.",
    ),
    key(
        "paid_for",
        "table",
        "any",
        "For how long the destination has been paid, since the first payment of a proposal to it in a validated ledger: \
         `{ at_least = \"30d\" }`, `{ less_than = \"72h\" }`, or both. One that was never paid has been for less than any time.",
    ),
    key(
        "count",
        "table",
        "none",
        "Matches only where there are, within `period`, this one included, more payments than `above`, or at most `max`: \
         `{ period = \"24h\", per = \"destination\", above = 5 }`. `per` is `account`, `destination`, `asker` or `asset`, and has to be said. \
         What may still leave counts whenever it was asked for, and what was denied or can no longer leave does not.",
    ),
    key(
        "during",
        "table",
        "any time",
        "Matches only what is decided on at these times: `{ zone = \"Europe/Zurich\", hours = \"09:00-17:00\", weekdays = [\"mon\", \"tue\"] }`. \
         `zone` is a name of the IANA time zone database, whose rules are those of this release. Without `hours` all day, without `weekdays` \
         every day; hours over midnight, such as `\"22:00-06:00\"`, are of the day on which they are.",
    ),
    key(
        "outside",
        "table",
        "any time",
        "Matches only what is decided on at other times than these; as `during`.",
    ),
    key(
        "risk",
        "table",
        "none",
        "Matches only scores above `above`, up to `max`, or both: `{ above = 40 }`. The score, 0 to 100, is of the signs that `[risk]` \
         names; `treasuryctl policy explain` shows what it would be.",
    ),
    key(
        "action",
        "`allow`, `approve`, `delay`, `deny` or `notify`",
        REQUIRED,
        "`allow`: it may leave, and where no other rule asks for people the agents sign. `approve`: people sign first. `delay`: people sign, and the money waits in an escrow that can be held back. `deny`: no. \
         `notify`: people are told when it is proposed (a notice `rule_matched`), and nothing is asked for; what only such rules match is denied.",
    ),
    key(
        "weight",
        "whole number",
        "required for `approve` and `delay`, unless `signatures` is there",
        "Sum of SignerWeights of people who count that must sign, besides the SignerQuorum and what other rules ask for.",
    ),
    key(
        "signatures",
        "whole number",
        "as many as `weight` takes",
        "How many of the people who count must sign, whatever their weights: with `people`, so many of those named.",
    ),
    key(
        "exclude_asker",
        "true or false",
        "true where `weight` or `signatures` is 2 or more",
        "Whether the signature of the person who asks does not count here; towards the SignerQuorum it does.",
    ),
    key(
        "roles",
        "list of roles",
        "[\"approver\"]; with `people`, any",
        "Whose signatures count: of people with one of these roles. For `notify`: who is told, whoever has one of these.",
    ),
    key(
        "people",
        "list of people",
        "anybody with one of `roles`",
        "Whose signatures count: of these people, by their names; where `roles` is there too, of those with one of them. For \
         `notify`: who is told, beside those with one of the `roles`; where neither is there, whoever reads such notices.",
    ),
    key(
        "void",
        "true or false",
        "false",
        "Whether whoever signs signs a second transaction as well, which does nothing but use up the same Ticket, at \
         fees a quarter higher. With it security can make worthless what is signed already (`treasuryctl void`), also \
         what is under way. Twice as many signatures.",
    ),
    key("delay", "duration", "required for `delay`", "From the deadline to the escrow's FinishAfter."),
    key(
        "window",
        "duration",
        "required for `delay`",
        "From FinishAfter to CancelAfter: the time in which it can be released.",
    ),
];
