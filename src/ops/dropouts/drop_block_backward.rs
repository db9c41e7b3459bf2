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
    op::{Arg, Caps, Lowered, Op, Slot},
    options::{Key, MaskMode, Share},
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
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
    /// How dy and dx are stored.
    pub dtype: DType,
    /// The batch, s being H·W.
    pub space: Space,
    /// W, the columns of an image; s is a multiple of it.
    #[field(min = 1)]
    pub width: usize,
    /// Rows and columns of a square; no more than H or W.
    #[field(min = 1, max = 32)]
    pub block: usize,
    /// Approximately the fraction dropped.
    #[field(min = 0, max = 1)]
    pub p: f64,
    /// What the squares were drawn from.
    pub key: Key,
    /// Which images share their squares.
    #[field(default, only = [element, position, batch_element, batch_position])]
    pub share: Share,
    /// Whether the forward pass stored the mask.
    #[field(default)]
    pub mask: MaskMode,
}

impl DropBlock {
    /// The backward pass of this in training.
    pub fn backward(&self) -> DropBlockBackward {
        let Self { dtype, space, width, block, p, key, share, mask, .. } = *self;
        DropBlockBackward { dtype, space, width, block, p, key, share, mask }
    }
}

impl DropBlockBackward {
    fn forward(&self) -> DropBlock {
        let Self { dtype, space, width, block, p, key, share, mask } = *self;
        DropBlock { dtype, space, width, block, p, key, share, mask, training: true }
    }
}

impl Op for DropBlockBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, words) = (self.space.len(), self.forward().squares(NAME).words());
        let mut args = vec![Arg::read("dy", self.dtype, len), Arg::read("factor", DType::F32, 1)];
        args.extend((self.mask == MaskMode::Store).then(|| Arg::read("mask", DType::U32, words)));
        args.push(Arg::write("dx", self.dtype, len));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, squares, mut out) = (self.args(), self.forward().squares(NAME), Lowered::default());
        squares.check()?;
        let last = args.len() - 1;
        let (dy, dx, caps) = ((0, &args[0]), (last, &args[last]), &windows(caps));
        let t = squares.threshold();
        if t == 1 << 32 {
            out.steps = copy::copy(NAME, caps, dy, dx)?;
        } else if t == 0 {
            out.steps = copy::fill(NAME, caps, dx, 0, Tail::of(dx.1))?;
        } else {
            let mask = match self.mask {
                MaskMode::Store => Slot::Arg(2, 0..args[2].bytes()),
                MaskMode::Recompute => squares.steps(caps, &mut out, None, None)?,
            };
            out.steps.extend(apply(&squares, caps, (kernel!("dropouts/drop_block_backward"), NAME), [dy, dx], &mask, 1)?);
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for DropBlockBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward().patterns()
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match arg.name {
            "factor" => rng.fill(arg, [1.0, 3.0], Pattern::Ordinary),
            _ => rng.fill(arg, [-1.0, 1.0], pattern),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let squares = self.forward().squares(NAME);
        let t = squares.threshold();
        if t == 1 << 32 {
            return vec![Expected::Exact(args[0].clone())];
        }
        if t == 0 {
            return vec![Expected::Exact(HostData::from_f64(self.dtype, vec![0.0; args[0].len()]))];
        }
        let kept = match self.mask {
            MaskMode::Recompute => images(&squares).1,
            MaskMode::Store => of_elements(&squares, &unpacked(&args[2], squares.total())),
        };
        vec![scaled(&args[0], &kept, (args[1].to_f64()[0], 0.0), reference::drop_block_backward)]
    }
}
