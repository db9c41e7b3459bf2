//! What a random mask is made from: the vocabulary that the dropout ops share.
use crate::{Error, Space};
use serde::{Deserialize, Serialize};

/// Names one draw of the generator. The same key gives the same mask on every device, today and after any other call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Names the run.
    pub seed: u64,
    /// Names the layer.
    pub stream: u32,
    /// Names the training step.
    pub step: u32,
    /// The number, in a larger whole, of the tensor's first element in logical order (n, c, s): each part of a batch that is
    /// split over calls or devices draws the very mask that the whole would have drawn. A multiple of the number of
    /// elements that share a decision.
    #[serde(default)]
    pub first_element: u64,
}

/// Which elements share one decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// None: each element has its own (Srivastava et al. 2014).
    #[default]
    Element,
    /// All positions of a channel of a sample: spatial dropout (Tompson et al. 2015).
    Channel,
    /// All elements of a sample: drop-path, stochastic depth (Huang et al. 2016).
    Sample,
}

impl Share {
    /// How many elements of `space` share a decision.
    pub fn extent(self, space: &Space) -> u64 {
        match self {
            Share::Element => 1,
            Share::Channel => space.s as u64,
            Share::Sample => (space.c as u64).saturating_mul(space.s as u64),
        }
    }
}

/// Where the factor goes that keeps the expectation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// y = m·x/(1-p) in training, y = x after it (PyTorch).
    #[default]
    Inverted,
    /// y = m·x in training, y = (1-p)·x after it (Srivastava et al. 2014).
    ScaleAtTest,
}

/// How many random bits a decision has. With b bits, T = round(2^b·(1-p)) of the 2^b values keep an element, and 1-p
/// is taken to be T/2^b wherever it scales, so that the expectation is exact for the p that is realised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bits {
    /// p is realised within 2^-17. Decision i is half `(i >> 2) & 1` of word `i & 3` of Philox block `i >> 3`.
    #[default]
    Sixteen,
    /// p is realised within 2^-33, for twice the Philox calls. Decision i is word `i & 3` of Philox block `i >> 2`.
    ThirtyTwo,
}

impl Bits {
    /// 2^b.
    pub fn range(self) -> u64 {
        match self {
            Bits::Sixteen => 1 << 16,
            Bits::ThirtyTwo => 1 << 32,
        }
    }

    /// T, of `range()` values those that keep an element.
    pub fn threshold(self, p: f64) -> u64 {
        (self.range() as f64 * (1.0 - p)).round() as u64
    }
}

/// How the backward pass learns what the forward pass dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskMode {
    /// It draws again, from the same key. Takes no memory.
    #[default]
    Recompute,
    /// The forward pass writes a bit for each element: bit `e & 31` of word `e >> 5` for the element at place `e` in
    /// memory, 1 = kept, 0 behind the last element.
    Store,
}

/// Checks p.
///
/// # Errors
/// Names `p` if it is outside 0..=1 or NaN.
pub(crate) fn check_p(op: &'static str, p: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&p) {
        return Ok(());
    }
    Err(Error::argument(op, "p", format!("is {p}, must be in 0..=1: the probability of dropping an element")))
}

/// Checks the key against what it draws for, and gives the number of the tensor's first decision.
///
/// # Errors
/// Names `key` if `first_element` lies inside a group of elements that share a decision, or if the last element's number
/// has more than 64 bits.
pub(crate) fn first_decision(op: &'static str, key: &Key, share: Share, space: &Space) -> Result<u64, Error> {
    let (first, extent) = (key.first_element, share.extent(space).max(1));
    if first % extent != 0 {
        return Err(Error::argument(
            op,
            "key",
            format!("has first_element {first}, must be a multiple of {extent}, the elements that share a decision ({share:?})"),
        ));
    }
    if first.checked_add(space.len() as u64).is_none() {
        let len = space.len();
        return Err(Error::argument(op, "key", format!("has first_element {first}: with {len} elements it passes 2^64")));
    }
    Ok(first / extent)
}
