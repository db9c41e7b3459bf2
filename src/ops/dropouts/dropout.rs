//! Dropout, forward. Kernel: `shaders/dropouts/dropout.wgsl`. Reference: `cpu::dropout`.
#[cfg(feature = "verify")]
use super::shared::expected::{count, expected, kept, packed, unpacked};
use crate::{
    kernel,
    kernels::copy::Place,
    op::{Arg, ByName, Caps, Lowered, Op, Step},
    ops::dropouts::shared::masked_map::{MaskSource, Masked},
    options::{Bits, Key, MaskMode, Scaling, Share},
    types::{DType, Error, Space},
    wgsl::Source,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Verify},
    types::HostData,
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

    /// What the backward pass of such an op reads and writes.
    pub(super) fn backward_args(&self) -> Vec<Arg> {
        let len = self.space.len();
        let mut args = vec![Arg::read("dy", self.dtype, len)];
        args.extend(self.stores_mask().then(|| Arg::read("mask", DType::U32, len.div_ceil(32))));
        args.push(Arg::write("dx", self.dtype, len));
        args
    }

    /// The mask, under the name of `op`, and the factor that meets an element which is kept.
    ///
    /// # Errors
    /// Names `dtype`, `p`, `space` or `key`.
    pub(super) fn masked(&self, op: &'static str) -> Result<(Masked, f64), Error> {
        let Self { dtype, space, p, key, share, bits, .. } = *self;
        let masked = Masked::new(op, dtype, &space, p, key, share, bits)?;
        let factor = match (self.training, self.scaling) {
            (true, Scaling::Inverted) => 1.0 / masked.keep(),
            (false, Scaling::ScaleAtTest) => masked.keep(),
            _ => 1.0,
        };
        Ok((masked, factor))
    }

    /// The dispatches from x to y of a kernel with this entry point and, if it is stored, to the mask.
    pub(super) fn steps(
        &self,
        op: &'static str,
        caps: &Caps,
        kernel: (Source, &'static str),
        places: [Place; 2],
        mask: Option<Place>,
    ) -> Result<Vec<Step>, Error> {
        let (masked, factor) = self.masked(op)?;
        let source = if self.training { MaskSource::Drawn(mask) } else { MaskSource::All };
        masked.scaled(caps, kernel, factor, places, source)
    }
}

#[cfg(feature = "verify")]
impl Dropout {
    /// Which elements are kept: by the mask that was stored, or by the key.
    pub(super) fn kept(&self, stored: Option<&HostData>) -> Vec<bool> {
        let drawn = || kept(&self.space, self.p, &self.key, self.share, self.bits);
        stored.map_or_else(drawn, |mask| unpacked(mask, self.space.len()))
    }

    /// The probability of keeping that is realised.
    pub(super) fn keep(&self) -> f64 {
        reference::keep(self.p, count(self.bits))
    }

    /// The factor by the reference's own words.
    pub(super) fn scale(&self) -> f64 {
        match (self.training, self.scaling) {
            (true, Scaling::Inverted) => 1.0 / self.keep(),
            (false, Scaling::ScaleAtTest) => self.keep(),
            _ => 1.0,
        }
    }

    /// What y must hold under this mask; after training, without one.
    pub(super) fn expected(&self, x: &HostData, kept: &[bool], one: fn(f64, bool, f64) -> f64) -> Expected {
        match (self.training, self.scale()) {
            (true, scale) => expected(x, kept, self.keep(), scale, one),
            (false, scale) => expected(x, &vec![true; x.len()], scale, scale, one),
        }
    }
}

impl Op for Dropout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        let mut args = vec![Arg::read("x", self.dtype, len), Arg::write("y", self.dtype, len)];
        args.extend(self.stores_mask().then(|| Arg::write("mask", DType::U32, len.div_ceil(32))));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, kernel) = (self.args(), (kernel!("dropouts/dropout"), NAME));
        let steps = self.steps(NAME, caps, kernel, [args.at("x"), args.at("y")], args.find_at("mask"))?;
        Ok(Lowered { steps, ..Default::default() })
    }
}

#[cfg(feature = "verify")]
impl Verify for Dropout {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Tiny, Pattern::NonFinite]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, kept) = (Contents::new(self.args(), args), self.kept(None));
        let mut out = vec![self.expected(of.get("x"), &kept, reference::dropout)];
        out.extend(self.stores_mask().then(|| packed(&kept)));
        out
    }
}
