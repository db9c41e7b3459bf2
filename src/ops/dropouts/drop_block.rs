//! DropBlock, forward. Kernels: `shaders/dropouts/parts/square_*.wgsl`, `shaders/dropouts/drop_block.wgsl`. Reference: `cpu::drop_block`.
use crate::{
    kernel,
    kernels::copy::{self, Place, Tail, windows},
    op::{Arg, ByName, Caps, Lowered, Op, Slot, Step},
    ops::dropouts::shared::{
        drop_block_mask::Squares,
        masked_map::{MaskSource, Rule},
    },
    options::{Key, MaskMode, Share},
    types::{DType, Error, Space},
    wgsl::{Decl, Source, View},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Verify},
    types::HostData,
    verify::reference,
};
#[cfg(feature = "verify")]
use expected::{factor_bound, images, scaled};
use ridgepole_derive::op;

#[cfg(feature = "verify")]
mod cases;
#[cfg(feature = "verify")]
pub(super) mod expected;

/// DropBlock: y = m·x·count(m)/ones(m), m being 0 in squares of `block` × `block` at random positions of each image.
///
/// Reads `x`, writes `y`, both with the elements of `space`, whose positions are rows of `width`; in training also writes
/// `factor`, one f32, and with a stored mask `mask`, a bit for each decision: bit i & 31 of word i >> 5 for decision i counted
/// from the tensor's first, 1 = kept. The backward pass reads both.
///
/// A square starts at row i and column j of an image with probability γ = p·H·W/(block²·(H-block+1)·(W-block+1)), wherever it
/// fits in the image, independently of the others, so about a fraction p is dropped, less where squares overlap. Starts are
/// decisions of 32 bits with the number of the square's first element, so they are equal bit for bit on every device.
/// [`Share::Element`] gives each channel of each sample its own squares (the paper, torchvision), [`Share::Position`] the same
/// to all channels of a sample, [`Share::BatchElement`] and [`Share::BatchPosition`] the same to all samples; others are
/// refused. Kept elements are multiplied by the number of decisions over the number of kept ones in this call, an exact
/// count; a batch that is split over calls is counted per call. If all are dropped, y is zeros and the factor 0.
///
/// γ is rounded to a multiple of 2^-32; if it becomes 0 (p = 0), y is x bit for bit; if 1 (p = 1 with squares of 1 or of the
/// whole image), zeros. Squares of 1 are dropout with a counted factor. Differences to torchvision: a square larger than the
/// image is refused (torchvision shrinks it), even sides are allowed, and 1e-6 is not added to the number of ones.
///
/// Scratch: 2 bits for each decision, 1 if the mask is stored, and a word for each 1024 or more. Deterministic. Four to six
/// dispatches for mask and factor, one for y, one more for an end that is no whole quad, one for each window of x and y beyond
/// the binding limit, which the scratch must fit at once.
///
/// Error: that of the factor, 2.5 ulp of the quotient and one for each count from 2^24 on; the product; the storage type.
/// [`Plan::update`](crate::device::Plan::update) as for [`Dropout`](super::Dropout), γ in place of p.
///
/// Ghiasi, Lin and Le, "DropBlock: a regularization method for convolutional networks", 2018; torchvision's `drop_block2d`.
#[op(
    name = "drop_block",
    summary = "DropBlock: drops squares of images at random and rescales the rest by the kept fraction",
    formula = "y = m·x·count(m)/ones(m), m = 0 in squares that begin with probability p·HW/(b²(H-b+1)(W-b+1))",
    cases = DropBlock::cases,
    bench = DropBlock::bench
)]
pub struct DropBlock {
    /// How x and y are stored.
    pub dtype: DType,
    /// The batch, s being H·W: at most 2^20 samples of at most 2^30 elements, and 2^31 decisions.
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
    /// What the squares are drawn from; `first_element` is a multiple of C·S.
    pub key: Key,
    /// Which images share their squares.
    #[field(default, only = [element, position, batch_element, batch_position])]
    pub share: Share,
    /// Whether the mask is stored.
    #[field(default)]
    pub mask: MaskMode,
    /// Whether the network is in training; if not, y is x bit for bit.
    #[field(default = true)]
    pub training: bool,
}

/// The map of x to y by a mask and a factor.
pub(super) fn apply(
    squares: &Squares,
    caps: &Caps,
    kernel: (Source, &'static str),
    [x, y]: [Place; 2],
    mask: &Slot,
    factor: Slot,
) -> Result<Vec<Step>, Error> {
    let decl = Decl { name: "factor", dtype: DType::F32, view: View::Raw("f32"), writes: false };
    let (rule, held) = (Rule::new(kernel.0, kernel.1), MaskSource::Held(mask));
    squares.masked()?.steps_with(caps, &rule, &[("x", x), ("y", y)], held, &[], &mut |_| vec![(decl, factor.clone())])
}

impl DropBlock {
    /// Training, squares of each channel's own, no stored mask.
    pub fn new(dtype: DType, space: Space, width: usize, block: usize, p: f64, key: Key) -> Self {
        Self::from_required(dtype, space, width, block, p, key)
    }

    pub(super) fn squares(&self, op: &'static str) -> Squares {
        let Self { dtype, space, width, block: side, p, key, share, .. } = *self;
        Squares { op, dtype, space, width, side, p, key, share }
    }
}

impl Op for DropBlock {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        let mut args = vec![Arg::read("x", self.dtype, len), Arg::write("y", self.dtype, len)];
        if self.training {
            args.push(Arg::write("factor", DType::F32, 1));
            let words = self.squares(NAME).words();
            args.extend((self.mask == MaskMode::Store).then(|| Arg::write("mask", DType::U32, words)));
        }
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, squares, mut out) = (self.args(), self.squares(NAME), Lowered::default());
        squares.check()?;
        let (x, y, caps) = (args.at("x"), args.at("y"), &windows(caps));
        let t = squares.threshold();
        if !self.training || t == 1 << 32 || t == 0 {
            let kept = !self.training || t > 0;
            let tail = Tail { last_bits: squares.last_bits(), keep_bits: 0 };
            out.steps = match kept {
                true => copy::copy(NAME, caps, x, y)?,
                false => copy::fill(NAME, caps, y, 0, Tail::of(y.1))?,
            };
            for (name, ones, tail) in [("factor", 1f32.to_bits(), None), ("mask", u32::MAX, Some(tail))] {
                if let Some(arg) = args.find_at(name) {
                    let (value, tail) = if kept { (ones, tail.unwrap_or(Tail::of(arg.1))) } else { (0, Tail::of(arg.1)) };
                    out.steps.extend(copy::fill(NAME, caps, arg, value, tail)?);
                }
            }
            return Ok(out);
        }
        let (stored, factor) = (args.find("mask").map(|_| args.whole("mask")), args.whole("factor"));
        let mask = squares.steps(caps, &mut out, stored, Some(factor.clone()))?;
        out.steps.extend(apply(&squares, caps, (kernel!("dropouts/drop_block"), NAME), [x, y], &mask, factor)?);
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for DropBlock {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Tiny, Pattern::NonFinite]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, squares) = (Contents::new(self.args(), args), self.squares(NAME));
        let x = of.get("x");
        if !self.training {
            return vec![Expected::Exact(x.clone())];
        }
        let (decisions, kept) = images(&squares);
        let (t, factor) = (squares.threshold(), reference::block_factor(&decisions));
        let mut out = match t {
            0 => vec![HostData::from_f64(self.dtype, vec![0.0; kept.len()]), HostData::F32(vec![0.0])],
            // An empty tensor drops nothing either.
            t if t == 1 << 32 => vec![x.clone(), HostData::F32(vec![1.0])],
            _ => vec![],
        };
        let mut out: Vec<Expected> = out.drain(..).map(Expected::Exact).collect();
        if out.is_empty() {
            let error = factor_bound(factor);
            let scaled = scaled(x, &kept, (factor, error), reference::drop_block);
            out = vec![scaled, Expected::Within { value: vec![factor], bound: vec![error] }];
        }
        out.extend((self.mask == MaskMode::Store).then(|| super::shared::expected::packed(&decisions)));
        out
    }
}
