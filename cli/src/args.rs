//! What may stand on the command line.
use crate::study;
use clap::{Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "ridgepole",
    version,
    about = "Regularization kernels of deep learning, on your GPU: look, check, time, run, study",
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a small network once per regularizer and show what each does to the generalisation gap
    Study(study::Args),
}
