//! How a long tensor is cut: blocks for workgroups, pieces for dispatches.
//!
//! A block is what one workgroup handles. A piece is a run of blocks that one dispatch handles; it binds a window of each
//! buffer that is no larger than the device's binding limit. Blocks belong to the tensor, not to the windows, so a
//! reduction gives the same result however it is windowed.
use crate::{
    op::{Arg, ByName, Caps, Slot},
    params,
    types::Error,
};
use std::ops::Range;

/// Windows start at multiples of this many elements: 256 bytes even of a buffer with one bit per element.
pub const WINDOW_ALIGN: u64 = 2048;

/// One dispatch's share of a tensor. Quads and elements count from the tensor's first element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The first block and the one past the last.
    pub blocks: Range<u64>,
    /// The quads that this piece may touch.
    pub quads: Range<u64>,
    /// The elements that it binds; the start is a multiple of [`WINDOW_ALIGN`].
    pub elements: Range<u64>,
    /// Whether it handles the last, incomplete quad of the tensor (and nothing else).
    pub ragged: bool,
}

params! {
    /// What a kernel is told about the piece that it works on: a field of its [`params!`](crate::params).
    pub Window {
        /// The first block.
        first: u32,
        /// How many blocks: workgroups past them do nothing.
        blocks: u32,
        /// The first quad that may be touched.
        lo: u32,
        /// The quad past the last that may be touched.
        hi: u32,
        /// The first bound quad; kernels subtract it modulo 2^32.
        base: u32,
        /// Bound elements, where elements past them may be asked for.
        end: u32,
    }
}

impl Piece {
    /// Its parameters.
    pub fn window(&self) -> Window {
        Window {
            first: self.blocks.start as u32,
            blocks: self.workgroups() as u32,
            lo: self.quads.start as u32,
            hi: self.quads.end as u32,
            base: self.base(),
            end: self.end(),
        }
    }

    /// How many blocks it has, each a workgroup's.
    pub fn workgroups(&self) -> u64 {
        self.blocks.end - self.blocks.start
    }

    /// The part of argument `index` that this piece binds, for an argument with one entry per element.
    pub fn slot(&self, index: usize, arg: &Arg) -> Slot {
        let size = arg.dtype.size();
        Slot::Arg(index, self.elements.start * size..(self.elements.end * size).next_multiple_of(4))
    }

    /// As [`Piece::slot`], of the argument of this name.
    pub fn of(&self, args: &[Arg], name: &str) -> Slot {
        let (index, arg) = args.at(name);
        self.slot(index, arg)
    }

    /// The first bound quad, for `params.base`; kernels subtract it modulo 2^32.
    pub fn base(&self) -> u32 {
        (self.elements.start / 4) as u32
    }

    /// Bound elements of a ragged piece, for `params.end`.
    pub fn end(&self) -> u32 {
        (self.elements.end - self.elements.start) as u32
    }

    /// How the kernel reaches its buffers.
    pub fn view(&self) -> crate::wgsl::View {
        if self.ragged { crate::wgsl::View::Ragged } else { crate::wgsl::View::Quads }
    }
}

/// Cuts a tensor of `len` elements into pieces. `span(i)` gives the quads of block `i`; both ends must not decrease with
/// `i`. `bytes` is the size of the widest element among the buffers that are bound by the window.
///
/// # Errors
/// If one block does not fit the binding limit of the device.
pub fn pieces(
    op: &'static str,
    caps: &Caps,
    len: u64,
    bytes: u64,
    blocks: u64,
    span: impl Fn(u64) -> Range<u64>,
) -> Result<Vec<Piece>, Error> {
    let (whole, limit) = (len / 4, caps.binding_limit() / bytes);
    let window = |quad: u64| quad * 4 / WINDOW_ALIGN * WINDOW_ALIGN;
    let mut out = Vec::new();
    // A last block that holds only the incomplete quad has nothing to do in a whole piece.
    let main = if blocks > 0 && span(blocks - 1).start >= whole { blocks - 1 } else { blocks };
    let mut first = 0;
    while first < main {
        let start = if len <= limit { 0 } else { window(span(first).start) };
        let end_of = |last: u64| (span(last).end.min(whole)) * 4;
        let fits = |last: u64| end_of(last) - start <= limit;
        if !fits(first) {
            return Err(Error::unsupported(
                op,
                format!(
                    "max_storage_buffer_binding_size is {}, too small for a block of {} elements",
                    caps.limits.max_storage_buffer_binding_size,
                    end_of(first) - start
                ),
            ));
        }
        // The last block that fits: ends do not decrease, so bisect.
        let (mut low, mut high) = (first, main - 1);
        while low < high {
            let middle = (low + high).div_ceil(2);
            if fits(middle) { low = middle } else { high = middle - 1 }
        }
        let (blocks, end) = (first..low + 1, end_of(low));
        out.push(Piece { blocks, quads: 0..whole, elements: start..end, ragged: false });
        first = low + 1;
    }
    if !len.is_multiple_of(4) && blocks > 0 {
        let start = if len <= limit { 0 } else { window(whole) };
        out.push(Piece { blocks: blocks - 1..blocks, quads: whole..whole + 1, elements: start..len, ragged: true });
    }
    Ok(out)
}

/// [`pieces`] of one tensor that is cut into blocks of `quads` each.
///
/// # Errors
/// As [`pieces`].
pub fn flat(op: &'static str, caps: &Caps, len: u64, bytes: u64, quads: u64) -> Result<Vec<Piece>, Error> {
    let all = len.div_ceil(4);
    pieces(op, caps, len, bytes, all.div_ceil(quads), |i| i * quads..((i + 1) * quads).min(all))
}

/// [`flat`] for kernels that also read up to `halo` elements to either side of their own; what they read and what they write is
/// bound by the same window.
///
/// # Errors
/// If a block and what it reads do not fit the binding limit of the device.
pub fn near(op: &'static str, caps: &Caps, len: u64, bytes: u64, quads: u64, halo: u64) -> Result<Vec<Piece>, Error> {
    let (all, side) = (len.div_ceil(4), halo.div_ceil(4));
    let span = |i: u64| (i * quads).saturating_sub(side)..((i + 1) * quads + side).min(all);
    let mut out = pieces(op, caps, len, bytes, all.div_ceil(quads), span)?;
    for piece in &mut out {
        let own = if piece.ragged { len / 4 } else { piece.blocks.start * quads };
        if len > caps.binding_limit() / bytes {
            piece.elements.start = own.saturating_sub(side) * 4 / WINDOW_ALIGN * WINDOW_ALIGN;
        }
        // The last, incomplete quad is not written by others, but read.
        if halo > 0 && piece.elements.end == len / 4 * 4 {
            piece.elements.end = len;
        }
        let need = (piece.elements.end - piece.elements.start) * bytes;
        if need > caps.binding_limit() {
            let have = caps.limits.max_storage_buffer_binding_size;
            let why = format!("must bind {need} bytes of a tensor at once, max_storage_buffer_binding_size is {have}");
            return Err(Error::unsupported(op, why));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Features, Limits};

    fn caps(limit: u64) -> Caps {
        let limits = Limits { max_storage_buffer_binding_size: limit, ..Default::default() };
        Caps::new(limits, Features::default(), true)
    }

    #[test]
    fn a_tensor_within_the_limit_is_one_piece_and_a_tail() {
        let p = flat("x", &caps(1 << 20), 10_003, 4, 512).unwrap();
        assert_eq!(p.len(), 2);
        assert_eq!((p[0].blocks.clone(), p[0].quads.clone(), p[0].elements.clone()), (0..5, 0..2500, 0..10_000));
        assert_eq!((p[1].blocks.clone(), p[1].quads.clone(), p[1].elements.clone()), (4..5, 2500..2501, 0..10_003));
        assert!(p[1].ragged);
        assert!(flat("x", &caps(1 << 20), 0, 4, 512).unwrap().is_empty());
        // Fewer than four elements: only the tail.
        assert_eq!(flat("x", &caps(1 << 20), 3, 4, 512).unwrap().len(), 1);
    }

    #[test]
    fn windows_cover_every_quad_once_and_none_exceeds_the_limit() {
        let limit = 65_536;
        let p = flat("x", &caps(limit), 100_001, 4, 512).unwrap();
        let mut next = 0;
        for piece in p.iter().filter(|p| !p.ragged) {
            assert_eq!(piece.blocks.start, next);
            assert_eq!(piece.elements.start % WINDOW_ALIGN, 0);
            assert!((piece.elements.end - piece.elements.start) * 4 <= limit);
            assert!(
                piece.elements.start <= piece.blocks.start * 2048 && piece.elements.end >= (piece.blocks.end * 2048).min(100_000)
            );
            next = piece.blocks.end;
        }
        assert_eq!(next, 49);
        assert!(flat("x", &caps(4096), 100_001, 4, 512).is_err());
    }

    #[test]
    fn windows_hold_what_lies_near_their_blocks() {
        let (limit, len, halo) = (65_536, 100_003, 1203);
        let p = near("x", &caps(limit), len, 4, 512, halo).unwrap();
        let mut next = 0;
        for piece in &p {
            let own = if piece.ragged { 100_000..len } else { piece.blocks.start * 2048..(piece.blocks.end * 2048).min(len) };
            assert!(piece.elements.start <= own.start.saturating_sub(halo) && piece.elements.end >= (own.end + halo).min(len));
            assert!((piece.elements.end - piece.elements.start) * 4 <= limit && piece.elements.start % WINDOW_ALIGN == 0);
            assert!(piece.ragged || piece.blocks.start == next);
            next = piece.blocks.end;
        }
        assert_eq!((next, p.iter().filter(|p| p.ragged).count()), (49, 1));
        assert_eq!(near("x", &caps(1 << 20), 10_000, 4, 512, 0), flat("x", &caps(1 << 20), 10_000, 4, 512));
        assert!(near("x", &caps(limit), len, 4, 512, 20_000).is_err());
    }
}
