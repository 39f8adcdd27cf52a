//! Files of weights: named arrays of numbers, for the parameters of models.

use std::collections::BTreeMap;

use super::arrays::Numbers;
use super::bytes::{self, Files};
use super::schema::{Schema, SourceKind, SourceSpec};
use super::tensors::Tensors;
use crate::diagnostic::Checked;
use crate::graph::tensor::Tensor;
use crate::source::Span;

/// The arrays of a file by name.
#[derive(Clone, Debug)]
pub struct Weights {
    pub arrays: BTreeMap<String, WeightArray>,
    pub hash: blake3::Hash,
}

/// Numbers as Floats, row-major.
#[derive(Clone, Debug)]
pub struct WeightArray {
    pub shape: Vec<usize>,
    pub tensor: Tensor,
}

/// `span` is where the file is named.
pub fn weights(path: &str, span: Span, files: &Files) -> Checked<Weights> {
    let schema = Schema {
        name: "weights".to_owned(),
        source: SourceSpec::new(SourceKind::Safetensors, vec![path.to_owned()], span),
        columns: Vec::new(),
        key: None,
        span,
    };
    let files = files.of(&schema)?;
    let mut arrays = BTreeMap::new();
    for file in &files {
        let opened = Tensors::open(&file.bytes, path, span).map_err(|problem| vec![problem])?;
        for name in opened.names() {
            let array = opened.array(&name).map_err(|problem| vec![problem])?;
            let tensor = match array.numbers {
                Numbers::F32(numbers) => Tensor::F32(numbers),
                Numbers::F64(numbers) => Tensor::F64(numbers),
                Numbers::Whole(numbers) => Tensor::F64(numbers.into_iter().map(|x| x as f64).collect()),
                Numbers::Bool(numbers) => Tensor::F64(numbers.into_iter().map(f64::from).collect()),
            };
            arrays.insert(name, WeightArray { shape: array.shape, tensor });
        }
    }
    Ok(Weights { arrays, hash: bytes::hash(&files) })
}
