//! The program `ridgepole`: looks at GPUs, checks and times every op on them, runs any op on files, and studies what
//! regularization does. `ridgepole --help` says how to call it; this library exists so that its parts can be tested.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod adapter;
mod args;
mod bench;
mod chain;
mod check;
pub mod data;
mod devices;
mod failure;
mod files;
pub mod fleet;
mod headless;
mod ops;
pub mod path;
pub mod picture;
mod race;
mod run;
pub mod study;
pub mod tune;
mod ui;

pub use args::{Cli, Command};
pub use failure::Failure;
pub use ui::{Progress, Ui};

use clap::Parser;
use std::process::ExitCode;

/// The whole program: reads the command line, runs the subcommand, reports a failure on stderr, gives the exit code.
pub fn main() -> ExitCode {
    headless::say_so();
    let ui = Ui::new();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version come this way too, with code 0. A closed pipe is no reason to fail here.
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(e.exit_code() as u8);
        }
    };
    match run(&cli.command, &ui) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(&ui);
            failure.code()
        }
    }
}

fn run(command: &Command, ui: &Ui) -> Result<(), Failure> {
    match command {
        Command::Devices(args) => devices::run(args, ui),
        Command::Ops(args) => ops::run(args, ui),
        Command::Check(args) => check::run(args, ui),
        Command::Bench(args) => bench::run(args, ui),
        Command::Race(args) => race::run(args, ui),
        Command::Run(args) => run::run(args, ui),
        Command::Study(args) => study::run(args, ui),
        Command::Path(args) => path::run(args, ui),
        Command::Tune(args) => tune::run(args, ui),
    }
}
