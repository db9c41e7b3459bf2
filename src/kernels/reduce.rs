//! Reductions: one partial per block, then levels that merge partials in a fixed order, without atomics.
//!
//! The order depends on the number of partials, on how they lie, on the kind of device and on the workgroup's width only, so a
//! result is the same bit for bit from run to run, and however the tensor was windowed.
use crate::{
    kernels::partition::Piece,
    op::{Arg, Caps, Lowered, Slot, Step},
    params,
    types::{DType, Error},
    wgsl::{Decl, Source, Spec, View, parts},
};
use std::ops::Range;

/// What is reduced: the part of the shader library that defines `Partial`, `NOTHING` (the neutral element) and `merge`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Monoid {
    /// The name for a `//!use` line.
    pub part: Source,
    /// The WGSL type of a partial.
    pub wgsl: &'static str,
    /// Bytes of a partial.
    pub bytes: u64,
}

impl Monoid {
    /// A sum of f32.
    pub const SUM: Self = Self { part: parts::reduce::SUM_F32, wgsl: "f32", bytes: 4 };
    /// Four sums of f32.
    pub const SUM4: Self = Self { part: parts::reduce::SUM_VEC4, wgsl: "vec4<f32>", bytes: 16 };
    /// A sum of u32, modulo 2^32.
    pub const COUNT: Self = Self { part: parts::reduce::SUM_U32, wgsl: "u32", bytes: 4 };
    /// A sum of u32 that stays at 2^32 - 1.
    pub const SATURATED: Self = Self { part: parts::reduce::SUM_SATURATED, ..Self::COUNT };

    /// The binding of an array of partials.
    pub fn decl(&self, name: &'static str, writes: bool) -> Decl {
        let dtype = if self.wgsl == "u32" { DType::U32 } else { DType::F32 };
        Decl { name, dtype, view: View::Raw(self.wgsl), writes }
    }
}

params! { LevelParams { workgroups: u32, per_row: u32, count: u32, fan: u32, row: u32, stride: u32 } }
params! { ColumnLevelParams { workgroups: u32, per_row: u32, count: u32, fan: u32, rows: u32, stride: u32 } }

/// Partials in scratch: `count` for each of `rows` rows. Partial `p` of row `r` is entry `r * row + p * stride`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partials {
    /// How they merge.
    pub monoid: Monoid,
    /// The scratch that they occupy.
    pub range: Range<u64>,
    /// Reductions side by side.
    pub rows: u64,
    /// Partials of each.
    pub count: u64,
    /// From a row to the next, in partials.
    pub row: u64,
    /// From a partial to the next of its row, in partials.
    pub stride: u64,
}

impl Partials {
    /// Scratch for `rows` rows of `count` partials each, row after row (`row` = `count`, `stride` = 1).
    ///
    /// # Errors
    /// [`Error::Unsupported`] if a binding of this device cannot hold them.
    pub fn new(op: &'static str, out: &mut Lowered, caps: &Caps, monoid: Monoid, rows: u64, count: u64) -> Result<Self, Error> {
        let fits = rows.checked_mul(count).filter(|n| *n <= u64::from(u32::MAX)).and_then(|n| n.checked_mul(monoid.bytes));
        let Some(bytes) = fits.filter(|b| b.next_multiple_of(16) <= caps.limits.max_storage_buffer_binding_size) else {
            return Err(Error::unsupported(
                op,
                format!(
                    "needs to bind {rows} x {count} partial results of {} bytes at once, max_storage_buffer_binding_size is {}",
                    monoid.bytes, caps.limits.max_storage_buffer_binding_size
                ),
            ));
        };
        // A binding is never empty, even where nothing was counted.
        let range = out.scratch(bytes.max(16), caps);
        Ok(Self { monoid, range, rows, count, row: count, stride: 1 })
    }

    /// As [`Partials::new`], but neighbouring entries belong to neighbouring rows (`row` = 1, `stride` = `rows`): for
    /// kernels whose lanes lie side by side in the rows.
    ///
    /// # Errors
    /// As [`Partials::new`].
    pub fn interleaved(
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        monoid: Monoid,
        rows: u64,
        count: u64,
    ) -> Result<Self, Error> {
        Ok(Self { row: 1, stride: rows, ..Self::new(op, out, caps, monoid, rows, count)? })
    }

    /// One partial per block of `pieces`, in one row; block `b` of piece `i` has the entry `first[i] + b`, with `b`
    /// counted from the piece's own first block. Blocks come first and the ragged end last, whatever the windows.
    ///
    /// # Errors
    /// As [`Partials::new`].
    pub fn of_pieces(
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        monoid: Monoid,
        pieces: &[Piece],
    ) -> Result<(Self, Vec<u32>), Error> {
        let mut count = 0;
        let first = pieces.iter().map(|p| {
            let here = count;
            count += p.blocks.end - p.blocks.start;
            here as u32
        });
        let first = first.collect();
        Ok((Self::new(op, out, caps, monoid, 1, count)?, first))
    }

    /// The binding's slot.
    pub fn slot(&self) -> Slot {
        Slot::Scratch(self.range.clone())
    }

    /// Scratch for 16 bytes of coefficients per line, behind the partials: the binding of both, where in it the coefficients start,
    /// in lines, and their bytes.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if a binding of this device cannot hold them.
    pub fn with_coefs(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        lines: u64,
    ) -> Result<(Slot, u32, Range<u64>), Error> {
        let coefs = out.scratch(16 * lines.max(1), caps);
        let both = self.range.start..coefs.end;
        let (need, have) = (both.end - both.start, caps.limits.max_storage_buffer_binding_size);
        if need > have {
            return Err(Error::unsupported(
                op,
                format!(
                    "needs to bind {need} bytes of partial results and coefficients ({lines} x 16) at once, \
                     max_storage_buffer_binding_size is {have}"
                ),
            ));
        }
        Ok((Slot::Scratch(both), ((coefs.start - self.range.start) / 16) as u32, coefs))
    }

    /// Appends levels until no row has more than `most` (at least 1) partials, for a kernel that merges the rest itself.
    pub fn until(mut self, out: &mut Lowered, caps: &Caps, most: u64) -> Self {
        let fan = if self.beside() { columns(caps).2[0] } else { fan(caps) };
        while self.count > most.max(1) && self.rows > 0 {
            let per_row = self.count.div_ceil(fan);
            out.steps.push(self.level(caps, (per_row, fan), &[]));
            self.stride *= fan;
            self.count = per_row;
        }
        self
    }

    /// Appends levels until few enough are left for a kernel with `lib/channels/team`: four for each lane, or 64 for one alone.
    pub(crate) fn few(self, out: &mut Lowered, caps: &Caps) -> Self {
        self.until(out, caps, if caps.cpu { 64 } else { 256 })
    }

    /// Appends levels that merge each row into one entry of the argument with this index, of type `monoid.wgsl`. Rows
    /// without partials give the neutral element.
    pub fn into_arg(self, out: &mut Lowered, caps: &Caps, index: usize, arg: &Arg) {
        self.into_args(out, caps, &[(index, arg)]);
    }

    /// The same for one argument or two of equally many entries, those of the first from the first rows.
    pub fn into_args(self, out: &mut Lowered, caps: &Caps, to: &[(usize, &Arg)]) {
        let most = if self.beside() { columns(caps).2[1] } else { fan(caps) };
        let last = self.until(out, caps, most);
        if last.rows > 0 {
            let results: Vec<_> = to.iter().map(|(i, arg)| Slot::Arg(*i, 0..arg.binding_bytes())).collect();
            out.steps.push(last.level(caps, (1, most), &results));
        }
    }

    /// Whether neighbouring entries belong to neighbouring rows.
    fn beside(&self) -> bool {
        self.row == 1 && self.rows > 1
    }

    /// One level: `per_row` workgroups to a row, or to some rows side by side, each merges `fan` partials.
    fn level(&self, caps: &Caps, (per_row, fan): (u64, u64), results: &[Slot]) -> Step {
        let (lanes, (width, deep, _)) = (u64::from(caps.lanes), columns(caps));
        let (rows, deep) = if self.beside() { (self.rows.div_ceil(width), deep) } else { (self.rows, lanes) };
        let workgroups = rows * per_row;
        let mut bindings = vec![self.monoid.decl("partials", results.is_empty())];
        bindings.extend(["result", "other"].into_iter().zip(results).map(|(name, _)| self.monoid.decl(name, true)));
        let mut consts = vec![("WG", caps.lanes)];
        let store = match results.len() {
            0 => parts::reduce::LEVEL_KEEP,
            1 => parts::reduce::LEVEL_OUT,
            _ => parts::reduce::LEVEL_PAIR,
        };
        if results.len() == 2 {
            consts.push(("HALF", (self.rows / 2) as u32));
        }
        let [workgroups32, per_row, count, fan32, row, stride] =
            [workgroups, per_row, self.count, fan, if self.beside() { self.rows } else { self.row }, self.stride]
                .map(|n| n as u32);
        let (shader, entry, params) = if self.beside() {
            consts.push(("WIDTH", width as u32));
            let params = ColumnLevelParams { workgroups: workgroups32, per_row, count, fan: fan32, rows: row, stride };
            (parts::reduce::LEVEL_COLUMNS, "reduce_columns", params.into())
        } else {
            let params = LevelParams { workgroups: workgroups32, per_row, count, fan: fan32, row, stride };
            (parts::reduce::LEVEL, "reduce_level", params.into())
        };
        Step {
            spec: Spec { shader, entry, parts: vec![self.monoid.part, store], bindings, consts },
            params,
            slots: std::iter::once(self.slot()).chain(results.iter().cloned()).collect(),
            workgroups,
            trips: fan.div_ceil(deep) + lanes.ilog2() as u64,
        }
    }
}

/// Rows that lanes of a workgroup have side by side, lanes that share each, and partials that these merge in a level, in the last one.
/// On a GPU as many rows as fill whole lines of memory; a software device does better without a barrier, but merges no
/// more than 64 one after the other: each addition to a large sum may cost half a digit of it.
fn columns(caps: &Caps) -> (u64, u64, [u64; 2]) {
    let lanes = u64::from(caps.lanes);
    if caps.cpu {
        return (lanes, 1, [64; 2]);
    }
    let width = lanes.min(8);
    (width, lanes / width, [4, 32].map(|each| each * lanes / width))
}

/// Partials that a workgroup merges in one level. On a GPU each level costs some microseconds, whatever it does.
pub(crate) fn fan(caps: &Caps) -> u64 {
    u64::from(caps.lanes) * if caps.cpu { 64 } else { 16 }
}
