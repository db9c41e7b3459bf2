//! Models that a command has fitted, as files: `model.json`, and for a network `model.safetensors` beside it. They are made here from what
//! was fitted, read back and checked, and applied to rows. `docs/models.md` describes the format.
//!
//! Predictions are made on the host, in f64.
mod fitted;
mod json;
mod linear;
mod network;
mod read;
mod tensors;
#[cfg(test)]
mod tests;

pub use fitted::Trained;
pub use linear::{Fit, Linear, Strength};
pub use network::{Layer, Network, Norm};
pub use read::read;

use crate::{
    Failure,
    data::{Column, Feature, Missing, Wanted},
    files,
};
use std::path::Path;

/// What the JSON is called.
pub const JSON: &str = "model.json";
/// What the tensors are called.
pub const TENSORS: &str = "model.safetensors";

/// A model, and what rows it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What the data are called that it was fitted to.
    pub data: String,
    /// How it was fitted, in words.
    pub fitted: String,
    /// What was done about missing values.
    pub missing: Missing,
    /// The columns that it needs.
    pub columns: Vec<Column>,
    /// The features that are made of them.
    pub features: Vec<Feature>,
    /// The names of the features.
    pub names: Vec<String>,
    /// The mean of each feature in the rows that it was fitted to, which a missing value takes.
    pub means: Vec<f64>,
    /// Columns of the table that it was fitted to that are no features of it.
    pub left_out: Vec<String>,
    /// The column that it predicts.
    pub target: String,
    /// The classes of that, in their order; none for numbers.
    pub classes: Option<Vec<String>>,
    /// What computes.
    pub kind: Kind,
}

/// What kind of model.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A linear predictor for each strength of a penalty.
    Linear(Linear),
    /// A multi-layer perceptron.
    Network(Network),
}

/// What a model says of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// On the scale of the linear predictor: a number, log odds of the second of two classes, or a logit for each class; `links` for each
    /// row.
    pub link: Vec<f64>,
    /// Columns of `link`.
    pub links: usize,
    /// The number, or the probability of each class; `responses` for each row.
    pub response: Vec<f64>,
    /// Columns of `response`.
    pub responses: usize,
    /// The most probable class of each row, the first of equals; none for numbers.
    pub class: Option<Vec<u32>>,
}

impl Model {
    /// What it needs of a table.
    pub fn wanted(&self) -> Wanted<'_> {
        Wanted {
            columns: &self.columns,
            features: &self.features,
            missing: self.missing,
            target: &self.target,
            classes: self.classes.as_deref(),
        }
    }

    /// Predicts rows of features, in which NaN is what is missing; `fit` is the place of a path's model.
    ///
    /// # Errors
    /// If memory does not suffice.
    ///
    /// # Panics
    /// If a path has no such model, or the rows are not whole.
    pub fn predict(&self, mut features: Vec<f64>, rows: usize, fit: usize) -> Result<Predicted, Failure> {
        assert_eq!(features.len(), rows * self.means.len(), "whole rows");
        if !self.means.is_empty() {
            for row in features.chunks_exact_mut(self.means.len()) {
                row.iter_mut().zip(&self.means).filter(|(v, _)| v.is_nan()).for_each(|(v, mean)| *v = *mean);
            }
        }
        match &self.kind {
            Kind::Linear(linear) => linear.predict(&features, rows, fit),
            Kind::Network(network) => network.predict(&self.means, features, rows, self.classes.is_some()),
        }
    }
}

impl Predicted {
    /// The first row of which a value is not finite.
    pub fn endless(&self) -> Option<usize> {
        let first = |values: &[f64], each: usize| values.iter().position(|v| !v.is_finite()).map(|at| at / each.max(1));
        first(&self.link, self.links).into_iter().chain(first(&self.response, self.responses)).min()
    }

    /// The place of the greatest value of each row, the first of equals.
    fn greatest(values: &[f64], each: usize) -> Vec<u32> {
        let first = |row: &[f64]| (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
        values.chunks_exact(each).map(|row| first(row) as u32).collect()
    }
}

/// Takes an earlier model out of a folder where a command has made none: it would be taken for one of this run.
///
/// # Errors
/// As [`files::remove`].
pub(crate) fn without(folder: &Path, made: &[(&str, Vec<u8>)]) -> Result<(), Failure> {
    let old = |name: &&str| made.iter().all(|(new, _)| new != name);
    [JSON, TENSORS].iter().filter(|name| old(name)).try_for_each(|name| files::remove(&folder.join(name)))
}

/// Room for so many numbers, all of them 0.
fn zeros(len: Option<usize>) -> Result<Vec<f64>, Failure> {
    let mut out = Vec::new();
    let short = || Failure::usage("memory does not suffice for the predictions: predict fewer rows at once");
    let len = len.ok_or_else(short)?;
    out.try_reserve_exact(len).map_err(|_| short())?;
    out.resize(len, 0.0);
    Ok(out)
}
