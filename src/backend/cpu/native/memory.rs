//! Memory that holds machine code: written once, then readable and executable.

use memmap2::{Mmap, MmapMut};

/// None where the system does not allow it.
pub fn executable(code: &[u8]) -> Option<Mmap> {
    if code.is_empty() {
        return None;
    }
    let mut memory = MmapMut::map_anon(code.len()).ok()?;
    memory.copy_from_slice(code);
    memory.make_exec().ok()
}
