//! Many tensors in one buffer: an arena, and the table by which a kernel finds its way in it.
#[cfg(feature = "verify")]
use crate::op::{Rng, Verify, bench_shapes};
use crate::{
    kernels::partition::{self, Piece, Window},
    op::Caps,
    params,
    types::{DType, Error, HostData, Segment, Space},
};

use std::ops::Range;

/// An arena cut into blocks, with the table that `lib/arena/segments.wgsl` reads.
pub struct Arena {
    /// Rows of four words: first block, first quad, quads, `4 * group + live elements of the last quad (0 = all)`.
    pub rows: Vec<[u32; 4]>,
    /// Workgroups for all segments together.
    pub blocks: u64,
    len: u64,
    spans: Vec<(u64, Range<u64>)>,
    block_quads: u64,
}

params! {
    /// What a kernel is told about the piece of an arena that it works on: a field of its [`params!`](crate::params), or all of it.
    pub ArenaWindow {
        /// The rows of the arena's table that are segments.
        segments: u32,
        /// The piece.
        window: Window,
    }
}

impl Arena {
    /// Cuts `segments` into blocks of `caps.lanes * caps.quads` quads, none across two tensors.
    ///
    /// # Errors
    /// Names the first segment that is misaligned, overlaps its predecessor, is too long or of an unknown group.
    pub fn new(op: &'static str, segments: &[Segment], groups: usize, caps: &Caps) -> Result<Self, Error> {
        Self::of(op, "segments", segments, groups, caps)
    }

    /// As [`Arena::new`], where the op's field has another name.
    ///
    /// # Errors
    /// As [`Arena::new`].
    pub fn of(op: &'static str, field: &'static str, segments: &[Segment], groups: usize, caps: &Caps) -> Result<Self, Error> {
        let bad = |i: usize, why: String| Err(Error::argument(op, field, format!("[{i}] {why}")));
        let block_quads = u64::from(caps.lanes) * u64::from(caps.quads);
        let (mut rows, mut spans, mut blocks, mut end) = (Vec::new(), Vec::new(), 0u64, 0);
        for (i, s) in segments.iter().enumerate() {
            if s.start % 4 != 0 {
                return bad(i, format!("starts at element {}, not at a multiple of 4", s.start));
            }
            if s.start < end {
                return bad(i, format!("starts at element {}, before element {end} where the one before it ends", s.start));
            }
            if s.group >= groups {
                return bad(i, format!("is of group {}, and there are {groups} groups", s.group));
            }
            // Groups share a word with the tail; quads are counted in 32 bits.
            if s.group >= 1 << 30 {
                return bad(i, format!("is of group {}, more than 2^30 groups", s.group));
            }
            end = match s.start.checked_add(s.len) {
                Some(end) if end as u64 <= Space::MAX_LEN => end,
                _ => return bad(i, format!("ends past element 2^34 - 4: start {}, length {}", s.start, s.len)),
            };
            let quads = s.len.div_ceil(4) as u64;
            let first = s.start as u64 / 4;
            if quads == 0 {
                continue;
            }
            rows.push([blocks as u32, first as u32, quads as u32, (s.group as u32) * 4 + (s.len % 4) as u32]);
            spans.push((blocks, first..first + quads));
            blocks += quads.div_ceil(block_quads);
        }
        if blocks > u64::from(u32::MAX) {
            return Err(Error::argument(op, field, format!("make {blocks} blocks, more than 2^32")));
        }
        Ok(Self { rows, blocks, len: Segment::arena_len(segments) as u64, spans, block_quads })
    }

    /// The dispatches, each with its window. `bytes` is the size of the widest element among the arena's buffers.
    ///
    /// # Errors
    /// If a block does not fit the device's binding limit.
    pub fn pieces(&self, op: &'static str, caps: &Caps, bytes: u64) -> Result<Vec<Piece>, Error> {
        // Only the last tensor can end with the arena inside a quad.
        let len = self.spans.last().map_or(0, |(_, s)| self.len.min(s.end * 4));
        partition::pieces(op, caps, len, bytes, self.blocks, |block| {
            let i = self.spans.partition_point(|(first, _)| *first <= block) - 1;
            let (first, quads) = &self.spans[i];
            let start = quads.start + (block - first) * self.block_quads;
            start..(start + self.block_quads).min(quads.end)
        })
    }

    /// The parameters of a piece.
    pub fn window(&self, piece: &Piece) -> ArenaWindow {
        ArenaWindow { segments: self.rows.len() as u32, window: piece.window() }
    }

    /// The table's bytes: the segments' rows, then `rows_per_group` rows of four f32 for each group.
    pub fn table(&self, groups: impl IntoIterator<Item = [f32; 4]>) -> Vec<u8> {
        let rows = self.rows.iter().flatten().copied();
        rows.chain(groups.into_iter().flatten().map(f32::to_bits)).flat_map(u32::to_le_bytes).collect()
    }
}

/// NaN between the tensors, where no op may look.
pub(crate) fn poison_gaps(segments: &[Segment], data: HostData) -> HostData {
    if !data.dtype().is_float() || data.len() != Segment::arena_len(segments) {
        return data;
    }
    let (mut values, mut end) = (data.to_f64(), 0);
    for s in segments {
        values[end..s.start].fill(f64::NAN);
        end = s.start + s.len;
    }
    HostData::from_f64(data.dtype(), values)
}

/// Zeros but for each tensor's first and last element and one between.
#[cfg(feature = "verify")]
pub(crate) fn sparse(segments: &[Segment], data: HostData, rng: &mut Rng) -> HostData {
    if !data.dtype().is_float() || data.len() != Segment::arena_len(segments) {
        return data;
    }
    let mut values = vec![0.0; data.len()];
    for s in segments.iter().filter(|s| s.len > 0) {
        for i in [0, s.len - 1, rng.word() as usize % s.len] {
            values[s.start + i] = 2.0 * rng.unit() - 1.0;
        }
    }
    HostData::from_f64(data.dtype(), values)
}

/// Lengths on both sides of every multiple that matters to a workgroup of `wg` lanes.
pub(crate) fn lengths(wg: usize) -> Vec<usize> {
    vec![0, 1, 2, 3, 4, wg - 1, wg, wg + 1, 2 * wg, 2 * wg + 7, wg * wg + 1]
}

#[cfg(feature = "verify")]
/// Arenas for the ops that work on segments: single tensors of every length that matters, packed and spaced tensors, one
/// with many. `make` gets the type, the segments (groups 0 to `groups` - 1) and a number that differs from case to case.
pub(crate) fn arena_cases(groups: usize, make: impl Fn(DType, Vec<Segment>, usize) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let mut arenas: Vec<Vec<Segment>> = lengths(256).into_iter().map(Segment::one).collect();
    arenas.push(Vec::new());
    arenas.push(Segment::pack(&[10, 0, 1, 4096, 7, 2048, 513, 3], 4));
    arenas.push(Segment::pack(&[3, 5000, 64, 1], 128));
    arenas.push(Segment::pack(&[100; 300], 4));
    for (i, s) in arenas.iter_mut().flatten().enumerate() {
        s.group = i % groups;
    }
    let mut out = Vec::new();
    for dtype in DType::FLOATS {
        for segments in &arenas {
            out.push(make(dtype, segments.clone(), out.len()));
        }
    }
    out
}

#[cfg(feature = "verify")]
/// What ops on arenas are timed on: one long tensor of each kind, and a model of many short ones.
pub(crate) fn arena_benches(elements: usize, make: impl Fn(DType, Vec<Segment>) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    vec![
        make(DType::F32, Segment::one(elements)),
        make(DType::Bf16, Segment::one(elements)),
        make(DType::F32, bench_shapes::tensors(elements)),
    ]
}
