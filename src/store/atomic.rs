//! Writing files whole: whatever happens, a path has its old content or its new one.

use std::fs::{File, OpenOptions};
use std::io::{Result, Write};
use std::path::Path;

/// What a name of a file begins with that was being written when its process ended.
pub const UNFINISHED: &str = ".unfinished-";

/// Puts `bytes` at `path`: written beside it, forced to the disk, then renamed.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    // Temporary files are for their owner alone; results are as readable as other files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The rename itself; where folders cannot be synchronised, the file is whole all the same.
    #[cfg(unix)]
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Adds one line to a file. Lines of several processes do not mix: each is written in one piece at the end.
pub fn append(path: &Path, line: &str) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())
}

/// Opens, or makes, a file that exists to be locked.
pub fn lock_file(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}
