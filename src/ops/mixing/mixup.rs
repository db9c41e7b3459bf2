//! Mixup. Kernel: `shaders/lib/samples/map.wgsl` with `shaders/mixing/mixup.wgsl`. Reference: `cpu::mixup`.
use super::shared::{Mixing, mixing, shares};
use crate::{
    kernel,
    kernels::samples::Images,
    options::{Blend, Key, Lambda, Partners},
    types::{DType, Error, Space},
    wgsl::Source,
};
#[cfg(feature = "verify")]
use crate::{kernels::samples, op::Verify};
use ridgepole_derive::op;

/// Mixup: y = λ·x + (1 - λ)·(the partner's x), and the same for labels.
///
/// Reads `x` (the batch), with `classes` also `labels` (f32, n x classes: one-hot or soft). Writes `y` and `mixed`. λ and
/// partners are drawn on the host as [`mixing`](crate::mixing) describes and passed in a table, so
/// [`Plan::update`](crate::Plan::update) may change them from step to step; [`Mixup::draw`] returns them. A sample with a
/// share of exactly 0 is ignored, even if it is NaN. Deterministic. No scratch; one dispatch for x and one for the labels,
/// one more each for an end that is no whole quad, more beyond the binding limit.
///
/// Error: λ and 1 - λ are rounded to f32; two products, a sum, the store.
///
/// Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", 2018.
#[op(
    name = "mixup",
    summary = "mixup: blends each sample and its label with those of a partner",
    formula = "y = λ·x + (1 - λ)·x[partner], labels likewise"
)]
pub struct Mixup {
    /// How x and y are stored.
    pub dtype: DType,
    /// The batch: at most 2^20 samples of at most 2^30 elements. The layout does not matter.
    pub space: Space,
    /// Classes of the labels, which are soft or one-hot, n × classes; 0 without labels.
    #[field(default)]
    pub classes: usize,
    /// The share of each sample.
    pub lambda: Lambda,
    /// The partner of each sample.
    #[field(default)]
    pub partners: Partners,
    /// What is drawn from; `first_element` is a multiple of c·s.
    pub key: Key,
}

impl Mixup {
    /// As in the paper: one λ from Beta(α, α), shuffled partners; without labels.
    pub fn new(dtype: DType, space: Space, alpha: f64, key: Key) -> Self {
        Self::from_required(dtype, space, Lambda::PerBatch(alpha), key)
    }

    /// Which samples are mixed, and in what shares.
    ///
    /// # Errors
    /// As planning the op.
    pub fn draw(&self) -> Result<Blend, Error> {
        self.drawn(NAME)
    }
}

impl Mixing for Mixup {
    const RULE: Source = kernel!("mixing/mixup");
    const ROWS: fn(&Blend) -> Vec<[u32; 4]> = shares;

    fn batch(&self) -> (DType, Images) {
        (self.dtype, Images::flat(self.space))
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn drawn(&self, op: &'static str) -> Result<Blend, Error> {
        let (_, of) = self.batch();
        of.check(op)?;
        let lambda = of.lambdas(op, "lambda", &self.lambda, &self.key)?;
        Ok(Blend { partners: of.partners(op, &self.partners, &self.key)?, lambda, boxes: vec![] })
    }

    #[cfg(feature = "verify")]
    fn element(&self, drawn: &Blend, (i, _): (usize, usize), x: &dyn Fn(usize) -> f64) -> (f64, f64) {
        let own = drawn.lambda[i];
        samples::mixture(self.dtype, (x(i), own), (x(drawn.partners[i]), 1.0 - own))
    }
}

mixing!(Mixup);

#[cfg(feature = "verify")]
/// Every kind of share and partner in turn.
pub(super) fn variant(i: usize, n: usize) -> (Lambda, Partners, Key) {
    let ends = |i: usize| [0.3, 1.0, 0.0, 0.999][i % 4];
    let lambda = match i % 5 {
        0 => Lambda::PerBatch(1.0),
        1 => Lambda::PerSample(0.2),
        2 => Lambda::Given((0..n).map(ends).collect()),
        3 => Lambda::Given(vec![0.25]),
        _ => Lambda::PerSample(2.5),
    };
    let partners = match i % 4 {
        0 | 1 => Partners::Shuffle,
        2 if i.is_multiple_of(3) => Partners::Flip,
        2 => Partners::Given((0..n).map(|j| (j + 2) % n.max(1)).collect()),
        _ => Partners::Roll,
    };
    (lambda, partners, Key { seed: 5, stream: 1, step: i as u32, first_element: 0 })
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    samples::image_cases(|i, dtype, space, _| {
        let (lambda, partners, key) = variant(i, space.n);
        let key = Key { first_element: (i % 3 * space.c * space.s) as u64, ..key };
        Box::new(Mixup { dtype, space, classes: [0, 10, 1, 3][i % 4], lambda, partners, key })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    samples::image_benches(elements, |dtype, space, _| {
        // Of small images, no more classes than elements: labels are to be the lesser part.
        let classes = 1000.min(space.c * space.s);
        Box::new(Mixup { classes, ..Mixup::new(dtype, space, 0.2, Key::default()) })
    })
}
