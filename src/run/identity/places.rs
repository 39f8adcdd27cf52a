//! Places of a trial's text, called by the number of their tokens: what stays the same when other text changes.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::slice::Placed;
use crate::check::program::{AxisId, Program};
use crate::source::{FileId, Span};

/// The numbers of the first and the last token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place(u32, u32);

/// An axis by its name, its place, and which of several such axes it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AxisKey {
    name: String,
    place: Place,
    number: u32,
}

/// Between spans and places, and between axes and their keys.
pub struct Places {
    spans: Vec<Span>,
    starts: HashMap<(FileId, u32), u32>,
    ends: HashMap<(FileId, u32), u32>,
    keys: HashMap<AxisId, AxisKey>,
    axes: HashMap<AxisKey, AxisId>,
}

impl Places {
    pub fn new(tokens: &[Placed], program: &Program) -> Self {
        let mut places = Places {
            spans: tokens.iter().map(|(file, t)| Span { file: *file, start: t.start, end: t.end }).collect(),
            starts: HashMap::new(),
            ends: HashMap::new(),
            keys: HashMap::new(),
            axes: HashMap::new(),
        };
        for (number, span) in places.spans.iter().enumerate() {
            places.starts.insert((span.file, span.start), number as u32);
            places.ends.insert((span.file, span.end), number as u32);
        }
        // The checker makes the axes of one place in the same order whatever stands elsewhere.
        let mut numbers: HashMap<(&str, Place), u32> = HashMap::new();
        for (at, info) in program.axes.iter().enumerate() {
            let Some(place) = places.place(info.span) else { continue };
            let number = numbers.entry((&info.name, place)).or_default();
            let key = AxisKey { name: info.name.clone(), place, number: *number };
            *number += 1;
            places.keys.insert(AxisId(at as u32), key.clone());
            places.axes.insert(key, AxisId(at as u32));
        }
        places
    }

    /// None for a span that is no part of the trial.
    pub fn place(&self, span: Span) -> Option<Place> {
        let first = self.starts.get(&(span.file, span.start))?;
        Some(Place(*first, *self.ends.get(&(span.file, span.end))?))
    }

    pub fn span(&self, place: Place) -> Option<Span> {
        let (first, last) = (self.spans.get(place.0 as usize)?, self.spans.get(place.1 as usize)?);
        Some(Span { file: first.file, start: first.start, end: last.end })
    }

    pub fn key(&self, axis: AxisId) -> Option<AxisKey> {
        self.keys.get(&axis).cloned()
    }

    pub fn axis(&self, key: &AxisKey) -> Option<AxisId> {
        self.axes.get(key).copied()
    }
}
