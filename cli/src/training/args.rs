//! How networks are trained, as options.
use super::{Hyper, Optimizer};
use crate::{Failure, number::exact, shell::Command};

/// The options of every command that trains networks.
#[derive(Debug, clap::Args)]
pub struct Training {
    /// Units of the hidden layers, multiples of 4
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "128,64", help_heading = "Training")]
    hidden: Vec<usize>,
    /// Rows per step
    #[arg(long, value_name = "N", default_value_t = 50, help_heading = "Training")]
    batch: usize,
    /// Learning rate
    #[arg(long, value_name = "RATE", default_value_t = 2e-3, help_heading = "Training")]
    lr: f64,
    /// Optimizer
    #[arg(long, value_enum, default_value_t = Optimizer::AdamW, help_heading = "Training")]
    optimizer: Optimizer,
}

impl Training {
    /// With so many epochs.
    ///
    /// # Errors
    /// [`Failure::Usage`] names the option, the value and the range.
    pub fn hyper(&self, epochs: usize) -> Result<Hyper, Failure> {
        let Self { hidden, batch, lr, optimizer } = self;
        let hyper = Hyper { hidden: hidden.clone(), epochs, batch: *batch, lr: *lr, optimizer: *optimizer };
        hyper.check()?;
        Ok(hyper)
    }

    /// Adds the options that are not as they are by default.
    pub(crate) fn typed(&self, to: &mut Command) {
        let hidden = self.hidden.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let all = [("hidden", hidden, "128,64"), ("batch", self.batch.to_string(), "50"), ("lr", exact(self.lr), "0.002")];
        for (name, value, _) in all.iter().filter(|(_, value, default)| value != default) {
            to.option(name, value);
        }
        if self.optimizer == Optimizer::Sgd {
            to.option("optimizer", "sgd");
        }
    }
}
