//! Devices: which there are, and the one that is used.

use cubecl::prelude::*;

use super::program::Program;
use crate::backend::Executable;
use crate::plan::Plan;

/// A device that can run programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    pub name: String,
    /// A program on the processor that acts as a GPU.
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

/// All devices, the best first.
pub fn devices() -> Vec<Gpu> {
    let mut devices = Vec::new();
    #[cfg(feature = "wgpu")]
    {
        let kind = Kind::Wgpu(cubecl::wgpu::WgpuDevice::DefaultDevice);
        devices.push(Gpu { name: "default".into(), software: true, kind });
    }
    devices
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
}
