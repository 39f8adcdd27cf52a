//! `ansatz explain CODE`

use clap::Args;

use super::Exit;
use crate::diagnostic::{Code, explain, nearest};

#[derive(Args)]
pub struct Explain {
    /// The code, as a message shows it; without one, the list of all codes
    code: Option<String>,
}

impl Explain {
    pub fn execute(&self) -> Exit {
        let Some(wanted) = &self.code else {
            for code in Code::ALL {
                println!("{code}  {}", code.title());
            }
            return Exit::Success;
        };
        match wanted.parse::<Code>() {
            Ok(code) => {
                println!("{}", explain(code).trim_end());
                Exit::Success
            }
            Err(()) => {
                let known: Vec<String> = Code::ALL.iter().map(Code::to_string).collect();
                let near = nearest(wanted, known.iter().map(String::as_str));
                let hint = near.map(|code| format!("; did you mean {code}?")).unwrap_or_default();
                eprintln!("there is no code `{wanted}`{hint} (`ansatz explain` lists all)");
                Exit::Wrong
            }
        }
    }
}
