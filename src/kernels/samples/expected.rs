//! What the mixing ops must give: copies, mixtures and soft labels, with their bounds.
use super::Images;
use crate::{
    op::Expected,
    options::Rect,
    types::{DType, Space},
    verify::{Approx, reference},
};

/// A copy: exact, but what is below the least normal number may be flushed.
pub(crate) fn copied(dtype: DType, v: f64) -> f64 {
    if v.abs() < dtype.least_normal() { v.abs() } else { 0.0 }
}

/// λ·x + (1 - λ)·z, with its bound.
pub(crate) fn mixture(dtype: DType, (x, own): (f64, f64), (z, rest): (f64, f64)) -> (f64, f64) {
    let sum = Approx::sum([Approx::exact(x).scaled(own), Approx::exact(z).scaled(rest)]);
    let v = reference::mixup(x, own, z, rest);
    (v, Approx { value: v, ..sum }.stored(dtype))
}

/// What becomes of labels under the shares `lambda`.
pub(crate) fn soft_labels(labels: &[f64], classes: usize, partners: &[usize], lambda: &[f64]) -> Expected {
    let one = |e: usize| {
        let (i, k) = (e / classes, e % classes);
        mixture(DType::F32, (labels[e], lambda[i]), (labels[partners[i] * classes + k], 1.0 - lambda[i]))
    };
    let (value, bound) = (0..labels.len()).map(one).unzip();
    Expected::Within { value, bound }
}

/// Every element of a batch: its sample, and where it lies in the sample; both as places in memory.
pub(crate) fn elements(space: &Space) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (n, length) = (space.n, space.c * space.s);
    (0..if length == 0 { 0 } else { n }).flat_map(move |i| (0..length).map(move |e| (i, e)))
}

impl Images {
    /// Whether the place `e` of a sample lies in a box, as the reference counts.
    pub fn inside(&self, b: &Rect, e: usize) -> bool {
        let s = if self.space.layout == crate::types::Layout::ChannelsLast { e / self.space.c } else { e % self.space.s };
        reference::inside([b.top, b.left, b.height, b.width], s / self.width, s % self.width)
    }
}
