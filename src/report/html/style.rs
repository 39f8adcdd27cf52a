//! How the page looks. Its colours are those of the plots: `../plot/colours.css`.

/// The style of everything but the plots.
pub const PAGE: &str = include_str!("page.css");
