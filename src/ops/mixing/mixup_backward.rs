//! Mixup, backward. Kernel: `shaders/lib/samples/map.wgsl` with `shaders/mixing/mixup_backward.wgsl`. Reference: `cpu::mixup_backward`.
use super::{
    Mixup,
    mixup::{row, variant},
};
use crate::{
    kernel,
    kernels::samples::{self, Images, Map},
    op::{Arg, Caps, Lowered, Op, check_float},
    options::{Blend, Key, Lambda, Partners},
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Verify},
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
    /// How dy and dx are stored.
    pub dtype: DType,
    /// The batch.
    pub space: Space,
    /// The share of each sample.
    pub lambda: Lambda,
    /// The partner of each sample.
    #[field(default)]
    pub partners: Partners,
    /// What the forward pass drew from; `first_element` is a multiple of c·s.
    pub key: Key,
}

impl Mixup {
    /// The backward pass of this.
    pub fn backward(&self) -> MixupBackward {
        let Self { dtype, space, lambda, partners, key, .. } = self.clone();
        MixupBackward { dtype, space, lambda, partners, key }
    }
}

impl MixupBackward {
    fn blend(&self) -> Result<Blend, Error> {
        let Self { dtype, space, lambda, partners, key } = self.clone();
        Mixup { dtype, space, classes: 0, lambda, partners, key }.blend(NAME)
    }
}

impl Op for MixupBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        vec![Arg::read("dy", self.dtype, len), Arg::write("dx", self.dtype, len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        check_float(NAME, &args[0])?;
        let blend = self.blend()?;
        let rows = blend.inverse().into_iter().zip(&blend.lambda).map(|(p, l)| row(p, *l));
        let table = out.table(&samples::table_bytes(rows), caps);
        let map = Map { source: kernel!("mixing/mixup_backward"), x: 0, y: 1, partner: true, table, value: 0.0 };
        Images::flat(self.space).map(NAME, &mut out, caps, &args, &map)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for MixupBackward {
    fn patterns(&self) -> Vec<Pattern> {
        samples::image_patterns(&self.space)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let blend = self.blend().expect("lowered before");
        let (dy, length, inverse) = (args[0].to_f64(), self.space.c * self.space.s, blend.inverse());
        let one = |(i, e): (usize, usize)| {
            let (own, given) = (dy[i * length + e], dy[inverse[i] * length + e]);
            let (lambda, other) = (blend.lambda[i], blend.lambda[inverse[i]]);
            let sum = Approx::sum([Approx::exact(own).scaled(lambda), Approx::exact(given).scaled(1.0 - other)]);
            let v = reference::mixup_backward(own, lambda, given, other);
            (v, Approx { value: v, ..sum }.stored(self.dtype))
        };
        let (value, bound) = samples::elements(&self.space).map(one).unzip();
        vec![Expected::Within { value, bound }]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    samples::image_cases(|i, dtype, space, _| {
        let (lambda, partners, key) = variant(i + 1, space.n);
        Box::new(MixupBackward { dtype, space, lambda, partners, key })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    samples::image_benches(elements, |dtype, space, _| Box::new(Mixup::new(dtype, space, 0.2, Key::default()).backward()))
}
