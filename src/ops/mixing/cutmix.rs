//! CutMix. Kernel: `shaders/lib/samples/map.wgsl` with `shaders/mixing/cutmix.wgsl`; labels go through `mixup.wgsl`. Reference:
//! `cpu::cutmix`.
use super::shared::{Mixing, mixing, partners_and_boxes};
use crate::{
    kernel,
    kernels::samples::{self, Images},
    options::{Blend, Cut, Key, Lambda, Partners, Rect},
    types::{DType, Error, Space},
    wgsl::Source,
};
#[cfg(feature = "verify")]
use crate::{op::Verify, verify::reference};
use ridgepole_derive::op;

/// CutMix: y is the partner's image within a box and the sample's own outside; the label is mixed in proportion to the areas.
///
/// The box has the sides √(1 - λ)·H and √(1 - λ)·W around a centre anywhere in the image and is clipped at the border; it
/// reaches ⌊√(1 - λ)·H/2⌋ before its centre and as far after it. λ is then recomputed from the clipped area: 1 - area/(H·W),
/// as in the paper and in torchvision. Reads `x` (the batch), with `classes` also `labels` (f32, n x classes: one-hot or
/// soft). Writes `y` and `mixed`. Boxes and partners are drawn on the host as [`mixing`](crate::mixing) describes and passed
/// in a table; [`CutMix::draw`] returns them. Deterministic. No scratch; dispatches as [`Mixup`](super::Mixup).
///
/// Error: none for y, but what is below the least normal number may become 0. For labels as in mixup.
///
/// Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features", 2019.
#[op(
    name = "cutmix",
    summary = "CutMix: pastes a box of a partner's image into each image and mixes their labels by area",
    formula = "y = x[partner] inside the box, x outside; labels: λ = 1 - area/(H·W)"
)]
pub struct CutMix {
    /// How x and y are stored.
    pub dtype: DType,
    /// The batch, s being H·W: at most 2^20 samples of at most 2^30 elements.
    pub space: Space,
    /// W, the columns of an image; s is a multiple of it.
    #[field(min = 1)]
    pub width: usize,
    /// Classes of the labels, which are soft or one-hot, n × classes; 0 without labels.
    #[field(default)]
    pub classes: usize,
    /// Which box.
    pub cut: Cut,
    /// Which sample's pixels fill it.
    #[field(default)]
    pub partners: Partners,
    /// What is drawn from; `first_element` is a multiple of c·s.
    pub key: Key,
}

impl CutMix {
    /// As in the paper: one box by λ from Beta(α, α), shuffled partners; without labels.
    pub fn new(dtype: DType, space: Space, width: usize, alpha: f64, key: Key) -> Self {
        Self::from_required(dtype, space, width, Cut::PerBatch(alpha), key)
    }

    /// Which samples are mixed, where, and in what shares.
    ///
    /// # Errors
    /// As planning the op.
    pub fn draw(&self) -> Result<Blend, Error> {
        self.drawn(NAME)
    }
}

fn each(first: u64, n: u64, lambdas: Vec<f64>, around: impl Fn(u64, f64) -> Rect) -> Vec<Rect> {
    (first..first + n).zip(lambdas).map(|(number, lambda)| around(number, lambda)).collect()
}

impl Mixing for CutMix {
    const RULE: Source = kernel!("mixing/cutmix");
    const ROWS: fn(&Blend) -> Vec<[u32; 4]> = partners_and_boxes;

    fn batch(&self) -> (DType, Images) {
        (self.dtype, Images { space: self.space, width: self.width })
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn drawn(&self, op: &'static str) -> Result<Blend, Error> {
        let (_, of) = self.batch();
        of.check(op)?;
        let (n, first, sizes) = (self.space.n as u64, samples::first_sample(op, &self.key, &self.space)?, of.sizes());
        let around = |number: u64, lambda: f64| {
            let half = 0.5 * (1.0 - lambda).sqrt();
            Rect::around(samples::centre(&self.key, number, sizes), sizes.map(|d| (half * d as f64) as u64), sizes)
        };
        let drawn = |lambda: &Lambda| of.lambdas(op, "cut", lambda, &self.key);
        // Of one λ, one box: its centre is that of the whole batch.
        let boxes = match &self.cut {
            Cut::PerBatch(alpha) => drawn(&Lambda::PerBatch(*alpha))?.iter().map(|l| around(0, *l)).collect(),
            Cut::Lambda(all) if all.len() == 1 => drawn(&Lambda::Given(all.clone()))?.iter().map(|l| around(0, *l)).collect(),
            Cut::PerSample(alpha) => each(first, n, drawn(&Lambda::PerSample(*alpha))?, around),
            Cut::Lambda(all) => each(first, n, drawn(&Lambda::Given(all.clone()))?, around),
            Cut::Boxes(all) => {
                of.check_boxes(op, "cut", all)?;
                of.each(op, "cut", all)?
            }
        };
        let places = (sizes[0] * sizes[1]) as f64;
        let share = |b: &Rect| if b.area() == 0 { 1.0 } else { 1.0 - b.area() as f64 / places };
        let lambda = boxes.iter().map(share).collect();
        Ok(Blend { partners: of.partners(op, &self.partners, &self.key)?, lambda, boxes })
    }

    #[cfg(feature = "verify")]
    fn element(&self, drawn: &Blend, (i, e): (usize, usize), x: &dyn Fn(usize) -> f64) -> (f64, f64) {
        let v = reference::cutmix(x(i), x(drawn.partners[i]), self.batch().1.inside(&drawn.boxes[i], e));
        (v, samples::copied(self.dtype, v))
    }
}

mixing!(CutMix);

#[cfg(feature = "verify")]
/// Boxes for the checks: the corners, all, nothing, a single place; one for each of `n` images of these sizes.
pub(super) fn boxes(n: usize, [height, width]: [usize; 2]) -> Vec<Rect> {
    let kinds = [
        Rect { top: 0, left: 0, height: height.div_ceil(2), width: width.div_ceil(3) },
        Rect { top: height / 2, left: width / 2, height: height - height / 2, width: width - width / 2 },
        Rect { top: height, left: width, height: 0, width: 0 },
        Rect { top: 0, left: 0, height, width },
        Rect { top: height - 1, left: 0, height: 1, width: 1 },
    ];
    (0..n).map(|i| kinds[i % kinds.len()]).collect()
}

#[cfg(feature = "verify")]
/// Every kind of box and partner in turn.
pub(super) fn variant(i: usize, space: &Space, width: usize) -> (Cut, Partners, Key) {
    let cut = match i % 5 {
        0 => Cut::Boxes(boxes(space.n, [space.s / width, width])),
        1 => Cut::PerBatch(1.0),
        2 => Cut::Lambda((0..space.n).map(|j| [0.3, 0.0, 1.0, 0.8][j % 4]).collect()),
        3 => Cut::PerSample(0.7),
        _ => Cut::Lambda(vec![0.5]),
    };
    let (_, partners, key) = super::mixup::variant(i + 2, space.n);
    (cut, partners, Key { first_element: (i % 2 * 3 * space.c * space.s) as u64, ..key })
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    samples::image_cases(|i, dtype, space, width| {
        let (cut, partners, key) = variant(i, &space, width);
        Box::new(CutMix { dtype, space, width, classes: [3, 0, 10, 1][i % 4], cut, partners, key })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    samples::image_benches(elements, |dtype, space, width| Box::new(CutMix::new(dtype, space, width, 1.0, Key::default())))
}
