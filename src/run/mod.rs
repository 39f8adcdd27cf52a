//! Running an experiment: trials, training, measures, claims.
//!
//! In: a typed program, a [`World`](crate::source::World) and options. Out: [`results::Results`].

pub mod results;
pub mod schema;
pub mod vary;
