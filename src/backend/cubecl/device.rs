//! Devices: which there are, and the one that is used.

use cubecl::prelude::*;

use super::program::Program;
use crate::backend::{Executable, Fault};
use crate::graph::Store;
use crate::plan::Plan;

/// A device that can run programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// As its driver calls it.
    pub name: String,
    /// What it is driven through: Vulkan, CUDA.
    pub through: String,
    /// A program on the processor that acts as a GPU: for tests, not for speed.
    pub software: bool,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    #[cfg(feature = "wgpu")]
    Wgpu(cubecl::wgpu::WgpuDevice),
    #[cfg(feature = "cuda")]
    Cuda(usize),
}

/// All devices, the best first: CUDA before Vulkan, graphics cards before software.
pub fn devices() -> Vec<Gpu> {
    let mut devices = Vec::new();
    #[cfg(feature = "cuda")]
    devices.extend(cuda());
    #[cfg(feature = "wgpu")]
    devices.extend(adapters());
    devices.sort_by_key(|device: &Gpu| device.software);
    devices
}

/// Whether the system shows a graphics card at all. Looking for drivers takes long, and is not done where it cannot find one.
pub fn maybe_hardware() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let cards = ["/dev/nvidia0", "/dev/dxg", "/dev/kfd"];
    let rendering = || {
        let entries = std::fs::read_dir("/dev/dri").into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("render"))
    };
    cards.iter().any(|card| std::path::Path::new(card).exists()) || rendering()
}

#[cfg(feature = "cuda")]
fn cuda() -> Vec<Gpu> {
    // Without a driver its library cannot be loaded, and asking for devices would panic.
    if cfg!(target_os = "linux") && !std::path::Path::new("/dev/nvidia0").exists() {
        return Vec::new();
    }
    super::cache::keep_kernels();
    let found = std::panic::catch_unwind(|| cubecl::cuda::CudaRuntime::enumerate_devices(0, &()));
    let found = found.unwrap_or_default();
    let names = super::cache::cards();
    let name = |number: usize| match names.get(number) {
        Some(name) if names.len() == found.len() => name.clone(),
        _ => format!("CUDA device {number}"),
    };
    let gpu = |number: usize| Gpu {
        name: name(number),
        through: "CUDA".into(),
        software: false,
        kind: Kind::Cuda(number),
    };
    (0..found.len()).map(gpu).collect()
}

#[cfg(feature = "wgpu")]
fn adapters() -> Vec<Gpu> {
    use cubecl::wgpu::WgpuDevice;
    let backend = if cfg!(target_os = "macos") { wgpu::Backends::METAL } else { wgpu::Backends::VULKAN };
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backend;
    let instance = wgpu::Instance::new(descriptor);
    let adapters = cubecl::future::block_on(instance.enumerate_adapters(backend));
    let mut counts = [0; 3];
    let mut next = |kind: usize| {
        counts[kind] += 1;
        counts[kind] - 1
    };
    let gpu = |adapter: wgpu::Adapter| {
        let info = adapter.get_info();
        let (device, software) = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => (WgpuDevice::DiscreteGpu(next(0)), false),
            wgpu::DeviceType::IntegratedGpu => (WgpuDevice::IntegratedGpu(next(1)), false),
            wgpu::DeviceType::VirtualGpu => (WgpuDevice::VirtualGpu(next(2)), false),
            wgpu::DeviceType::Cpu => (WgpuDevice::Cpu, true),
            wgpu::DeviceType::Other => return None,
        };
        let through = format!("{:?}", info.backend);
        Some(Gpu { name: info.name, through, software, kind: Kind::Wgpu(device) })
    };
    adapters.into_iter().filter_map(gpu).collect()
}

impl Gpu {
    /// Prepares a plan to run on the device.
    pub fn prepare(&self, plan: Plan) -> Box<dyn Executable> {
        match &self.kind {
            #[cfg(feature = "wgpu")]
            Kind::Wgpu(device) => {
                let client = cubecl::wgpu::WgpuRuntime::client(device);
                Box::new(Program::<cubecl::wgpu::WgpuRuntime>::new(client, plan))
            }
            #[cfg(feature = "cuda")]
            Kind::Cuda(number) => {
                let client = cubecl::cuda::CudaRuntime::client(&cubecl::cuda::CudaDevice::new(*number));
                Box::new(Program::<cubecl::cuda::CudaRuntime>::new(client, plan))
            }
        }
    }

    /// What each launch of a plan takes: its kernels and microseconds.
    pub fn profile(
        &self,
        plan: Plan,
        store: &mut Store,
        runs: usize,
    ) -> Result<Vec<(Vec<usize>, f64)>, Fault> {
        match &self.kind {
            #[cfg(feature = "wgpu")]
            Kind::Wgpu(device) => {
                let client = cubecl::wgpu::WgpuRuntime::client(device);
                Program::<cubecl::wgpu::WgpuRuntime>::new(client, plan).profile(store, runs)
            }
            #[cfg(feature = "cuda")]
            Kind::Cuda(number) => {
                let client = cubecl::cuda::CudaRuntime::client(&cubecl::cuda::CudaDevice::new(*number));
                Program::<cubecl::cuda::CudaRuntime>::new(client, plan).profile(store, runs)
            }
        }
    }

    /// Bytes of the largest array that it can bind.
    pub fn largest_array(&self) -> u64 {
        match &self.kind {
            #[cfg(feature = "wgpu")]
            Kind::Wgpu(device) => cubecl::wgpu::WgpuRuntime::client(device).properties().memory.max_page_size,
            #[cfg(feature = "cuda")]
            Kind::Cuda(number) => {
                let device = cubecl::cuda::CudaDevice::new(*number);
                cubecl::cuda::CudaRuntime::client(&device).properties().memory.max_page_size
            }
        }
    }
}
