//! Results as event files of TensorBoard: a folder for each trial, a curve for each term and each record.
//!
//! In: the results of a run, its trials and when it began. Out: paths with bytes. An event file is a sequence of records of
//! TensorFlow's TFRecord format: the length as eight bytes, a checksum of these, a message `Event`, a checksum of it. The few
//! fields that scalars need are encoded here (tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto).

use std::path::PathBuf;

use super::plot::course;
use super::stored::{StoredAxis, StoredMeasure, StoredResults};

/// An axis of trials, and the label of one trial on it.
type Label = (String, String);

/// Values along further axes are a curve each; of a measure with more than these there are none.
const MOST_CURVES: usize = 64;

/// What is written, and what is not.
pub struct Export {
    /// Beneath the folder that TensorBoard is shown.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Measures along examples, or with too many values for curves.
    pub left_out: Vec<String>,
}

/// A value of a curve.
struct Point {
    tag: String,
    step: i64,
    value: f64,
}

/// `trials`: their labels. `began`: in seconds since 1970, the time of all events.
pub fn tensorboard(results: &StoredResults, trials: &[Vec<Label>], began: f64) -> Export {
    let mut export = Export { files: Vec::new(), left_out: Vec::new() };
    for trial in trials {
        let mut points = Vec::new();
        for curve in results.training.iter().filter(|curve| curve.trial == *trial) {
            let tag = format!("training/{}, block {}", curve.term, curve.block);
            let tenths = curve.values.iter().enumerate();
            points.extend(tenths.map(|(at, value)| Point {
                tag: tag.clone(),
                step: at as i64 + 1,
                value: *value,
            }));
        }
        for measure in results.measures.iter().chain(&results.terms) {
            match of_trial(measure, trial) {
                Some(found) => points.extend(found),
                None if !export.left_out.contains(&measure.name) => {
                    export.left_out.push(measure.name.clone())
                }
                None => {}
            }
        }
        let path = PathBuf::from(folder(trial)).join("events.out.tfevents.0.ansatz");
        export.files.push((path, file(&points, began)));
    }
    export
}

/// `Objective=plain,Seed=0`, as the name of a folder.
fn folder(trial: &[Label]) -> String {
    if trial.is_empty() {
        return "trial".to_owned();
    }
    let plain =
        |c: char| if c.is_alphanumeric() || matches!(c, '=' | ',' | '.' | '-' | '_') { c } else { '_' };
    let labels: Vec<String> = trial.iter().map(|(axis, label)| format!("{axis}={label}")).collect();
    labels.join(",").chars().map(plain).collect()
}

/// The values of a measure in one trial: a curve along its moments, or a single point, for each position on its other axes.
/// None: too many, or along examples.
fn of_trial(measure: &StoredMeasure, trial: &[Label]) -> Option<Vec<Point>> {
    // The rows of a part are no course, though they have numbers.
    if measure.axes.iter().any(|axis| axis.name.contains('.')) {
        return None;
    }
    let is_trial = |axis: &StoredAxis| trial.iter().any(|(name, _)| *name == axis.name);
    let moments = measure.axes.iter().position(|axis| !is_trial(axis) && course(axis).is_some());
    let steps = moments.and_then(|at| course(&measure.axes[at]));
    let curves: usize = measure
        .axes
        .iter()
        .enumerate()
        .filter(|(at, axis)| Some(*at) != moments && !is_trial(axis))
        .map(|(_, axis)| axis.labels.len())
        .product();
    if curves > MOST_CURVES {
        return None;
    }
    let mut points = Vec::new();
    for (number, value) in measure.values.iter().enumerate() {
        let (mut rest, mut step, mut coordinates, mut own) = (number, 0, Vec::new(), true);
        for (at, axis) in measure.axes.iter().enumerate().rev() {
            let position = rest % axis.labels.len();
            rest /= axis.labels.len();
            let label = &axis.labels[position];
            if Some(at) == moments {
                step = steps.as_ref().map_or(position as i64, |steps| steps[position] as i64);
            } else if is_trial(axis) {
                own &= trial.iter().any(|(name, of)| *name == axis.name && of == label);
            } else {
                coordinates.insert(0, format!("{} = {label}", axis.name));
            }
        }
        if own {
            let tag = match coordinates.is_empty() {
                true => measure.name.clone(),
                false => format!("{}/{}", measure.name, coordinates.join(", ")),
            };
            points.push(Point { tag, step, value: *value });
        }
    }
    Some(points)
}

/// The bytes of an event file.
fn file(points: &[Point], time: f64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Fields of `Event`: wall_time 1, step 2, file_version 3, summary 5.
    let mut version = double(1, time);
    version.extend(delimited(3, b"brain.Event:2"));
    record(&version, &mut bytes);
    for point in points {
        // Of `Summary`: value 1. Of `Summary.Value`: tag 1, simple_value 2.
        let mut value = delimited(1, point.tag.as_bytes());
        value.extend(float(2, point.value as f32));
        let mut event = double(1, time);
        event.extend(integer(2, point.step));
        event.extend(delimited(5, &delimited(1, &value)));
        record(&event, &mut bytes);
    }
    bytes
}

fn record(message: &[u8], out: &mut Vec<u8>) {
    let length = (message.len() as u64).to_le_bytes();
    out.extend(length);
    out.extend(masked(crc32c::crc32c(&length)).to_le_bytes());
    out.extend(message);
    out.extend(masked(crc32c::crc32c(message)).to_le_bytes());
}

/// So that a checksum of data which hold their checksum is no constant (tensorflow/core/lib/hash/crc32c.h).
fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xa282_ead8)
}

// A field of a Protocol Buffers message is its number and wire type, then its value.

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn key(field: u64, wire: u64) -> Vec<u8> {
    varint(field << 3 | wire)
}

fn integer(field: u64, value: i64) -> Vec<u8> {
    [key(field, 0), varint(value as u64)].concat()
}

fn double(field: u64, value: f64) -> Vec<u8> {
    [key(field, 1), value.to_le_bytes().to_vec()].concat()
}

fn delimited(field: u64, bytes: &[u8]) -> Vec<u8> {
    [key(field, 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn float(field: u64, value: f32) -> Vec<u8> {
    [key(field, 5), value.to_le_bytes().to_vec()].concat()
}
