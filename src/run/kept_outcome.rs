//! What a trial measured, as it is kept: numbers as arrays, and all places of the text by the numbers of their tokens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::identity::{AxisKey, Place, Places};
use super::training::Course;
use super::trial::{Found, FoundAxis, Outcome};
use crate::graph::elaborate::TermField;
use crate::graph::{Element, Tensor};
use crate::store::Bundle;

#[derive(Serialize, Deserialize)]
struct Kept {
    measures: Vec<KeptMeasure>,
    /// The axes of parts; the rows are the arrays `rows.0` ...
    rows: Vec<AxisKey>,
    /// Term and block; the means are the arrays `course.0` ...
    courses: Vec<(String, usize)>,
    diverged: Option<(Place, usize, String)>,
}

/// Its values are the array `measure.0` ...
#[derive(Serialize, Deserialize)]
struct KeptMeasure {
    name: Place,
    field: Option<KeptField>,
    element: KeptElement,
    axes: Vec<KeptAxis>,
}

#[derive(Serialize, Deserialize)]
struct KeptAxis {
    key: Option<AxisKey>,
    name: String,
    size: usize,
    labels: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
enum KeptField {
    Value,
    Weight,
    Norm,
    Cosine(Place),
    Violation,
}

#[derive(Serialize, Deserialize)]
enum KeptElement {
    Float,
    Index,
    Bool,
}

/// None where something of it has no place in the trial's text.
pub fn to_bundle(outcome: &Outcome, places: &Places) -> Option<Bundle> {
    let mut arrays = BTreeMap::new();
    for (number, measure) in outcome.measures.iter().enumerate() {
        arrays.insert(format!("measure.{number}"), Tensor::F64(measure.values.clone()));
    }
    for (number, course) in outcome.courses.iter().enumerate() {
        arrays.insert(format!("course.{number}"), Tensor::F64(course.means.clone()));
    }
    for (number, rows) in outcome.rows.values().enumerate() {
        arrays.insert(format!("rows.{number}"), Tensor::Index(rows.clone()));
    }
    let kept = Kept {
        measures: outcome.measures.iter().map(|found| measure(found, places)).collect::<Option<_>>()?,
        rows: outcome.rows.keys().map(|axis| places.key(*axis)).collect::<Option<_>>()?,
        courses: outcome.courses.iter().map(|course| (course.term.clone(), course.block)).collect(),
        diverged: match &outcome.diverged {
            None => None,
            Some((span, step, term)) => Some((places.place(*span)?, *step, term.clone())),
        },
    };
    Some(Bundle { content: serde_json::to_value(kept).ok()?, arrays })
}

/// None where it does not fit the text.
pub fn from_bundle(bundle: Bundle, places: &Places) -> Option<Outcome> {
    let Bundle { content, mut arrays } = bundle;
    let kept: Kept = serde_json::from_value(content).ok()?;
    let mut numbers = |name: String| match arrays.remove(&name)? {
        Tensor::F64(values) => Some(values),
        _ => None,
    };
    let mut outcome = Outcome::default();
    for (number, kept) in kept.measures.into_iter().enumerate() {
        outcome.measures.push(found(kept, numbers(format!("measure.{number}"))?, places)?);
    }
    for (number, (term, block)) in kept.courses.into_iter().enumerate() {
        outcome.courses.push(Course { term, block, means: numbers(format!("course.{number}"))? });
    }
    for (number, key) in kept.rows.into_iter().enumerate() {
        let Tensor::Index(rows) = arrays.remove(&format!("rows.{number}"))? else { return None };
        outcome.rows.insert(places.axis(&key)?, rows);
    }
    if let Some((place, step, term)) = kept.diverged {
        outcome.diverged = Some((places.span(place)?, step, term));
    }
    Some(outcome)
}

fn measure(found: &Found, places: &Places) -> Option<KeptMeasure> {
    let axis = |axis: &FoundAxis| {
        let key = match axis.id {
            None => None,
            Some(id) => Some(places.key(id)?),
        };
        Some(KeptAxis { key, name: axis.name.clone(), size: axis.size, labels: axis.labels.clone() })
    };
    Some(KeptMeasure {
        name: places.place(found.name)?,
        field: match found.field {
            None => None,
            Some(TermField::Value) => Some(KeptField::Value),
            Some(TermField::Weight) => Some(KeptField::Weight),
            Some(TermField::Norm) => Some(KeptField::Norm),
            Some(TermField::Violation) => Some(KeptField::Violation),
            Some(TermField::Cosine(other)) => Some(KeptField::Cosine(places.place(other)?)),
        },
        element: match found.element {
            Element::Float => KeptElement::Float,
            Element::Index => KeptElement::Index,
            Element::Bool => KeptElement::Bool,
        },
        axes: found.axes.iter().map(axis).collect::<Option<_>>()?,
    })
}

fn found(kept: KeptMeasure, values: Vec<f64>, places: &Places) -> Option<Found> {
    let axis = |axis: KeptAxis| {
        let id = match &axis.key {
            None => None,
            Some(key) => Some(places.axis(key)?),
        };
        Some(FoundAxis { id, name: axis.name, size: axis.size, labels: axis.labels })
    };
    Some(Found {
        name: places.span(kept.name)?,
        field: match kept.field {
            None => None,
            Some(KeptField::Value) => Some(TermField::Value),
            Some(KeptField::Weight) => Some(TermField::Weight),
            Some(KeptField::Norm) => Some(TermField::Norm),
            Some(KeptField::Violation) => Some(TermField::Violation),
            Some(KeptField::Cosine(other)) => Some(TermField::Cosine(places.span(other)?)),
        },
        element: match kept.element {
            KeptElement::Float => Element::Float,
            KeptElement::Index => Element::Index,
            KeptElement::Bool => Element::Bool,
        },
        axes: kept.axes.into_iter().map(axis).collect::<Option<_>>()?,
        values,
    })
}
