//! The command line: one file a subcommand.
//!
//! In: arguments. Out: text, files, and the exit code: 0 all claims hold, 1 a claim is refuted (or a test fails),
//! 2 the file or the data are wrong, 3 the run failed.

mod check;
mod explain;
mod fmt;
mod graph;
mod open;
mod progress;
mod run;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "ansatz", version, about = "Machine-learning experiments as checked, declarative files")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run experiments: train, measure, decide the claims, report
    Run(run::Run),
    /// Check files without running anything
    Check(check::Check),
    /// Run `test` blocks: assertions, and derivatives against differences
    Test(test::Test),
    /// Format files in place
    Fmt(fmt::Fmt),
    /// Show the graph of a training step, before or after the rewrites
    Graph(graph::Graph),
    /// Explain a diagnostic code, such as A0101
    Explain(explain::Explain),
}

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Success = 0,
    Refuted = 1,
    Wrong = 2,
    Failed = 3,
}

/// Reads the arguments and runs one subcommand.
pub fn main() -> ExitCode {
    let exit = match Arguments::parse().command {
        Command::Run(command) => command.execute(),
        Command::Check(command) => command.execute(),
        Command::Test(command) => command.execute(),
        Command::Fmt(command) => command.execute(),
        Command::Graph(command) => command.execute(),
        Command::Explain(command) => command.execute(),
    };
    ExitCode::from(exit as u8)
}
