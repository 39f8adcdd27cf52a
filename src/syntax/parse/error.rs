//! What is said about wrong text, in the words of the construct that the user was writing.
//!
//! In: the place where the grammar stopped and what it could have taken there. Out: a diagnostic.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::{Lower, Rule};
use crate::diagnostic::{Code, Diagnostic, Edit, Help};
use crate::source::Span;
use crate::syntax::ast::Expr;
use crate::syntax::scan::closing;

/// Words that other languages begin a construct with, and what Ansatz has instead.
const FOREIGN_WORDS: &[(&str, &str)] = &[
    ("def", "a function is written `fn name(x: Float) -> Float { .. }`"),
    ("func", "a function is written `fn name(x: Float) -> Float { .. }`"),
    ("function", "a function is written `fn name(x: Float) -> Float { .. }`"),
    (
        "for",
        "there are no loops over items: an operation applies over every axis of its arguments; `scan t in T from ..` goes along an axis step by step, `repeat 5 { .. }` repeats steps",
    ),
    ("while", "`iterate up to 100 until condition from x = .. { x := .. }` repeats until a condition holds"),
    ("loop", "`iterate n from x = .. { x := .. }` repeats a computation, `repeat n { .. }` repeats steps"),
    ("import", "write `use std.loss (cross_entropy)`"),
    ("include", "write `use std.loss (cross_entropy)`"),
    ("return", "the last expression of a block is its value: leave `return` away"),
    ("lambda", "a function without a name is written `fn(a, b) = a + b`"),
    ("class", "a model is a `layer Name[In, Out] { .. }`"),
    ("struct", "a record is written `{ name: value }`, its type `{ name: Float }`"),
    ("var", "names are bound with `let x = ..`; `state x = ..` is what a train block may change with `:=`"),
    ("const", "names are bound with `let x = ..`"),
    ("mut", "names are bound once with `let`; `state x = ..` is what a train block may change with `:=`"),
    ("elif", "write `else if`"),
    ("elseif", "write `else if`"),
    ("then", "the branches of an `if` stand in braces: `if c { a } else { b }`"),
    ("switch", "write `match value { a => ..  b => .. }`"),
    ("case", "write `match value { a => ..  b => .. }`"),
    ("print", "values are shown by `report { table .. }`, or recorded with `record name = ..`"),
    ("None", "there is no null; columns with gaps declare `missing ..`"),
    ("null", "there is no null; columns with gaps declare `missing ..`"),
    ("True", "write `true`"),
    ("False", "write `false`"),
    ("try", "there are no exceptions: a wrong program is refused before it runs"),
];

/// Operators that other languages have, and what Ansatz has instead. Longer ones first.
const FOREIGN_OPERATORS: &[(&str, &str)] = &[
    ("**", "a power is written `a^b`"),
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("+=", "write `x := x + ..`"),
    ("-=", "write `x := x - ..`"),
    ("*=", "write `x := x * ..`"),
    ("/=", "write `x := x / ..`"),
    ("++", "write `x := x + 1`"),
    ("--", "write `x := x - 1`, or `-(-x)` for a double sign"),
    ("//", "a division is written `a / b`"),
    ("===", "write `==`"),
    ("<-", "write `let x = ..`, or `x := ..` to change a state"),
    ("::", "write `name: Type`"),
    (";", "a statement ends with its line; no semicolon is needed"),
    ("@", "a matrix product is a sum over the shared axis: `sum(a * b, Axis)`"),
    ("#", "a comment starts with `//`"),
    ("'", "texts stand in double quotes; a prime belongs directly behind the name of an axis"),
    ("!", "write `not`"),
    ("?", "write `if c { a } else { b }`, or `where(c, a, b)` over data"),
    ("&", "write `and`"),
    ("|", "write `or`"),
    ("$", "names consist of letters, digits and `_`"),
    ("`", "names stand without quotes"),
];

/// What can stand in the place of a word or operator of another language as it is.
const REPLACEMENTS: &[(&str, &str)] = &[
    ("def", "fn"),
    ("func", "fn"),
    ("function", "fn"),
    ("const", "let"),
    ("elif", "else if"),
    ("elseif", "else if"),
    ("True", "true"),
    ("False", "false"),
    ("switch", "match"),
    ("**", "^"),
    ("&&", " and "),
    ("||", " or "),
    ("===", "=="),
    ("//", "/"),
    ("#", "//"),
    ("!", "not "),
    ("&", " and "),
    ("|", " or "),
    (";", ""),
    ("`", ""),
];

/// What is said of something foreign, with the change if another word does.
fn in_place_of(foreign: &str, place: Span, help: &str) -> Help {
    match REPLACEMENTS.iter().find(|(known, _)| *known == foreign) {
        Some((_, replacement)) => Help::replace(place, *replacement, help),
        None => help.into(),
    }
}

const RESERVED: &[&str] = &[
    "fn", "let", "axis", "if", "else", "match", "true", "false", "and", "or", "not", "scan", "iterate",
    "yield", "assert", "minimize", "maximize",
];

impl Lower<'_> {
    /// The diagnostic for a text that the grammar does not take.
    pub(super) fn syntax_error(&self, error: &Error<Rule>) -> Diagnostic {
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => self.base + at,
        };
        let at = self.skip_gap(at);
        let span = self.token(at);
        let found = &self.text[span.start as usize..span.end as usize];
        let expected: &[Rule] = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives,
            ErrorVariant::CustomError { .. } => &[],
        };
        let opened = self.enclosing(at);
        self.particular(at, span, found, expected, opened)
            .unwrap_or_else(|| self.general(span, found, expected, opened))
    }

    /// The place of the word, number or sign at `at`.
    fn token(&self, at: usize) -> Span {
        let rest = &self.text[at..];
        let is_letter = |c: char| c.is_alphanumeric() || c == '_';
        let length = match rest.chars().next() {
            None => 0,
            Some(first) if is_letter(first) => rest.find(|c| !is_letter(c)).unwrap_or(rest.len()),
            Some('"') => rest[1..].find('"').map_or(1, |end| end + 2),
            Some(first) => {
                let two = FOREIGN_OPERATORS
                    .iter()
                    .map(|(sign, _)| *sign)
                    .chain([":=", "=>", "->", "==", "!=", "<=", ">=", "~=", "..", "///"]);
                two.filter(|sign| rest.starts_with(sign)).map(str::len).max().unwrap_or(first.len_utf8())
            }
        };
        Span::new(self.file, at, at + length)
    }

    /// The innermost bracket that is open at a place.
    fn enclosing(&self, at: usize) -> Option<(usize, u8)> {
        let mut open = Vec::new();
        for &(place, byte) in self.scan.brackets.iter().take_while(|(place, _)| *place < at) {
            if matches!(byte, b'(' | b'[' | b'{') {
                open.push((place, byte));
            } else {
                open.pop();
            }
        }
        open.pop()
    }

    /// Distinct mistakes that are made often.
    fn particular(
        &self,
        at: usize,
        span: Span,
        found: &str,
        expected: &[Rule],
        opened: Option<(usize, u8)>,
    ) -> Option<Diagnostic> {
        let before = self.text[..at].trim_end();
        if found.starts_with("//!") || self.text[at..].starts_with("//!") {
            let line = Span::new(self.file, at, at + self.text[at..].lines().next().map_or(0, str::len));
            return Some(
                Diagnostic::error(Code::A0013, line, "`//!` documents a file and stands only at its top")
                    .label("not at the top of the file")
                    .help(
                        Help::from("write `///` to document the declaration below, or `//` for a comment")
                            .or(vec![slashes(line, "///")])
                            .or(vec![slashes(line, "//")]),
                    ),
            );
        }
        if self.text[at..].starts_with("///") {
            let line = Span::new(self.file, at, at + self.text[at..].lines().next().map_or(0, str::len));
            return Some(
                Diagnostic::error(Code::A0013, line, "`///` documents a declaration, and none follows here")
                    .label("documents nothing")
                    .help(Help::from("write `//` for a comment").or(vec![slashes(line, "//")])),
            );
        }
        let line_before = before.rsplit('\n').next().unwrap_or("").trim_start();
        if line_before.starts_with("///") && matches!(found, "}" | "") {
            let start = before.len() - line_before.len();
            let line = Span::new(self.file, start, before.len());
            return Some(
                Diagnostic::error(Code::A0013, line, "`///` documents a declaration, and none follows here")
                    .label("documents nothing")
                    .help(Help::from("write `//` for a comment").or(vec![slashes(line, "//")])),
            );
        }
        if let Some(error) = self.block_after_equals(at, found, opened) {
            return Some(error);
        }
        // The word may have been taken for a name, so that the grammar stopped only behind it.
        let previous = last_word(before);
        let wants_name = expected.contains(&Rule::name) && !expected.iter().any(|rule| begins_value(*rule));
        if RESERVED.contains(&found) && wants_name {
            return Some(
                Diagnostic::error(
                    Code::A0006,
                    span,
                    format!("`{found}` is a word of the language and cannot be a name"),
                )
                .label("a name is expected here")
                .help(Help::replace(
                    span,
                    format!("{found}_"),
                    format!("take another name, `{found}_` for example"),
                )),
            );
        }
        for (word, place) in
            [(found, span), (previous, Span::new(self.file, before.len() - previous.len(), before.len()))]
        {
            if let Some(error) = foreign_word(word, place) {
                let same_line = !self.text[place.start as usize..at.max(place.end as usize)].contains('\n');
                if same_line {
                    return Some(error);
                }
            }
        }
        if found == "=" && !previous.is_empty() {
            let error = Diagnostic::error(Code::A0008, span, "`=` does not stand alone here");
            return Some(match opened {
                Some((_, b'{')) | None => {
                    let name = Span::new(self.file, before.len() - previous.len(), before.len());
                    error.label("not expected here").help(self.let_or_assign(previous, name, span, opened))
                }
                Some(_) => {
                    error.label("not expected here").help(Help::replace(span, "==", "compare with `==`"))
                }
            });
        }
        if found == ":=" {
            return Some(
                Diagnostic::error(
                    Code::A0008,
                    span,
                    "`:=` changes a state by its name and stands in a block",
                )
                .label("not expected here")
                .help("name a new value with `let x = ..`"),
            );
        }
        let line_start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        if found == "-" && self.text[line_start..at].trim().is_empty() && at > 0 {
            return Some(leading_minus(span));
        }
        if let Some((sign, help)) = FOREIGN_OPERATORS.iter().find(|(sign, _)| *sign == found) {
            return Some(
                Diagnostic::error(Code::A0007, span, format!("Ansatz has no `{sign}`"))
                    .label("not an operator")
                    .help(in_place_of(sign, span, help)),
            );
        }
        // `for i in A {` reads as names and a record, and stops only inside of it.
        [Some(at), opened.map(|(place, _)| place)].into_iter().flatten().find_map(|place| {
            let line_start = self.text[..place].rfind('\n').map_or(0, |newline| newline + 1);
            let line = &self.text[line_start..];
            let start = line_start + (line.len() - line.trim_start_matches([' ', '\t']).len());
            let word = self.token(start.min(self.text.len()));
            foreign_word(&self.text[word.start as usize..word.end as usize], word)
        })
    }

    /// `x = 1` where a statement stands: a new value, or another one of a state.
    fn let_or_assign(&self, previous: &str, name: Span, sign: Span, opened: Option<(usize, u8)>) -> Help {
        let mut help = Help::from(format!(
            "`let {previous} = ..` names a value, `{previous} := ..` changes a state, `a == b` compares"
        ));
        let line = self.text[..name.start as usize].rsplit('\n').next().unwrap_or("");
        if line.trim().is_empty() {
            help = help.or(vec![Edit { span: name.before(), text: "let ".to_owned() }]);
            // States are changed in blocks.
            if opened.is_some() {
                help = help.or(vec![Edit { span: sign, text: ":=".to_owned() }]);
            }
        }
        help
    }

    /// `-> Float = { let r = ..`: behind `=`, braces make a record.
    fn block_after_equals(&self, at: usize, found: &str, opened: Option<(usize, u8)>) -> Option<Diagnostic> {
        let (brace, b'{') = opened? else { return None };
        let head = self.text[..brace].trim_end().strip_suffix('=')?;
        if head.ends_with(['=', '<', '>', '!', '~', ':']) || self.text[brace..at].contains(':') {
            return None;
        }
        let sign = Span::new(self.file, head.len(), head.len() + 1);
        let line = head.rsplit('\n').next().unwrap_or("").trim();
        let signature = line.ends_with(')') || line.contains("->");
        if signature {
            return Some(
                Diagnostic::error(Code::A0008, sign, "a body in braces follows its signature without `=`")
                    .label("drop this `=`")
                    .related(Span::new(self.file, brace, brace + 1), "behind `=`, this begins a record")
                    .help(Help::replace(
                        Span { end: brace as u32, ..sign },
                        "",
                        "write `(x: Float) -> Float { let y = ..  y }`, or `= expression` without braces",
                    )),
            );
        }
        (found == "let").then(|| {
            Diagnostic::error(Code::A0008, sign, "behind `=`, braces make a record")
                .label("a value follows this, and not statements")
                .help("put the `let`s before this one, or into a function")
        })
    }

    fn general(&self, span: Span, found: &str, expected: &[Rule], opened: Option<(usize, u8)>) -> Diagnostic {
        let mut words: Vec<String> = Vec::new();
        for text in expected.iter().filter_map(|rule| in_words(*rule)) {
            if !words.iter().any(|known| known == text) {
                words.push(text.to_owned());
            }
        }
        let value = "a value";
        // Where a value ends, everything that could go on with it is possible; only what ends it is of interest.
        let goes_on = expected.iter().any(|rule| matches!(rule, Rule::add | Rule::field | Rule::arguments));
        if goes_on {
            match opened {
                Some((_, bracket @ (b'(' | b'['))) => {
                    words = vec!["`,`".to_owned(), format!("`{}`", closing(bracket))]
                }
                _ => {
                    words.retain(|word| word.starts_with('`') && word != "`(`");
                    words.extend(opened.map(|(_, bracket)| format!("`{}`", closing(bracket))));
                }
            }
            words.insert(0, "an operator".to_owned());
        } else if expected.is_empty()
            && let Some((_, bracket)) = opened
        {
            words.push(format!("`{}`", closing(bracket)));
        }
        if words.iter().any(|word| word == value) {
            words.retain(|word| word != "a name");
        }
        if expected.contains(&Rule::item)
            || expected.contains(&Rule::item_start)
            || self.at_top(opened, expected)
        {
            words = vec!["a declaration (`fn`, `layer`, `data`, `experiment`, `test`, `use` ...)".to_owned()];
        }
        words.truncate(6);
        let what = if found.is_empty() {
            "the text ends too early".to_owned()
        } else {
            format!("`{}` is not expected here", found.lines().next().unwrap_or(found))
        };
        let mut error = Diagnostic::error(Code::A0001, span, what);
        if !words.is_empty() {
            error = error.label(format!("expected {}", alternatives(&words)));
        }
        if let Some((place, bracket)) = opened
            && bracket != b'{'
        {
            error = error.related(Span::new(self.file, place, place + 1), "inside this bracket");
        }
        error
    }

    fn at_top(&self, opened: Option<(usize, u8)>, expected: &[Rule]) -> bool {
        opened.is_none()
            && expected.iter().any(|rule| matches!(rule, Rule::function | Rule::use_item | Rule::EOI))
    }
}

fn last_word(text: &str) -> &str {
    let start = text.char_indices().rev().take_while(|(_, c)| c.is_alphanumeric() || *c == '_').last();
    start.map_or("", |(start, _)| &text[start..])
}

fn foreign_word(word: &str, place: Span) -> Option<Diagnostic> {
    FOREIGN_WORDS.iter().find(|(known, _)| *known == word).map(|(known, help)| {
        Diagnostic::error(Code::A0007, place, format!("Ansatz has no `{known}`"))
            .label("a word of another language")
            .help(in_place_of(word, place, help))
    })
}

/// Two things share a line that must not.
pub(super) fn joined(text: &str, before: Span, after: Span, what: &str) -> Diagnostic {
    let first = &text[before.start as usize..before.end as usize];
    if let Some(error) = foreign_word(first, before) {
        return error;
    }
    let token =
        text[after.start as usize..].find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(1).max(1);
    let start = after.start as usize;
    let end =
        text[start..].char_indices().map(|(at, c)| at + c.len_utf8()).find(|end| *end >= token).unwrap_or(0);
    let place = Span::new(after.file, start, start + end);
    let found = &text[start..start + end];
    if let Some(error) = foreign_word(found, place) {
        return error;
    }
    let (message, help) = match what {
        "statement" | "declaration" | "member" | "line of the report" => (
            format!("a {what} must start on a line of its own"),
            Help::replace(
                Span { start: before.end, end: after.start, ..before },
                format!("\n{}", indentation(text, before.start as usize)),
                "start a new line here, or look for an operator or a comma that is missing before it",
            ),
        ),
        _ => (
            format!("there is no comma before this {what}"),
            Help::insert_after(before, ",", "separate them by a comma or put each on its own line"),
        ),
    };
    Diagnostic::error(Code::A0009, place, message)
        .label(format!("the {what} before it ends just before this"))
        .help(help)
}

/// The space at the start of the line of a place.
fn indentation(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Other slashes in the place of the three that document.
fn slashes(line: Span, with: &str) -> Edit {
    Edit { span: Span { end: line.start + 3, ..line }, text: with.to_owned() }
}

pub(super) fn leading_minus(place: Span) -> Diagnostic {
    Diagnostic::error(
        Code::A0012,
        Span { end: place.start + 1, ..place },
        "a `-` at the start of a line does not go on with the line before",
    )
    .label("a sign or a difference?")
    .help("end the line before with the `-`, or write a comma before a negative value")
}

pub(super) fn chained_comparison(text: &str, left: &Expr, operator: Span, right: &Expr) -> Diagnostic {
    let slice = |span: Span| &text[span.start as usize..span.end as usize];
    let middle = match &left.kind {
        crate::syntax::ast::ExprKind::Binary { right, .. }
        | crate::syntax::ast::ExprKind::Approximately { right, .. } => slice(right.span),
        _ => "b",
    };
    Diagnostic::error(Code::A0010, operator, "comparisons do not chain")
        .label("compares the outcome of a comparison")
        .related(left.span, "this is already a comparison")
        .help({
            let both = format!("{} and {middle} {} {}", slice(left.span), slice(operator), slice(right.span));
            let text = format!("write `{both}`");
            Help::replace(left.span.to(right.span), both, text)
        })
}

pub(super) fn within_alone(place: Span) -> Diagnostic {
    Diagnostic::error(Code::A0001, place, "`within` gives the tolerance of `~=`, and there is none before it")
        .label("expected `a ~= b` before this")
        .help("write `a ~= b within 1e-6`")
}

pub(super) fn if_without_else(place: Span) -> Diagnostic {
    Diagnostic::error(Code::A0011, place, "an `if` that gives a value needs an `else`")
        .label("has no value where the condition is false")
        .help("add `else { .. }`; over data, `where(condition, a, b)` chooses item by item")
}

pub(super) fn repeated_clause(place: Span) -> Diagnostic {
    Diagnostic::error(Code::A0014, place, "this clause stands here twice")
        .label("the second one")
        .help(Help::replace(place, "", "keep one of them"))
}

pub(super) fn selector_in_call(place: Span) -> Diagnostic {
    Diagnostic::error(Code::A0001, place, "the axis arguments of a call are bare axes")
        .label("not a bare axis")
        .help("to pick or rename first and call then, put it in parentheses: `(f[A = i])(x)`")
}

pub(super) fn number_too_large(place: Span) -> Diagnostic {
    Diagnostic::error(Code::A0015, place, "this number is too large for a 64-bit float")
        .label("about 1.8e308 is the largest")
}

pub(super) fn unknown_escape(place: Span, escaped: char) -> Diagnostic {
    Diagnostic::error(Code::A0015, place, format!("`\\{escaped}` means nothing in a string"))
        .label("not an escape")
        .help("the escapes are `\\n`, `\\t`, `\\r`, `\\\"` and `\\\\`")
}

fn alternatives(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [many @ .., last] => format!("{} or {last}", many.join(", ")),
    }
}

fn begins_value(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::expression
            | Rule::primary
            | Rule::number
            | Rule::negate
            | Rule::operand
            | Rule::chain
            | Rule::list
    )
}

/// A rule of the grammar as the user would call it.
fn in_words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::name | Rule::word | Rule::place | Rule::names | Rule::let_names => "a name",
        Rule::axis | Rule::axis_names | Rule::report_axis => "an axis",
        Rule::selector => "an axis, with `= index` or `as Name` behind it",
        Rule::type_
        | Rule::array_type
        | Rule::element
        | Rule::record_type
        | Rule::tuple_type
        | Rule::function_type => "a type",
        Rule::expression
        | Rule::primary
        | Rule::operand
        | Rule::chain
        | Rule::number
        | Rule::negate
        | Rule::index
        | Rule::list
        | Rule::default => "a value",
        Rule::argument => "an argument",
        Rule::text => "a text in double quotes",
        Rule::block => "a block in braces",
        Rule::body => "a body: `= value` or a block in braces",
        Rule::result => "`-> Type`",
        Rule::parameters => "parameters in parentheses",
        Rule::parameter => "a parameter",
        Rule::axis_parameters => "axes in brackets",
        Rule::arguments => "`(`",
        Rule::init => "`= value` or `~ distribution`",
        Rule::draw => "`~`",
        Rule::binding => "`name = value`",
        Rule::statement => "a statement",
        Rule::member => "a member: `param`, `let`, or the call `(x: ..) -> .. = ..`",
        Rule::column => "a column: `name: Type`",
        Rule::arm | Rule::pattern => "an arm: `name => value`",
        Rule::term => "a term: `name: value`",
        Rule::entry | Rule::type_entry => "an entry: `name: value`",
        Rule::part => "a part: `name 70%`",
        Rule::arms => "arms in braces",
        Rule::report_line => "`table`, `plot` or `text`",
        Rule::optimizer_step => "`step(p, g, t) { .. }`",
        Rule::into_word => "`into`",
        Rule::over_word | Rule::model_over => "`over`",
        Rule::by_word => "`by`",
        Rule::as_word => "`as`",
        Rule::else_word => "`else`",
        Rule::from_word => "`from`",
        Rule::where_word => "`where`",
        Rule::in_word => "`in`",
        Rule::when_word => "`when`",
        Rule::to_word => "`to`",
        Rule::steps_word => "`steps`",
        Rule::otherwise => "`else`",
        Rule::split_by => "`by`",
        Rule::call_by => "`by`",
        Rule::call_where => "`where`",
        Rule::method => "`by`",
        Rule::file_data | Rule::made_data => "`= reader(\"file\") over Axis` or `over Axis = size`",
        _ => return None,
    })
}
