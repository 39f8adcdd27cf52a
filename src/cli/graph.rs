//! `ansatz graph FILE`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use layout::backends::svg::SVGWriter;
use layout::gv::{DotParser, GraphBuilder};

use super::Exit;
use super::open::{open, print};
use crate::run::{self, Options, Stage};

/// Nodes of a graph that is drawn, at most: the layout takes time that grows faster than they do.
const MOST_NODES: usize = 400;

#[derive(Args)]
pub struct Graph {
    file: PathBuf,
    /// Which stage of the first training step
    #[arg(long, value_enum, default_value_t = Shown::Rewritten)]
    stage: Shown,
    /// As DOT for Graphviz instead of text
    #[arg(long)]
    dot: bool,
    /// As a picture (SVG) instead of text
    #[arg(long, conflicts_with = "dot")]
    svg: bool,
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
            crate::graph::passes::names().for_each(|name| println!("{name}"));
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
            match run::dump(&opened.program, experiment, &opened.world, &options, stage, self.dot || self.svg)
            {
                Ok(text) if self.svg && text.starts_with("digraph") => match picture(&text) {
                    Ok(picture) => print!("{picture}"),
                    Err(problem) => {
                        eprintln!("{problem}");
                        return Exit::Failed;
                    }
                },
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

/// A graph in Graphviz's language, drawn. The error is a sentence.
fn picture(dot: &str) -> Result<String, String> {
    let nodes = dot.matches("[ label").count() - dot.matches(" -> ").count();
    if nodes > MOST_NODES {
        return Err(format!(
            "the graph has {nodes} nodes, and at most {MOST_NODES} are drawn; `--dot` writes it for Graphviz"
        ));
    }
    let parsed = DotParser::new(dot).process();
    let parsed = parsed
        .map_err(|problem| format!("the graph cannot be drawn: {problem}; `--dot` writes it for Graphviz"))?;
    let mut builder = GraphBuilder::new();
    builder.visit_graph(&parsed);
    let mut writer = SVGWriter::new();
    builder.get().do_it(false, false, false, &mut writer);
    Ok(writer.finalize())
}
