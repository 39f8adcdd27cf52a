//! Ansatz: a declarative language for machine-learning experiments.
//!
//! text --syntax--> tree --check--> typed program --graph--> dataflow graph --plan--> kernels --backend--> numbers
//! --run--> trials --report--> verdicts.

pub mod backend;
pub mod check;
pub mod cli;
pub mod data;
pub mod diagnostic;
pub mod doc;
pub mod graph;
pub mod library;
pub mod lsp;
pub mod plan;
pub mod random;
pub mod report;
pub mod run;
pub mod source;
pub mod store;
pub mod syntax;
