//! Group and instance norm: groups of neighbouring channels of one sample have statistics of their own.
//!
//! What is normalised together is a line, number n·G + g. Channels first, its values lie one behind the other, and its moments are
//! those of a row; channels last, the moments of each channel of a sample are merged. The sums of the backward pass are formed by
//! channel and sample in any case: once for the lines, whose weights differ from channel to channel, and for γ and β.
#[cfg(feature = "verify")]
mod cases;
#[cfg(feature = "verify")]
mod expected;
mod onchip;

#[cfg(feature = "verify")]
pub(crate) use cases::{grouped, instances};

use super::{Channels, Map, Reduction, Vectors, forward_args, given, steps::MOMENTS_OF_X, vector, vectors};
use crate::{
    kernels::{
        reduce::{Monoid, Partials},
        rows::finish_columns,
    },
    op::{Arg, ByName, Caps, Lowered, MAX_TRIPS, Step},
    params,
    types::{DType, Error, Layout, Space},
    wgsl::{Source, Spec, parts},
};
use std::ops::Range;

params! {
    LineParams {
        blocks: u32, lines: u32, terms: u32, groups: u32, sample: u32, channel_group: u32, run: u32, width: u32, place: u32, coefs: u32,
        values: f32, eps: f32
    }
}

/// The most chunks of a sample, for the sums of each channel in it.
const RUNS: u64 = 256;

/// A batch whose channels are in groups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelGroups {
    op: &'static str,
    space: Space,
    groups: usize,
    tensor: Channels,
    /// Rows of `tensor.outer` in a sample.
    rows: u64,
}

/// Partials of lines as `lib/channels/line_merge` finds them: those of line n·groups + g start at n·sample + g·channel_group, `runs` times
/// `width` of them, `run` and `place` apart.
struct Lines {
    partials: Partials,
    groups: u64,
    sample: u64,
    channel_group: u64,
    runs: u64,
    run: u64,
    width: u64,
    place: u64,
}

/// The arguments of a forward op.
pub(crate) fn group_args(dtype: DType, space: &Space, groups: usize, weight: bool, bias: bool) -> Vec<Arg> {
    forward_args(dtype, space, space.n.saturating_mul(groups), weight, bias)
}

/// The arguments of a backward op.
pub(crate) fn group_backward_args(dtype: DType, space: &Space, groups: usize, weight: bool, bias: bool) -> Vec<Arg> {
    super::backward_args(dtype, space, (["mean", "rstd"], space.n.saturating_mul(groups)), weight, bias)
}

impl ChannelGroups {
    /// Refuses what the kernels cannot count. `groups` divides the channels.
    pub fn new(op: &'static str, space: &Space, groups: usize) -> Result<Self, Error> {
        space.check(op)?;
        // Sizes of 0 count as 1, for there are lines without values.
        let len = [space.n, space.c, space.s].iter().fold(1, |all: u64, d| all.saturating_mul((*d).max(1) as u64));
        if len >= 1 << 32 {
            let Space { n, c, s, .. } = space;
            let why = format!("has {n} x {c} x {s} elements, must have less than 2^32 in groups: split it by samples");
            return Err(Error::argument(op, "space", why));
        }
        let (n, c, s) = (space.n as u64, space.c as u64, space.s as u64);
        let (tensor, rows) = match space.layout {
            // With one channel or one position, the layouts are the same.
            Layout::ChannelsLast if c > 1 && s > 1 => (Channels { outer: n * s, channels: c, inner: 1 }, s),
            _ => (Channels { outer: n, channels: c, inner: s }, 1),
        };
        Ok(Self { op, space: *space, groups, tensor, rows })
    }

    /// The same for groups that a caller chose.
    pub fn checked(op: &'static str, space: &Space, groups: usize) -> Result<Self, Error> {
        if groups == 0 || groups > space.c.max(1) || !space.c.is_multiple_of(groups) {
            let why = format!("is {groups}, must be in 1..={} and divide the {} channels", space.c.max(1), space.c);
            return Err(Error::argument(op, "groups", why));
        }
        Self::new(op, space, groups)
    }

    /// A group for each channel.
    pub fn instances(op: &'static str, space: &Space) -> Result<Self, Error> {
        if space.s == 1 && !space.is_empty() {
            let why = "has 1 position (s = 1), must have at least 2 for the variance of a channel of a sample, or none";
            return Err(Error::argument(op, "space", why));
        }
        Self::new(op, space, space.c)
    }

    fn lines(&self) -> u64 {
        self.space.n as u64 * self.groups as u64
    }

    /// Channels of a group.
    fn per(&self) -> u64 {
        (self.space.c / self.groups.max(1)) as u64
    }

    /// Values of a group.
    fn values(&self) -> u64 {
        self.per() * self.space.s as u64
    }

    /// Whether the values of a line lie one behind the other.
    fn contiguous(&self) -> bool {
        self.tensor.inner != 1 || self.space.s <= 1
    }

    /// Chunks that lie in one sample each.
    fn chunks(&self, out: &mut Lowered, caps: &Caps, args: &[Arg], what: &Reduction) -> Result<Lines, Error> {
        // A team of lanes merges those of all channels of a group: 2048 by each lane, or else one of each channel.
        let (lanes, width) = (u64::from(caps.lanes), self.per());
        let wanted = RUNS.min((2048 * lanes / width.max(1)).max(1));
        let partials = self.tensor.reduce_within((self.rows, wanted), self.op, out, caps, args, what)?;
        let (c, groups, runs) = (self.tensor.channels, self.groups as u64, partials.count / (self.space.n as u64).max(1));
        let trips = out.steps.iter().map(|s| s.trips).max().unwrap_or(0);
        if trips > MAX_TRIPS {
            let s = self.space.s;
            let why =
                format!("would make {trips} trips of a loop, at most {MAX_TRIPS}: the {s} positions have no divisor to cut by");
            return Err(Error::unsupported(self.op, why));
        }
        let (terms, most) = (runs * width, (wanted * width).min((MAX_TRIPS - 16) * lanes));
        if terms > most {
            let why = format!("would merge {terms} partial results of a group, at most {most}: split its positions or channels");
            return Err(Error::unsupported(self.op, why));
        }
        Ok(Lines { partials, groups, sample: runs * c, channel_group: width, runs, run: c, width, place: 1 })
    }

    /// Moments of each line, from the argument `x`.
    fn moments(&self, out: &mut Lowered, caps: &Caps, args: &[Arg]) -> Result<Lines, Error> {
        if self.contiguous() {
            let rows = Channels { outer: 1, channels: self.lines(), inner: self.values() };
            let partials = rows.reduce(self.op, out, caps, args, &MOMENTS_OF_X)?.until(out, caps, 64);
            let (runs, run) = (partials.count, partials.stride);
            return Ok(Lines { partials, groups: 1, sample: 1, channel_group: 0, runs, run, width: 1, place: 0 });
        }
        let mut lines = self.chunks(out, caps, args, &MOMENTS_OF_X)?;
        if lines.runs * lines.width > 64 * u64::from(caps.lanes) {
            // The channels of a group lie side by side.
            let Partials { monoid, range, .. } = lines.partials;
            let (rows, count) = (self.lines() * lines.runs, lines.width);
            let side = Partials { monoid, range, rows, count, row: count, stride: 1 };
            lines.partials = side.until(out, caps, (64 / lines.runs).max(1));
            (lines.width, lines.place) = (lines.partials.count, lines.partials.stride);
        }
        Ok(lines)
    }

    /// Appends the dispatch that merges the partials of each line, and gives the coefficients that it leaves.
    fn merge(
        &self,
        out: &mut Lowered,
        caps: &Caps,
        lines: &Lines,
        (term, finish): (Source, Source),
        vectors: Vectors,
        eps: f64,
    ) -> Result<Range<u64>, Error> {
        let (slot, start, coefs) = lines.partials.with_coefs(self.op, out, caps, self.lines())?;
        let (terms, lanes) = (lines.runs * lines.width, u64::from(caps.lanes));
        let team = terms.div_ceil(16).next_power_of_two().min(lanes);
        let blocks = self.lines().div_ceil(lanes / team);
        let mut bindings = vec![lines.partials.monoid.decl("partials", true)];
        bindings.extend(vectors.iter().map(|v| vector(v.0, v.2)));
        let mut slots = vec![slot];
        slots.extend(vectors.into_iter().map(|v| v.1));
        out.steps.push(Step {
            spec: Spec {
                shader: parts::channels::LINE_MERGE,
                entry: "line_merge",
                parts: vec![lines.partials.monoid.part, term, finish],
                bindings,
                consts: vec![("WG", caps.lanes), ("TEAM", team as u32)],
            },
            params: LineParams {
                blocks: blocks as u32,
                lines: self.lines() as u32,
                terms: terms as u32,
                groups: lines.groups as u32,
                sample: lines.sample as u32,
                channel_group: lines.channel_group as u32,
                run: lines.run as u32,
                width: lines.width.max(1) as u32,
                place: lines.place as u32,
                coefs: start,
                values: self.values().max(1) as f32,
                eps: eps as f32,
            }
            .into(),
            slots,
            workgroups: blocks,
            trips: terms.div_ceil(team) + u64::from(team.ilog2()),
        });
        Ok(coefs)
    }

    /// Appends the dispatches of a map with coefficients for each line, and vectors with a value per channel.
    fn apply(&self, out: &mut Lowered, caps: &Caps, args: &[Arg], map: &Map, coefs: Range<u64>) -> Result<(), Error> {
        let consts = [("PER", self.per() as u32)];
        let map = Map { part: map.part, tensors: map.tensors, vectors: map.vectors, consts: &consts };
        self.tensor.apply_within(self.rows, self.op, out, caps, args, (&map, &[], coefs))
    }

    /// The dispatches of a forward op, whose kernel file says where a line's partials lie.
    pub fn forward(&self, caps: &Caps, args: &[Arg], kernel: Source, eps: f64) -> Result<Lowered, Error> {
        let mut out = Lowered::default();
        if self.lines() == 0 {
            return Ok(out);
        }
        if let Some(on_chip) = self.forward_on_chip(caps, args, eps) {
            return on_chip;
        }
        let lines = self.moments(&mut out, caps, args)?;
        let vectors = vectors(&["mean", "rstd"], args, self.tensor.channels, &mut out, caps);
        let coefs = self.merge(&mut out, caps, &lines, (kernel, parts::channels::LINE_STATISTICS), vectors, eps)?;
        if !self.space.is_empty() {
            let of_channels = ["weight", "bias"].map(|name| (name, given(name, args, self.tensor.channels, &mut out, caps)));
            let map = Map { vectors: &of_channels, ..Map::of(parts::channels::NORMALIZE_GROUPS, &[("x", "x"), ("y", "y")]) };
            self.apply(&mut out, caps, args, &map, coefs)?;
        }
        Ok(out)
    }

    /// The dispatches of a backward op.
    pub fn backward(&self, caps: &Caps, args: &[Arg], kernel: Source) -> Result<Lowered, Error> {
        let mut out = Lowered::default();
        if self.space.c == 0 {
            return Ok(out);
        }
        if let Some(on_chip) = self.backward_on_chip(caps, args) {
            return on_chip;
        }
        let sample = self.rows * self.tensor.channels * self.tensor.inner;
        let what = Reduction {
            vectors: &[("mean", args.whole("mean")), ("spread", args.whole("rstd"))],
            consts: &[("BATCH", sample.max(1) as u32), ("PER", self.per() as u32)],
            ..Reduction::of(&super::PLAIN_PRODUCTS, Monoid::SUM4, &[("x", "x"), ("dy", "dy")])
        };
        let lines = self.chunks(&mut out, caps, args, &what)?;
        if !self.space.is_empty() {
            let vectors = vectors(&["mean", "rstd", "weight"], args, self.tensor.channels, &mut out, caps);
            let weight = vectors[2].1.clone();
            let coefs = self.merge(&mut out, caps, &lines, (kernel, parts::channels::LINE_GRADIENT), vectors, 0.0)?;
            let tensors = [("x", "x"), ("dy", "dy"), ("dx", "dx")];
            let map = Map { vectors: &[("weight", weight)], ..Map::of(parts::channels::NORMALIZE_GROUPS_BACKWARD, &tensors) };
            self.apply(&mut out, caps, args, &map, coefs)?;
        }
        if args.find("dweight").or(args.find("dbias")).is_some() {
            // After the lines, which read them: reduction levels work in place.
            let partials = lines.partials.few(&mut out, caps);
            finish_columns(&mut out, caps, args, &partials);
        }
        Ok(out)
    }
}
