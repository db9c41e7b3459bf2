//! How samples of a batch are mixed or erased in augmentation: shares, partners, boxes, and how they are drawn.
//!
//! Every number is a function of the key alone, so a loss can be told what its labels became, and a run can be repeated. With
//! `Key::first_element` = i·C·S, the first sample counts as number i: each part of a batch that is split over calls draws what
//! is drawn for a sample as the whole would have drawn it. Partners are found within a call.
//!
//! A draw takes words of Philox4x32-10 under the key: call purpose·2^60 + number·2^8 + attempt, where the number is that of the
//! sample, or 0 where one draw serves the whole batch. Two words (a, b) make the 64-bit number w = a + 2^32·b; it gives
//! (⌊w/2^11⌋ + 1)/2^53 as a number in (0, 1], and ⌊w·n/2^64⌋ as a number below n.
//!
//! - Purpose 1, λ from Beta(α, α). α ≥ ½ (Ulrich, "Computer generation of distributions on the m-sphere", 1984): with U, V from
//!   words 0, 1 and 2, 3, λ = (1 + √(1 - U^(2/(2α-1)))·cos 2πV)/2. α < ½ (Jöhnk, "Erzeugung von betaverteilten und
//!   gammaverteilten Zufallszahlen", 1964): X = U^(1/α), Y = V^(1/α), λ = X/(X + Y) in the first attempt for which X + Y ≤ 1. A λ
//!   below 2^-126 is 0, as it would be in f32.
//! - Purpose 2, a shuffle (Fisher and Yates; Durstenfeld 1964): i from n-1 down to 1 changes places with a number below i+1 that
//!   words 0, 1 of call i (counted from the op's first sample) give.
//! - Purpose 3, the centre of a box: row below H by words 0, 1, column below W by words 2, 3.
//! - Purpose 4, random erasing: attempt 255 decides by words 0, 1 whether there is any, U ≤ p. Then in tries t = 0 to 9, call 2t
//!   gives area and aspect ratio, call 2t+1 row and column.
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// The share λ of a sample in its mixture with another.
#[value]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lambda {
    /// One for the whole batch, from Beta(α, α) with this α: the paper, torchvision, timm.
    #[field(above = 0)]
    PerBatch(f64),
    /// One for each sample, from Beta(α, α) with this α.
    #[field(above = 0)]
    PerSample(f64),
    /// These: one for the whole batch, or one for each sample.
    #[field(min = 0, max = 1)]
    Given(Vec<f64>),
}

/// With whom each sample is mixed.
#[value]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Partners {
    /// A random permutation of the batch: the paper.
    #[default]
    Shuffle,
    /// The one before, the first with the last: torchvision's `roll(1, 0)`.
    Roll,
    /// The batch backwards: timm's `flip(0)`.
    Flip,
    /// These samples of the batch, each exactly once.
    Given(Vec<usize>),
}

/// A box in an image, within it.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rect {
    /// Its first row.
    pub top: usize,
    /// Its first column.
    pub left: usize,
    /// Its rows; 0 for no box.
    pub height: usize,
    /// Its columns; 0 for no box.
    pub width: usize,
}

impl Rect {
    /// H or W, from `half` before `centre` to `half` behind it (that end excluded), clipped at the border.
    fn side(centre: u64, half: u64, size: u64) -> (usize, usize) {
        let (start, end) = (centre.saturating_sub(half), (centre + half).min(size));
        (start as usize, end.saturating_sub(start) as usize)
    }

    /// Of `halves` around `centre` in an image of `sizes`, rows first; clipped at the border.
    pub(crate) fn around(centre: [u64; 2], halves: [u64; 2], sizes: [u64; 2]) -> Self {
        let [(top, height), (left, width)] = [0, 1].map(|i| Self::side(centre[i], halves[i], sizes[i]));
        Self { top, left, height, width }
    }

    /// The number of its places.
    pub fn area(&self) -> u64 {
        self.height as u64 * self.width as u64
    }
}

/// The box that CutMix takes from the partner.
#[value]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// One for the whole batch, of area 1 - λ with λ from Beta(α, α) with this α: the paper, torchvision.
    #[field(above = 0)]
    PerBatch(f64),
    /// One for each sample, from Beta(α, α) with this α.
    #[field(above = 0)]
    PerSample(f64),
    /// Of area 1 - λ with these λ: one box for the whole batch, or one for each sample.
    #[field(min = 0, max = 1)]
    Lambda(Vec<f64>),
    /// These boxes: one for the whole batch, or one for each sample.
    Boxes(Vec<Rect>),
}

/// What cutout erases from each sample.
#[value]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holes {
    /// A square of this side, its centre anywhere in the image, clipped at the border: DeVries and Taylor 2017. As in their
    /// program, it reaches side/2, rounded down, before its centre and as far behind it, so that an odd side is one less.
    Square(usize),
    /// A rectangle within the image, or none: random erasing.
    Erasing(Erasing),
    /// These boxes: one for the whole batch, or one for each sample.
    Boxes(Vec<Rect>),
}

/// Random erasing (Zhong et al. 2017), in the form of torchvision: area uniform, aspect ratio log-uniform; a rectangle
/// that does not fit is drawn again, ten times at most, and then there is none.
#[value]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Erasing {
    /// The probability that a sample is erased at all.
    #[field(min = 0, max = 1)]
    pub p: f64,
    /// The least and largest share of the image's area.
    #[field(min = 0, max = 1)]
    pub scale: [f64; 2],
    /// The least and largest ratio of height to width.
    #[field(above = 0)]
    pub ratio: [f64; 2],
}

impl Default for Erasing {
    /// The paper's and torchvision's: p = ½, scale 0.02 to 0.33, ratio 0.3 to 3.3.
    fn default() -> Self {
        Self { p: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3] }
    }
}

/// What happened to each sample: what a loss needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Blend {
    /// The partner of each sample.
    pub partners: Vec<usize>,
    /// The share λ of each sample; 1 - λ is its partner's. In CutMix, that of its area.
    pub lambda: Vec<f64>,
    /// The box of each sample; none in mixup.
    pub boxes: Vec<Rect>,
}

impl Blend {
    /// Whose partner each sample is.
    pub fn inverse(&self) -> Vec<usize> {
        let mut out = vec![0; self.partners.len()];
        self.partners.iter().enumerate().for_each(|(i, &p)| out[p] = i);
        out
    }
}
