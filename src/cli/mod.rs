//! The command line: one file a subcommand.
//!
//! In: arguments. Out: text, files, and the exit code: 0 all claims hold, 1 a claim is refuted (or a test fails),
//! 2 the file or the data are wrong, 3 the run failed.

mod bench;
mod check;
mod devices;
mod doc;
mod events;
mod explain;
mod fmt;
mod graph;
mod keeping;
mod lsp;
mod new;
mod open;
mod progress;
mod report;
mod run;
mod runs;
mod test;

use std::process::ExitCode;
use std::time::Instant;

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
    /// What earlier runs have left: list, show, compare, export, delete
    Runs(runs::Runs),
    /// A run as a self-contained HTML page, with its plots
    Report(report::Report),
    /// Check files without running anything
    Check(check::Check),
    /// Run `test` blocks, and experiments against their snapshots
    Test(test::Test),
    /// Format files in place
    Fmt(fmt::Fmt),
    /// Show the graph of a training step, before or after the rewrites
    Graph(graph::Graph),
    /// Time the training step of an experiment
    Bench(bench::Bench),
    /// List what can compute, and what is chosen
    Devices,
    /// Make a folder with an experiment to begin with
    New(new::New),
    /// Show what the comments say of items of the standard library, or of a file
    Doc(doc::Doc),
    /// Explain a diagnostic code, such as A0101
    Explain(explain::Explain),
    /// Serve an editor: the language server protocol over standard input and output
    Lsp(lsp::Lsp),
}

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Success = 0,
    Refuted = 1,
    Wrong = 2,
    Failed = 3,
}

/// Trees are as deep as the longest expression, and every stage walks them.
const STACK: usize = 256 << 20;

/// Reads the arguments and runs one subcommand.
pub fn main() -> ExitCode {
    let started = Instant::now();
    let arguments = Arguments::parse();
    let jobs = match &arguments.command {
        Command::Run(command) => command.jobs(),
        Command::Bench(command) => command.threads(),
        _ => 0,
    };
    // Fails only if the pool exists already, and nothing has used it yet.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(jobs).stack_size(STACK).build_global();
    let worker =
        std::thread::Builder::new().stack_size(STACK).spawn(move || execute(arguments.command, started));
    match worker.map(|worker| worker.join()) {
        Ok(Ok(exit)) => ExitCode::from(exit as u8),
        // The panic's message was printed by the thread: a fault of the program, not of the file.
        Ok(Err(_)) => ExitCode::from(Exit::Failed as u8),
        Err(error) => {
            eprintln!("no thread to run on: {error}");
            ExitCode::from(Exit::Failed as u8)
        }
    }
}

fn execute(command: Command, started: Instant) -> Exit {
    match command {
        Command::Run(command) => command.execute(),
        Command::Runs(command) => command.execute(),
        Command::Report(command) => command.execute(),
        Command::Check(command) => command.execute(),
        Command::Test(command) => command.execute(),
        Command::Fmt(command) => command.execute(),
        Command::Graph(command) => command.execute(),
        Command::Bench(command) => command.execute(started),
        Command::Devices => devices::execute(),
        Command::New(command) => command.execute(),
        Command::Doc(command) => command.execute(),
        Command::Explain(command) => command.execute(),
        Command::Lsp(command) => command.execute(),
    }
}
