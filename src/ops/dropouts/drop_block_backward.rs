//! DropBlock, backward. Kernels: `shaders/dropouts/drop_block_backward.wgsl`, and without a stored mask
//! `shaders/dropouts/parts/square_seeds.wgsl` and `square_mask.wgsl`. Reference: `cpu::drop_block_backward`.
use super::{DropBlock, drop_block::apply};
#[cfg(feature = "verify")]
use super::{
    drop_block::expected::{images, of_elements, scaled},
    shared::expected::unpacked,
};
use crate::{
    kernel,
    kernels::copy::{self, Tail, windows},
    op::{Arg, ByName, Caps, Lowered, Op},
    options::MaskMode,
    types::{DType, Error},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    types::HostData,
    verify::reference,
};
use ridgepole_derive::op;

/// The backward pass of [`DropBlock`] in training: dx = m·dy·factor, with the mask m and the factor of the forward pass.
///
/// Reads `dy`, `factor`, one f32, and `mask` if it was stored; writes `dx`. Fields as in the forward pass. Without a stored
/// mask the squares are regenerated from the same key, in scratch of 2 bits for each decision: store the mask where time
/// matters more than its memory. Where γ is 0, dx is dy bit for bit, and where it is 1, zeros; `factor` and `mask` are not
/// read then. Deterministic. Dispatches as in the forward pass, without those that count; one for dx if the mask is stored.
///
/// Error: one product, and the rounding of the storage type.
#[op(
    name = "drop_block_backward",
    summary = "backward pass of DropBlock, with a regenerated or a stored mask",
    formula = "dx = m·dy·factor",
    cases = DropBlockBackward::cases,
    bench = DropBlockBackward::bench
)]
pub struct DropBlockBackward {
    /// The forward op.
    #[field(flatten, without = [training])]
    pub forward: DropBlock,
}

impl DropBlock {
    /// The backward pass of this in training.
    pub fn backward(&self) -> DropBlockBackward {
        DropBlockBackward { forward: self.held() }
    }

    /// As the backward op holds it: what does not matter there is at its default.
    fn held(&self) -> Self {
        Self { training: true, ..self.clone() }
    }
}

impl Op for DropBlockBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, words) = (self.forward.space.len(), self.forward.held().squares(NAME).words());
        let mut args = vec![Arg::read("dy", self.forward.dtype, len), Arg::read("factor", DType::F32, 1)];
        args.extend((self.forward.mask == MaskMode::Store).then(|| Arg::read("mask", DType::U32, words)));
        args.push(Arg::write("dx", self.forward.dtype, len));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, squares, mut out) = (self.args(), self.forward.held().squares(NAME), Lowered::default());
        squares.check()?;
        let (dy, dx, caps) = (args.at("dy"), args.at("dx"), &windows(caps));
        let t = squares.threshold();
        if t == 1 << 32 {
            out.steps = copy::copy(NAME, caps, dy, dx)?;
        } else if t == 0 {
            out.steps = copy::fill(NAME, caps, dx, 0, Tail::of(dx.1))?;
        } else {
            let mask = match args.find("mask") {
                Some(_) => args.whole("mask"),
                None => squares.steps(caps, &mut out, None, None)?,
            };
            let kernel = (kernel!("dropouts/drop_block_backward"), NAME);
            out.steps.extend(apply(&squares, caps, kernel, [dy, dx], &mask, args.whole("factor"))?);
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for DropBlockBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward.held().patterns()
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match arg.name {
            "factor" => rng.fill(arg, [1.0, 3.0], Pattern::Ordinary),
            _ => rng.fill(arg, [-1.0, 1.0], pattern),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, squares) = (Contents::new(self.args(), args), self.forward.held().squares(NAME));
        let (dy, t) = (of.get("dy"), squares.threshold());
        if t == 1 << 32 {
            return vec![Expected::Exact(dy.clone())];
        }
        if t == 0 {
            return vec![Expected::Exact(HostData::from_f64(dy.dtype(), vec![0.0; dy.len()]))];
        }
        let kept = match of.find("mask") {
            None => images(&squares).1,
            Some(mask) => of_elements(&squares, &unpacked(mask, squares.total())),
        };
        vec![scaled(dy, &kept, (of.f64("factor")[0], 0.0), reference::drop_block_backward)]
    }
}
