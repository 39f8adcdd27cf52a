//! Elaboration: partial evaluation of the typed program into dataflow graphs.
//!
//! In: the typed program and a [`Scope`], which holds what one trial has bound so far (axes with their sizes, data,
//! models, the values of its `vary` axes). Out: [`Program`](super::Program)s for a backend, with the slots of the
//! [`Store`](super::Store) that they read and write. Functions, layers and optimizers are inlined; static numbers,
//! arms and models exist only here.

mod builtin;
mod call;
mod column;
mod draw;
mod elaborator;
mod evaluate;
mod every;
mod expression;
mod fail;
mod function_value;
mod generate;
mod layer;
mod linear_algebra;
mod list;
mod model;
mod objective;
mod operator;
mod order;
mod outcome;
mod own_derivative;
mod pretrained;
mod reduce;
mod reduce_order;
mod repeat;
mod replace;
mod sampling;
mod scope;
mod select;
mod shape;
mod state;
mod statement;
mod test;
mod trace;
mod train;
mod value;
mod window;
mod zoo;

pub use evaluate::quantified;
pub use operator::USUAL_TOLERANCE;
pub use outcome::{
    Assertion, BatchInput, ClaimProgram, EveryProgram, GradientCheck, Keep, Length, Measured, OnProgram,
    Outcome, ParameterSlot, Period, RecordSlot, Recorded, SamplerInput, SamplerKind, StepProgram, TermField,
    TermSlot, TermsProgram, TestProgram,
};
pub use pretrained::Weight;
pub use scope::{DataBinding, Scope, VaryBinding};
pub use value::{Closure, Delayed, Frame, Model, Stored, Value};
