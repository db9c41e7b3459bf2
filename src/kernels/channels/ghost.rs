//! Virtual batches: samples that follow one another and have statistics of their own, through the kernels of whole batches.
use super::{Channels, Map, Reduction, steps::MOMENTS_OF_X};
use crate::{
    kernels::reduce::{Monoid, Partials},
    op::{Arg, ByName, Caps, Lowered, MAX_TRIPS},
    types::{Error, Layout, Space},
    wgsl::Source,
};
use std::ops::Range;

/// A batch in equal virtual batches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ghosts {
    tensor: Channels,
    /// Rows of `tensor.outer` in a virtual batch.
    rows: u64,
    pub batches: u64,
}

/// The most partials of a channel in a virtual batch: that many the last kernel merges one after the other.
const RUNS: u64 = 64;

impl Ghosts {
    /// Refuses what cannot be cut into virtual batches of `size` samples.
    pub fn new(op: &'static str, space: &Space, size: usize) -> Result<Self, Error> {
        let len = space.check(op)?;
        if size == 0 || !space.n.is_multiple_of(size) {
            let why = format!("is {size}, must be at least 1 and divide the batch of {} samples", space.n);
            return Err(Error::argument(op, "virtual_batch", why));
        }
        if len >= 1 << 32 {
            let Space { n, c, s, .. } = space;
            let why = format!("has {n} x {c} x {s} elements, must have less than 2^32 in virtual batches: split it by channels");
            return Err(Error::argument(op, "space", why));
        }
        // Any size divides no samples, and may be so large that nothing can be multiplied by it.
        let (n, c, s, v) = (space.n as u64, space.c as u64, space.s as u64, (size as u64).min(space.n.max(1) as u64));
        let (tensor, rows) = match space.layout {
            Layout::ChannelsLast if c > 1 => (Channels { outer: n * s, channels: c, inner: 1 }, v * s),
            _ => (Channels { outer: n, channels: c, inner: s }, v),
        };
        Ok(Self { tensor, rows, batches: n / v })
    }

    /// Values of a channel that are normalised together.
    pub fn values(&self) -> u64 {
        self.rows * self.tensor.inner
    }

    /// Channels of all virtual batches, each of which has coefficients.
    pub fn lines(&self) -> u64 {
        self.batches * self.tensor.channels
    }

    /// Appends the dispatches of the reduction; none of their chunks lies in two virtual batches. Also how many there are
    /// in each: partial i of virtual batch g and channel c is entry (g * runs + i) * channels + c.
    fn reduce(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        what: &Reduction,
    ) -> Result<(Partials, u64), Error> {
        let partials = self.tensor.reduce_within((self.rows, RUNS), op, out, caps, args, what)?;
        let runs = partials.count / self.batches.max(1);
        if runs > RUNS || partials.count > MAX_TRIPS {
            let why = format!(
                "would merge {} partial results of a channel, {runs} in a virtual batch; at most {MAX_TRIPS}, {RUNS} in each",
                partials.count
            );
            return Err(Error::unsupported(op, why));
        }
        Ok((partials, runs))
    }

    /// The moments of the argument `x`.
    pub fn moments(&self, op: &'static str, out: &mut Lowered, caps: &Caps, args: &[Arg]) -> Result<(Partials, u64), Error> {
        self.reduce(op, out, caps, args, &MOMENTS_OF_X)
    }

    /// The reduction of a backward pass without activation, by `mean` and `rstd`.
    pub fn products(&self, op: &'static str, out: &mut Lowered, caps: &Caps, args: &[Arg]) -> Result<(Partials, u64), Error> {
        let batch = self.rows * self.tensor.channels * self.tensor.inner;
        let what = Reduction {
            vectors: &[("mean", args.whole("mean")), ("spread", args.whole("rstd"))],
            consts: &[("BATCH", batch.max(1) as u32)],
            ..Reduction::of(&super::PLAIN_PRODUCTS, Monoid::SUM4, &[("x", "x"), ("dy", "dy")])
        };
        self.reduce(op, out, caps, args, &what)
    }

    /// Appends the dispatches of a map, with coefficients for each line.
    pub fn apply(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        (map, fills): (&Map, &[Source]),
        coefs: Range<u64>,
    ) -> Result<(), Error> {
        self.tensor.apply_within(self.rows, op, out, caps, args, (map, fills, coefs))
    }
}
