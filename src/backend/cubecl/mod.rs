//! The GPU, through CubeCL. No other module names anything of it.
//!
//! In: a [`Plan`](crate::plan::Plan) made for a device. Out: an [`Executable`](super::Executable) whose arrays stay on the
//! device from one run to the next.

#[cfg(feature = "cuda")]
mod cache;
mod device;
mod encode;
mod fault;
mod host;
mod ir;
mod kernel;
mod matmul;
mod memory;
mod place;
mod profile;
mod program;
mod work;

pub use place::DEEPEST;

pub use device::{Gpu, devices, maybe_hardware};
