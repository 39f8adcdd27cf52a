//! A run as one page: self-contained HTML, without scripts and without anything from elsewhere.
//!
//! In: [`StoredResults`], the text of the file, and what is written down about the run. Out: the page. All text of the user goes
//! through [`escape`](super::escape::escape).

mod page;
mod provenance;
mod source;
mod style;
mod table;
mod verdict;

pub use page::{figures, page};

use super::stored::StoredResults;
use crate::store::RunRecord;

/// What a page is made of.
pub struct Report<'a> {
    pub results: &'a StoredResults,
    /// The file that was run; none where it is lost.
    pub source: Option<&'a str>,
    /// None if the run was not kept.
    pub record: Option<&'a RunRecord>,
}
