//! What was measured.
use serde::Serialize;

/// What was measured of one op. Times are of one run of the op, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// The op's name.
    pub op: String,
    /// The op in full, as its `Debug` text.
    pub case: String,
    /// [`Cost::bytes`](crate::op::Cost::bytes).
    pub bytes: u64,
    /// [`Cost::elements`](crate::op::Cost::elements).
    pub elements: u64,
    /// Dispatches of one run.
    pub dispatches: usize,
    /// The median.
    pub seconds: f64,
    /// The lower and the upper quartile.
    pub quartiles: [f64; 2],
    /// The median of the copy that ran in turn with it.
    pub copy_seconds: f64,
    /// Bytes that this copy moved: read and written ones.
    pub copy_bytes: u64,
    /// The op's bandwidth as a part of the copy's, 1 being a copy: the median over the rounds, so that whatever slows the
    /// machine down for a while slows both.
    pub share: f64,
    /// The median of the processor time, all threads together; `None` on a GPU or without [`Options::cpu_clock`](super::Options::cpu_clock).
    pub cpu_seconds: Option<f64>,
    /// As `share`, of processor time.
    pub cpu_share: Option<f64>,
    /// Rounds.
    pub rounds: usize,
    /// What timed it.
    pub clock: Clock,
}

/// What a time was taken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The GPU's own timestamps around the pass.
    Timestamps,
    /// Wall time from submission to completion.
    Wall,
}

impl Timing {
    /// 10^9 bytes that the op moves a second.
    pub fn gb_per_s(&self) -> f64 {
        self.bytes as f64 / self.seconds / 1e9
    }

    /// 10^9 bytes that the copy moved a second.
    pub fn copy_gb_per_s(&self) -> f64 {
        self.copy_bytes as f64 / self.copy_seconds / 1e9
    }

    /// The distance of the quartiles, as a part of the median.
    pub fn spread(&self) -> f64 {
        (self.quartiles[1] - self.quartiles[0]) / self.seconds
    }
}

pub(super) fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// Of values in rising order, at least one: between the two nearest, linearly.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}
