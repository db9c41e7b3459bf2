//! What a search has so far: networks that are finished, and those in training.
use crate::training::{Measure, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The result of one network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// On the training rows, the validation rows and the held-out fold.
    pub measures: [Measure; 3],
    /// The epoch of the restored weights, from 1; 0 if the loss was never a number.
    pub best_epoch: usize,
    /// Epochs trained.
    pub epochs: usize,
    /// Share of weights that are exactly 0.
    pub zeros: f64,
}

/// The networks that are finished, and those in training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Networks that are finished, by their number.
    pub done: BTreeMap<usize, Outcome>,
    /// Networks in training, by their number.
    pub active: BTreeMap<usize, State>,
}
