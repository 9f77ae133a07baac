//! Following lines and books from a source to a destination.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use xrpl_wire::{AccountId, Currency, PathStep, flags, index, sf};

use super::books::{Asset, Books};
use super::lines::{Line, Lines};
use super::{Much, Wish, currency_of};
use crate::embedded::apply::{LedgerInfo, holdings, shared, trust};
use crate::embedded::state::StateMap;

/// How hard a server looks unless it is configured otherwise, on a scale to ten.
const LEVEL: u8 = 2;

/// No more paths than these are looked at.
const MAX_COMPLETE: usize = 1_000;

/// What a line to the destination counts among the ways out of an account.
const TO_DESTINATION: u32 = 10_000;

/// Accounts that a path goes on with: those with the most ways out.
const MAX_ACCOUNTS: usize = 10;
const MAX_ACCOUNTS_AT_SOURCE: usize = 50;

/// The shapes of paths, with the level from which on they are looked for. A letter is a place: `s` the source, `a` an
/// account, `b` a book, `x` a book to XRP, `f` a book to what is to be delivered, `d` the destination. What a payment
/// finds without paths is not among them.
type Shapes = &'static [(u8, &'static str)];

const XRP_TO_ISSUED: Shapes =
    &[(1, "sfd"), (3, "sfad"), (5, "sfaad"), (6, "sbfd"), (8, "sbafd"), (9, "sbfad"), (10, "sbafad")];

const ISSUED_TO_XRP: Shapes =
    &[(1, "sxd"), (2, "saxd"), (6, "saaxd"), (7, "sbxd"), (8, "sabxd"), (9, "sabaxd")];

const SAME_CURRENCY: Shapes = &[
    (1, "sad"),
    (1, "sfd"),
    (4, "safd"),
    (4, "sfad"),
    (5, "saad"),
    (5, "sbfd"),
    (6, "sxfad"),
    (6, "safad"),
    (6, "saxfd"),
    (6, "saxfad"),
    (6, "sabfd"),
    (7, "saaad"),
];

const OTHER_CURRENCY: Shapes = &[
    (1, "sfad"),
    (1, "safd"),
    (3, "safad"),
    (4, "sxfd"),
    (5, "saxfd"),
    (5, "sxfad"),
    (5, "sbfd"),
    (6, "saxfad"),
    (6, "sabfd"),
    (7, "saafd"),
    (8, "saafad"),
    (9, "safaad"),
];

/// A place on a path: an account, or else a book that changes to an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The account; none is that of a book.
    pub(super) account: Option<AccountId>,
    /// What there is at this place.
    asset: Asset,
}

/// The places between the source and the destination.
pub(super) type Path = Vec<Place>;

impl Place {
    fn account(account: AccountId, currency: Currency) -> Place {
        Place { account: Some(account), asset: Asset { currency, issuer: account } }
    }

    fn book(to: Asset) -> Place {
        Place { account: None, asset: to }
    }

    /// As a payment names it.
    pub(super) fn step(&self) -> PathStep {
        match self.account {
            Some(account) => PathStep { account: Some(account), ..PathStep::default() },
            None => PathStep {
                currency: Some(self.asset.currency),
                issuer: (!self.asset.is_xrp()).then_some(self.asset.issuer),
                ..PathStep::default()
            },
        }
    }
}

/// What paths are continued with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Account,
    Destination,
    Book,
    XrpBook,
    LastBook,
}

/// A search from one currency.
pub(super) struct Search<'s> {
    state: &'s StateMap,
    wish: &'s Wish,
    lines: Lines<'s>,
    books: Books,
    /// What the destination is to have.
    wanted: Currency,
    /// Where a path has to lead: the issuer of what is delivered.
    goal: AccountId,
    source: Place,
    shapes: Shapes,
    /// Paths by the shape they have so far.
    found: BTreeMap<&'static str, Vec<Path>>,
    complete: Vec<Path>,
    ways_out: BTreeMap<Asset, u32>,
}

impl<'s> Search<'s> {
    /// None if nothing can be paid so.
    pub(super) fn new(
        state: &'s StateMap,
        info: &LedgerInfo,
        wish: &'s Wish,
        currency: Currency,
    ) -> Option<Search<'s>> {
        let deliver = wish.deliver.issue();
        let wanted = currency_of(&deliver)?;
        let goal = if wanted.is_xrp() { wish.destination } else { holdings::issuer(&deliver) };
        let exists = |account: &AccountId| state.contains(&index::account_root(account));
        if wish.source == wish.destination && wish.destination == goal && currency == wanted {
            return None;
        }
        let is_new = !exists(&wish.destination);
        let too_little = match &wish.deliver {
            Much::Exactly(amount) => amount.drops().is_some_and(|drops| drops < info.fees.reserve_base),
            Much::All(_) => false,
        };
        let loops = wish.source == goal && currency == wanted;
        let shapes: Shapes = match (currency.is_xrp(), wanted.is_xrp()) {
            // The way without a path is the only one.
            _ if loops => &[],
            (true, true) => &[],
            (true, false) => XRP_TO_ISSUED,
            (false, true) => ISSUED_TO_XRP,
            (false, false) if currency == wanted => SAME_CURRENCY,
            (false, false) => OTHER_CURRENCY,
        };
        let no_issuer = goal != wish.destination && !exists(&goal);
        let cannot_be_made = is_new && (!wanted.is_xrp() || too_little);
        if !loops && (!exists(&wish.source) || no_issuer || cannot_be_made) {
            return None;
        }
        let issuer = if currency.is_xrp() { AccountId::ZERO } else { wish.source };
        Some(Search {
            state,
            wish,
            lines: Lines::of(state),
            books: Books::of(state, wish.domain),
            wanted,
            goal,
            source: Place { account: Some(wish.source), asset: Asset { currency, issuer } },
            shapes,
            found: BTreeMap::new(),
            complete: Vec::new(),
            ways_out: BTreeMap::new(),
        })
    }

    /// The paths that lead to the destination.
    pub(super) fn complete_paths(mut self) -> Vec<Path> {
        for (level, shape) in self.shapes {
            if *level <= LEVEL {
                self.follow(shape);
            }
            if self.complete.len() > MAX_COMPLETE {
                break;
            }
        }
        self.complete
    }

    /// The paths of a shape that do not yet lead to the destination.
    fn follow(&mut self, shape: &'static str) -> Vec<Path> {
        if let Some(paths) = self.found.get(shape) {
            return paths.clone();
        }
        let mut letters = shape.chars();
        let next = match letters.next_back() {
            None => return Vec::new(),
            Some('a') => Next::Account,
            Some('d') => Next::Destination,
            Some('b') => Next::Book,
            Some('x') => Next::XrpBook,
            Some('f') => Next::LastBook,
            // The source: where all begin.
            Some(_) => return vec![Path::new()],
        };
        let mut on = Vec::new();
        for path in self.follow(letters.as_str()) {
            self.go_on(&path, next, &mut on);
        }
        self.found.insert(shape, on.clone());
        on
    }

    fn go_on(&mut self, path: &Path, next: Next, on: &mut Vec<Path>) {
        let end = *path.last().unwrap_or(&self.source);
        match next {
            Next::Account | Next::Destination if end.asset.is_xrp() => {
                if self.wanted.is_xrp() && !path.is_empty() {
                    self.completes(path.clone());
                }
            }
            Next::Account | Next::Destination => self.over_lines(path, end, next, on),
            Next::XrpBook => {
                let to_xrp = self.books.from(&end.asset).any(|to| to.is_xrp());
                if !end.asset.is_xrp() && to_xrp {
                    on.push(with(path, Place::book(Asset::XRP)));
                }
            }
            Next::Book | Next::LastBook => self.through_books(path, end, next, on),
        }
    }

    /// Over the lines of the account at the end.
    fn over_lines(&mut self, path: &Path, end: Place, next: Next, on: &mut Vec<Path>) {
        let currency = end.asset.currency;
        let at = end.account.unwrap_or(AccountId::ZERO);
        let Some(root) = self.state.object(&index::account_root(&at)) else { return };
        let must_authorize = shared::has_flag(root, flags::lsfRequireAuth);
        let blocked = self.came_without_rippling(path);
        let lines: Vec<Line> = self.lines.all(&at).to_vec();
        let mut candidates: Vec<(u32, AccountId)> = Vec::new();
        for line in lines.iter().filter(|line| line.currency == currency) {
            let peer = line.peer;
            // An issuer that the path has to lead to is not skipped.
            if self.goal != self.wish.destination && peer == self.wish.destination {
                continue;
            }
            let arrives = peer == self.goal;
            if (next == Next::Destination && !arrives) || path.contains(&Place::account(peer, currency)) {
                continue;
            }
            if !line.leads_out(must_authorize) || (blocked && line.no_ripple) {
                continue;
            }
            if arrives && currency == self.wanted {
                if !path.is_empty() {
                    self.completes(path.clone());
                }
            } else if arrives && next != Next::Destination {
                candidates.push((TO_DESTINATION, peer));
            } else if !arrives && peer != self.wish.source {
                let ways = self.ways_out(Asset { currency, issuer: peer }, !line.no_ripple_peer);
                if ways > 0 {
                    candidates.push((ways, peer));
                }
            }
        }
        candidates.sort_unstable_by_key(|candidate| Reverse(*candidate));
        let most = if at == self.wish.source { MAX_ACCOUNTS_AT_SOURCE } else { MAX_ACCOUNTS };
        on.extend(candidates.iter().take(most).map(|(_, peer)| with(path, Place::account(*peer, currency))));
    }

    /// Through the books that take what there is at the end.
    fn through_books(&mut self, path: &Path, end: Place, next: Next, on: &mut Vec<Path>) {
        let outputs: Vec<Asset> = self.books.from(&end.asset).collect();
        for to in outputs {
            let is_wanted = to.currency == self.wanted;
            if path.contains(&Place::book(to))
                || self.is_origin(&to)
                || (next == Next::LastBook && !is_wanted)
            {
                continue;
            }
            if to.is_xrp() {
                let path = with(path, Place::book(to));
                if self.wanted.is_xrp() {
                    self.completes(path);
                } else {
                    on.push(path);
                }
                continue;
            }
            if path.contains(&Place::account(to.issuer, to.currency)) {
                continue;
            }
            let path = through(path, Place::book(to));
            if is_wanted && self.goal != self.wish.destination && to.issuer == self.wish.destination {
                continue;
            }
            if is_wanted && to.issuer == self.goal {
                self.completes(path);
            } else {
                on.push(with(&path, Place::account(to.issuer, to.currency)));
            }
        }
    }

    fn completes(&mut self, path: Path) {
        if !self.complete.contains(&path) {
            self.complete.push(path);
        }
    }

    /// Whether an asset is what the source sends.
    fn is_origin(&self, asset: &Asset) -> bool {
        asset.currency == self.source.asset.currency && (asset.is_xrp() || asset.issuer == self.wish.source)
    }

    /// Whether a path ends with an account that does not ripple what comes from the one before it.
    fn came_without_rippling(&self, path: &Path) -> bool {
        let Some((Place { account: Some(at), asset }, before)) = path.split_last() else { return false };
        let from = match before.last() {
            Some(place) => place.account.unwrap_or(AccountId::ZERO),
            None => self.wish.source,
        };
        let line = self.state.object(&index::trust_line(at, &from, &asset.currency));
        line.is_some_and(|line| shared::has_flag(line, trust::side(at, &from).no_ripple))
    }

    /// How many ways lead on from an account that has some of an asset of its own: books, and lines.
    fn ways_out(&mut self, asset: Asset, ripples: bool) -> u32 {
        if let Some(ways) = self.ways_out.get(&asset) {
            return *ways;
        }
        let ways = self.count_ways_out(&asset, ripples);
        self.ways_out.insert(asset, ways);
        ways
    }

    fn count_ways_out(&mut self, asset: &Asset, ripples: bool) -> u32 {
        let Some(root) = self.state.object(&index::account_root(&asset.issuer)) else { return 0 };
        if root.u32(sf::Flags).unwrap_or(0) & flags::lsfGlobalFreeze != 0 {
            return 0;
        }
        let must_authorize = shared::has_flag(root, flags::lsfRequireAuth);
        let mut ways = u32::try_from(self.books.count(asset)).unwrap_or(u32::MAX);
        let (is_wanted, goal) = (asset.currency == self.wanted, self.goal);
        let lines = self.lines.all(&asset.issuer).iter();
        // What comes in over a line that does not ripple goes out over one that does.
        let lines = lines.filter(|line| line.currency == asset.currency && (ripples || !line.no_ripple));
        for line in lines.filter(|line| line.leads_out(must_authorize)) {
            if is_wanted && line.peer == goal {
                ways = ways.saturating_add(TO_DESTINATION);
            } else if !line.no_ripple_peer && !line.frozen_by_peer {
                ways = ways.saturating_add(1);
            }
        }
        ways
    }
}

fn with(path: &Path, place: Place) -> Path {
    let mut longer = path.clone();
    longer.push(place);
    longer
}

/// A path with a book at its end. Between two books nobody has to be named.
fn through(path: &Path, book: Place) -> Path {
    let mut longer = path.clone();
    if let [.., Place { account: None, .. }, last @ Place { account: Some(_), .. }] = longer.as_mut_slice() {
        *last = book;
    } else {
        longer.push(book);
    }
    longer
}
