//! The memory that executors work in. In: how many bytes one of them needs. Out: so many, cleared or left behind by another executor.
//!
//! Executors come and go with the programs of a trial. Pages that the system hands out have to be cleared by it first, which took
//! a tenth of what many short trials took beside their steps; so what one executor leaves behind the next one takes.

use std::sync::{Arc, Mutex};

/// A line of the cache: where every part of the memory begins.
pub const LINE: usize = 64;
/// Larger blocks are given back to the system: what runs in them takes longer than clearing them.
const LARGEST: usize = 4 << 20;
/// A block may be so many times as large as what is asked for.
const LOOSE: usize = 4;

/// What executors have left behind, the latest last.
#[derive(Default)]
pub struct Spare {
    blocks: Mutex<Vec<Vec<u8>>>,
}

impl Spare {
    /// A block of at least so many bytes, the smallest that is there.
    fn take(&self, bytes: usize) -> Option<Vec<u8>> {
        let mut blocks = self.blocks.lock().ok()?;
        let fits = |block: &Vec<u8>| block.len() >= bytes && block.len() <= LOOSE * bytes;
        let sizes = blocks.iter().enumerate().filter(|(_, block)| fits(block));
        let (at, _) = sizes.min_by_key(|(_, block)| block.len())?;
        Some(blocks.remove(at))
    }

    /// A thread has two programs of a trial in turn; what was left behind longest goes.
    fn give(&self, block: Vec<u8>) {
        let Ok(mut blocks) = self.blocks.lock() else { return };
        if blocks.len() >= 2 * rayon::current_num_threads() {
            blocks.remove(0);
        }
        blocks.push(block);
    }
}

/// The memory of an executor.
pub struct Memory {
    block: Vec<u8>,
    /// Where the first line begins.
    start: usize,
    home: Arc<Spare>,
}

impl Memory {
    pub fn new(bytes: usize, home: &Arc<Spare>) -> Memory {
        let wanted = bytes + LINE;
        let spare = if bytes > 0 && wanted <= LARGEST { home.take(wanted) } else { None };
        let block = spare.unwrap_or_else(|| vec![0; if bytes > 0 { wanted } else { 0 }]);
        let start = block.as_ptr().align_offset(LINE).min(block.len());
        Memory { block, start, home: Arc::clone(home) }
    }

    pub fn bytes(&self) -> usize {
        self.block.len()
    }

    /// The first byte. Who writes there takes care that nobody else does.
    pub fn base(&self) -> *mut u8 {
        self.block.as_ptr().wrapping_add(self.start).cast_mut()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if !self.block.is_empty() && self.block.len() <= LARGEST {
            self.home.give(std::mem::take(&mut self.block));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_behind_is_taken_again() {
        let spare = Arc::new(Spare::default());
        let first = Memory::new(10_000, &spare);
        let place = first.base();
        assert_eq!(place as usize % LINE, 0);
        drop(first);
        // Too large for the one that is there, then too small for it.
        assert_ne!(Memory::new(20_000, &spare).base(), place);
        assert_ne!(Memory::new(100, &spare).base(), place);
        assert_eq!(Memory::new(9_000, &spare).base(), place);
    }

    #[test]
    fn little_is_kept() {
        let spare = Arc::new(Spare::default());
        let many: Vec<Memory> = (0..100).map(|_| Memory::new(1000, &spare)).collect();
        drop(many);
        drop(Memory::new(LARGEST, &spare));
        let kept = spare.blocks.lock().unwrap();
        assert_eq!(kept.len(), 2 * rayon::current_num_threads());
        assert!(kept.iter().all(|block| block.len() <= LARGEST));
    }
}
