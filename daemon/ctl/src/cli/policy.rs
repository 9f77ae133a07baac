//! The words of `treasuryctl policy`.

use std::path::PathBuf;

use clap::Subcommand;
use treasury_tools::value;
use xrpl_wire::Amount;

/// What to ask about a policy. A table is a file with `[[rule]]`; where it is left out, it is the one that decides.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Say what is wrong with a table, and what of it is right and hardly meant.
    ///
    /// The daemon reads the table with its own people, accounts, address book and lists, and answers with lines and columns:
    /// errors, what is dangerous, rules that never match or change nothing, and what no rule matches. The exit code is 1
    /// where the daemon would refuse the table.
    Check {
        /// The table.
        file: Option<PathBuf>,
        /// Exit with 1 where there are warnings, too.
        #[arg(long)]
        strict: bool,
    },
    /// Say what would happen to a payment now, and of each rule why.
    Explain {
        /// The table.
        file: Option<PathBuf>,
        /// The treasury account that would pay.
        #[arg(long, value_name = "NAME|ADDRESS")]
        account: String,
        /// Who would be paid.
        #[arg(long, value_name = "NAME|ADDRESS")]
        to: String,
        /// How much: "250 XRP", "12 drops", or of another asset, "20 USD.rIssuer…".
        #[arg(long, value_parser = value::any_amount)]
        amount: Amount,
        /// Who would ask; you where it is left out.
        #[arg(long, value_name = "PERSON")]
        asker: Option<String>,
    },
    /// Judge everything that was ever proposed by another table: what would have been otherwise, counts and money.
    Test {
        /// The table.
        file: PathBuf,
        /// Only what was proposed then or later: 2026-11-26 or 2026-11-26T08:00:00Z.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
    },
    /// Ask whether a table can let something happen to any payment: no, or yes with an example.
    ///
    /// Every payment that the table can tell from another is tried: by people who may propose, from the treasury's accounts,
    /// along links up to what they may move. What sums and counts of different kinds have to do with each other is not
    /// looked at, so an example may be one that only other sums allow; a no is a no.
    Prove {
        /// The table.
        file: Option<PathBuf>,
        /// `allow` (it leaves without people and without a delay), `at_once` (without a delay), `leave`, `deny` or
        /// `no_match`.
        #[arg(long, default_value = "allow")]
        outcome: String,
        /// Of payments above this: "1000 XRP".
        #[arg(long, value_parser = value::any_amount)]
        above: Option<Amount>,
        /// To `new`, `known` or `treasury` destinations, or to one.
        #[arg(long, value_name = "new|known|treasury|NAME|ADDRESS")]
        to: Option<String>,
        /// From this account.
        #[arg(long, value_name = "NAME|ADDRESS")]
        account: Option<String>,
        /// Asked for by this person, or by `treasuryd`.
        #[arg(long, value_name = "PERSON")]
        asker: Option<String>,
        /// To a destination on this list.
        #[arg(long, value_name = "LIST")]
        listed: Option<String>,
        /// Exit with 1 where it can happen.
        #[arg(long)]
        never: bool,
    },
    /// Say that you want the table in force that waits; with enough of those whom the table in force names it is.
    ///
    /// `treasuryctl policy check` without a file shows which table waits, in what it differs from the one in force, and who
    /// wants it. With the file, it says by which hash the daemon would name that: look whether it is the same.
    Activate {
        /// Its hash.
        policy: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Show what the second policy said beside the one in force (`shadow` in the configuration), where it was something else.
    Shadow,
}

impl Policy {
    pub(super) fn words(&self) -> Vec<&String> {
        match self {
            Self::Check { .. } | Self::Shadow => Vec::new(),
            Self::Explain { account, to, asker, .. } => [account, to].into_iter().chain(asker).collect(),
            Self::Activate { policy, reason } => vec![policy, reason],
            Self::Test { since, .. } => since.iter().collect(),
            Self::Prove { outcome, to, account, asker, listed, .. } => {
                [outcome].into_iter().chain(to).chain(account).chain(asker).chain(listed).collect()
            }
        }
    }
}
