//! Colours by meaning: what a name stands for, and which words are words of the language here.

use std::collections::HashMap;

use lsp_types::{SemanticToken, SemanticTokenModifier, SemanticTokenType, SemanticTokensLegend};

use super::context::Context;
use crate::check::program::Type;
use crate::check::uses::{Meaning, Use, bindings};
use crate::source::{FileId, Span};
use crate::syntax::keywords::keyword;
use crate::syntax::names::{Binding, Kind, Role};

const TYPES: [SemanticTokenType; 11] = [
    SemanticTokenType::NAMESPACE,
    SemanticTokenType::TYPE,
    SemanticTokenType::CLASS,
    SemanticTokenType::ENUM_MEMBER,
    SemanticTokenType::FUNCTION,
    SemanticTokenType::METHOD,
    SemanticTokenType::PROPERTY,
    SemanticTokenType::PARAMETER,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::KEYWORD,
    SemanticTokenType::TYPE_PARAMETER,
];

const MODIFIERS: [SemanticTokenModifier; 2] =
    [SemanticTokenModifier::DECLARATION, SemanticTokenModifier::DEFAULT_LIBRARY];

pub fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend { token_types: TYPES.to_vec(), token_modifiers: MODIFIERS.to_vec() }
}

/// The coloured words of a file, in the order of the text, each relative to the one before.
pub fn tokens(context: &Context) -> Vec<SemanticToken> {
    let mut found: Vec<(Span, SemanticTokenType, u32)> = Vec::new();
    let uses = context.uses();
    let bindings = bindings(context.program());
    for of in &uses {
        if let Some(kind) = kind(&bindings, of) {
            let declares = matches!(of.role, Role::Binding(_)) as u32;
            let library = match of.meaning {
                Meaning::Bound(place) => place.file != FileId(0),
                Meaning::Builtin(_) | Meaning::Element | Meaning::Module(_) => true,
                _ => false,
            };
            found.push((of.name.span, kind, declares | (library as u32) << 1));
        }
    }
    found.extend(words(context, &uses).into_iter().map(|span| (span, SemanticTokenType::KEYWORD, 0)));
    found.sort_by_key(|(span, ..)| *span);
    found.dedup_by_key(|(span, ..)| span.start);
    relative(context, &found)
}

fn relative(context: &Context, found: &[(Span, SemanticTokenType, u32)]) -> Vec<SemanticToken> {
    let (mut line, mut column) = (0, 0);
    let mut tokens = Vec::new();
    for (span, kind, modifiers) in found {
        let range = context.range(*span);
        if range.start.line != range.end.line {
            continue;
        }
        let delta_line = range.start.line - line;
        tokens.push(SemanticToken {
            delta_line,
            delta_start: if delta_line == 0 { range.start.character - column } else { range.start.character },
            length: range.end.character - range.start.character,
            token_type: TYPES.iter().position(|known| known == kind).unwrap_or(0) as u32,
            token_modifiers_bitset: *modifiers,
        });
        (line, column) = (range.start.line, range.start.character);
    }
    tokens
}

fn kind(bindings: &HashMap<Span, Binding>, of: &Use) -> Option<SemanticTokenType> {
    use SemanticTokenType as T;
    match &of.meaning {
        Meaning::Bound(place) => match bindings.get(place) {
            Some(binding) => Some(of_binding(binding.kind, of)),
            // An axis without a declaration of its own.
            None => Some(T::TYPE),
        },
        Meaning::Implied(_) if of.ty.is_some() => Some(T::VARIABLE),
        Meaning::Implied(_) => Some(T::TYPE),
        Meaning::Builtin(_) => Some(match of.ty {
            Some(Type::Array { .. }) => T::VARIABLE,
            _ => T::FUNCTION,
        }),
        Meaning::Option(_) => Some(T::PARAMETER),
        Meaning::Module(_) => Some(T::NAMESPACE),
        Meaning::Element => Some(T::TYPE),
        Meaning::RecordField => Some(T::PROPERTY),
        Meaning::Word => Some(T::KEYWORD),
        Meaning::Unknown => None,
    }
}

fn of_binding(kind: Kind, of: &Use) -> SemanticTokenType {
    use SemanticTokenType as T;
    if matches!(of.role, Role::Argument { .. }) {
        return T::PARAMETER;
    }
    match kind {
        Kind::Function | Kind::Optimizer | Kind::Combiner | Kind::Constraint => T::FUNCTION,
        Kind::Layer => T::CLASS,
        Kind::Method => T::METHOD,
        Kind::Data | Kind::Experiment => T::NAMESPACE,
        Kind::Column | Kind::Weight | Kind::Term | Kind::Part => T::PROPERTY,
        Kind::Axis | Kind::Vary => T::TYPE,
        Kind::AxisParameter => T::TYPE_PARAMETER,
        Kind::Arm => T::ENUM_MEMBER,
        Kind::Parameter => T::PARAMETER,
        Kind::Let | Kind::State | Kind::Loop | Kind::Measure | Kind::Record => T::VARIABLE,
    }
}

/// The words of the language: those that are no names, outside of texts and comments.
fn words(context: &Context, uses: &[Use]) -> Vec<Span> {
    let text = &context.document.text;
    let names: std::collections::HashSet<u32> = uses.iter().map(|of| of.name.span.start).collect();
    let mut found = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '"' => {
                let mut escaped = false;
                while let Some((_, c)) = rest.next_if(|(_, c)| *c != '\n') {
                    if c == '"' && !escaped {
                        break;
                    }
                    escaped = c == '\\' && !escaped;
                }
            }
            '/' if text[at..].starts_with("//") => while rest.next_if(|(_, c)| *c != '\n').is_some() {},
            c if c.is_alphanumeric() || c == '_' => {
                let mut end = at + c.len_utf8();
                while let Some((next, c)) = rest.next_if(|(_, c)| c.is_alphanumeric() || *c == '_') {
                    end = next + c.len_utf8();
                }
                if keyword(&text[at..end]).is_some() && !names.contains(&(at as u32)) {
                    found.push(Span::new(FileId(0), at, end));
                }
            }
            _ => {}
        }
    }
    found
}
