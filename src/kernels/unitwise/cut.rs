//! How matrices are cut into blocks for the first two stages, and the table that `lib/unitwise/units.wgsl` reads.
use super::Units;
use crate::{
    kernels::{arena::Arena, partition},
    op::{Caps, check_float},
    options::{Matrix, Unit},
    types::Error,
};
use std::ops::Range;

/// The most parts that a unit is cut into: what the second stage adds up.
const PARTS: u64 = 1 << 14;
/// Columns that lie side by side in a workgroup, by fours: whole cache lines.
const WIDTH: u64 = 16;
/// A block of columns spans at most about this many elements, so that every device can bind it.
const SPREAD: u64 = 1 << 24;

/// One matrix, as rows or as columns.
struct Share {
    matrix: usize,
    columns: bool,
    rows: u64,
    cols: u64,
    width: u64,
    parts: u64,
    span: u64,
    partial: u64,
    unit: u64,
    first: u64,
    second: u64,
    team: u64,
}

/// An arena of matrices, cut.
pub(crate) struct Cut {
    /// The same matrices as tensors, for the map; each tensor's group is the matrix' number.
    pub arena: Arena,
    /// Blocks of the second stage.
    pub unit_blocks: u64,
    /// Partials of all units, one unit after the other.
    pub partials: u64,
    /// Units of all matrices that have elements.
    pub units: u64,
    /// The longest loops of the first and of the second stage.
    pub trips: [u64; 2],
    /// Whether all units start at multiples of four elements.
    pub aligned: bool,
    blocks: u64,
    shares: Vec<Share>,
    starts: Vec<u64>,
    lanes: u64,
}

impl Units<'_> {
    /// Cuts the arena.
    ///
    /// # Errors
    /// Names `dtype`, or the first of `matrices` that is misplaced, too large or of an unknown group.
    pub fn cut(&self, groups: usize, caps: &Caps) -> Result<Cut, Error> {
        check_float(self.name, &crate::op::Arg::read("x", self.dtype, 0))?;
        let bad = |i: usize, why: String| Err(Error::argument(self.name, "matrices", format!("[{i}] {why}")));
        for (i, m) in self.matrices.iter().enumerate() {
            let (rows, cols) = (m.rows, m.cols);
            if rows.checked_mul(cols).is_none_or(|len| len as u64 >= 1 << 32) {
                return bad(i, format!("has {rows} x {cols} elements, must have less than 2^32"));
            }
            let (what, most) = if m.unit == Unit::Columns { ("a column", 27) } else { ("a row", 30) };
            let what = if m.unit == Unit::Whole { "one unit" } else { what };
            if !m.is_empty() && m.unit_len() as u64 > 1 << most {
                return bad(i, format!("has {} elements in {what}, must have at most 2^{most}", m.unit_len()));
            }
            if m.group >= groups {
                return bad(i, format!("is of group {}, and there are {groups} groups", m.group));
            }
        }
        let arena = Arena::of(self.name, "matrices", &self.segments(), usize::MAX, caps)?;
        let mut cut = Cut {
            arena,
            unit_blocks: 0,
            partials: 0,
            units: 0,
            trips: [0; 2],
            aligned: true,
            blocks: 0,
            shares: vec![],
            starts: self.matrices.iter().map(|m| m.start as u64).collect(),
            lanes: caps.lanes.into(),
        };
        for (i, m) in self.matrices.iter().enumerate().filter(|(_, m)| !m.is_empty()) {
            cut.push(i, m, caps);
        }
        for (what, n) in [("blocks", cut.blocks.max(cut.unit_blocks)), ("partial results", cut.partials)] {
            if n > u64::from(u32::MAX) {
                return Err(Error::argument(self.name, "matrices", format!("make {n} {what}, more than 2^32")));
            }
        }
        Ok(cut)
    }
}

impl Cut {
    fn push(&mut self, matrix: usize, m: &Matrix, caps: &Caps) {
        let (lanes, quads) = (self.lanes, u64::from(caps.quads));
        let columns = m.unit == Unit::Columns;
        let (rows, cols) = if m.unit == Unit::Whole { (1, m.len() as u64) } else { (m.rows as u64, m.cols as u64) };
        let across = cols.div_ceil(4);
        let (width, parts, span, blocks, trips);
        if columns {
            width = across.next_power_of_two().min(WIDTH).min(lanes);
            let depth = lanes / width;
            span = (depth * quads).max(rows.div_ceil(PARTS)).min((SPREAD / cols).max(1)).min(rows);
            parts = rows.div_ceil(span);
            blocks = parts * cols.div_ceil(4 * width);
            trips = span.div_ceil(depth);
        } else {
            width = across.next_power_of_two().min(lanes);
            span = (lanes * quads).max(across.div_ceil(PARTS)).min(across);
            parts = across.div_ceil(span);
            blocks = (rows * parts).div_ceil(lanes / width);
            trips = span.div_ceil(width);
        }
        let units = if columns { cols } else { rows };
        let team = parts.next_power_of_two().min(lanes);
        let (partial, unit, first, second) = (self.partials, self.units, self.blocks, self.unit_blocks);
        self.shares.push(Share { matrix, columns, rows, cols, width, parts, span, partial, unit, first, second, team });
        self.partials += units * parts;
        self.units += units;
        self.blocks += blocks;
        self.unit_blocks += units.div_ceil(lanes / team);
        self.trips = [self.trips[0].max(trips), self.trips[1].max(parts.div_ceil(team))];
        self.aligned &= cols.is_multiple_of(4);
    }

    /// The elements of the arena that a block of the first stage reads.
    fn elements(&self, block: u64) -> Range<u64> {
        let share = &self.shares[self.shares.partition_point(|s| s.first <= block) - 1];
        let (k, start) = (block - share.first, self.starts[share.matrix]);
        let (from, to) = if share.columns {
            let across = share.cols.div_ceil(4 * share.width);
            let (row, col) = (k / across * share.span, k % across * 4 * share.width);
            let last = (row + share.span).min(share.rows) - 1;
            (row * share.cols + col, last * share.cols + (col + 4 * share.width).min(share.cols))
        } else {
            let (chunk, teams) = (k * (self.lanes / share.width), self.lanes / share.width);
            let place = |chunk: u64| chunk / share.parts * share.cols + (chunk % share.parts * 4 * share.span).min(share.cols);
            let last = (chunk + teams).min(share.rows * share.parts) - 1;
            (place(chunk), (place(last) + 4 * share.span).min((last / share.parts + 1) * share.cols))
        };
        start + from..start + to
    }

    /// The dispatches of the first stage, each with its window.
    ///
    /// # Errors
    /// If a block does not fit the device's binding limit.
    pub fn pieces(&self, op: &'static str, caps: &Caps, bytes: u64) -> Result<Vec<partition::Piece>, Error> {
        let end = self.shares.last().map_or(0, |s| self.starts[s.matrix] + s.rows * s.cols);
        // Blocks read any four neighbours, so no quad is incomplete for them.
        let mut all = partition::pieces(op, caps, end.next_multiple_of(4), bytes, self.blocks, |block| {
            let e = self.elements(block);
            e.start / 4..e.end.div_ceil(4)
        })?;
        all.iter_mut().for_each(|p| p.elements.end = p.elements.end.min(end));
        Ok(all)
    }

    /// Matrices with elements.
    pub fn matrices(&self) -> u32 {
        self.shares.len() as u32
    }

    /// The table of the first two stages.
    pub fn table(&self, own: impl Fn(usize) -> [f32; 4]) -> Vec<u8> {
        let row = |s: &Share| {
            let own = own(s.matrix).map(f32::to_bits);
            let words = [s.first, self.starts[s.matrix] / 4, s.rows, s.cols, s.columns.into(), s.width, s.parts, s.span];
            let places = [s.partial, s.unit, s.second, s.team];
            words.into_iter().chain(places).map(|w| w as u32).chain(own)
        };
        self.shares.iter().flat_map(row).flat_map(u32::to_le_bytes).collect()
    }

    /// The table of the map: the arena's, and two rows for each matrix.
    pub fn map_table(&self, own: impl Fn(usize) -> [f32; 4]) -> Vec<u8> {
        let mut out = self.arena.table([]);
        let mut shares = self.shares.iter().peekable();
        for matrix in 0..self.starts.len() {
            let mut row = [0; 4];
            if let Some(s) = shares.next_if(|s| s.matrix == matrix) {
                row = [self.starts[matrix] / 4, s.cols, s.columns.into(), s.unit].map(|w| w as u32);
            }
            out.extend(row.into_iter().chain(own(matrix).map(f32::to_bits)).flat_map(u32::to_le_bytes));
        }
        out
    }
}
