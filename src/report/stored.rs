//! Results read back from the file that a run left.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What comparing, exporting and reports need of `results.json`.
#[derive(Debug, Deserialize)]
pub struct StoredResults {
    #[serde(default)]
    pub experiment: String,
    pub measures: Vec<StoredMeasure>,
    #[serde(default)]
    pub terms: Vec<StoredMeasure>,
    pub claims: Vec<StoredClaim>,
    #[serde(default)]
    pub examples: Vec<StoredExamples>,
    #[serde(default)]
    pub tables: Vec<StoredTable>,
    #[serde(default)]
    pub texts: Vec<String>,
    #[serde(default)]
    pub plots: Vec<StoredPlot>,
    #[serde(default)]
    pub training: Vec<StoredCurve>,
    #[serde(default)]
    pub diverged: Vec<StoredDivergence>,
    pub provenance: StoredProvenance,
    #[serde(default)]
    pub times: StoredTimes,
}

#[derive(Debug, Deserialize)]
pub struct StoredMeasure {
    pub name: String,
    pub axes: Vec<StoredAxis>,
    #[serde(deserialize_with = "numbers")]
    pub values: Vec<f64>,
    /// From 1; 0 where it is not known.
    #[serde(default)]
    pub line: usize,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct StoredAxis {
    pub name: String,
    pub labels: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct StoredClaim {
    pub text: String,
    pub verdict: String,
    #[serde(default)]
    pub evidence: Vec<StoredEvidence>,
    #[serde(default)]
    pub line: usize,
}

#[derive(Debug, Deserialize)]
pub struct StoredEvidence {
    pub left: StoredSide,
    /// Empty for a Bool that is no comparison.
    pub relation: String,
    pub right: Option<StoredSide>,
    pub within: Option<StoredSide>,
    pub holds: bool,
}

/// One side of a comparison, or a series of a plot.
#[derive(Debug, Deserialize)]
pub struct StoredSide {
    pub source: String,
    pub axes: Vec<StoredAxis>,
    #[serde(deserialize_with = "numbers")]
    pub values: Vec<f64>,
}

#[derive(Debug, Deserialize)]
pub struct StoredTable {
    pub by: Vec<String>,
    pub columns: Vec<String>,
    pub rows: Vec<StoredRow>,
}

#[derive(Debug, Deserialize)]
pub struct StoredRow {
    pub labels: Vec<String>,
    pub cells: Vec<StoredCell>,
}

#[derive(Debug, Deserialize)]
pub struct StoredCell {
    #[serde(deserialize_with = "number")]
    pub mean: f64,
    pub half_width: Option<f64>,
    pub count: usize,
}

#[derive(Debug, Deserialize)]
pub struct StoredPlot {
    pub name: String,
    pub over: Option<String>,
    pub by: Vec<String>,
    pub series: Vec<StoredSide>,
}

#[derive(Debug, Deserialize)]
pub struct StoredCurve {
    pub term: String,
    pub block: usize,
    pub trial: Vec<(String, String)>,
    #[serde(deserialize_with = "numbers")]
    pub values: Vec<f64>,
}

#[derive(Debug, Deserialize)]
pub struct StoredDivergence {
    pub trial: Vec<(String, String)>,
    pub term: String,
    pub step: usize,
    pub line: usize,
}

#[derive(Debug, Default, Deserialize)]
pub struct StoredTimes {
    pub seconds: f64,
    pub trials: usize,
    pub kept: usize,
}

#[derive(Debug, Deserialize)]
pub struct StoredExamples {
    pub axis: String,
    pub trials: Vec<Vec<(String, String)>>,
    pub rows: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct StoredProvenance {
    pub ansatz: String,
    #[serde(default)]
    pub file: String,
    pub source: String,
    pub program: String,
    pub data: Vec<(String, String)>,
    pub seed: u32,
    pub backend: String,
    pub settings: Vec<(String, String)>,
}

impl StoredResults {
    /// The names of the axes that trials differ in, as far as trials with training tell.
    pub fn trial_axes(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.training.iter().flat_map(|curve| &curve.trial) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }
}

impl StoredSide {
    pub fn as_measure(&self) -> StoredMeasure {
        let (name, axes, values) = (self.source.clone(), self.axes.clone(), self.values.clone());
        StoredMeasure { name, axes, values, line: 0 }
    }
}

/// `null` is NaN; infinities are strings.
fn read(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        Value::String(text) if text == "infinity" => f64::INFINITY,
        Value::String(text) if text == "-infinity" => f64::NEG_INFINITY,
        _ => f64::NAN,
    }
}

fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    Ok(Vec::<Value>::deserialize(deserializer)?.iter().map(read).collect())
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(read(&Value::deserialize(deserializer)?))
}

/// None if the text is not what a run writes.
pub fn stored(text: &str) -> Option<StoredResults> {
    let results: StoredResults = serde_json::from_str(text).ok()?;
    let whole = |values: &[f64], axes: &[StoredAxis]| {
        values.len() == axes.iter().map(|axis| axis.labels.len()).product::<usize>()
    };
    let side = |side: &StoredSide| whole(&side.values, &side.axes);
    let evidence = |evidence: &StoredEvidence| {
        side(&evidence.left) && evidence.right.iter().chain(&evidence.within).all(side)
    };
    let table = |table: &StoredTable| {
        let fits =
            |row: &StoredRow| row.labels.len() == table.by.len() && row.cells.len() == table.columns.len();
        table.rows.iter().all(fits)
    };
    let measures = results.measures.iter().chain(&results.terms);
    let sound = measures.into_iter().all(|measure| whole(&measure.values, &measure.axes))
        && results.claims.iter().flat_map(|claim| &claim.evidence).all(evidence)
        && results.plots.iter().flat_map(|plot| &plot.series).all(side)
        && results.tables.iter().all(table);
    sound.then_some(results)
}
