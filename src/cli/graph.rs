//! `ansatz graph FILE`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Exit;
use super::open::{open, print};
use crate::run::{self, Options, Stage};

#[derive(Args)]
pub struct Graph {
    file: PathBuf,
    /// Which stage of the first training step
    #[arg(long, value_enum, default_value_t = Shown::Rewritten)]
    stage: Shown,
    /// As DOT for Graphviz instead of text
    #[arg(long)]
    dot: bool,
    /// Leave out a rewrite, by name; `--stage passes` lists them
    #[arg(long, value_name = "REWRITE")]
    without: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shown {
    /// As elaborated and differentiated
    Elaborated,
    /// After the rewrites
    Rewritten,
    /// The plan: kernels and buffers
    Plan,
    /// What a GPU runs in one go, with launches and bytes moved in a step
    Kernels,
    /// The names of the rewrites
    Passes,
}

impl Graph {
    pub fn execute(&self) -> Exit {
        if let Shown::Passes = self.stage {
            crate::graph::passes::PASSES.iter().for_each(|pass| println!("{}", pass.name));
            return Exit::Success;
        }
        let opened = match open(&self.file, &[]) {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
        let stage = match self.stage {
            Shown::Elaborated => Stage::Elaborated,
            Shown::Plan => Stage::Plan,
            Shown::Kernels => Stage::Kernels,
            Shown::Rewritten | Shown::Passes => Stage::Rewritten,
        };
        let options = Options { without: self.without.clone(), ..Options::default() };
        for experiment in run::experiments(&opened.program) {
            match run::dump(&opened.program, experiment, &opened.world, &options, stage, self.dot) {
                Ok(text) => print!("{text}"),
                Err(problems) => {
                    print(&problems, &opened.sources);
                    return Exit::Wrong;
                }
            }
        }
        Exit::Success
    }
}
