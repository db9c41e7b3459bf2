//! Cutout and random erasing, backward. Kernel: `shaders/lib/samples/map.wgsl` with `shaders/mixing/cutout_backward.wgsl`. Reference:
//! `cpu::cutout_backward`.
#[cfg(feature = "verify")]
use super::cutout::variant;
use super::{
    Cutout,
    shared::{Mixing, mixing},
};
use crate::kernel;
#[cfg(feature = "verify")]
use crate::{
    kernels::samples,
    op::Verify,
    options::{Blend, Key},
    verify::reference,
};
use ridgepole_derive::op;

/// The backward pass of [`Cutout`]: dx is 0 within the sample's box, even where dy is NaN, and dy outside.
///
/// Reads `dy`, writes `dx`. Fields as in the forward pass; boxes are regenerated from the same key. Deterministic. No
/// scratch.
///
/// Error: none, but what is below the least normal number may become 0.
#[op(
    name = "cutout_backward",
    summary = "backward pass of cutout or random erasing, with regenerated boxes",
    formula = "dx = 0 inside the box, dy outside"
)]
pub struct CutoutBackward {
    /// The forward op.
    #[field(flatten, without = [value])]
    pub forward: Cutout,
}

impl Cutout {
    /// The backward pass of this.
    pub fn backward(&self) -> CutoutBackward {
        CutoutBackward { forward: Self { value: 0.0, ..self.clone() } }
    }
}

mixing!(CutoutBackward, backward of Cutout, kernel!("mixing/cutout_backward"), element);

/// dx, and its bound.
#[cfg(feature = "verify")]
fn element(op: &Cutout, drawn: &Blend, (i, e): (usize, usize), dy: &dyn Fn(usize) -> f64) -> (f64, f64) {
    let (dtype, of) = op.batch();
    let v = reference::cutout_backward(dy(i), of.inside(&drawn.boxes[i], e));
    (v, samples::copied(dtype, v))
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    samples::image_cases(|i, dtype, space, width| {
        let (holes, key) = variant(i + 1, &space, width);
        Box::new(Cutout { dtype, space, width, holes, value: 0.0, key }.backward())
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    samples::image_benches(elements, |dtype, space, width| {
        Box::new(Cutout::new(dtype, space, width, width / 4, Key::default()).backward())
    })
}
