//! Parameters that start from a file of weights: `Encoder[..]() from safetensors("..") map { "a" => "b[Out, In]" }`.
//!
//! The runtime puts the arrays of the file into the store; here each parameter of the model finds its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::elaborator::Elaborator;
use super::scope::Scope;
use super::value::{Stored, Value};
use crate::diagnostic::{Checked, Code, Diagnostic, nearest};
use crate::graph::{Axis, Element, NodeId, Slot};
use crate::source::Span;
use crate::syntax::ast::{self, Expr, Text, TypeKind};

/// An array of a file in the store.
#[derive(Clone, Debug)]
pub struct Weight {
    pub slot: Slot,
    pub shape: Vec<usize>,
}

/// The file that the parameters being made are read from.
pub struct Pretrained {
    weights: Arc<BTreeMap<String, Weight>>,
    entries: Vec<Entry>,
    source: Span,
    /// The model's name, with which the names of its parameters begin; known when it is being made.
    pub root: Option<String>,
    problems: Vec<Diagnostic>,
    /// Parameters for which the file has no array, and what it would be called there.
    missing: Vec<(String, String)>,
}

/// More parameters than this that a file does not have are told of together.
const MISSING: usize = 3;

/// `"fc.weight" => "weight[Out, In]"`
struct Entry {
    from: String,
    to: String,
    axes: Option<Vec<String>>,
    spans: (Span, Span),
    used: bool,
}

impl Entry {
    fn new((from, to): &(Text, Text)) -> Entry {
        let (name, axes) = match to.text.strip_suffix(']').and_then(|text| text.split_once('[')) {
            Some((name, axes)) => {
                let axes = axes.split(',').map(|axis| axis.trim().to_owned());
                (name.trim(), Some(axes.filter(|axis| !axis.is_empty()).collect()))
            }
            None => (to.text.trim(), None),
        };
        Entry { from: from.text.clone(), to: name.to_owned(), axes, spans: (from.span, to.span), used: false }
    }

    /// What the file calls a parameter, if this entry says so.
    fn name_of(&self, parameter: &str) -> Option<String> {
        if self.to == parameter {
            return Some(self.from.clone());
        }
        let rest = match self.to.is_empty() {
            true => Some(parameter),
            false => parameter.strip_prefix(&self.to).and_then(|rest| rest.strip_prefix('.')),
        }?;
        Some(if self.from.is_empty() { String::new() } else { format!("{}.{rest}", self.from) })
    }
}

impl Scope<'_> {
    /// Makes a file's arrays known by its path.
    pub fn bind_weights(&mut self, path: &str, weights: BTreeMap<String, Weight>) {
        self.weights.insert(path.to_owned(), Arc::new(weights));
    }
}

impl<'p> Elaborator<'_, 'p> {
    pub fn pretrained(
        &mut self,
        value: &'p Expr,
        source: &'p Expr,
        map: &'p [(Text, Text)],
    ) -> Checked<Value<'p>> {
        let path = self.typed().weights.iter().find(|file| file.span == source.span);
        let weights = path.and_then(|file| self.scope.weights.get(&file.path)).cloned();
        let Some(weights) = weights else {
            return Err(vec![
                Diagnostic::error(Code::A0448, source.span, "weights are read for experiments only")
                    .label("a test reads no files")
                    .help("make this model in an experiment"),
            ]);
        };
        let reading = Pretrained {
            weights,
            entries: map.iter().map(Entry::new).collect(),
            source: source.span,
            root: None,
            problems: Vec::new(),
            missing: Vec::new(),
        };
        let outer = self.pretrained.replace(reading);
        let made = self.eval(value);
        let reading = std::mem::replace(&mut self.pretrained, outer);
        let made = made?;
        let problems = reading.map(Pretrained::finish).unwrap_or_default();
        if problems.is_empty() { Ok(made) } else { Err(problems) }
    }

    /// The array that a file gives to the parameter; none where it starts as it is declared.
    pub fn pretrained_value(
        &mut self,
        param: &ast::Param,
        full: &str,
        layout: &[Axis],
    ) -> Checked<Option<NodeId>> {
        let sizes: Vec<usize> = layout.iter().map(|axis| self.size(*axis)).collect();
        let Some(reading) = &mut self.pretrained else { return Ok(None) };
        let root = reading.root.clone().unwrap_or_default();
        let own = full.strip_prefix(&root).and_then(|rest| rest.strip_prefix('.')).unwrap_or(full).to_owned();
        let names: Vec<String> = match &param.ty.kind {
            TypeKind::Array { axes, .. } => axes
                .iter()
                .map(|axis| axis.path.last().map(|name| name.text.clone()).unwrap_or_default())
                .collect(),
            _ => Vec::new(),
        };
        let Some((name, order)) = reading.find(&own, &names) else { return Ok(None) };
        let Some(weight) = reading.weights.get(&name).cloned() else {
            reading.missing(&own, &name);
            return Ok(None);
        };
        let shape: Vec<usize> = order.iter().map(|at| sizes[*at]).collect();
        if weight.shape != shape {
            reading.misshapen(&own, &name, &weight.shape, &names, &sizes, &order);
            return Ok(None);
        }
        let layout = order.iter().map(|at| layout[*at]).collect();
        let stored = Stored { slot: weight.slot, element: Element::Float, layout, name };
        Ok(Some(self.read(&stored)))
    }
}

impl Pretrained {
    /// The name in the file, and for each dimension of the array the number of the parameter's axis.
    fn find(&mut self, parameter: &str, axes: &[String]) -> Option<(String, Vec<usize>)> {
        let declared: Vec<usize> = (0..axes.len()).collect();
        let names = |entry: &Entry| entry.name_of(parameter).is_some();
        // The entry that says most: the parameter's own name before that of a model around it.
        let best = (0..self.entries.len()).filter(|at| names(&self.entries[*at]));
        let Some(at) = best.max_by_key(|at| self.entries[*at].to.len()) else {
            return Some((parameter.to_owned(), declared));
        };
        let entry = &mut self.entries[at];
        entry.used = true;
        let name = entry.name_of(parameter).filter(|name| !name.is_empty())?;
        let Some(order) = &entry.axes else { return Some((name, declared)) };
        let found: Vec<usize> =
            order.iter().filter_map(|axis| axes.iter().position(|known| known == axis)).collect();
        let mut sorted = found.clone();
        sorted.sort_unstable();
        if sorted != declared || found.len() != order.len() {
            let help = format!("the axes of `{parameter}` are [{}], each once", axes.join(", "));
            self.problems.push(
                Diagnostic::error(
                    Code::A0449,
                    entry.spans.1,
                    format!("[{}] is no order of the axes of `{parameter}`", order.join(", ")),
                )
                .label("the order of axes in the file")
                .help(help),
            );
            return None;
        }
        Some((name, found))
    }

    fn missing(&mut self, parameter: &str, name: &str) {
        self.missing.push((parameter.to_owned(), name.to_owned()));
    }

    /// A file of another model lacks many: one problem says so, with a suggestion for the first.
    fn tell_missing(&mut self) {
        let missing = std::mem::take(&mut self.missing);
        let together = missing.len() > MISSING;
        for (parameter, name) in missing.iter().take(if together { 1 } else { MISSING }) {
            // An entry that names nothing is told of by itself.
            let help = match near(name, self.weights.keys()) {
                Some(near) => format!("the file has `{near}`: map it, `\"{near}\" => \"{parameter}\"`"),
                None => format!(
                    "the file has {}; `\"\" => \"{parameter}\"` in the map keeps the parameter's own start",
                    listed(self.weights.keys())
                ),
            };
            let message = match together {
                true => {
                    let parameters = listed(missing.iter().map(|(parameter, _)| parameter));
                    format!("the file has no arrays for {} parameters: {parameters}", missing.len())
                }
                false => format!("the file has no array `{name}` for the parameter `{parameter}`"),
            };
            let problem = Diagnostic::error(Code::A0448, self.source, message).label("read here").help(help);
            self.problems.push(problem);
        }
    }

    fn misshapen(
        &mut self,
        parameter: &str,
        name: &str,
        shape: &[usize],
        axes: &[String],
        sizes: &[usize],
        order: &[usize],
    ) {
        let wanted: Vec<String> = order.iter().map(|at| format!("{} = {}", axes[*at], sizes[*at])).collect();
        let mut sorted = (shape.to_vec(), sizes.to_vec());
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        let help = match sorted.0 == sorted.1 {
            true => {
                let mut back = axes.to_vec();
                back.reverse();
                format!(
                    "say in which order the file has the axes: `\"{name}\" => \"{parameter}[{}]\"`",
                    back.join(", ")
                )
            }
            false => "make the model with the sizes of the file".to_owned(),
        };
        self.problems.push(
            Diagnostic::error(
                Code::A0449,
                self.source,
                format!("`{name}` of the file is {shape:?}, and `{parameter}` is [{}]", wanted.join(", ")),
            )
            .label("read here")
            .help(help),
        );
    }

    /// All problems, with the entries of the map that name nothing.
    fn finish(mut self) -> Vec<Diagnostic> {
        self.tell_missing();
        for (at, entry) in self.entries.iter().enumerate() {
            let known = |name: &String| {
                *name == entry.from
                    || name.strip_prefix(&entry.from).is_some_and(|rest| rest.starts_with('.'))
            };
            let twice = self.entries[..at].iter().any(|other| other.to == entry.to);
            let problem = if !entry.from.is_empty() && !self.weights.keys().any(known) {
                let help = match near(&entry.from, self.weights.keys()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the file has {}", listed(self.weights.keys())),
                };
                Some((entry.spans.0, format!("the file has no array `{}`", entry.from), help))
            } else if twice {
                let help = "keep one of the entries".to_owned();
                Some((entry.spans.1, format!("`{}` is named twice", entry.to), help))
            } else if !entry.used {
                let help = "the right side names a parameter by its members: `first.weight`".to_owned();
                Some((entry.spans.1, format!("the model has no parameter `{}`", entry.to), help))
            } else {
                None
            };
            if let Some((span, message, help)) = problem {
                let problem = Diagnostic::error(Code::A0450, span, message).label("names nothing").help(help);
                self.problems.push(problem);
            }
        }
        self.problems
    }
}

/// The name in the file that is most like this one, or ends like it.
fn near<'a>(name: &str, known: impl Iterator<Item = &'a String> + Clone) -> Option<&'a str> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let alike = |other: &&String| other.rsplit('.').next() == Some(last);
    nearest(name, known.clone().map(String::as_str))
        .or_else(|| known.into_iter().find(alike).map(String::as_str))
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "no arrays".to_owned(),
        1..=8 => names.join(", "),
        n => format!("{} and {} more", names[..8].join(", "), n - 8),
    }
}
