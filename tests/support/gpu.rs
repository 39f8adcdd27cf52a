//! The device for the tests of the GPU: any there is, a software one too.

use std::sync::OnceLock;

use ansatz::backend::cubecl::{Gpu, devices};

static DEVICE: OnceLock<Option<Gpu>> = OnceLock::new();

/// Skips are loud; where `CI` is set there are none.
pub fn device() -> Option<Gpu> {
    DEVICE.get_or_init(find).clone()
}

fn find() -> Option<Gpu> {
    let device = devices().into_iter().next();
    if device.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "no GPU and no software Vulkan: install mesa-vulkan-drivers"
        );
        eprintln!("SKIPPED: no GPU and no software Vulkan driver; nothing of the GPU was tested");
    }
    device
}
