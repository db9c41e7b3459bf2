//! CutMix, backward. Kernel: `shaders/lib/samples/map.wgsl` with `shaders/mixing/cutmix_backward.wgsl`. Reference:
//! `cpu::cutmix_backward`.
#[cfg(feature = "verify")]
use super::cutmix::variant;
use super::{
    CutMix,
    shared::{Mixing, mixing},
};
use crate::kernel;
#[cfg(feature = "verify")]
use crate::{
    kernels::samples,
    op::Verify,
    options::{Blend, Key},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The backward pass of [`CutMix`]: dx is dy outside the sample's own box, and the dy of the sample whose partner it was within
/// that one's box; their sum where a place is both, 0 where it is neither.
///
/// Reads `dy`, writes `dx`. Fields as in the forward pass; boxes and partners are regenerated from the same key.
/// Deterministic. No scratch.
///
/// Error: one sum, the store.
#[op(
    name = "cutmix_backward",
    summary = "backward pass of CutMix, with regenerated boxes and partners",
    formula = "dx = dy outside the box + dy[i] inside the box of i, the sample whose partner this one was"
)]
pub struct CutMixBackward {
    /// The forward op.
    #[field(flatten, without = [classes])]
    pub forward: CutMix,
}

impl CutMix {
    /// The backward pass of this.
    pub fn backward(&self) -> CutMixBackward {
        CutMixBackward { forward: Self { classes: 0, ..self.clone() } }
    }
}

mixing!(CutMixBackward, backward of CutMix, kernel!("mixing/cutmix_backward"), element);

/// dx, and its bound.
#[cfg(feature = "verify")]
fn element(op: &CutMix, drawn: &Blend, (i, e): (usize, usize), dy: &dyn Fn(usize) -> f64) -> (f64, f64) {
    let (dtype, of) = op.batch();
    let from = drawn.partners[i];
    let (own, given) = (dy(i), dy(from));
    let (cut, taken) = (of.inside(&drawn.boxes[i], e), of.inside(&drawn.boxes[from], e));
    let some = |v: f64, there: bool| Approx::exact(if there { v } else { 0.0 });
    let sum = Approx::sum([some(own, !cut), some(given, taken)]);
    let v = reference::cutmix_backward(own, cut, given, taken);
    (v, Approx { value: v, ..sum }.stored(dtype) + samples::copied(dtype, v))
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    samples::image_cases(|i, dtype, space, width| {
        let (cut, partners, key) = variant(i + 1, &space, width);
        Box::new(CutMix { dtype, space, width, classes: 0, cut, partners, key }.backward())
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    samples::image_benches(elements, |dtype, space, width| {
        Box::new(CutMix::new(dtype, space, width, 1.0, Key::default()).backward())
    })
}
