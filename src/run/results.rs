//! What a run leaves behind: measures over their axes of trials, decided claims, tables and provenance.
//!
//! Serialised as JSON, two runs of the same file, data, seed and backend are equal byte for byte but for `times`.

use serde::{Serialize, Serializer};

/// The outcome of one experiment.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    pub experiment: String,
    pub measures: Vec<Measure>,
    pub claims: Vec<Claim>,
    pub tables: Vec<Table>,
    /// `text "..."` of reports, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plots: Vec<Plot>,
    /// What `snapshot` statements name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub snapshot: Vec<Marked>,
    /// Of combined objectives the values, weights, gradients' lengths and cosines of the terms, over the tenths of the training.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<Measure>,
    /// What stands along the axes of parts: see [`Examples`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Examples>,
    /// The course of each training term: see [`Curve`].
    pub training: Vec<Curve>,
    /// Trials that stopped because a term was not finite.
    pub diverged: Vec<Divergence>,
    /// The file says `allow divergence`.
    pub divergence_allowed: bool,
    pub provenance: Provenance,
    pub times: Times,
}

impl Results {
    /// The settings of the file's `quick` statement, if the run has them.
    pub fn quick(&self) -> Option<&str> {
        let settings = &self.provenance.settings;
        settings.iter().find(|(name, _)| name == "quick").map(|(_, value)| value.as_str())
    }
}

/// An axis of results with what stands at each position.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResultAxis {
    pub name: String,
    pub labels: Vec<String>,
}

/// The examples along an axis of measures: which rows of the data a part has, in some of the trials. They are the same names in
/// every trial and every run, so that values of one example can be compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Examples {
    /// `Example.test`
    pub axis: String,
    /// All trials with these rows.
    pub trials: Vec<Vec<(String, String)>>,
    /// The numbers of the rows in the data set, from 0; where the data have a key, their keys.
    pub rows: Vec<String>,
}

/// A measured or derived quantity: f64 values, row-major in the order of `axes`; NaN where the trial diverged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measure {
    pub name: String,
    pub axes: Vec<ResultAxis>,
    #[serde(serialize_with = "numbers")]
    pub values: Vec<f64>,
    /// Where the user wrote `measure name`: line, from 1.
    pub line: usize,
}

/// A measure, or a `let` made from measures, that `ansatz test` compares with what it was before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Marked {
    pub name: String,
    /// How far a value may be from before: by `within * max(1, |before|)`.
    pub within: f64,
    pub axes: Vec<ResultAxis>,
    #[serde(serialize_with = "numbers")]
    pub values: Vec<f64>,
}

/// JSON has no NaN or infinity: those are written as null and as strings.
fn numbers<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|v| Number(*v)))
}

fn number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Number(*value).serialize(serializer)
}

struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            v if v.is_nan() => serializer.serialize_none(),
            v if v.is_infinite() => serializer.serialize_str(if v > 0.0 { "infinity" } else { "-infinity" }),
            v => serializer.serialize_f64(v),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Holds,
    Refuted,
}

#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    pub text: String,
    pub verdict: Verdict,
    /// The comparisons that the claim consists of, in the order written.
    pub evidence: Vec<Evidence>,
    pub line: usize,
}

/// One comparison (or Bool) of a claim with the values that decided it.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    /// As written.
    pub source: String,
    pub left: Side,
    /// `<`, `>=` ...; empty for a Bool that is no comparison.
    pub relation: &'static str,
    pub right: Option<Side>,
    /// Of `~=`, how far the sides may be apart, where that is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Side>,
    pub holds: bool,
    /// The claim is refuted because of this.
    #[serde(skip)]
    pub at_fault: bool,
}

/// One side of a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    pub source: String,
    pub axes: Vec<ResultAxis>,
    #[serde(serialize_with = "numbers")]
    pub values: Vec<f64>,
}

/// `table score, acc by Objective`
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    pub by: Vec<String>,
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// A label for each axis of `by`.
    pub labels: Vec<String>,
    pub cells: Vec<Cell>,
}

/// The mean over the axes not in `by`, with the half width of the 95 % t interval of that mean over them.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    #[serde(serialize_with = "number")]
    pub mean: f64,
    pub half_width: Option<f64>,
    /// How many values; those of diverged trials are not among them.
    pub count: usize,
}

/// `plot loss, accuracy over Step by Arm`: what a drawing needs.
#[derive(Clone, Debug, Serialize)]
pub struct Plot {
    pub name: String,
    pub over: Option<String>,
    pub by: Vec<String>,
    /// One for each value; of a term of an objective one for each trial, over the tenths of its block.
    pub series: Vec<Side>,
}

/// The mean of one term over each tenth of a training block, for one trial.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    pub term: String,
    /// The training block, from 1.
    pub block: usize,
    pub trial: Vec<(String, String)>,
    #[serde(serialize_with = "numbers")]
    pub values: Vec<f64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Divergence {
    pub trial: Vec<(String, String)>,
    pub term: String,
    pub step: usize,
    pub line: usize,
}

/// What the numbers came from.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Provenance {
    pub ansatz: String,
    pub file: String,
    /// blake3 of the file's text.
    pub source: String,
    /// blake3 of the trees of the file and every library file that it uses, without comments.
    pub program: String,
    /// Of each data set: name and blake3 of its files; of each file of weights: path and blake3.
    pub data: Vec<(String, String)>,
    pub seed: u32,
    pub backend: String,
    /// Settings given on the command line; under `quick` those of the file that `--quick` turned on.
    pub settings: Vec<(String, String)>,
}

/// The only part that differs between equal runs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Times {
    pub seconds: f64,
    pub trials: usize,
    /// Of the trials, those whose results were there already.
    pub kept: usize,
    /// Of the seconds, those in which kernels of a device were made.
    pub preparing: f64,
    /// Train blocks that trials went through side by side, as one program.
    pub together: usize,
}
