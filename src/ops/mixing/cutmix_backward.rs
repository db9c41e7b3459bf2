//! CutMix, backward. Kernel: `shaders/lib/samples/map.wgsl` with `shaders/mixing/cutmix_backward.wgsl`. Reference:
//! `cpu::cutmix_backward`.
use super::{
    CutMix,
    cutmix::{table, variant},
};
use crate::{
    kernel,
    kernels::samples::{self, Images, Map},
    op::{Arg, Caps, Lowered, Op, check_float},
    options::{Blend, Cut, Key, Partners},
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Verify},
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
    /// How dy and dx are stored.
    pub dtype: DType,
    /// The batch.
    pub space: Space,
    /// W, the columns of an image; s is a multiple of it.
    #[field(min = 1)]
    pub width: usize,
    /// Which box.
    pub cut: Cut,
    /// Which sample's pixels filled it.
    #[field(default)]
    pub partners: Partners,
    /// What the forward pass drew from; `first_element` is a multiple of c·s.
    pub key: Key,
}

impl CutMix {
    /// The backward pass of this.
    pub fn backward(&self) -> CutMixBackward {
        let Self { dtype, space, width, cut, partners, key, .. } = self.clone();
        CutMixBackward { dtype, space, width, cut, partners, key }
    }
}

impl CutMixBackward {
    fn blend(&self) -> Result<Blend, Error> {
        let Self { dtype, space, width, cut, partners, key } = self.clone();
        CutMix { dtype, space, width, classes: 0, cut, partners, key }.blend(NAME)
    }
}

impl Op for CutMixBackward {
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
        let table = out.table(&table(&blend.inverse(), &blend.boxes), caps);
        let map = Map { source: kernel!("mixing/cutmix_backward"), x: 0, y: 1, partner: true, table, value: 0.0 };
        Images { space: self.space, width: self.width }.map(NAME, &mut out, caps, &args, &map)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for CutMixBackward {
    fn patterns(&self) -> Vec<Pattern> {
        samples::image_patterns(&self.space)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let blend = self.blend().expect("lowered before");
        let (dy, length, inverse) = (args[0].to_f64(), self.space.c * self.space.s, blend.inverse());
        let of = Images { space: self.space, width: self.width };
        let one = |(i, e): (usize, usize)| {
            let (own, given) = (dy[i * length + e], dy[inverse[i] * length + e]);
            let (cut, taken) = (of.inside(&blend.boxes[i], e), of.inside(&blend.boxes[inverse[i]], e));
            let some = |v: f64, there: bool| Approx::exact(if there { v } else { 0.0 });
            let sum = Approx::sum([some(own, !cut), some(given, taken)]);
            let v = reference::cutmix_backward(own, cut, given, taken);
            (v, Approx { value: v, ..sum }.stored(self.dtype) + samples::copied(self.dtype, v))
        };
        let (value, bound) = samples::elements(&self.space).map(one).unzip();
        vec![Expected::Within { value, bound }]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    samples::image_cases(|i, dtype, space, width| {
        let (cut, partners, key) = variant(i + 1, &space, width);
        Box::new(CutMixBackward { dtype, space, width, cut, partners, key })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    samples::image_benches(elements, |dtype, space, width| {
        Box::new(CutMix::new(dtype, space, width, 1.0, Key::default()).backward())
    })
}
