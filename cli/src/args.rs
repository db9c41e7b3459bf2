//! What may stand on the command line.
use crate::{bench, check, devices, ops, path, race, run, study, tune};
use clap::{Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "ridgepole",
    version,
    about = "Regularization kernels of deep learning, on your GPU: look, check, time, run, study, fit",
    disable_help_subcommand = true,
    after_help = "Examples:
  ridgepole devices                      what there is, and how ridgepole would use it
  ridgepole check                        every op on this machine's GPU against its f64 reference
  ridgepole check dropout --all-adapters
  ridgepole bench adamw --csv > adamw.csv
  ridgepole run op.json --in x.safetensors --out y.safetensors
  ridgepole study                        what each regularizer does to a small network on real digits
  ridgepole path                         the regularization path of a linear model, cross-validated
  ridgepole tune                         λ, p and batch norm of a small network, chosen by cross-validation

Environment: WGPU_BACKEND (vulkan, metal, dx12) and WGPU_ADAPTER_NAME (part of a name) choose the GPU.
Exit codes: 0 all well, 1 something checked is wrong or the device failed, 2 the command line or a file is wrong."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List every adapter: driver, limits and features that matter, paths that ridgepole takes on it
    Devices(devices::Args),
    /// List every op: arguments, fields, defaults, formula
    Ops(ops::Args),
    /// Check ops on this machine against their f64 references, in every mode
    Check(check::Args),
    /// Time ops against a copy of as many bytes on the same device, after checking them
    Bench(bench::Args),
    /// Time the same cases here and in other libraries, in turn
    Race(race::Args),
    /// Run any op on tensors in a safetensors file
    Run(run::Args),
    /// Train a small network once per regularizer and show what each does to the generalisation gap
    Study(Box<study::Args>),
    /// Fit a linear or logistic model at every strength of an L1, L2 or elastic-net penalty, and choose one by cross-validation
    Path(path::Args),
    /// Choose λ, p and batch norm of a small network by cross-validation, many networks trained together
    Tune(Box<tune::Args>),
}
