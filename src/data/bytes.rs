//! Files as bytes: read through the world, decompressed where they are gzip, hashed.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use crate::data::schema::Schema;
use crate::diagnostic::{Checked, Code, Diagnostic};
use crate::source::World;

/// More than this in one decompressed file is refused: a small file can claim any size.
pub const LIMIT: u64 = 8 << 30;

/// One file of a data set, decompressed.
pub struct DataFile {
    /// As the user wrote the path.
    pub path: String,
    pub bytes: Vec<u8>,
    hash: OnceLock<blake3::Hash>,
}

/// The files that the world offers. The last one is kept: columns and weights of one file are often named one after another.
pub struct Files<'w> {
    world: &'w dyn World,
    last: Mutex<Option<Arc<DataFile>>>,
}

impl<'w> Files<'w> {
    pub fn new(world: &'w dyn World) -> Self {
        Files { world, last: Mutex::default() }
    }

    /// All files of a schema, in order.
    pub fn of(&self, schema: &Schema) -> Checked<Vec<Arc<DataFile>>> {
        let mut files = Vec::with_capacity(schema.source.paths.len());
        let mut problems = Vec::new();
        for path in &schema.source.paths {
            match self.read(schema, path) {
                Ok(file) => files.push(file),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(files) } else { Err(problems) }
    }

    fn read(&self, schema: &Schema, path: &str) -> Result<Arc<DataFile>, Diagnostic> {
        let last = self.last.lock().ok().and_then(|last| last.clone());
        if let Some(last) = last.filter(|last| last.path == path) {
            return Ok(last);
        }
        let bytes = read(schema, path, self.world)?;
        let file = Arc::new(DataFile { path: path.to_owned(), bytes, hash: OnceLock::new() });
        if let Ok(mut last) = self.last.lock() {
            *last = Some(Arc::clone(&file));
        }
        Ok(file)
    }
}

fn read(schema: &Schema, path: &str, world: &dyn World) -> Result<Vec<u8>, Diagnostic> {
    let span = schema.source.span;
    let raw = world.read(Path::new(path)).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Diagnostic::error(Code::A0401, span, format!("there is no file `{path}`"))
            .label(format!("the data `{}` is read from it", schema.name))
            .help("a path starts at the folder of the experiment file, or at a data root given on the command line"),
        ErrorKind::PermissionDenied => {
            Diagnostic::error(Code::A0402, span, format!("the file `{path}` may not be read: {error}"))
                .label("outside the folders that this experiment may read")
                .help("move the file below the experiment's folder, or name its folder as a data root on the command line")
        }
        _ => Diagnostic::error(Code::A0403, span, format!("the file `{path}` cannot be read: {error}"))
            .label("reading it failed"),
    })?;
    let bytes = if raw.starts_with(&[0x1f, 0x8b]) { decompress(schema, path, &raw)? } else { raw };
    if bytes.is_empty() {
        return Err(Diagnostic::error(Code::A0404, span, format!("the file `{path}` is empty"))
            .label("no bytes at all")
            .help("write the file again: an interrupted download or export leaves an empty file"));
    }
    Ok(bytes)
}

fn decompress(schema: &Schema, path: &str, raw: &[u8]) -> Result<Vec<u8>, Diagnostic> {
    let span = schema.source.span;
    let mut bytes = Vec::new();
    let outcome = flate2::read::MultiGzDecoder::new(raw).take(LIMIT + 1).read_to_end(&mut bytes);
    if let Err(error) = outcome {
        let what = if error.kind() == ErrorKind::UnexpectedEof { "ends too early" } else { "is damaged" };
        return Err(Diagnostic::error(
            Code::A0405,
            span,
            format!(
                "the compressed file `{path}` {what} (after {} decompressed bytes): {error}",
                bytes.len()
            ),
        )
        .label("gzip data that cannot be decompressed")
        .help("get the file again; `gzip -t FILE` tells whether it is whole"));
    }
    if bytes.len() as u64 > LIMIT {
        return Err(Diagnostic::error(
            Code::A0405,
            span,
            format!("the compressed file `{path}` holds more than {} GiB", LIMIT >> 30),
        )
        .label("too large to read into memory"));
    }
    Ok(bytes)
}

/// The hash of all files: each file's length, then its bytes, so that no two lists of files look the same.
pub fn hash(files: &[Arc<DataFile>]) -> blake3::Hash {
    let all = || {
        let mut hasher = blake3::Hasher::new();
        for file in files {
            hasher.update(&(file.bytes.len() as u64).to_le_bytes());
            hasher.update(&file.bytes);
        }
        hasher.finalize()
    };
    match files {
        [file] => *file.hash.get_or_init(all),
        _ => all(),
    }
}
