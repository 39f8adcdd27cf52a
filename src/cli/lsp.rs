//! `ansatz lsp`

use clap::Args;

use super::Exit;
use crate::lsp;

#[derive(Args)]
pub struct Lsp {
    /// Accepted because editors pass it: there is no other way of speaking
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Lsp {
    /// Serves an editor over standard input and output until it says goodbye.
    pub fn execute(&self) -> Exit {
        match lsp::serve() {
            Ok(()) => Exit::Success,
            Err(error) => {
                eprintln!("the conversation with the editor failed: {error}");
                Exit::Failed
            }
        }
    }
}
