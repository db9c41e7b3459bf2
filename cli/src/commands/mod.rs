//! The subcommands, a module each. None imports another: what two of them need lies beside this folder.
mod bench;
mod check;
mod devices;
mod lower;
mod ops;
pub mod path;
mod predict;
mod race;
mod run;
pub mod study;
pub mod tune;

use crate::{Failure, Ui};
use clap::{Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "ridgepole",
    version,
    about = "Regularization kernels of deep learning, on your GPU: look, check, time, run, study, fit",
    disable_help_subcommand = true,
    after_help = "Examples:
  ridgepole devices                      the adapters, and how ridgepole would use each
  ridgepole check                        every op on this machine's GPU against its f64 reference
  ridgepole check dropout --all-adapters
  ridgepole bench adamw --csv > adamw.csv
  ridgepole run op.json --in x.safetensors --out y.safetensors
  ridgepole lower op.json                the op for a program of your own: WGSL, bindings, grid
  ridgepole study                        what each regularizer does to a small network on real digits
  ridgepole path                         the regularization path of a linear model, cross-validated
  ridgepole predict model.json --data new.csv --out predicted.csv
  ridgepole tune                         λ, p and batch norm of a small network, chosen by cross-validation

Environment: WGPU_BACKEND (vulkan, metal, dx12) and WGPU_ADAPTER_NAME (part of a name) choose the GPU.
Exit codes: 0 success, 1 a check failed or the device did, 2 the command line or a file is wrong, 130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List every adapter: driver, relevant limits and features, and the code paths that ridgepole takes on it
    Devices(devices::Args),
    /// List every op: arguments, fields, defaults, formula
    Ops(ops::Args),
    /// Check ops on this machine against their f64 references, in every mode
    Check(check::Args),
    /// Check ops, then time them against a copy of as many bytes on the same device
    Bench(bench::Args),
    /// Time the same cases here and in other libraries, alternating
    Race(race::Args),
    /// Run any op on tensors in a safetensors file
    Run(run::Args),
    /// Print any op as JSON for a device that another program drives: WGSL texts, bindings, parameters, grids
    Lower(lower::Args),
    /// Train a small network once per regularizer and show the effect on the generalization gap
    Study(Box<study::Args>),
    /// Fit a linear or logistic model at every strength of an L1, L2 or elastic-net penalty, and choose one by cross-validation
    Path(path::Args),
    /// Predict the rows of a table with a model that path, study or tune has saved
    Predict(predict::Args),
    /// Choose λ, p and batch norm of a small network by cross-validation, many networks trained at once
    Tune(Box<tune::Args>),
}

impl Command {
    /// Does what was asked for.
    ///
    /// # Errors
    /// As the subcommand says.
    pub fn run(&self, ui: &Ui) -> Result<(), Failure> {
        match self {
            Command::Devices(args) => devices::run(args, ui),
            Command::Ops(args) => ops::run(args, ui),
            Command::Check(args) => check::run(args, ui),
            Command::Bench(args) => bench::run(args, ui),
            Command::Race(args) => race::run(args, ui),
            Command::Run(args) => run::run(args, ui),
            Command::Lower(args) => lower::run(args, ui),
            Command::Study(args) => study::run(args, ui),
            Command::Path(args) => path::run(args, ui),
            Command::Predict(args) => predict::run(args, ui),
            Command::Tune(args) => tune::run(args, ui),
        }
    }
}
