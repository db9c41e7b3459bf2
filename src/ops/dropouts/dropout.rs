//! Dropout, forward. Kernel: `shaders/dropouts/dropout.wgsl`. Reference: `cpu::dropout`.
#[cfg(feature = "verify")]
use super::shared::expected::{expected, kept, packed};
use crate::{
    kernel,
    op::{Arg, Caps, Lowered, Op},
    ops::dropouts::shared::masked_map::{MaskSource, Masked},
    options::{Bits, Key, MaskMode, Scaling, Share},
    types::{DType, Error, HostData, Space},
    wgsl::Source,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Verify},
    verify::reference,
};
use ridgepole_derive::op;

#[cfg(feature = "verify")]
mod cases;

/// Dropout: y = m·x/(1-p), with a random mask m drawn from the key for each element (or channel, or sample).
///
/// Reads `x`, writes `y`, both with the elements of `space`; with a stored mask in training also writes `mask`, a bit for each
/// element: see [`MaskMode::Store`]. No scratch.
///
/// Decisions may be shared along any of the axes n, c and s; [`Share`] numbers them. A decision depends only on the key and
/// on its number, so masks are equal bit for bit on every device and for every layout, storage type and partition of the
/// work. An element is kept iff its random bits, as an integer, are less than `T = round(2^b·(1-p))`. See [`Bits`].
///
/// A dropped element is +0 whatever `x` holds, even NaN. T = 2^b (p = 0, inverted scaling after training) copies every bit of
/// x; T = 0 (p = 1) writes zeros. Between those, y is one f32 product with 2^b/T (rounded to f32 on the host), then rounded
/// to the storage type.
///
/// [`Plan::update`](crate::Plan::update) takes another key or p, unless p becomes or ceases to be a value that copies or
/// drops everything, or `first_element % 8` becomes or ceases to be 0.
///
/// ```
/// use ridgepole::{DType, HostData, Key, Session, Space, ops::Dropout};
///
/// let session = Session::new()?;
/// let key = Key { seed: 42, stream: 3, step: 100, first_element: 0 };
/// let dropout = Dropout::new(DType::F32, Space::flat(1000), 0.5, key);
/// let y = session.run(&dropout, &[vec![1.0; 1000].into()])?;
/// assert!(y[0].to_f64().iter().all(|&y| y == 0.0 || y == 2.0));
/// # Ok::<(), ridgepole::Error>(())
/// ```
///
/// Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: a simple way to prevent neural networks from
/// overfitting", 2014; with a shared axis of time, Gal and Ghahramani, 2016.
#[op(
    name = "dropout",
    summary = "dropout of elements, channels, samples or any subset of axes; can store the mask, one bit per element",
    formula = "y = m·x/(1-p), m = 1 with probability 1-p (scale_at_test: y = m·x, and (1-p)·x after training)",
    cases = Dropout::cases,
    bench = Dropout::bench
)]
pub struct Dropout {
    /// How x and y are stored.
    pub dtype: DType,
    /// The shape; [`Space::flat`] where it does not matter.
    pub space: Space,
    /// The probability of dropping.
    #[field(min = 0, max = 1)]
    pub p: f64,
    /// What the mask is drawn from.
    pub key: Key,
    /// Which elements share a decision. Channels last (with more than one channel and position), or shared decisions, need C·S
    /// (channels first, by channel: S; by batch: nothing) of at most 2^30.
    #[field(default)]
    pub share: Share,
    /// Whether kept elements are scaled in training or all elements after it.
    #[field(default)]
    pub scaling: Scaling,
    /// Random bits per decision.
    #[field(default)]
    pub bits: Bits,
    /// Whether the mask is stored.
    #[field(default)]
    pub mask: MaskMode,
    /// Whether the network is in training. If not, nothing is dropped: inverted scaling copies, scaling at test time multiplies
    /// by T/2^b.
    #[field(default = true)]
    pub training: bool,
}

impl Dropout {
    /// Training, a decision per element of 16 bits, inverted scaling, no stored mask.
    pub fn new(dtype: DType, space: Space, p: f64, key: Key) -> Self {
        Self::from_required(dtype, space, p, key)
    }

    /// Whether the op writes the mask.
    pub fn stores_mask(&self) -> bool {
        self.mask == MaskMode::Store && self.training
    }

    /// The factor that meets an element which is kept, and how many of the `bits.range()` values keep it.
    pub(super) fn factor(&self) -> (f64, u64) {
        let (range, t) = (self.bits.range(), self.bits.threshold(self.p));
        match (self.training, self.scaling) {
            (true, Scaling::Inverted) => (range as f64 / t as f64, t),
            (true, Scaling::ScaleAtTest) => (1.0, t),
            (false, Scaling::Inverted) => (1.0, range),
            // Zeros are written as such: a factor of 0 would keep NaN.
            (false, Scaling::ScaleAtTest) => (t as f64 / range as f64, if t == 0 { 0 } else { range }),
        }
    }

    /// The mask, under the name of `op`.
    pub(super) fn masked(&self, op: &'static str) -> Masked {
        let Self { dtype, space, p, key, share, bits, .. } = *self;
        Masked { op, dtype, space, p, key, share, bits }
    }

    /// The forward map of a kernel with this name, whatever its arguments are called: x, y and, if it is stored, the mask.
    pub(super) fn lowered(&self, op: &'static str, caps: &Caps, kernel: Source, args: &[Arg]) -> Result<Lowered, Error> {
        let source = if self.training { MaskSource::Drawn(args.get(2).map(|a| (2, a))) } else { MaskSource::All };
        let steps = self.masked(op).scaled(caps, (kernel, op), self.factor(), [(0, &args[0]), (1, &args[1])], source)?;
        Ok(Lowered { steps, ..Default::default() })
    }

    /// What y must hold and, if it is stored, the mask.
    #[cfg(feature = "verify")]
    pub(super) fn results(&self, x: &HostData, one: fn(f64, bool, f64) -> f64) -> Vec<Expected> {
        let (len, bits) = (self.space.len(), if self.bits == Bits::Sixteen { 16 } else { 32 });
        let kept = if self.training { kept(&self.space, self.p, &self.key, self.share, self.bits) } else { vec![true; len] };
        let keep = reference::keep(self.p, bits);
        let factor = match (self.training, self.scaling) {
            (true, Scaling::Inverted) => 1.0 / keep,
            (false, Scaling::ScaleAtTest) => keep,
            _ => 1.0,
        };
        let copies = if self.training { keep == 1.0 } else { factor == 1.0 };
        let mut out = vec![expected(x, &kept, keep, copies, factor, one)];
        out.extend(self.stores_mask().then(|| packed(&kept)));
        out
    }
}

impl Op for Dropout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        let mut args = vec![Arg::read("x", self.dtype, len), Arg::write("y", self.dtype, len)];
        if self.stores_mask() {
            args.push(Arg::write("mask", DType::U32, len.div_ceil(32)));
        }
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.lowered(NAME, caps, kernel!("dropouts/dropout"), &self.args())
    }
}

#[cfg(feature = "verify")]
impl Verify for Dropout {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Tiny, Pattern::NonFinite]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.results(&args[0], reference::dropout)
    }
}
