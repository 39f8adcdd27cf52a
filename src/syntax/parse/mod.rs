//! From the pairs of the grammar to the tree.
//!
//! In: the text of one file. Out: its tree, or the errors of all its items. Items are parsed one at a time; after an
//! error the next line that starts a declaration is tried.

mod error;
mod expression;
mod item;
mod statement;
mod types;

use pest::Parser;
use pest::iterators::Pair as PestPair;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

use super::ast::{Comment, File, Name};
use super::scan::{Scan, scan};
use super::{ExprIds, ast};

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/ansatz.pest"]
struct Grammar;

type Pair<'a> = PestPair<'a, Rule>;

/// More errors than these in one file help nobody.
const MOST_ERRORS: usize = 20;
/// Text nested less deep than this is parsed on the caller's stack.
const SHALLOW: usize = 24;
const STACK: usize = 256 << 20;

/// The tree of one file, or everything that is wrong with its text. `ids` numbers the expressions.
pub fn parse(file: FileId, text: &str, ids: &mut ExprIds) -> Result<File, Vec<Diagnostic>> {
    let scan = scan(file, text);
    if !scan.errors.is_empty() {
        return Err(scan.errors);
    }
    if scan.deepest <= SHALLOW {
        return parse_scanned(file, text, scan, ids);
    }
    // Deep nesting is legal up to the scan's limits; it gets a stack to match, whatever thread the caller is on.
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || parse_scanned(file, text, scan, ids));
        match worker.map(|worker| worker.join()) {
            Ok(Ok(result)) => result,
            _ => Err(vec![Diagnostic::error(
                Code::A0003,
                Span::new(file, 0, 0),
                "there is not enough memory to read text nested as deeply as this",
            )]),
        }
    })
}

fn parse_scanned(file: FileId, text: &str, scan: Scan, ids: &mut ExprIds) -> Result<File, Vec<Diagnostic>> {
    let mut lower = Lower { file, text, base: 0, scan: &scan, ids, errors: Vec::new() };
    let (docs, mut at) = lower.file_docs();
    let mut items: Vec<ast::Item> = Vec::new();
    loop {
        at = lower.skip_gap(at);
        if at >= text.len() || lower.errors.len() >= MOST_ERRORS {
            break;
        }
        lower.base = at;
        let result = match Grammar::parse(Rule::whole_item, &text[at..]) {
            Ok(mut pairs) => pairs.next().and_then(|whole| whole.into_inner().next()).ok_or(at),
            Err(error) => {
                let error = lower.syntax_error(&error);
                let place = error.primary.span.start as usize;
                lower.errors.push(error);
                Err(place)
            }
        };
        match result {
            Ok(pair) => {
                let item = lower.item(pair);
                at = item.span.end as usize;
                if let Some(before) = items.last() {
                    lower.require_newline(before.span, item.span, "declaration");
                }
                items.push(item);
            }
            Err(place) => at = next_declaration(text, place.max(at)),
        }
    }
    let errors = std::mem::take(&mut lower.errors);
    if errors.is_empty() { Ok(File { id: file, docs, items, comments: scan.comments }) } else { Err(errors) }
}

/// Whether a line begins with a word that only a declaration begins with, in the first column.
pub(super) fn starts_declaration(line: &str) -> bool {
    let length = line.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(line.len());
    matches!(
        &line[..length],
        "fn" | "layer" | "optimizer" | "combiner" | "constraint" | "experiment" | "test" | "use" | "data"
    ) && line[length..].starts_with(' ')
}

/// The start of the next line after `from` that starts a declaration, or the end of the text.
fn next_declaration(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(length) = text.get(at..).and_then(|rest| rest.find('\n')) {
        at += length + 1;
        let line = &text[at..];
        if starts_declaration(line) || line.starts_with("axis ") || line.starts_with("let ") {
            return at;
        }
    }
    text.len()
}

/// What turning pairs into tree needs: the place of the item in the file, and the errors found so far.
struct Lower<'a> {
    file: FileId,
    text: &'a str,
    /// Where the item being parsed starts in `text`; the places of pairs count from there.
    base: usize,
    scan: &'a Scan,
    ids: &'a mut ExprIds,
    errors: Vec<Diagnostic>,
}

impl Lower<'_> {
    /// The `//!` lines at the top, and where they end.
    fn file_docs(&mut self) -> (Vec<String>, usize) {
        let mut docs = Vec::new();
        let mut at = self.skip_gap(0);
        while self.text[at..].starts_with("//!") {
            let end = self.text[at..].find('\n').map_or(self.text.len(), |length| at + length);
            docs.push(documentation(&self.text[at..end]));
            at = self.skip_gap(end);
        }
        (docs, at)
    }

    /// The first place from `at` on that is neither white space nor a comment.
    fn skip_gap(&self, mut at: usize) -> usize {
        loop {
            let rest = self.text[at..].trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']);
            at = self.text.len() - rest.len();
            match self.scan.comments.binary_search_by_key(&(at as u32), |comment| comment.span.start) {
                Ok(found) => at = self.scan.comments[found].span.end as usize,
                Err(_) => return at,
            }
        }
    }

    /// The place of a pair, without the gap that a rule with an absent last part takes along.
    fn span(&self, pair: &Pair) -> Span {
        let place = pair.as_span();
        let (start, mut end) = (self.base + place.start(), self.base + place.end());
        loop {
            end = start + self.text[start..end].trim_end().len();
            match self.comment_at(end) {
                Some(comment) if comment.span.start as usize >= start => end = comment.span.start as usize,
                _ => return Span::new(self.file, start, end),
            }
        }
    }

    /// The comment that ends at `end`.
    fn comment_at(&self, end: usize) -> Option<&Comment> {
        let found =
            self.scan.comments.binary_search_by_key(&(end as u32), |comment| comment.span.end).ok()?;
        self.scan.comments.get(found)
    }

    fn name(&self, pair: &Pair) -> Name {
        Name { text: pair.as_str().to_owned(), span: self.span(pair) }
    }

    /// The names directly inside a pair.
    fn names(&self, pair: Pair) -> Vec<Name> {
        pair.into_inner()
            .filter(|child| matches!(child.as_rule(), Rule::name | Rule::word | Rule::report_axis))
            .map(|child| self.name(&child))
            .collect()
    }

    /// Two things of a block must not share a line.
    fn require_newline(&mut self, before: Span, after: Span, what: &str) {
        let between = &self.text[before.end as usize..(after.start as usize).max(before.end as usize)];
        if !between.contains('\n') {
            self.errors.push(error::joined(self.text, before, after, what));
        }
    }

    /// Two members of a list must have a comma or a newline between them; a `-` may not start the line.
    fn require_separator(&mut self, before: Span, after: Span, what: &str) {
        let between = &self.text[before.end as usize..(after.start as usize).max(before.end as usize)];
        // A comma inside a comment separates nothing, but a comment ends its line anyway.
        if between.contains(',') {
            return;
        }
        if !between.contains('\n') {
            self.errors.push(error::joined(self.text, before, after, what));
        } else if self.text[after.start as usize..].starts_with('-') {
            self.errors.push(error::leading_minus(after));
        }
    }
}

/// The text of a `///` or `//!` line.
fn documentation(line: &str) -> String {
    let text = line.get(3..).unwrap_or("").trim_end();
    text.strip_prefix(' ').unwrap_or(text).to_owned()
}

/// The documentation lines that come first in a pair, and the children after them, without the words of the grammar.
fn children<'a>(pair: Pair<'a>) -> (Vec<String>, Vec<Pair<'a>>) {
    let mut docs = Vec::new();
    let mut rest = Vec::new();
    for child in pair.into_inner() {
        match child.as_rule() {
            Rule::doc => docs.push(documentation(child.as_str())),
            rule if is_word(rule) => {}
            _ => rest.push(child),
        }
    }
    (docs, rest)
}

/// The children of a pair without the words of the grammar.
fn inner<'a>(pair: Pair<'a>) -> impl Iterator<Item = Pair<'a>> {
    pair.into_inner().filter(|child| !is_word(child.as_rule()))
}

/// Rules that match a word of the language, which the tree does not hold.
fn is_word(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::as_word
            | Rule::assert_word
            | Rule::axis_word
            | Rule::balanced_word
            | Rule::batch_valued_word
            | Rule::by_word
            | Rule::claim_quoted_word
            | Rule::combiner_named_word
            | Rule::constraint_named_word
            | Rule::data_named_word
            | Rule::else_word
            | Rule::epochs_valued_word
            | Rule::every_valued_word
            | Rule::experiment_named_word
            | Rule::fn_word
            | Rule::from_word
            | Rule::gradient_word
            | Rule::if_word
            | Rule::in_word
            | Rule::into_word
            | Rule::iterate_word
            | Rule::layer_named_word
            | Rule::let_word
            | Rule::map_word
            | Rule::match_word
            | Rule::measure_named_word
            | Rule::missing_valued_word
            | Rule::on_named_word
            | Rule::on_word
            | Rule::optimizer_named_word
            | Rule::over_word
            | Rule::order_word
            | Rule::pairs_word
            | Rule::param_named_word
            | Rule::plot_word
            | Rule::project_word
            | Rule::quick_named_word
            | Rule::record_named_word
            | Rule::repeat_valued_word
            | Rule::report_braced_word
            | Rule::scan_word
            | Rule::seed_word
            | Rule::snapshot_named_word
            | Rule::split_named_word
            | Rule::state_named_word
            | Rule::step_word
            | Rule::steps_valued_word
            | Rule::steps_word
            | Rule::stop_word
            | Rule::stratified_word
            | Rule::stream_word
            | Rule::subject_word
            | Rule::table_word
            | Rule::test_quoted_word
            | Rule::text_quoted_word
            | Rule::to_word
            | Rule::train_word
            | Rule::until_word
            | Rule::up_word
            | Rule::use_named_word
            | Rule::vary_named_word
            | Rule::weights_word
            | Rule::when_word
            | Rule::where_word
            | Rule::with_word
            | Rule::within_word
            | Rule::yield_word
    )
}
