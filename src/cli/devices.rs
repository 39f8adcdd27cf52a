//! `ansatz devices`: what can compute, and what is chosen without `--backend`.

use super::Exit;
use super::open::{self, Opened};
use crate::backend::Backend;
use crate::diagnostic::{Code, Diagnostic};

/// What `--backend` may say.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Computes {
    /// A graphics card if there is one, else the processor
    Auto,
    Cpu,
    /// Any GPU, a software one too
    Gpu,
    Dfdx,
}

impl Computes {
    /// What computes the experiments of a file; if that is not there, the file's reader is told.
    pub fn backend(self, opened: &Opened) -> Result<Backend, Exit> {
        let found = match self {
            Computes::Cpu => Ok(Backend::Cpu),
            Computes::Dfdx => Ok(Backend::Dfdx),
            Computes::Auto => Ok(automatic().0),
            Computes::Gpu => gpu(),
        };
        found.map_err(|message| {
            let problem = Diagnostic::error(Code::A0604, opened.start(), message)
                .help("`ansatz devices` shows what there is; `--backend cpu` computes on the processor");
            open::print(&[problem], &opened.sources);
            Exit::Wrong
        })
    }
}

/// What computes if nothing is said, and why.
fn automatic() -> (Backend, String) {
    #[cfg(feature = "gpu")]
    {
        use crate::backend::cubecl::{devices, maybe_hardware};
        if !maybe_hardware() {
            return (Backend::Cpu, "there is no graphics card".into());
        }
        match devices().iter().find(|device| !device.software) {
            Some(device) => (Backend::Gpu, format!("{} is a graphics card", device.name)),
            None => (Backend::Cpu, "no driver offers a graphics card".into()),
        }
    }
    #[cfg(not(feature = "gpu"))]
    (Backend::Cpu, "this program was built without GPUs".into())
}

/// Any GPU.
fn gpu() -> Result<Backend, String> {
    #[cfg(feature = "gpu")]
    if !crate::backend::cubecl::devices().is_empty() {
        return Ok(Backend::Gpu);
    }
    let why =
        if cfg!(feature = "gpu") { "no driver offers a GPU" } else { "this program was built without GPUs" };
    Err(why.into())
}

pub fn execute() -> Exit {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("cpu   {threads} threads");
    #[cfg(feature = "gpu")]
    for device in crate::backend::cubecl::devices() {
        let kind = if device.software { ", in software" } else { "" };
        println!("gpu   {} through {}{kind}", device.name, device.through);
    }
    println!("dfdx  the slow reference");
    let (backend, why) = automatic();
    println!("without --backend: {} ({why})", backend.name());
    Exit::Success
}
