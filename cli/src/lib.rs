//! The program `ridgepole`: looks at GPUs, checks and times every op on them, runs any op on files, and studies what
//! regularization does. `ridgepole --help` says how to call it; this library exists so that its parts can be tested.
//!
//! `commands` has a module for each subcommand, and beside it lies what they share. A command imports no other, and what is shared
//! imports no command.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod adapter;
pub mod commands;
pub mod data;
mod error;
mod files;
mod hash;
mod html;
mod input;
mod op_chain;
mod stats;
mod svg;
mod timing;
pub mod training;
mod ui;
mod wayland;

pub use commands::{Cli, Command};
pub use error::Failure;
pub use ui::{Progress, Ui};

use clap::Parser;
use std::process::ExitCode;

/// The whole program: reads the command line, runs the subcommand, reports a failure on stderr, gives the exit code.
pub fn main() -> ExitCode {
    wayland::silence();
    let ui = Ui::new();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version come this way too, with code 0. A closed pipe is no reason to fail here.
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(e.exit_code() as u8);
        }
    };
    match cli.command.run(&ui) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // A closed pipe is no error to report.
            if !matches!(failure, Failure::Closed) {
                ui.note(format_args!("error: {failure}"));
            }
            failure.code()
        }
    }
}
