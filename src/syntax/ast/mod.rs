//! The tree: what the user wrote, construct by construct, with spans. It mirrors `grammar/ansatz.pest`, so
//! the formatter is its printer. Comments are kept beside it, in [`File::comments`].

mod expression;
mod item;
mod statement;

pub use expression::*;
pub use item::*;
pub use statement::*;

use crate::source::Span;

/// The identity of an expression, unique in one compilation: what later stages know about it is keyed by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprId(pub u32);

/// A name as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    pub text: String,
    pub span: Span,
}
