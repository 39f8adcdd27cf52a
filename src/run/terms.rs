//! The terms of combined objectives while a block is trained: at one step of every tenth of it, the first and the last
//! step among them, their values, weights, gradients' lengths and cosines.

use std::sync::Arc;

use super::engine::{Compiled, Engine, scalar};
use super::resume::Parts;
use super::training::STRETCHES;
use super::trial::{Found, FoundAxis, Stopped};
use crate::check::program::Program;
use crate::graph::elaborate::{Scope, TermField, TermSlot, TermsProgram, Value};
use crate::graph::{Element, Store};
use crate::source::{Sources, Span};

/// A number about a term over the tenths of a block.
pub struct TermHistory {
    /// The span of the term's name.
    pub term: Span,
    pub field: TermField,
    pub values: Vec<f64>,
}

/// The program of one combined objective, and what was seen so far in each of its slots.
struct WatchedTerms {
    program: Compiled,
    slots: Vec<(TermSlot, Vec<f64>)>,
}

/// Runs the programs that look at the terms, before the steps that are looked at.
pub struct TermWatcher {
    combined: Vec<WatchedTerms>,
    /// The step of each tenth.
    moments: [usize; STRETCHES],
}

impl TermWatcher {
    pub fn new(
        combined: Vec<TermsProgram>,
        steps: usize,
        engine: &Engine,
        store: &Store,
    ) -> Result<Self, Stopped> {
        let mut compiled = Vec::with_capacity(combined.len());
        for TermsProgram { program, slots, span } in combined {
            let slots = slots.into_iter().map(|slot| (slot, Vec::new())).collect();
            compiled.push(WatchedTerms { program: engine.compile(program, span, store)?, slots });
        }
        Ok(TermWatcher { combined: compiled, moments: moments(steps) })
    }

    /// Whether something is looked at before step `number`.
    pub fn is_due(&self, number: usize) -> bool {
        !self.combined.is_empty() && self.moments.contains(&number)
    }

    /// The rows and the parameters are those that the step starts from.
    pub fn before_step(&mut self, number: usize, store: &mut Store) -> Result<(), Stopped> {
        // A step stands for several tenths where there are fewer steps than these.
        let times = self.moments.iter().filter(|moment| **moment == number).count();
        if times == 0 {
            return Ok(());
        }
        for WatchedTerms { program, slots } in &mut self.combined {
            program.run(store).map_err(Stopped::Failed)?;
            for (slot, values) in slots {
                values.extend(std::iter::repeat_n(scalar(store, slot.slot), times));
            }
        }
        Ok(())
    }

    pub fn save(&self, parts: &mut Parts) {
        for (number, WatchedTerms { slots, .. }) in self.combined.iter().enumerate() {
            for (slot, (_, values)) in slots.iter().enumerate() {
                parts.put(format!("combined.{number}.{slot}"), values.clone());
            }
        }
    }

    pub fn restore(&mut self, parts: &mut Parts) -> bool {
        for (number, WatchedTerms { slots, .. }) in self.combined.iter_mut().enumerate() {
            for (slot, (_, values)) in slots.iter_mut().enumerate() {
                let Some(known) = parts.take(&format!("combined.{number}.{slot}")) else { return false };
                *values = known;
            }
        }
        true
    }

    /// After an early end the last values stand for the tenths that were not reached.
    pub fn finish(self) -> Vec<TermHistory> {
        let slots = self.combined.into_iter().flat_map(|watched| watched.slots);
        let history = |(slot, mut values): (TermSlot, Vec<f64>)| {
            values.resize(STRETCHES, values.last().copied().unwrap_or(f64::NAN));
            TermHistory { term: slot.term, field: slot.field, values }
        };
        slots.map(history).collect()
    }
}

/// As measures over the tenths. `before`: what the trial has found so far.
pub fn found(terms: Vec<TermHistory>, program: &Program, before: &[Found]) -> Vec<Found> {
    // In the branches of an `if`, terms of one name are one result; a second one that is executed is its own.
    let mut names: Vec<(Span, Span)> = Vec::new();
    for TermHistory { term, .. } in &terms {
        let shared = program.term_of.get(term).copied().unwrap_or(*term);
        let taken = before.iter().any(|found| found.name == shared)
            || names.iter().any(|(own, name)| own != term && *name == shared);
        names.push((*term, if taken { *term } else { shared }));
    }
    let known = |term: Span| names.iter().find(|(own, _)| *own == term).map_or(term, |(_, name)| *name);
    let found = terms.into_iter().map(|TermHistory { term, field, values }| {
        let (name, field) = match field {
            TermField::Cosine(other) => {
                let (a, b) = (known(term), known(other));
                let in_order = (a.file, a.start) < (b.file, b.start);
                if in_order { (a, TermField::Cosine(b)) } else { (b, TermField::Cosine(a)) }
            }
            field => (known(term), field),
        };
        let labels = (1..=STRETCHES).map(|tenth| tenth.to_string()).collect();
        let id = program.axes_at.get(&term).copied();
        let axis = FoundAxis { id, name: "Tenth".to_owned(), size: STRETCHES, labels: Some(labels) };
        Found { name, field: Some(field), element: Element::Float, axes: vec![axis], values }
    });
    found.collect()
}

/// Gives the results phase one more field of a term; a cosine belongs to both of its terms.
pub fn bind<'p>(scope: &mut Scope<'p>, sources: &Sources, term: Span, field: TermField, value: Value<'p>) {
    let mut add = |term: Span, path: &[&str], value: Value<'p>| {
        let before = scope.value(term).cloned();
        scope.bind(term, with_field(before, path, value));
    };
    match field {
        TermField::Value | TermField::Violation => add(term, &["value"], value),
        TermField::Weight => add(term, &["weight"], value),
        TermField::Norm => add(term, &["norm"], value),
        TermField::Cosine(other) => {
            add(term, &["cosine", sources.slice(other)], value.clone());
            add(other, &["cosine", sources.slice(term)], value);
        }
    }
}

/// The record with one more field at the path.
fn with_field<'p>(record: Option<Value<'p>>, path: &[&str], value: Value<'p>) -> Value<'p> {
    let Some((first, rest)) = path.split_first() else { return value };
    let mut fields = match record {
        Some(Value::Record(fields)) => fields.as_ref().clone(),
        _ => Vec::new(),
    };
    let at = fields.iter().position(|(name, _)| name == first);
    let before = at.map(|at| fields.remove(at).1);
    fields.push(((*first).to_owned(), with_field(before, rest, value)));
    Value::Record(Arc::new(fields))
}

/// Evenly spaced from the first step to the last, one in each tenth.
fn moments(steps: usize) -> [usize; STRETCHES] {
    let last = steps.saturating_sub(1);
    std::array::from_fn(|tenth| (tenth * last).div_ceil(STRETCHES - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_of_every_tenth() {
        for steps in 10..2000 {
            let moments = moments(steps);
            assert_eq!((moments[0], moments[STRETCHES - 1]), (0, steps - 1));
            for (tenth, step) in moments.iter().enumerate() {
                assert_eq!(step * STRETCHES / steps, tenth, "{steps} steps");
            }
        }
    }

    #[test]
    fn few_steps_stand_for_several_tenths() {
        assert_eq!(moments(1), [0; STRETCHES]);
        assert_eq!(moments(3), [0, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
    }
}
