//! Results read back from the file that a run left.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What comparing and exporting need of `results.json`.
#[derive(Debug, Deserialize)]
pub struct StoredResults {
    pub measures: Vec<StoredMeasure>,
    #[serde(default)]
    pub terms: Vec<StoredMeasure>,
    pub claims: Vec<StoredClaim>,
    #[serde(default)]
    pub examples: Vec<StoredExamples>,
    pub provenance: StoredProvenance,
}

#[derive(Debug, Deserialize)]
pub struct StoredMeasure {
    pub name: String,
    pub axes: Vec<StoredAxis>,
    #[serde(deserialize_with = "numbers")]
    pub values: Vec<f64>,
}

#[derive(Debug, PartialEq, Deserialize)]
pub struct StoredAxis {
    pub name: String,
    pub labels: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct StoredClaim {
    pub text: String,
    pub verdict: String,
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
    pub source: String,
    pub program: String,
    pub data: Vec<(String, String)>,
    pub seed: u32,
    pub backend: String,
    pub settings: Vec<(String, String)>,
}

/// `null` is NaN; infinities are strings.
fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let number = |value: Value| match value {
        Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        Value::String(text) if text == "infinity" => f64::INFINITY,
        Value::String(text) if text == "-infinity" => f64::NEG_INFINITY,
        _ => f64::NAN,
    };
    Ok(Vec::<Value>::deserialize(deserializer)?.into_iter().map(number).collect())
}

/// None if the text is not what a run writes.
pub fn stored(text: &str) -> Option<StoredResults> {
    let results: StoredResults = serde_json::from_str(text).ok()?;
    let whole = |measure: &StoredMeasure| {
        measure.values.len() == measure.axes.iter().map(|axis| axis.labels.len()).product::<usize>()
    };
    results.measures.iter().chain(&results.terms).all(whole).then_some(results)
}
