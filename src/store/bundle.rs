//! Arrays with what they mean: a safetensors file and a manifest that has its checksum.
//!
//! The manifest `NAME.json` names its arrays' file and is renamed into place after it, so that a manifest never speaks of
//! arrays that are not there. Its content has a checksum too: a changed byte anywhere is found when it is read.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::atomic;
use crate::graph::Tensor;

/// What is in a bundle.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    pub content: Value,
    pub arrays: BTreeMap<String, Tensor>,
}

/// Why a bundle cannot be used.
#[derive(Debug)]
pub enum Unreadable {
    /// There is none.
    Missing,
    /// It is not what was written.
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// The file of the arrays, in the same folder.
    arrays: String,
    /// blake3 of that file.
    arrays_hash: String,
    /// blake3 of `content` as compact JSON.
    content_hash: String,
    content: Value,
}

/// Another number makes all earlier bundles unreadable.
const FORMAT: u32 = 1;

impl Bundle {
    pub fn write(&self, folder: &Path, name: &str) -> io::Result<()> {
        let bytes = serialised(&self.arrays)?;
        let arrays_hash = blake3::hash(&bytes).to_string();
        // Named by its content: an older manifest keeps its own arrays until the new one is in place.
        let arrays = format!("{name}.{}.safetensors", &arrays_hash[..16]);
        let before = manifest(folder, name).ok().map(|before| before.arrays);
        atomic::write(&folder.join(&arrays), &bytes)?;
        let manifest = Manifest {
            format: FORMAT,
            arrays,
            arrays_hash,
            content_hash: hash_of(&self.content),
            content: self.content.clone(),
        };
        let text = serde_json::to_string(&manifest).map_err(io::Error::other)?;
        atomic::write(&folder.join(format!("{name}.json")), text.as_bytes())?;
        if let Some(before) = before.filter(|before| *before != manifest.arrays && is_plain(before)) {
            // It is only in the way.
            let _ = std::fs::remove_file(folder.join(before));
        }
        Ok(())
    }

    pub fn read(folder: &Path, name: &str) -> Result<Bundle, Unreadable> {
        let manifest = manifest(folder, name)?;
        if manifest.format != FORMAT {
            return Err(Unreadable::Damaged(format!("it has the format {}", manifest.format)));
        }
        if hash_of(&manifest.content) != manifest.content_hash {
            return Err(Unreadable::Damaged("its manifest has another checksum".to_owned()));
        }
        if !is_plain(&manifest.arrays) {
            return Err(Unreadable::Damaged("its arrays lie elsewhere".to_owned()));
        }
        let bytes = std::fs::read(folder.join(&manifest.arrays))
            .map_err(|error| Unreadable::Damaged(format!("its arrays cannot be read: {error}")))?;
        if blake3::hash(&bytes).to_string() != manifest.arrays_hash {
            return Err(Unreadable::Damaged("its arrays have another checksum".to_owned()));
        }
        let arrays = deserialised(&bytes)
            .ok_or_else(|| Unreadable::Damaged("its arrays are of another kind".to_owned()))?;
        Ok(Bundle { content: manifest.content, arrays })
    }
}

fn manifest(folder: &Path, name: &str) -> Result<Manifest, Unreadable> {
    let text = std::fs::read(folder.join(format!("{name}.json"))).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Unreadable::Missing,
        _ => Unreadable::Damaged(format!("its manifest cannot be read: {error}")),
    })?;
    serde_json::from_slice(&text).map_err(|_| Unreadable::Damaged("its manifest is no manifest".to_owned()))
}

fn hash_of(content: &Value) -> String {
    blake3::hash(content.to_string().as_bytes()).to_string()
}

/// A damaged manifest must not lead out of its folder.
fn is_plain(file: &str) -> bool {
    !file.contains(['/', '\\']) && file.ends_with(".safetensors")
}

fn serialised(arrays: &BTreeMap<String, Tensor>) -> io::Result<Vec<u8>> {
    let bytes: Vec<(&String, Dtype, usize, Vec<u8>)> = arrays
        .iter()
        .map(|(name, tensor)| {
            let (dtype, bytes) = match tensor {
                Tensor::F32(v) => (Dtype::F32, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
                Tensor::F64(v) => (Dtype::F64, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
                Tensor::Index(v) => (Dtype::I32, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
                Tensor::Bool(v) => (Dtype::U8, v.clone()),
            };
            (name, dtype, tensor.len(), bytes)
        })
        .collect();
    let mut views = Vec::with_capacity(bytes.len());
    for (name, dtype, length, bytes) in &bytes {
        let view = TensorView::new(*dtype, vec![*length], bytes).map_err(io::Error::other)?;
        views.push((name.as_str(), view));
    }
    safetensors::serialize(views, None).map_err(io::Error::other)
}

fn deserialised(bytes: &[u8]) -> Option<BTreeMap<String, Tensor>> {
    let file = SafeTensors::deserialize(bytes).ok()?;
    let mut arrays = BTreeMap::new();
    for (name, view) in file.tensors() {
        let data = view.data();
        let tensor = match view.dtype() {
            Dtype::F32 => Tensor::F32(data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
            Dtype::F64 => Tensor::F64(data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()),
            Dtype::I32 => Tensor::Index(data.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b)).collect()),
            Dtype::U8 => Tensor::Bool(data.to_vec()),
            _ => return None,
        };
        arrays.insert(name, tensor);
    }
    Some(arrays)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(shift: f64) -> Bundle {
        let arrays = [
            ("a", Tensor::F32(vec![1.5, f32::NAN, -0.0])),
            ("b", Tensor::F64(vec![shift, f64::INFINITY])),
            ("c", Tensor::Index(vec![-1, 7])),
            ("d", Tensor::Bool(vec![0, 1, 1])),
            ("e", Tensor::F64(Vec::new())),
        ];
        let content = serde_json::json!({ "names": ["x", "ü"], "step": 3 });
        Bundle { content, arrays: arrays.into_iter().map(|(name, array)| (name.to_owned(), array)).collect() }
    }

    #[test]
    fn what_is_written_is_read_bit_for_bit() {
        let folder = tempfile::tempdir().expect("a folder");
        for shift in [0.1, 0.2] {
            let written = bundle(shift);
            written.write(folder.path(), "it").expect("it is written");
            let read = Bundle::read(folder.path(), "it").expect("it is read");
            assert_eq!(read.content, written.content);
            for (name, array) in &written.arrays {
                assert!(read.arrays[name].same_bits(array), "{name}");
            }
        }
        let files = std::fs::read_dir(folder.path()).expect("the folder").count();
        assert_eq!(files, 2, "the arrays of the first manifest are gone");
    }

    /// Every single changed byte, and every shortened file, of both files.
    #[test]
    fn no_damage_goes_unseen() {
        let folder = tempfile::tempdir().expect("a folder");
        bundle(0.1).write(folder.path(), "it").expect("it is written");
        let entries = std::fs::read_dir(folder.path()).expect("the folder");
        for path in entries.map(|entry| entry.expect("an entry").path()).collect::<Vec<_>>() {
            let bytes = std::fs::read(&path).expect("a file");
            for at in 0..bytes.len() {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1;
                for damaged in [&flipped[..], &bytes[..at]] {
                    std::fs::write(&path, damaged).expect("the damage");
                    match Bundle::read(folder.path(), "it") {
                        Err(Unreadable::Damaged(_)) => {}
                        // White space and the case of a hash may change nothing; the content must be what it was.
                        other => panic!("byte {at} of {}: {other:?}", path.display()),
                    }
                }
            }
            std::fs::write(&path, &bytes).expect("the repair");
        }
        assert_eq!(
            Bundle::read(folder.path(), "it").expect("it is whole again").content,
            bundle(0.1).content
        );
    }
}
