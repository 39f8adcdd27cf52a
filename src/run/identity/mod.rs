//! The identity of a trial: a hash of everything that decides what it measures, and of nothing else.
//!
//! In: what all trials share, and a trial. Out: its identity. Two trials of one identity measure the same bits, whatever
//! file or run they stand in; so what one has measured need not be computed for the other.

mod places;
mod slice;
mod token;

pub use places::{AxisKey, Place, Places};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::Options;
use super::engine::Engine;
use super::prepare::Base;
use super::vary::{Over, Trial};
use crate::graph::Precision;
use crate::source::{FileId, Sources, Span};
use crate::syntax::ast::{Experiment, ItemKind};
use slice::{Pieces, Placed};

/// Raised whenever the same program may give other numbers than before: then nothing that was kept is used again.
const SEMANTICS: u32 = 9;

/// Tells the identities of the trials of one experiment.
pub struct Identifier<'a> {
    base: &'a Base<'a>,
    pieces: Pieces<'a>,
    /// That of the experiment.
    file: FileId,
    /// What all trials share of what is neither text nor data.
    shared: Vec<String>,
    /// By the positions on the axes of arms, and the statement up to which: trials differ in their texts by nothing else.
    texts: Mutex<BTreeMap<TextKey, Arc<Text<'a>>>>,
}

/// The positions on the axes of arms, and where the last statement begins if it is not that of the experiment.
type TextKey = (Vec<usize>, Option<u32>);

/// What is written in a trial.
struct Text<'a> {
    /// Those of the user's file: the library knows nothing of its axes and data.
    words: BTreeSet<&'a str>,
    hash: blake3::Hash,
    places: Arc<Places>,
}

impl<'a> Identifier<'a> {
    pub fn new(
        base: &'a Base<'a>,
        experiment: &'a Experiment,
        sources: &'a Sources,
        options: &Options,
        engine: &Engine,
    ) -> Self {
        let precision = match base.precision {
            Precision::Single => "f32",
            Precision::Double => "f64",
        };
        let mut shared = vec![
            format!("semantics {SEMANTICS} of {}", env!("CARGO_PKG_VERSION")),
            format!("backend {}", engine.name()),
            format!("precision {precision}, factors {:?}", base.factors),
            format!("fused {}", !options.unfused),
            format!("steps {:?}", options.most_steps),
        ];
        let without: BTreeSet<&String> = options.without.iter().collect();
        shared.extend(without.into_iter().map(|name| format!("without {name}")));
        Identifier {
            base,
            pieces: Pieces::new(base.program, experiment, sources),
            file: experiment.span.file,
            shared,
            texts: Mutex::default(),
        }
    }

    /// How places of a trial's text are called, whatever stands around them.
    pub fn places(&self, trial: &Trial) -> Arc<Places> {
        self.text(trial, None).places.clone()
    }

    /// A blake3 hash in hexadecimal digits.
    pub fn identify(&self, trial: &Trial) -> String {
        self.hash(trial, None)
    }

    /// The same of a part of a trial: of what is executed up to the end of one of the experiment's statements.
    pub fn identify_until(&self, trial: &Trial, statement: Span) -> String {
        self.hash(trial, Some(statement))
    }

    fn hash(&self, trial: &Trial, until: Option<Span>) -> String {
        let text = self.text(trial, until);
        let circumstances = self.circumstances(trial, &text.words);
        let parts = self.shared.iter().chain(&circumstances).map(String::as_str);
        hash(parts.chain([text.hash.to_hex().as_str()])).to_string()
    }

    fn text(&self, trial: &Trial, until: Option<Span>) -> Arc<Text<'a>> {
        let axes = self.base.axes.iter().zip(&trial.positions);
        let arms = axes.filter(|(axis, _)| matches!(axis.over, Over::Arms(_))).map(|(_, at)| *at).collect();
        let make = || {
            let tokens = self.tokens(trial, until);
            let own = |(file, _): &&Placed| *file == self.file;
            let text = tokens.iter().flat_map(|(_, t)| [if t.after_break { "\n" } else { "" }, t.text]);
            Arc::new(Text {
                words: tokens.iter().filter(own).map(|(_, token)| token.text).collect(),
                hash: hash(text),
                places: Arc::new(Places::new(&tokens, self.base.program)),
            })
        };
        match self.texts.lock() {
            Ok(mut texts) => texts.entry((arms, until.map(|until| until.start))).or_insert_with(make).clone(),
            Err(_) => make(),
        }
    }

    /// The trial's text, without the arms of other trials.
    fn tokens(&self, trial: &Trial, until: Option<Span>) -> Vec<Placed<'a>> {
        let axes = || self.base.axes.iter().zip(&trial.positions);
        let arms = self.base.program.arms.iter();
        let others: Vec<_> = arms
            .filter(|(_, (axis, arm))| axes().any(|(known, at)| known.id == *axis && at != arm))
            .map(|(span, _)| *span)
            .collect();
        self.pieces.of_trial(until, |(file, token)| {
            others.iter().any(|span| span.file == *file && span.start <= token.start && token.end <= span.end)
        })
    }

    /// Seed, data, settings and the values of `vary` axes, as far as the words of the trial mention them.
    fn circumstances(&self, trial: &Trial, words: &BTreeSet<&str>) -> Vec<String> {
        let base = self.base;
        // What is drawn at the top of the file is drawn by the seed of the experiment.
        let mut found: Vec<String> = self.imports(words).into_iter().collect();
        found.push(format!("seeds {} {}", base.seed, trial.seed(base.seed, &base.axes)));
        for (axis, at) in base.axes.iter().zip(&trial.positions) {
            if !words.contains(axis.name.as_str()) {
                continue;
            }
            let value = match &axis.over {
                Over::Arms(arms) => arms[*at].clone(),
                Over::Values(_) | Over::Seeds(_) => format!("{:x}", axis.value(*at).to_bits()),
                Over::Folds { count, .. } => format!("{} of {count}", axis.value(*at)),
                Over::Groups { column: (data, column), labels } => {
                    format!("{} of {data}.{column}, {}", axis.value(*at), labels.len())
                }
            };
            found.push(format!("{} = {value}", axis.name));
        }
        for (name, value) in &base.settings {
            if words.contains(name.as_str()) && !base.axes.iter().any(|axis| axis.name == *name) {
                found.push(format!("set {name} = {:x}", value.to_bits()));
            }
        }
        let data = base.tables.iter().filter(|(name, _)| words.contains(name.as_str()));
        found.extend(data.map(|(name, table)| format!("data {name} = {}", table.hash)));
        found.extend(base.weights.iter().map(|(path, hash)| format!("weights {path} = {hash}")));
        found
    }

    /// The modules from which the user's file has the words: one name may be in several modules of the library.
    fn imports(&self, words: &BTreeSet<&str>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for item in self.base.program.files.last().into_iter().flat_map(|file| &file.items) {
            let ItemKind::Use(import) = &item.kind else { continue };
            let module: Vec<&str> = import.path.iter().map(|name| name.text.as_str()).collect();
            let mentioned = import.names.iter().filter(|name| words.contains(name.text.as_str()));
            found.extend(mentioned.map(|name| format!("use {} of {}", name.text, module.join("."))));
        }
        found
    }
}

/// The length before each part, so that no two lists of parts are the same bytes.
fn hash<'p>(parts: impl Iterator<Item = &'p str>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize()
}
