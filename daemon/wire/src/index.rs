//! Where things are in the ledger's state: the index of an entry, computed from what it is about.

use crate::account::AccountId;
use crate::amount::{Currency, Issue};
use crate::cosign::PROPOSAL_SPACE;
use crate::hash::{Hash256, sha512_half};
use crate::recent::Recent;

// Each kind of entry hashes under its own two bytes, so that no two kinds can collide.
const ACCOUNT_ROOT: [u8; 2] = [0, b'a'];
const AMENDMENTS: [u8; 2] = [0, b'f'];
const BOOK_DIR: [u8; 2] = [0, b'B'];
const CHECK: [u8; 2] = [0, b'C'];
const CREDENTIAL: [u8; 2] = [0, b'D'];
const DELEGATE: [u8; 2] = [0, b'E'];
const DEPOSIT_PREAUTH: [u8; 2] = [0, b'p'];
const DEPOSIT_PREAUTH_CREDENTIALS: [u8; 2] = [0, b'P'];
const DIR_PAGE: [u8; 2] = [0, b'd'];
const ESCROW: [u8; 2] = [0, b'u'];
const FEE_SETTINGS: [u8; 2] = [0, b'e'];
const MPT_ISSUANCE: [u8; 2] = [0, b'~'];
const MPTOKEN: [u8; 2] = [0, b't'];
const OFFER: [u8; 2] = [0, b'o'];
const OWNER_DIR: [u8; 2] = [0, b'O'];
const PAYMENT_CHANNEL: [u8; 2] = [0, b'x'];
const PERMISSIONED_DOMAIN: [u8; 2] = [0, b'm'];
const SIGNER_LIST: [u8; 2] = [0, b'S'];
const SKIP_LIST: [u8; 2] = [0, b's'];
const TICKET: [u8; 2] = [0, b'T'];
const TRUST_LINE: [u8; 2] = [0, b'r'];

/// The AccountRoot of an account.
#[must_use]
pub fn account_root(account: &AccountId) -> Hash256 {
    thread_local!(static RECENT: Recent<20, Hash256> = const { Recent::new() });
    RECENT.with(|recent| recent.get(&account.0, || sha512_half(&[&ACCOUNT_ROOT, &account.0])))
}

/// A Ticket, named by its owner and its TicketSequence.
#[must_use]
pub fn ticket(owner: &AccountId, ticket_sequence: u32) -> Hash256 {
    sha512_half(&[&TICKET, &owner.0, &ticket_sequence.to_be_bytes()])
}

/// An Escrow, named by its owner and the Sequence or TicketSequence of the EscrowCreate that made it.
#[must_use]
pub fn escrow(owner: &AccountId, offer_sequence: u32) -> Hash256 {
    sha512_half(&[&ESCROW, &owner.0, &offer_sequence.to_be_bytes()])
}

/// The SignerList of an account; there is at most one.
#[must_use]
pub fn signer_list(owner: &AccountId) -> Hash256 {
    thread_local!(static RECENT: Recent<20, Hash256> = const { Recent::new() });
    // The SignerListID, always zero.
    RECENT.with(|recent| recent.get(&owner.0, || sha512_half(&[&SIGNER_LIST, &owner.0, &[0; 4]])))
}

/// The root page of the directory of all an account owns.
#[must_use]
pub fn owner_dir(owner: &AccountId) -> Hash256 {
    sha512_half(&[&OWNER_DIR, &owner.0])
}

/// A page of the directory with the given root; page 0 is the root itself.
#[must_use]
pub fn dir_page(root: &Hash256, page: u64) -> Hash256 {
    if page == 0 { *root } else { sha512_half(&[&DIR_PAGE, &root.0, &page.to_be_bytes()]) }
}

/// The DepositPreauth by which `owner` lets `authorized` pay it.
#[must_use]
pub fn deposit_preauth(owner: &AccountId, authorized: &AccountId) -> Hash256 {
    sha512_half(&[&DEPOSIT_PREAUTH, &owner.0, &authorized.0])
}

/// The DepositPreauth by which `owner` lets holders of all these credentials pay it: each is an issuer and a
/// CredentialType, in ascending order.
#[must_use]
pub fn deposit_preauth_credentials(owner: &AccountId, credentials: &[(AccountId, &[u8])]) -> Hash256 {
    let mut hashes = Vec::with_capacity(credentials.len() * 32);
    for (issuer, kind) in credentials {
        hashes.extend(sha512_half(&[&issuer.0, kind]).0);
    }
    // The server hashes the length of a list behind its items.
    let count = u64::try_from(credentials.len()).unwrap_or(u64::MAX);
    sha512_half(&[&DEPOSIT_PREAUTH_CREDENTIALS, &owner.0, &hashes, &count.to_be_bytes()])
}

/// A Credential: what `issuer` says of `subject`.
#[must_use]
pub fn credential(subject: &AccountId, issuer: &AccountId, credential_type: &[u8]) -> Hash256 {
    sha512_half(&[&CREDENTIAL, &subject.0, &issuer.0, credential_type])
}

/// A PermissionedDomain, named by its owner and the Sequence or TicketSequence of the transaction that made it.
#[must_use]
pub fn permissioned_domain(owner: &AccountId, sequence: u32) -> Hash256 {
    sha512_half(&[&PERMISSIONED_DOMAIN, &owner.0, &sequence.to_be_bytes()])
}

/// The Delegate by which `owner` lets `authorized` act for it.
#[must_use]
pub fn delegate(owner: &AccountId, authorized: &AccountId) -> Hash256 {
    sha512_half(&[&DELEGATE, &owner.0, &authorized.0])
}

/// The TransactionProposal that holds a Ticket of `target` for the transaction which it proposes.
#[must_use]
pub fn transaction_proposal(target: &AccountId, ticket_sequence: u32) -> Hash256 {
    sha512_half(&[&PROPOSAL_SPACE, &target.0, &ticket_sequence.to_be_bytes()])
}

/// A Check, named by its owner and the Sequence or TicketSequence of the CheckCreate that made it.
#[must_use]
pub fn check(owner: &AccountId, sequence: u32) -> Hash256 {
    sha512_half(&[&CHECK, &owner.0, &sequence.to_be_bytes()])
}

/// A PayChannel, named by its owner, its destination, and the Sequence or TicketSequence of the
/// PaymentChannelCreate that made it.
#[must_use]
pub fn payment_channel(owner: &AccountId, destination: &AccountId, sequence: u32) -> Hash256 {
    sha512_half(&[&PAYMENT_CHANNEL, &owner.0, &destination.0, &sequence.to_be_bytes()])
}

/// An Offer, named by its owner and the Sequence or TicketSequence of the OfferCreate that made it.
#[must_use]
pub fn offer(owner: &AccountId, sequence: u32) -> Hash256 {
    sha512_half(&[&OFFER, &owner.0, &sequence.to_be_bytes()])
}

/// The directory of the best offers there could be in an order book: who takes them pays `pays` and gets `gets`.
/// Those of each quality stand in a directory of their own, see [`book_quality`].
#[must_use]
pub fn book(pays: &Issue, gets: &Issue, domain: Option<&Hash256>) -> Hash256 {
    // Of issued currencies both currencies come before both issuers.
    let (pays, pays_issuer) = book_side(pays);
    let (gets, gets_issuer) = book_side(gets);
    let domain: &[u8] = domain.map_or(&[], |domain| &domain.0);
    let hash = sha512_half(&[&BOOK_DIR, &pays, &gets, &pays_issuer, &gets_issuer, domain]);
    book_quality(&hash, 0)
}

/// What stands for one side of an order book: the asset, and the issuer where the asset does not say it.
fn book_side(issue: &Issue) -> (Vec<u8>, Vec<u8>) {
    match issue {
        Issue::Xrp => (Currency::XRP.0.to_vec(), AccountId::ZERO.0.to_vec()),
        Issue::Issued { currency, issuer } => (currency.0.to_vec(), issuer.0.to_vec()),
        Issue::Mpt(id) => (id.to_vec(), Vec::new()),
    }
}

/// The directory of the offers of one quality in an order book: the quality stands in the last eight bytes.
#[must_use]
pub fn book_quality(book: &Hash256, quality: u64) -> Hash256 {
    let mut index = *book;
    for (to, from) in index.0.iter_mut().skip(24).zip(quality.to_be_bytes()) {
        *to = from;
    }
    index
}

/// The quality that the index of such a directory says.
#[must_use]
pub fn quality_of(directory: &Hash256) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(directory.0.iter().skip(24)) {
        *to = *from;
    }
    u64::from_be_bytes(bytes)
}

/// The id of a multi-purpose token: the Sequence or TicketSequence of the transaction that made its issuance, and
/// the issuer.
#[must_use]
pub fn mpt_id(sequence: u32, issuer: &AccountId) -> [u8; 24] {
    let mut id = [0; 24];
    for (to, from) in id.iter_mut().zip(sequence.to_be_bytes().iter().chain(&issuer.0)) {
        *to = *from;
    }
    id
}

/// The MPTokenIssuance of a token.
#[must_use]
pub fn mpt_issuance(id: &[u8; 24]) -> Hash256 {
    sha512_half(&[&MPT_ISSUANCE, id])
}

/// The MPToken of a holder: what it has of a token.
#[must_use]
pub fn mptoken(id: &[u8; 24], holder: &AccountId) -> Hash256 {
    sha512_half(&[&MPTOKEN, &mpt_issuance(id).0, &holder.0])
}

/// The RippleState between two accounts, in either order, for one currency.
#[must_use]
pub fn trust_line(a: &AccountId, b: &AccountId, currency: &Currency) -> Hash256 {
    sha512_half(&[&TRUST_LINE, &a.min(b).0, &a.max(b).0, &currency.0])
}

/// The FeeSettings; there is one in a ledger.
#[must_use]
pub fn fee_settings() -> Hash256 {
    sha512_half(&[&FEE_SETTINGS])
}

/// The Amendments; there is at most one in a ledger.
#[must_use]
pub fn amendments() -> Hash256 {
    sha512_half(&[&AMENDMENTS])
}

/// The LedgerHashes with the hashes of the last 256 ledgers.
#[must_use]
pub fn skip_list() -> Hash256 {
    sha512_half(&[&SKIP_LIST])
}

/// The LedgerHashes with the hash of every 256th ledger, of the 65,536 ledgers around `ledger_index`.
#[must_use]
pub fn skip_list_for(ledger_index: u32) -> Hash256 {
    sha512_half(&[&SKIP_LIST, &(ledger_index >> 16).to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(text: &str) -> AccountId {
        text.parse().unwrap()
    }

    /// Indexes of entries of a real ledger, and what they were made from.
    #[test]
    fn entries_stand_where_the_server_put_them() {
        let payer = account("rffxpDuckHptVQf5JnKzCcYXJqH4Ku5eV6");
        let issuer = account("rEPA3piP9Ltow4bj3cpntRMEjGtmQUn4PA");
        let holder = account("rB8dyorxCcafp2qec8ZcokR295ZcY29DEB");
        let anchor = account("rNuPyVfnHWXN919UfSne7bUBjzjVdjTWnx");
        let subject = account("rUwcDvnzPRbZjAX15TFBbHciE4pvGphqN9");
        let paid = account("rG22RuZs6TBuDGQFgwLikjvFvHryDVWQiA");
        let trader = account("rKfqqvBb2xCwWZ7aVsZf4bSoRYUhq9Wft1");
        let opener = account("rMYmKNAht3SY4j4H4Vij9Us9mjuWDoGr9p");
        let token = mpt_id(6, &issuer);
        assert_eq!(hex::encode_upper(token), "000000069DE8171BD218E21A68EA7CC65E0A5C2DAA3274D3");
        for (index, expected) in [
            (check(&payer, 4), "7A5487C9C5D98007D6F8FBD52C40BFBAD9E21E94529EFA84523E049AF173EE60"),
            (
                payment_channel(&opener, &account("r4PAmhrydgHnxioQ7urBLxhqwWj4eBTxir"), 11),
                "A7C0A17547DDFDDDA69C61FF0A6DE7D068FADB472557B6A1DA7AC33A790AAC0E",
            ),
            (offer(&trader, 25), "301788A8305F288969B3BE92F8593998CBFCE9A033EE81A6FB163EA628CEDC06"),
            (
                credential(&subject, &anchor, b"KYC"),
                "0C482F90CA6A15C9C319644B082A1AF6F2C296DB80302A12D87B561FD7A65DBE",
            ),
            (
                deposit_preauth_credentials(&paid, &[(anchor, b"KYC")]),
                "0EBB80C590C558225850F828C76519F9A7C7995C01674A60349CEBBFF638F103",
            ),
            (mpt_issuance(&token), "BD018A1BD8B92BD9BE63D6E8AE9D21486EC3F8483E2741090A2ACC0CA369DF34"),
            (mptoken(&token, &holder), "1531FDE62A981D3E5F97BEFFCF86E7EE3A1B7CC0EFF454256FDA6EB71B529E2E"),
            (
                delegate(&trader, &account("r9ezgqepsca3QE9fKr7RN9wj3tEutbvk85")),
                "1A7A4631654515DA58F1692FDD4D95FEEA78CE0AF4BE28D0EDA5CECF33138401",
            ),
        ] {
            assert_eq!(index.to_string(), expected);
        }
    }

    #[test]
    fn a_proposal_stands_where_its_ticket_says() {
        let target = account("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh");
        for (ticket, expected) in [
            (1, "6FDDA41170B56D19175120BD8029E0C9E4AD59C8E5B64A99F9A09C2B522B64AD"),
            (1_201, "9FC5C26A29A296A253D7E43859C5553DEDF3AF84C603C814C74A626C9D51F7A9"),
        ] {
            assert_eq!(transaction_proposal(&target, ticket).to_string(), expected);
        }
    }

    #[test]
    fn offers_of_one_quality_share_a_directory_that_says_it() {
        let usd = Issue::Issued {
            currency: "USD".parse().unwrap(),
            issuer: account("rP84XtamyUsfpEiY2pn9hYHY2PJ1hSoZ25"),
        };
        let directory = book_quality(&book(&usd, &Issue::Xrp, None), 0x4F03_8D7E_A4C6_8000);
        assert_eq!(directory.to_string(), "F96D7005302B6C7403059AEF9A75E635468A7F77D17901094F038D7EA4C68000");
        assert_eq!(quality_of(&directory), 0x4F03_8D7E_A4C6_8000);
        assert_ne!(book(&usd, &Issue::Xrp, None), book(&Issue::Xrp, &usd, None));
        let domain = Hash256([7; 32]);
        assert_ne!(book(&usd, &Issue::Xrp, None), book(&usd, &Issue::Xrp, Some(&domain)));
    }
}
