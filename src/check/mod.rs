//! Names, axes, types and effects. Nothing is executed.
//!
//! In: trees. Out: the typed [`program::Program`], or all that is wrong.

pub mod builtin;
pub mod program;
