//! Mixup, backward. Kernel: `shaders/lib/samples/map.wgsl` with `shaders/mixing/mixup_backward.wgsl`. Reference: `cpu::mixup_backward`.
#[cfg(feature = "verify")]
use super::mixup::variant;
use super::{
    Mixup,
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

/// The backward pass of [`Mixup`]: dx = λ·dy + (1 - λ')·dy', where the prime marks the sample whose partner this one was.
///
/// Reads `dy`, writes `dx`. Fields as in the forward pass; λ and partners are regenerated from the same key. A gradient with
/// a share of exactly 0 is ignored, even if it is NaN. Deterministic. No scratch.
///
/// Error: λ and 1 - λ' are rounded to f32; two products, a sum, the store.
#[op(
    name = "mixup_backward",
    summary = "backward pass of mixup, with regenerated shares and partners",
    formula = "dx = λ·dy + (1 - λ[i])·dy[i], i being the sample whose partner this one was"
)]
pub struct MixupBackward {
    /// The forward op.
    #[field(flatten, without = [classes])]
    pub forward: Mixup,
}

impl Mixup {
    /// The backward pass of this.
    pub fn backward(&self) -> MixupBackward {
        MixupBackward { forward: Self { classes: 0, ..self.clone() } }
    }
}

mixing!(MixupBackward, backward of Mixup, kernel!("mixing/mixup_backward"), element);

/// dx, and its bound.
#[cfg(feature = "verify")]
fn element(op: &Mixup, drawn: &Blend, (i, _): (usize, usize), dy: &dyn Fn(usize) -> f64) -> (f64, f64) {
    let from = drawn.partners[i];
    let (own, given, lambda, other) = (dy(i), dy(from), drawn.lambda[i], drawn.lambda[from]);
    let sum = Approx::sum([Approx::exact(own).scaled(lambda), Approx::exact(given).scaled(1.0 - other)]);
    let v = reference::mixup_backward(own, lambda, given, other);
    (v, Approx { value: v, ..sum }.stored(op.dtype))
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    samples::image_cases(|i, dtype, space, _| {
        let (lambda, partners, key) = variant(i + 1, space.n);
        Box::new(Mixup { dtype, space, classes: 0, lambda, partners, key }.backward())
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    samples::image_benches(elements, |dtype, space, _| Box::new(Mixup::new(dtype, space, 0.2, Key::default()).backward()))
}
