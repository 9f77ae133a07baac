//! Source text with a switch at each mutant.
//!
//! The text is edited where the parser says that something begins and ends, and is otherwise left as it is. What comes
//! of it stands in marked brackets, so that an error of the compiler tells whose it is.

use std::collections::HashMap;
use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr};

/// One mutant of cargo-mutants' list, where its text begins (line and column).
pub struct Mutant {
    pub name: String,
    pub file: String,
    pub genre: String,
    pub replacement: String,
    pub at: (usize, usize),
    /// What it is called without its line, and the line's text: the same when other lines have come before it.
    pub key: String,
}

/// A number of a mutant, and its replacement.
type Switch = (usize, String);

enum Kind {
    Body { switches: Vec<Switch>, opaque: bool },
    Compared { left: Range<usize>, op: String, right: Range<usize>, switches: Vec<Switch> },
    Reckoned { left: Range<usize>, op: String, right: Range<usize>, switches: Vec<Switch> },
    Lazy { left: Range<usize>, and: bool, right: Range<usize>, number: usize },
    Assigned { left: Range<usize>, op: String, right: Range<usize>, switches: Vec<Switch> },
    Unary { op: String, operand: Range<usize>, number: usize },
    Guard { deleted: Option<usize>, always: Option<usize>, never: Option<usize>, guarded: bool },
    Fields { path: Range<usize>, fields: Vec<(Range<usize>, Option<usize>)>, rest: Range<usize> },
}

struct Node {
    range: Range<usize>,
    kind: Kind,
}

/// What was found of the mutants of one file.
pub struct Rewritten {
    pub text: String,
    /// Those that no compiler takes, whatever the switch is.
    pub refused: Vec<usize>,
    /// Those whose place is none for a switch.
    pub placeless: Vec<usize>,
}

struct Finder {
    wanted: HashMap<(String, usize, usize), Vec<Switch>>,
    nodes: Vec<Node>,
    refused: Vec<usize>,
}

/// The file with a switch for each of these.
pub fn rewrite(source: &str, mutants: &[(usize, &Mutant)]) -> Rewritten {
    let mut wanted: HashMap<_, Vec<Switch>> = HashMap::new();
    for (number, mutant) in mutants {
        let place = (mutant.genre.clone(), mutant.at.0, mutant.at.1);
        wanted.entry(place).or_default().push((*number, mutant.replacement.clone()));
    }
    let mut finder = Finder { wanted, nodes: Vec::new(), refused: Vec::new() };
    finder.visit_file(&syn::parse_file(source).expect("the core parses"));
    let placeless = finder.wanted.values().flatten().map(|(number, _)| *number).collect();
    // Outer ones first; what has the same range is in the order of the walk.
    finder.nodes.sort_by_key(|node| (node.range.start, std::cmp::Reverse(node.range.end)));
    let text = render(source, &finder.nodes, 0..source.len(), 0);
    Rewritten { text, refused: finder.refused, placeless }
}

impl Finder {
    fn take(&mut self, genre: &str, span: Span) -> Vec<Switch> {
        let start = span.start();
        self.wanted.remove(&(genre.to_owned(), start.line, start.column + 1)).unwrap_or_default()
    }

    fn one(&mut self, genre: &str, span: Span) -> Option<usize> {
        self.take(genre, span).first().map(|(number, _)| *number)
    }

    fn body(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let Some(first) = block.stmts.first() else { return };
        let mut switches = self.take("FnValue", first.span());
        let range =
            block.brace_token.span.open().byte_range().end..block.brace_token.span.close().byte_range().start;
        let opaque = matches!(&signature.output,
            syn::ReturnType::Type(_, of) if matches!(**of, syn::Type::ImplTrait(_)));
        // An iterator over what can be changed is none over what is lent.
        let refused = |(_, to): &mut Switch| opaque && to.contains("Box::leak(");
        self.refused.extend(switches.extract_if(.., refused).map(|(number, _)| number));
        if !switches.is_empty() {
            self.nodes.push(Node { range, kind: Kind::Body { switches, opaque } });
        }
    }
}

/// Whether a chain of `&&` has a `let` in it, which nothing else can be made of.
fn lets(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => lets(&binary.left) || lets(&binary.right),
        _ => false,
    }
}

fn bytes(of: &impl Spanned) -> Range<usize> {
    of.span().byte_range()
}

impl<'a> Visit<'a> for Finder {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.body(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.body(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        item.default.iter().for_each(|block| self.body(&item.sig, block));
        visit::visit_trait_item_fn(self, item);
    }

    // What is constant cannot be switched.
    fn visit_item_const(&mut self, _: &'a syn::ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'a syn::ImplItemConst) {}
    fn visit_item_static(&mut self, _: &'a syn::ItemStatic) {}

    fn visit_expr_binary(&mut self, binary: &'a syn::ExprBinary) {
        let chain = matches!(binary.op, BinOp::And(_)) && (lets(&binary.left) || lets(&binary.right));
        let mut switches = self.take("BinaryOperator", binary.op.span());
        self.refused.extend(switches.extract_if(.., |_| chain).map(|(number, _)| number));
        if let Some((number, _)) = switches.first() {
            let (left, right, number) = (bytes(&binary.left), bytes(&binary.right), *number);
            let op = binary.op.span().source_text().expect("of a file");
            let kind = match binary.op {
                BinOp::And(_) | BinOp::Or(_) => Kind::Lazy { left, and: op == "&&", right, number },
                BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => {
                    Kind::Compared { left, op, right, switches }
                }
                _ if op.ends_with('=') => Kind::Assigned { left, op, right, switches },
                _ => Kind::Reckoned { left, op, right, switches },
            };
            self.nodes.push(Node { range: bytes(binary), kind });
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'a syn::ExprUnary) {
        if let Some(number) = self.one("UnaryOperator", unary.op.span()) {
            let op = unary.op.span().source_text().expect("of a file");
            let kind = Kind::Unary { op, operand: bytes(&unary.expr), number };
            self.nodes.push(Node { range: bytes(unary), kind });
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_match(&mut self, found: &'a syn::ExprMatch) {
        // Where no arm takes whatever is left, what only the last one takes is taken by none without it.
        let takes_all = |arm: &syn::Arm| matches!(arm.pat, syn::Pat::Wild(_)) && arm.guard.is_none();
        if let Some(last) = found.arms.last().filter(|_| !found.arms.iter().any(takes_all)) {
            let refused = self.one("MatchArm", last.span());
            self.refused.extend(refused);
        }
        visit::visit_expr_match(self, found);
    }

    fn visit_arm(&mut self, arm: &'a syn::Arm) {
        let deleted = self.one("MatchArm", arm.span());
        let guard = arm.guard.as_ref().map(|(_, guard)| guard);
        let found = guard.map(|guard| self.take("MatchArmGuard", guard.span())).unwrap_or_default();
        let with = |word: &str| found.iter().find(|(_, to)| to == word).map(|(number, _)| *number);
        if deleted.is_some() || !found.is_empty() {
            let end = bytes(&arm.pat).end;
            let range = guard.map_or(end..end, bytes);
            let (always, never) = (with("true"), with("false"));
            let kind = Kind::Guard { deleted, always, never, guarded: guard.is_some() };
            self.nodes.push(Node { range, kind });
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_struct(&mut self, made: &'a syn::ExprStruct) {
        let fields: Vec<_> =
            made.fields.iter().map(|field| (bytes(field), self.one("StructField", field.span()))).collect();
        if let (Some(rest), true) = (&made.rest, fields.iter().any(|(_, number)| number.is_some())) {
            let kind = Kind::Fields { path: bytes(&made.path), fields, rest: bytes(rest) };
            self.nodes.push(Node { range: bytes(made), kind });
        }
        visit::visit_expr_struct(self, made);
    }
}

/// What a mutant puts in the place of something, in its brackets.
fn mutant(number: usize, text: &str) -> String {
    format!("/*<{number}*/{text}/*>*/")
}

/// The text of a range, with what `nodes` from the given one on make of it.
fn render(source: &str, nodes: &[Node], range: Range<usize>, from: usize) -> String {
    let mut text = String::new();
    let mut at = range.start;
    for (index, node) in nodes.iter().enumerate().skip(from) {
        if node.range.start >= at && node.range.end <= range.end {
            text.push_str(&source[at..node.range.start]);
            text.push_str(&node.render(source, nodes, index + 1));
            at = node.range.end;
        }
    }
    text.push_str(&source[at..range.end]);
    text
}

impl Node {
    fn render(&self, source: &str, nodes: &[Node], from: usize) -> String {
        let part = |range: &Range<usize>| render(source, nodes, range.clone(), from);
        let choose = |switches: &[Switch], left: &str, op: &str, right: &str| {
            let other = |(number, to): &Switch| {
                format!(
                    "if crate::mutant::on({number}) {{ {} }} else ",
                    mutant(*number, &format!("{left} {to} {right}"))
                )
            };
            switches.iter().map(other).collect::<String>() + &format!("{{ {left} {op} {right} }}")
        };
        let all = |switches: &[Switch]| switches.iter().map(|(number, _)| *number).collect::<Vec<_>>();
        let (numbers, text) = match &self.kind {
            // The body itself is no mutant's: errors in it are nobody's.
            Kind::Body { switches, opaque } => {
                let deep = |depth: usize, inner: &str| {
                    format!("{}{inner}{}", "crate::mutant::Either::B(".repeat(depth), ")".repeat(depth))
                };
                let other = |(depth, (number, to)): (usize, &Switch)| {
                    let value = if *opaque {
                        deep(depth, &format!("crate::mutant::Either::A({to})"))
                    } else {
                        to.clone()
                    };
                    format!(
                        "if crate::mutant::on({number}) {{ {} }} ",
                        mutant(*number, &format!("return {value};"))
                    )
                };
                let others: String = switches.iter().enumerate().map(other).collect();
                let own = part(&self.range);
                let own = if *opaque { deep(switches.len(), &format!("{{{own}}}")) } else { own };
                return format!(" {others}{own}");
            }
            Kind::Compared { left, op, right, switches } => {
                let chosen = choose(switches, "*__l", op, "*__r");
                (
                    all(switches),
                    format!("match (&({}), &({})) {{ (__l, __r) => {chosen} }}", part(left), part(right)),
                )
            }
            Kind::Reckoned { left, op, right, switches } => {
                let chosen = choose(switches, "__l", op, "__r");
                (
                    all(switches),
                    format!("match ({}, {}) {{ (__l, __r) => {chosen} }}", part(left), part(right)),
                )
            }
            Kind::Lazy { left, and, right, number } => {
                let (left, right) = (part(left), part(right));
                let (yes, no) = if *and { (right.as_str(), "__l") } else { ("__l", right.as_str()) };
                let asked = format!("if __l ^ crate::mutant::on({number}) {{ {yes} }} else {{ {no} }}");
                (vec![*number], format!("{{ let __l: bool = {left}; {asked} }}"))
            }
            Kind::Assigned { left, op, right, switches } => {
                let chosen = choose(switches, &part(left), op, "__r");
                (all(switches), format!("match {} {{ __r => {chosen} }}", part(right)))
            }
            Kind::Unary { op, operand, number } => {
                let other = format!("if crate::mutant::on({number}) {{ {} }}", mutant(*number, "__v"));
                (vec![*number], format!("match {} {{ __v => {other} else {{ {op}__v }} }}", part(operand)))
            }
            Kind::Guard { deleted, always, never, guarded } => {
                let off = |number: &usize| format!("!crate::mutant::on({number}) && ");
                let deleted_text: String = deleted.iter().map(off).collect();
                let always_text: String =
                    always.iter().map(|number| format!("crate::mutant::on({number}) || ")).collect();
                let never_text: String = never.iter().map(off).collect();
                let own = if *guarded { part(&self.range) } else { "true".to_owned() };
                let numbers = deleted.iter().chain(always).chain(never).copied().collect();
                let word = if *guarded { "" } else { " if " };
                let text = format!("{deleted_text}({always_text}{never_text}({own}))");
                return format!("{word}{}", bracketed(numbers, &text));
            }
            Kind::Fields { path, fields, rest } => {
                let without = |left_out: Option<usize>| {
                    let kept = fields.iter().filter(|(_, number)| left_out.is_none() || *number != left_out);
                    let kept: String = kept.map(|(range, _)| part(range) + ", ").collect();
                    format!("{} {{ {kept}..{} }}", part(path), part(rest))
                };
                let numbers: Vec<usize> = fields.iter().filter_map(|(_, number)| *number).collect();
                let other = |number: &usize| {
                    format!(
                        "if crate::mutant::on({number}) {{ {} }} else ",
                        mutant(*number, &without(Some(*number)))
                    )
                };
                let others: String = numbers.iter().map(other).collect();
                (numbers, format!("{others}{{ {} }}", without(None)))
            }
        };
        format!("({})", bracketed(numbers, &text))
    }
}

fn bracketed(numbers: Vec<usize>, text: &str) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("/*{{{}*/{text}/*}}*/", numbers.join(","))
}

/// Whose an error at this place of a rewritten text is: of one mutant, or of all that share a switch.
pub fn whose(text: &str, at: usize) -> (bool, Vec<usize>) {
    let mut open: Vec<(bool, Vec<usize>)> = Vec::new();
    let mut rest = 0;
    while let Some(found) = text[rest..at.min(text.len())].find("/*") {
        let begin = rest + found + 2;
        let Some(length) = text[begin..].find("*/") else { break };
        let word = &text[begin..begin + length];
        let numbers = || word[1..].split(',').filter_map(|number| number.parse().ok()).collect();
        match word.as_bytes() {
            [b'<', b'0'..=b'9', ..] => open.push((true, numbers())),
            [b'{', b'0'..=b'9', ..] => open.push((false, numbers())),
            b">" | b"}" => drop(open.pop()),
            _ => {}
        }
        rest = begin + length + 2;
    }
    open.pop().unwrap_or_default()
}

/// Whose the first arm is of a `match` at this place that can be left out.
pub fn first_arm(text: &str, at: usize) -> Option<usize> {
    let word = "*/!crate::mutant::on(";
    let begin = text.get(at..)?.find(word)? + at + word.len();
    text[begin..].split(')').next()?.parse().ok()
}
