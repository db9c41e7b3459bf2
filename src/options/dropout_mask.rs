//! What a random mask is made from: the vocabulary that the dropout ops share.
use super::check_held;
use crate::types::{Error, Space};
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// Names one draw of the generator. The same key gives the same mask on every device, today and after any other call.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Names the run.
    pub seed: u64,
    /// Names the layer.
    pub stream: u32,
    /// Names the training step.
    pub step: u32,
    /// The number, in a larger whole, of the tensor's first element in logical order (n, c, s): each part of a batch that is
    /// split over calls or devices draws the very mask that the whole would have drawn. A multiple of 1, S or C·S, so that
    /// the tensor starts where the decisions of an element, channel or sample do: see [`Share`].
    #[field(default)]
    pub first_element: u64,
}

/// Which elements share one decision: any subset of the axes n, c and s, by the name of what has a decision of its own.
///
/// Decisions are numbered in logical order of the axes that are not shared, which the variants give for an element
/// (n, c, s) of the larger whole that [`Key::first_element`] counts in. Where n is shared, every part of a batch draws the
/// mask of the whole batch.
///
/// Variational dropout (Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks",
/// 2016) shares the axis of time: with time as s, that is [`Share::Channel`]; with time as n, [`Share::BatchElement`] (or
/// [`Share::BatchChannel`] if there are no positions).
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// None: each element has its own (Srivastava et al. 2014). Number (n·C + c)·S + s.
    #[default]
    Element,
    /// Axis s, all positions of a channel of a sample: spatial dropout (Tompson et al. 2015). Number n·C + c.
    Channel,
    /// Axes c and s, all elements of a sample: drop-path, stochastic depth (Huang et al. 2016). Number n.
    Sample,
    /// Axis c, all channels of a position of a sample: whole tokens, whole pixels. Number n·S + s.
    Position,
    /// Axis n, an element in all samples: one mask for the batch. Number c·S + s.
    BatchElement,
    /// Axes n and s, a channel in all samples and positions. Number c.
    BatchChannel,
    /// Axes n and c, a position in all samples and channels. Number s.
    BatchPosition,
    /// All axes: one decision for the whole batch. Number 0.
    Batch,
}

impl Share {
    /// All of them, the default first.
    pub const ALL: [Share; 8] = [
        Share::Element,
        Share::Channel,
        Share::Sample,
        Share::Position,
        Share::BatchElement,
        Share::BatchChannel,
        Share::BatchPosition,
        Share::Batch,
    ];

    /// How many elements of `space` share a decision.
    pub fn extent(self, space: &Space) -> u64 {
        let [n, c, s] = [space.n, space.c, space.s].map(|size| size as u64);
        match self {
            Share::Element => 1,
            Share::Channel => s,
            Share::Sample => c.saturating_mul(s),
            Share::Position => c,
            Share::BatchElement => n,
            Share::BatchChannel => n.saturating_mul(s),
            Share::BatchPosition => n.saturating_mul(c),
            Share::Batch => n.saturating_mul(c).saturating_mul(s),
        }
    }

    /// What [`Key::first_element`] must be a multiple of: 1, S or C·S.
    pub fn unit(self, space: &Space) -> u64 {
        match self {
            Share::Element => 1,
            Share::Channel => space.s as u64,
            _ => (space.c as u64).saturating_mul(space.s as u64),
        }
    }
}

/// Where the factor goes that keeps the expectation.
#[value]
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
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bits {
    /// p is realised within 2^-17. Decision i is half `(i >> 2) & 1` of word `i & 3` of Philox call `i >> 3`.
    #[default]
    Sixteen,
    /// p is realised within 2^-33, for twice the Philox calls. Decision i is word `i & 3` of Philox call `i >> 2`.
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
#[value]
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
        return check_held(op, "p", "is", p);
    }
    Err(Error::argument(op, "p", format!("is {p}, must be in 0..=1: the probability of dropping an element")))
}

/// Checks the key against what it draws for, and gives the number of the tensor's first decision.
///
/// # Errors
/// Names `key` if `first_element` is no multiple of [`Share::unit`], or if the last element's number has more than 64 bits.
pub(crate) fn first_decision(op: &'static str, key: &Key, share: Share, space: &Space) -> Result<u64, Error> {
    let (first, unit) = (key.first_element, share.unit(space).max(1));
    if first % unit != 0 {
        let whole = match share {
            Share::Channel | Share::Sample => "the elements that share a decision",
            _ => "the elements of a sample",
        };
        return Err(Error::argument(
            op,
            "key",
            format!("has first_element {first}, must be a multiple of {unit}, {whole} ({share:?})"),
        ));
    }
    if first.checked_add(space.len() as u64).is_none() {
        let len = space.len();
        return Err(Error::argument(op, "key", format!("has first_element {first}: with {len} elements it passes 2^64")));
    }
    Ok(match share {
        Share::Element | Share::Channel | Share::Sample => first / unit,
        // The samples before this tensor have S decisions each.
        Share::Position => first / unit * space.s as u64,
        // Samples have the decisions in common.
        Share::BatchElement | Share::BatchChannel | Share::BatchPosition | Share::Batch => 0,
    })
}
