//! Many small networks of one shape, trained together: what differs between them (rows, initial weights, penalties, dropout) is data,
//! so that one dispatch serves them all and the GPU is busy. Each ends up bit-identical to the same network trained alone.
mod args;
mod batches;
mod evaluate;
mod fleet;
#[cfg(test)]
mod gradient_test;
mod model;
pub mod network;
mod sampling;
mod score;
mod snapshot;
mod state;
mod stopping;
#[cfg(test)]
mod tests;
mod trainer;

pub use args::Training;
pub use evaluate::{Evaluation, Measure};
pub use fleet::Fleet;
pub(crate) use model::EPS;
pub use sampling::Sampled;
pub use state::State;
pub use trainer::{NEVER, Rule, Setup, Trainer};

use crate::{Failure, data::prepare::Prepared};
use ridgepole::{Caps, Group};
use serde::{Deserialize, Serialize};

/// A multi-layer perceptron: input, hidden layers with ReLU, output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Features.
    pub inputs: usize,
    /// Units of each hidden layer, multiples of 4.
    pub hidden: Vec<usize>,
    /// Classes, or 1.
    pub outputs: usize,
    /// Whether each hidden layer has batch normalization (and then no bias: the shift β is one).
    pub batch_norm: bool,
}

impl Shape {
    /// The network for these data.
    pub fn new(data: &Prepared, hyper: &Hyper, batch_norm: bool) -> Self {
        Self { inputs: data.inputs, hidden: hyper.hidden.clone(), outputs: data.outputs, batch_norm }
    }
}

/// How networks are trained, whatever the treatment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hyper {
    /// Units of each hidden layer.
    pub hidden: Vec<usize>,
    /// Epochs, at most.
    pub epochs: usize,
    /// Rows per step; an incomplete batch at the end of an epoch is left out, and each epoch reshuffles.
    pub batch: usize,
    /// Learning rate.
    pub lr: f64,
    /// The optimizer.
    pub optimizer: Optimizer,
}

impl Hyper {
    /// # Errors
    /// [`Failure::Usage`] names the option, the value and the range.
    pub fn check(&self) -> Result<(), Failure> {
        let bad = |name: &str, value: &dyn std::fmt::Display, range: &str| {
            Err(Failure::usage(format!("--{name} is {value}, must be {range}")))
        };
        if let Some(h) = self.hidden.iter().find(|&&h| h == 0 || !h.is_multiple_of(4) || h > 8192) {
            return bad("hidden", h, "multiples of 4 up to 8192");
        }
        if !(1..=100_000).contains(&self.epochs) {
            return bad("epochs", &self.epochs, "from 1 to 100000");
        }
        if !(2..=8192).contains(&self.batch) {
            return bad("batch", &self.batch, "from 2 to 8192");
        }
        if !(self.lr > 0.0 && self.lr <= 1e3) {
            return bad("lr", &self.lr, "greater than 0 and at most 1000");
        }
        Ok(())
    }
}

/// An optimizer of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// AdamW, β 0.9 and 0.999.
    #[value(name = "adamw")]
    AdamW,
    /// Stochastic gradient descent with momentum 0.9.
    Sgd,
}

/// How a network is regularized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The optimizer's group of the weights; biases and normalization have none of it.
    pub group: Group,
    /// Probability of dropping a hidden unit.
    pub p: f64,
    /// Whether hidden layers are normalized.
    pub batch_norm: bool,
}

/// One network of a trainer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// How it is regularized; `batch_norm` is the same within one trainer.
    pub recipe: Recipe,
    /// Which split of the data it is trained and scored on.
    pub split: usize,
    /// Draws its initial weights and the order of its rows. Dropout masks come from the setup's seed: the same for all of equal p.
    pub seed: u64,
}

/// How many networks of this shape a device's buffers hold at once.
pub fn most_together(caps: &Caps, shape: &Shape, hyper: &Hyper) -> usize {
    let room = caps.limits.max_storage_buffer_binding_size as usize / 4;
    let layout = network::Layout::new(shape, 1);
    let rows = hyper.batch.max(evaluate::MOST_ROWS);
    let layers = layout.layers.iter().map(|l| l.weight_len().max(rows * l.inputs.max(l.outputs)));
    // What alignment adds, and the two vectors of a normalized layer, stay below a tenth.
    room / (11 * layers.max().unwrap_or(1) / 10)
}

/// Checks that a device can bind the rows of all these splits at once, part by part.
///
/// # Errors
/// [`Failure::Usage`] says how many bytes they are, how many it can, and what to do.
pub fn room(caps: &Caps, splits: &[Prepared], remedy: &str) -> Result<(), Failure> {
    let limit = caps.limits.max_storage_buffer_binding_size;
    for part in 0..3 {
        let bytes = splits.iter().map(|s| 4 * s.parts[part].x.len() as u64).sum::<u64>();
        if bytes > limit {
            let (what, count) = (["training", "validation", "test"][part], splits.len());
            return Err(Failure::usage(format!(
                "the {what} rows of {count} splits take {bytes} bytes, and this device binds at most {limit}: {remedy}"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod size_tests {
    use super::*;
    use crate::data::prepare::Part;
    use ridgepole::wgpu;

    #[test]
    fn rows_that_a_device_cannot_bind_are_reported_with_a_remedy() {
        let part = |rows: usize| Part { rows, x: vec![0.0; 4 * rows], t: vec![0.0; 4 * rows] };
        let parts = [part(10), part(2), part(40)];
        let one = Prepared { inputs: 4, outputs: 1, target_mean: 0.0, target_scale: 1.0, parts };
        let limits = wgpu::Limits { max_storage_buffer_binding_size: 1000, ..Default::default() };
        let caps = Caps::new(limits, wgpu::Features::empty(), true);
        assert!(room(&caps, std::slice::from_ref(&one), "").is_ok());
        let why = room(&caps, &[one.clone(), one], "use fewer").unwrap_err().to_string();
        assert_eq!(why, "the test rows of 2 splits take 1280 bytes, and this device binds at most 1000: use fewer");
    }
}
