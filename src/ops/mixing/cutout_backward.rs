//! Cutout and random erasing, backward. Kernel: `shaders/lib/samples/map.wgsl` with `shaders/mixing/cutout_backward.wgsl`. Reference:
//! `cpu::cutout_backward`.
use super::{Cutout, cutout::variant};
use crate::{
    kernel,
    kernels::samples::{self, Images, Map},
    op::{Arg, Caps, Lowered, Op, check_float},
    options::{Holes, Key, Rect},
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Verify},
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
    /// How dy and dx are stored.
    pub dtype: DType,
    /// The batch.
    pub space: Space,
    /// W, the columns of an image; s is a multiple of it.
    #[field(min = 1)]
    pub width: usize,
    /// Which boxes.
    pub holes: Holes,
    /// What the forward pass drew from; `first_element` is a multiple of c·s.
    pub key: Key,
}

impl Cutout {
    /// The backward pass of this.
    pub fn backward(&self) -> CutoutBackward {
        let Self { dtype, space, width, holes, key, .. } = self.clone();
        CutoutBackward { dtype, space, width, holes, key }
    }
}

impl CutoutBackward {
    fn boxes(&self) -> Result<Vec<Rect>, Error> {
        let Self { dtype, space, width, holes, key } = self.clone();
        Cutout { dtype, space, width, holes, value: 0.0, key }.boxes(NAME)
    }
}

impl Op for CutoutBackward {
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
        let table = out.table(&samples::table_bytes(self.boxes()?.iter().map(samples::box_row)), caps);
        let map = Map { source: kernel!("mixing/cutout_backward"), x: 0, y: 1, partner: false, table, value: 0.0 };
        Images { space: self.space, width: self.width }.map(NAME, &mut out, caps, &args, &map)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for CutoutBackward {
    fn patterns(&self) -> Vec<Pattern> {
        samples::image_patterns(&self.space)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (boxes, dy) = (self.boxes().expect("lowered before"), args[0].to_f64());
        let (of, length) = (Images { space: self.space, width: self.width }, self.space.c * self.space.s);
        let one = |(i, e): (usize, usize)| {
            let v = reference::cutout_backward(dy[i * length + e], of.inside(&boxes[i], e));
            (v, samples::copied(self.dtype, v))
        };
        let (value, bound) = samples::elements(&self.space).map(one).unzip();
        vec![Expected::Within { value, bound }]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    samples::image_cases(|i, dtype, space, width| {
        let (holes, key) = variant(i + 1, &space, width);
        Box::new(CutoutBackward { dtype, space, width, holes, key })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    samples::image_benches(elements, |dtype, space, width| {
        Box::new(Cutout::new(dtype, space, width, width / 4, Key::default()).backward())
    })
}
