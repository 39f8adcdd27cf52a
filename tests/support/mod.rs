//! What several tests share; each uses a part of it.
#![allow(dead_code)]

#[cfg(feature = "gpu")]
pub mod gpu;
pub mod mlp;
pub mod random_program;
