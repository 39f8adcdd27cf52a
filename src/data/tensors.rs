//! safetensors: a header of names, types and shapes, then the numbers.

use safetensors::{Dtype, SafeTensors};

use super::arrays::{Array, Numbers};
use super::npy;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// An opened file.
pub struct Tensors<'a> {
    file: SafeTensors<'a>,
    path: String,
    span: Span,
}

impl<'a> Tensors<'a> {
    /// `span` is where the file is named.
    pub fn open(bytes: &'a [u8], path: &str, span: Span) -> Result<Self, Diagnostic> {
        match SafeTensors::deserialize(bytes) {
            Ok(file) => Ok(Tensors { file, path: path.to_string(), span }),
            Err(error) => Err(Diagnostic::error(
                Code::A0442,
                span,
                format!("`{path}` is not a whole safetensors file: {error}"),
            )
            .label("read as safetensors")
            .help("get the file again, or write it with `safetensors.torch.save_file`; pickled weights (`.pt`, `.bin`) cannot be read")),
        }
    }

    /// The names of the arrays, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.file.names().into_iter().map(|name| name.to_string()).collect();
        names.sort();
        names
    }

    /// One array by its name.
    pub fn array(&self, name: &str) -> Result<Array, Diagnostic> {
        let problem =
            |code, message: String| Diagnostic::error(code, self.span, message).label("read as safetensors");
        let view = self.file.tensor(name).map_err(|error| {
            problem(Code::A0442, format!("`{name}` of `{}` cannot be read: {error}", self.path))
        })?;
        let bytes = view.data();
        let read = |kind, width| npy::numbers(kind, false, width, bytes);
        let numbers = match view.dtype() {
            Dtype::BOOL => read("b1", 1),
            Dtype::U8 => read("u1", 1),
            Dtype::I8 => read("i1", 1),
            Dtype::I16 => read("i2", 2),
            Dtype::U16 => read("u2", 2),
            Dtype::I32 => read("i4", 4),
            Dtype::U32 => read("u4", 4),
            Dtype::I64 => read("i8", 8),
            Dtype::U64 => read("u8", 8),
            Dtype::F16 => read("f2", 2),
            Dtype::F32 => read("f4", 4),
            Dtype::F64 => read("f8", 8),
            // bfloat16 is the upper half of a float.
            Dtype::BF16 => Numbers::F32(
                bytes
                    .chunks_exact(2)
                    .map(|b| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16))
                    .collect(),
            ),
            other => {
                return Err(problem(
                    Code::A0420,
                    format!("`{name}` of `{}` holds elements of the type {other:?}", self.path),
                )
                .help("store it as F32, F16, BF16, F64, BOOL or whole numbers"));
            }
        };
        Ok(Array { name: format!("`{name}` of `{}`", self.path), shape: view.shape().to_vec(), numbers })
    }
}
