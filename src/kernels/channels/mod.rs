//! Kernels that work channel by channel: how a tensor is cut for statistics, and how coefficients are applied to it.
//!
//! Both layouts are one: (outer, channels, inner), where inner is S channels-first and 1 channels-last. Statistics are
//! gathered in chunks that depend on the shape, the type of device and, below 64 MiB, the binding limit; never on windows
//! or on how many workgroups run. So results are the same bit for bit from run to run.
#[cfg(feature = "verify")]
mod bound;
mod buffers;
#[cfg(feature = "verify")]
mod cases;
#[cfg(feature = "verify")]
mod expected;
mod fields;
mod fused;
mod ghost;
mod groups;
mod masking;
#[cfg(feature = "verify")]
mod results;
mod single_pass;
mod steps;

#[cfg(feature = "verify")]
pub(crate) use bound::{Moments, SumErrors, inverse_std_error, norm_of, sum_of};
use buffers::beside;
pub(crate) use buffers::{Merge, Team, Vectors, blocks, given, per_channel, vector, vectors};
#[cfg(feature = "verify")]
pub(crate) use cases::{
    benches, cases, domain, draws, few, fill, fused_benches, fusion, ghost_benches, ghosts, group_benches, patterns, places,
    sequence_benches,
};
#[cfg(feature = "verify")]
pub(crate) use expected::{Batch, Pass, difference};
pub(crate) use fields::{backward_args, check_eps, cost, forward_args, running_args};
pub(crate) use fused::{Fused, PLAIN_PRODUCTS, Products};
pub(crate) use ghost::Ghosts;
pub(crate) use groups::{ChannelGroups, group_args, group_backward_args};
#[cfg(feature = "verify")]
pub(crate) use groups::{grouped, instances};
pub(crate) use masking::{check_masked, kept, mask};
#[cfg(feature = "verify")]
pub(crate) use results::Results;
pub(crate) use single_pass::{LineMap, LineSizes, Shape as LineShape};
pub(crate) use steps::{Map, Reduction};

use crate::{
    kernels::{partition::WINDOW_ALIGN, reduce::Monoid},
    op::Caps,
    types::{Error, Layout, Rows, Space},
    wgsl::parts,
};
use std::ops::Range;

/// A tensor whose element e belongs to channel (e / inner) % channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Channels {
    pub outer: u64,
    pub channels: u64,
    pub inner: u64,
}

/// How a tensor is cut into chunks: `count` for each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chunks {
    /// Lanes side by side in columns; 0 for planes.
    columns: u64,
    /// Samples (planes) or rows (columns) of a chunk.
    rows: u64,
    /// Elements of a segment of a plane.
    segment: u64,
    /// Chunks side by side: segments of a plane, groups of columns.
    across: u64,
    /// Partials of each channel.
    count: u64,
    trips: u64,
}

/// A run of chunks, and the elements that a dispatch binds for it.
type Window = (Range<u64>, Range<u64>);

/// `(count, K, mean - K, M2)`, see `shaders/lib/channels/shifted_moments.wgsl`.
pub(crate) const MOMENTS: Monoid = Monoid { part: parts::channels::SHIFTED_MOMENTS, wgsl: "vec4<f32>", bytes: 16 };

/// Windows and partials behave as on a device with this limit where there is more, so that chunks do not depend on it.
const LIMIT: u64 = 64 << 20;

impl Channels {
    pub fn of(space: &Space) -> Self {
        let (n, c, s) = (space.n as u64, space.c as u64, space.s as u64);
        match space.layout {
            // One channel has no order, and one long plane is the best shape.
            _ if c == 1 => Self { outer: 1, channels: 1, inner: n * s },
            Layout::ChannelsFirst => Self { outer: n, channels: c, inner: s },
            Layout::ChannelsLast => Self { outer: n * s, channels: c, inner: 1 },
        }
    }

    /// Each row is a channel of one sample.
    pub fn by_row(of: Rows) -> Self {
        Self { outer: 1, channels: of.rows as u64, inner: of.cols as u64 }
    }

    /// Each column is a channel.
    pub fn by_column(of: Rows) -> Self {
        Self { outer: of.rows as u64, channels: of.cols as u64, inner: 1 }
    }

    fn len(&self) -> u64 {
        self.outer * self.channels * self.inner
    }

    /// Values per channel.
    pub fn values(&self) -> u64 {
        self.outer * self.inner
    }

    fn chunks(&self, caps: &Caps) -> Chunks {
        self.chunks_within(self.outer, u64::MAX, caps)
    }

    /// Chunks none of which lies across a multiple of `batch` rows, and no more than `runs` in each such batch if that can be.
    fn chunks_within(&self, batch: u64, runs: u64, caps: &Caps) -> Chunks {
        let limit = caps.binding_limit().min(LIMIT);
        let budget = (limit / 4).saturating_sub(WINDOW_ALIGN).max(4);
        let most = ((limit / 16).saturating_sub(self.channels + 64) / self.channels).max(1);
        let most = most.min(runs.saturating_mul(self.outer.checked_div(batch).unwrap_or(1)));
        let mut scale = 1;
        loop {
            let chunks = self.cut(u64::from(caps.lanes), caps.cpu, scale, budget, batch);
            if chunks.count <= most || scale * 4 * u64::from(caps.lanes) > budget {
                return chunks;
            }
            scale *= 2;
        }
    }

    /// The most positions that a chunk has.
    pub fn chunk_positions(&self, caps: &Caps) -> u64 {
        let k = self.chunks(caps);
        k.rows * k.segment
    }

    /// Chunks of up to `scale` times the preferred size, none of which spans more than `budget` elements.
    fn cut(&self, lanes: u64, cpu: bool, scale: u64, budget: u64, batch: u64) -> Chunks {
        // Near `most`, in equal parts.
        let even = |all: u64, most: u64| all.div_ceil(all.div_ceil(most.max(1)).max(1)).max(1);
        // The whole is cut in any place, batches where they end.
        let rows_of = |most: u64| match batch == self.outer {
            true => even(batch, most),
            false => (1..=batch.min(most)).rev().find(|r| batch.is_multiple_of(*r)).unwrap_or(1),
        };
        let sample = self.channels * self.inner;
        if self.inner == 1 {
            let columns = self.channels.div_ceil(4).next_power_of_two().min(lanes);
            let tall = lanes / columns;
            // A partial per channel and 64 rows would be many; software drivers like long loops.
            let rows = rows_of((scale * if cpu { 128 } else { 32 } * tall).min(budget / sample).max(1));
            let across = self.channels.div_ceil(4).div_ceil(columns);
            let count = self.outer.div_ceil(rows);
            return Chunks { columns, rows, segment: 1, across, count, trips: rows.div_ceil(tall) };
        }
        let quads = self.inner.div_ceil(4);
        let size = (scale * if cpu { 64 } else { 24 } * lanes).min(budget / 4);
        if quads > size {
            let segment = 4 * even(quads, size);
            let across = self.inner.div_ceil(segment);
            return Chunks {
                columns: 0,
                rows: 1,
                segment,
                across,
                count: self.outer * across,
                trips: (segment / 4).div_ceil(lanes),
            };
        }
        let rows = rows_of((size / quads).min(budget / sample).max(1));
        let trips = (rows * quads).div_ceil(lanes);
        Chunks { columns: 0, rows, segment: 4 * quads, across: 1, count: self.outer.div_ceil(rows), trips }
    }

    /// How many chunks there are in all, and the elements that chunk `i` spans: both ends never decrease with `i`.
    fn spans(&self, k: Chunks) -> (u64, impl Fn(u64) -> Range<u64>) {
        let Self { outer, channels, inner } = *self;
        let total = if k.columns > 0 { k.across * k.count } else { k.count * channels };
        (total, move |i: u64| {
            if k.columns > 0 {
                let run = i / k.across;
                return run * k.rows * channels..((run + 1) * k.rows).min(outer) * channels;
            }
            let (plane, place) = (i / k.across, i % k.across * k.segment);
            let (first, c) = (plane / channels * k.rows, plane % channels);
            let last = (first + k.rows).min(outer) - 1;
            (first * channels + c) * inner + place..(last * channels + c) * inner + (place + k.segment).min(inner)
        })
    }

    /// Runs of chunks and the elements that each binds.
    fn windows(&self, op: &'static str, caps: &Caps, k: Chunks, bytes: u64) -> Result<Vec<Window>, Error> {
        let (limit, (total, span)) = (caps.binding_limit() / bytes, self.spans(k));
        let (mut out, mut first) = (Vec::new(), 0);
        while first < total {
            let start = if self.len() <= limit { 0 } else { span(first).start / WINDOW_ALIGN * WINDOW_ALIGN };
            let fits = |i: u64| span(i).end - start <= limit;
            if !fits(first) {
                let (need, have) = ((span(first).end - start) * bytes, caps.limits.max_storage_buffer_binding_size);
                return Err(Error::unsupported(
                    op,
                    format!("must bind {need} bytes of a tensor at once, max_storage_buffer_binding_size is {have}"),
                ));
            }
            let (mut low, mut high) = (first, total - 1);
            while low < high {
                let middle = (low + high).div_ceil(2);
                if fits(middle) { low = middle } else { high = middle - 1 }
            }
            out.push((first..low + 1, start..span(low).end));
            first = low + 1;
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Features, Limits};

    fn caps(limit: u64, cpu: bool) -> Caps {
        let limits = Limits { max_storage_buffer_binding_size: limit, ..Default::default() };
        Caps::new(limits, Features::default(), cpu)
    }

    fn spaces() -> Vec<Space> {
        let mut all = Vec::new();
        for (n, c, s) in [(1, 1, 1), (32, 64, 3136), (7, 3, 65541), (1, 1, 300_001), (3, 1000, 1), (257, 17, 49), (2, 5, 4)] {
            all.extend([Space::channels_first(n, c, s), Space::channels_last(n, c, s)]);
        }
        all
    }

    #[test]
    fn windows_hold_every_chunk_once_and_no_chunk_leaves_its_window() {
        for (space, cpu) in spaces().iter().flat_map(|s| [(s, false), (s, true)]) {
            let (t, caps) = (Channels::of(space), caps(1 << 16, cpu));
            let k = t.chunks(&caps);
            let (total, span) = t.spans(k);
            let mut next = 0;
            for (chunks, elements) in t.windows("x", &caps, k, 4).unwrap() {
                assert_eq!(chunks.start, next);
                next = chunks.end;
                assert!((elements.end - elements.start) * 4 <= 1 << 16);
                assert!(chunks.into_iter().all(|i| span(i).start >= elements.start && span(i).end <= elements.end), "{space:?}");
            }
            assert_eq!(next, total, "{space:?}");
        }
    }

    #[test]
    fn chunks_do_not_depend_on_a_limit_of_64_mib_or_more() {
        for space in spaces() {
            for cpu in [false, true] {
                let cut = |limit| Channels::of(&space).chunks(&caps(limit, cpu));
                assert_eq!(cut(64 << 20), cut(2 << 30), "{space:?}");
            }
        }
    }

    #[test]
    fn long_tensors_keep_their_trips_short() {
        for space in [Space::flat(1 << 34), Space::channels_first(1 << 20, 16, 1 << 10), Space::channels_last(1 << 20, 3, 5461)] {
            let k = Channels::of(&space).chunks(&caps(128 << 20, true));
            assert!(k.trips <= 1024, "{space:?}: {k:?}");
        }
    }
}
