//! Of all that is written in a program, what one trial consists of.
//!
//! In: a program and an experiment. Out: for each trial its tokens, in an order that does not depend on where things stand:
//! the statements that are executed in it, and what these mention, transitively. Claims, reports, tests, other experiments,
//! arms of other trials, and whatever is not mentioned are not among them.

use std::collections::HashMap;

use super::token::{Token, tokens};
use crate::check::program::{Phase, Program};
use crate::source::{FileId, Sources, Span};
use crate::syntax::ast::{
    Column, Data, DataSource, Experiment, GeneratorStatement, ItemKind, Name, StatementKind, TypeKind,
};

/// A token with its file.
pub type Placed<'t> = (FileId, Token<'t>);

/// Something that is in a trial as a whole or not at all.
struct Piece<'t> {
    tokens: Vec<Placed<'t>>,
    /// It is a statement of the experiment, which no item can mention.
    inside: bool,
    /// It is executed, mentioned or not.
    executed: bool,
}

/// All pieces, and which of them a word may mean.
pub struct Pieces<'t> {
    /// Those of the experiment first, in their order; then the others, by their texts.
    pieces: Vec<Piece<'t>>,
    by_name: HashMap<&'t str, Vec<usize>>,
}

impl<'t> Pieces<'t> {
    pub fn new(program: &'t Program, experiment: &'t Experiment, sources: &'t Sources) -> Self {
        let mut pieces = Pieces { pieces: Vec::new(), by_name: HashMap::new() };
        let text = |span: Span| -> Vec<Placed<'t>> {
            let text = &sources.get(span.file).text;
            let found = tokens(text, span.start as usize, (span.end as usize).min(text.len()));
            found.into_iter().map(|token| (span.file, token)).collect()
        };
        for statement in &experiment.body {
            let mut names: Vec<&Name> = Vec::new();
            let executed = match &statement.kind {
                StatementKind::Vary { .. }
                | StatementKind::Setting { .. }
                | StatementKind::Claim { .. }
                | StatementKind::Report(_)
                | StatementKind::Snapshot { .. }
                | StatementKind::Quick(_) => continue,
                _ if program.phases.get(&statement.span) == Some(&Phase::Results) => continue,
                StatementKind::Let(l) => {
                    names.extend(&l.names);
                    // One that trains counts among the blocks, which addresses of random numbers do too.
                    program.fitting_call(l).is_some()
                }
                StatementKind::Axis(axes) => {
                    names.extend(axes.iter().map(|axis| &axis.name));
                    false
                }
                _ => true,
            };
            let tokens = text(statement.span);
            pieces.add(Piece { tokens, inside: true, executed }, names);
        }
        let mut others: Vec<(Vec<Placed>, Vec<&Name>)> = Vec::new();
        for item in program.files.iter().flat_map(|file| &file.items) {
            let names = named(&item.kind);
            if !names.is_empty() {
                others.push((text(item.span), names));
            }
        }
        others
            .sort_by_cached_key(|(tokens, _)| tokens.iter().map(|(_, token)| token.text).collect::<Vec<_>>());
        for (tokens, names) in others {
            pieces.add(Piece { tokens, inside: false, executed: false }, names);
        }
        pieces
    }

    fn add(&mut self, piece: Piece<'t>, names: Vec<&'t Name>) {
        for name in names {
            self.by_name.entry(&name.text).or_default().push(self.pieces.len());
        }
        self.pieces.push(piece);
    }

    /// The tokens of a trial, without those for which `left_out` holds. `until`: of what is executed up to the end of this
    /// statement, in place of all.
    pub fn of_trial(&self, until: Option<Span>, left_out: impl Fn(&Placed) -> bool) -> Vec<Placed<'t>> {
        let executed = |piece: &Piece| {
            let start = piece.tokens.first().map(|(_, token)| token.start);
            piece.executed && until.is_none_or(|until| start.is_some_and(|start| start <= until.start))
        };
        let mut taken: Vec<bool> = self.pieces.iter().map(executed).collect();
        let mut open: Vec<usize> = (0..taken.len()).filter(|at| taken[*at]).collect();
        while let Some(at) = open.pop() {
            for (_, token) in self.pieces[at].tokens.iter().filter(|token| !left_out(token)) {
                for other in self.by_name.get(token.text).into_iter().flatten() {
                    let meant = self.pieces[at].inside || !self.pieces[*other].inside;
                    if meant && !std::mem::replace(&mut taken[*other], true) {
                        open.push(*other);
                    }
                }
            }
        }
        let taken = self.pieces.iter().zip(taken).filter(|(_, taken)| *taken);
        let all = taken.flat_map(|(piece, _)| &piece.tokens);
        all.filter(|token| !left_out(token)).copied().collect()
    }
}

/// The names by which an item is mentioned. Whoever mentions an axis that data make depends on the data.
fn named(item: &ItemKind) -> Vec<&Name> {
    match item {
        ItemKind::Function(function) | ItemKind::Combiner(function) => vec![&function.name],
        ItemKind::Layer(layer) => vec![&layer.name],
        ItemKind::Optimizer(optimizer)
        | ItemKind::SteppingCombiner(optimizer)
        | ItemKind::Constraint(optimizer) => vec![&optimizer.name],
        ItemKind::Axis(axes) => axes.iter().map(|axis| &axis.name).collect(),
        ItemKind::Let(l) => l.names.iter().collect(),
        ItemKind::Data(data) => names_of_data(data),
        ItemKind::Use(_) | ItemKind::Experiment(_) | ItemKind::Test(_) => Vec::new(),
    }
}

fn names_of_data(data: &Data) -> Vec<&Name> {
    let mut names = vec![&data.name, &data.axis];
    match &data.source {
        DataSource::File { columns, .. } => names.extend(columns.iter().flat_map(axes_of_column)),
        DataSource::Generated { block, .. } => {
            for statement in block {
                if let GeneratorStatement::Column(column) = statement {
                    names.extend(axes_of_column(column));
                }
            }
        }
        DataSource::Sampled { .. } => {}
    }
    names
}

fn axes_of_column(column: &Column) -> Vec<&Name> {
    match &column.ty.kind {
        TypeKind::Array { element, part, axes } => {
            let category = !matches!(element.text.as_str(), "Float" | "Bool" | "Text");
            let whole = (category && part.is_none()).then_some(element);
            let path = part.iter().flat_map(|part| &part.path);
            whole.into_iter().chain(path).chain(axes.iter().flat_map(|axis| &axis.path)).collect()
        }
        _ => Vec::new(),
    }
}
