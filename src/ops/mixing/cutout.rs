//! Cutout and random erasing. Kernel: `shaders/lib/samples/map.wgsl` with `shaders/mixing/cutout.wgsl`. Reference: `cpu::cutout`.
#[cfg(feature = "verify")]
use super::cutmix::boxes;
use super::shared::{self, Mixing, mixing};
use crate::{
    kernel,
    kernels::samples::{self, Images},
    options::{Blend, Holes, Key, Rect, check_held},
    types::{DType, Error, Space},
    wgsl::Source,
};
#[cfg(feature = "verify")]
use crate::{op::Verify, options::Erasing, verify::reference};
use ridgepole_derive::op;

/// Cutout or random erasing: y is `value` within a box of each sample, in all its channels, and x outside. Labels are
/// unchanged.
///
/// Reads `x`, writes `y`. The box is cutout's square, clipped at the border, or random erasing's rectangle; it is drawn on
/// the host as [`mixing`](crate::mixing) describes and passed in a table; [`Cutout::draw`] returns it. The contents of the
/// box do not matter, even NaN. Deterministic. No scratch; one dispatch, one more for an end that is no whole quad, one for
/// each window beyond the binding limit.
///
/// Error: none, but what is below the least normal number may become 0. `value` is rounded to f32, then to the storage type.
///
/// DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017; Zhong et al., "Random
/// Erasing Data Augmentation", 2017, torchvision's `RandomErasing`.
#[op(
    name = "cutout",
    summary = "cutout (a square) or random erasing (a rectangle) of each image",
    formula = "y = value inside the box, x outside"
)]
pub struct Cutout {
    /// How x and y are stored.
    pub dtype: DType,
    /// The batch, s being H·W: at most 2^20 samples of at most 2^30 elements.
    pub space: Space,
    /// W, the columns of an image; s is a multiple of it.
    #[field(min = 1)]
    pub width: usize,
    /// Which boxes.
    pub holes: Holes,
    /// What is written there: finite as `dtype`.
    #[field(default)]
    pub value: f64,
    /// What is drawn from; `first_element` is a multiple of c·s.
    pub key: Key,
}

impl Cutout {
    /// As in the paper: a square of zeros.
    pub fn new(dtype: DType, space: Space, width: usize, side: usize, key: Key) -> Self {
        Self::from_required(dtype, space, width, Holes::Square(side), key)
    }

    /// The box of each sample.
    ///
    /// # Errors
    /// As planning the op.
    pub fn draw(&self) -> Result<Vec<Rect>, Error> {
        Ok(self.drawn(NAME)?.boxes)
    }

    /// The value as it is stored: rounded to f32 for the kernel, then to the storage type.
    fn stored(&self) -> f64 {
        self.dtype.nearest(f64::from(self.value as f32))
    }
}

impl Mixing for Cutout {
    const RULE: Source = kernel!("mixing/cutout");
    const PARTNER: bool = false;
    const ROWS: fn(&Blend) -> Vec<[u32; 4]> = shared::boxes;

    fn batch(&self) -> (DType, Images) {
        (self.dtype, Images { space: self.space, width: self.width })
    }

    fn value(&self) -> Result<f64, Error> {
        if !self.stored().is_finite() {
            return Err(Error::argument(NAME, "value", format!("is {}, must be finite as {:?}", self.value, self.dtype)));
        }
        check_held(NAME, "value", "is", self.value)?;
        Ok(self.value)
    }

    fn drawn(&self, op: &'static str) -> Result<Blend, Error> {
        let (_, of) = self.batch();
        of.check(op)?;
        let (first, sizes) = (samples::first_sample(op, &self.key, &self.space)?, of.sizes());
        let numbers = first..first + self.space.n as u64;
        let boxes = match &self.holes {
            Holes::Square(side) => {
                if *side as u64 > 1 << 32 {
                    return Err(Error::argument(op, "holes", format!("has a square of side {side}, must be at most 2^32")));
                }
                let half = *side as u64 / 2;
                numbers.map(|i| Rect::around(samples::centre(&self.key, i, sizes), [half; 2], sizes)).collect()
            }
            Holes::Erasing(what) => {
                samples::check_erasing(op, what)?;
                numbers.map(|i| samples::erased(&self.key, i, what, sizes)).collect()
            }
            Holes::Boxes(all) => {
                of.check_boxes(op, "holes", all)?;
                of.each(op, "holes", all)?
            }
        };
        Ok(Blend { partners: vec![], lambda: vec![], boxes })
    }

    #[cfg(feature = "verify")]
    fn element(&self, drawn: &Blend, (i, e): (usize, usize), x: &dyn Fn(usize) -> f64) -> (f64, f64) {
        let v = reference::cutout(x(i), self.stored(), self.batch().1.inside(&drawn.boxes[i], e));
        (v, samples::copied(self.dtype, v))
    }
}

mixing!(Cutout);

#[cfg(feature = "verify")]
/// Every kind of hole in turn.
pub(super) fn variant(i: usize, space: &Space, width: usize) -> (Holes, Key) {
    let holes = match i % 4 {
        0 => Holes::Boxes(boxes(space.n, [space.s / width, width])),
        1 => Holes::Square(width.div_ceil(2)),
        2 => Holes::Erasing(Erasing { p: 0.8, ..Erasing::default() }),
        _ => Holes::Boxes(boxes(5, [space.s / width, width])[1..2].to_vec()),
    };
    let key = Key { seed: 9, stream: 2, step: i as u32, first_element: (i % 3 * space.c * space.s) as u64 };
    (holes, key)
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    samples::image_cases(|i, dtype, space, width| {
        let (holes, key) = variant(i, &space, width);
        Box::new(Cutout {
            dtype,
            space,
            width,
            holes,
            value: [0.0, 0.45, -2.0, 1.0 + 2f64.powi(-8) + 2f64.powi(-30)][i % 4],
            key,
        })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    samples::image_benches(elements, |dtype, space, width| Box::new(Cutout::new(dtype, space, width, width / 4, Key::default())))
}
