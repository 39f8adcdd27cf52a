//! Compiled kernels on disk, where CubeCL can keep them: CUDA's.
//!
//! In: nothing but the machine. Out: a folder under the user's cache, for kernels of this source, this driver and these cards: CubeCL
//! looks kernels up by what they are made of, and would take those of another version for its own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Once;

use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};

/// A digest of the sources of the kernels.
const SOURCE: &str = env!("ANSATZ_KERNELS");

/// To be called before the first device is opened. CubeCL has one configuration a process; what a program around us has chosen
/// stays.
pub fn keep_kernels() {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| {
        let mut config = CubeClRuntimeConfig::get().as_ref().clone();
        if config.compilation.cache.is_some() {
            return;
        }
        if let Some(folder) = folder() {
            config.compilation.cache = Some(CacheConfig::File(folder));
            *CubeClRuntimeConfig::storage().lock() = Some(config.into());
        }
    });
}

fn folder() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home)?;
    let mut machine = DefaultHasher::new();
    std::fs::read_to_string("/proc/driver/nvidia/version").ok()?.hash(&mut machine);
    cards().hash(&mut machine);
    Some(base.join("ansatz").join("kernels").join(format!("{SOURCE}-{:016x}", machine.finish())))
}

/// The names of NVIDIA's cards, as the driver lists them.
pub fn cards() -> Vec<String> {
    let folders = std::fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.path()).collect();
    folders.sort();
    let name = |folder: &PathBuf| {
        let text = std::fs::read_to_string(folder.join("information")).ok()?;
        let model = text.lines().find_map(|line| line.strip_prefix("Model:"))?;
        Some(model.trim().to_owned())
    };
    folders.iter().filter_map(name).collect()
}
