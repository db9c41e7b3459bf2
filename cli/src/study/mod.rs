//! Trains a small network on real data once per treatment.
use crate::{Failure, Ui};

/// What `ridgepole study` takes.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the study.
///
/// # Errors
/// [`Failure::Usage`] for options and data that do not fit, [`Failure::Found`] if the device fails.
pub fn run(_args: &Args, _ui: &Ui) -> Result<(), Failure> {
    Err(Failure::usage("this build has no study"))
}
