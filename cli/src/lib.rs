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
#[cfg(test)]
#[path = "../../fuzz/engine/mod.rs"]
mod fuzz;
pub mod glm;
mod hash;
mod html;
mod input;
mod interrupt;
pub mod model;
mod number;
mod op_chain;
mod seal;
mod shell;
mod stats;
mod svg;
mod text;
mod timing;
pub mod training;
mod ui;
mod wayland;

pub use commands::{Cli, Command};
pub use error::Failure;
pub use ui::{Colour, Progress, Ui};

use clap::Parser;
use std::process::ExitCode;

/// Says where the program failed. A message may have text of a file in it, so it goes out as all text does.
fn panicked(info: &std::panic::PanicHookInfo<'_>) {
    let trace = std::backtrace::Backtrace::capture();
    let trace = match trace.status() {
        std::backtrace::BacktraceStatus::Captured => format!("\n{trace}"),
        _ => String::new(),
    };
    Ui::new().note(format_args!("{info}\nThis is a fault of ridgepole.{trace}"));
}

/// The whole program: reads the command line, runs the subcommand, reports a failure on stderr, gives the exit code.
pub fn main() -> ExitCode {
    wayland::silence();
    let ui = Ui::new();
    std::panic::set_hook(Box::new(panicked));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version come this way too, with code 0. A closed pipe is no reason to fail here.
        Err(e) if e.use_stderr() => {
            // It has the words of the command line in it, so it goes out as all text does, without colours.
            ui.note(e.render().to_string().trim_end());
            return ExitCode::from(e.exit_code() as u8);
        }
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
