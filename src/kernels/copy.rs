//! Dispatches that copy or fill a buffer bit by bit, whatever it holds: `shaders/lib/copy/copy.wgsl`, `fill_words.wgsl`.
use crate::{
    kernels::partition,
    op::{Arg, Caps, Slot, Step},
    params,
    types::{DType, Error},
    wgsl::{Decl, Spec, View, parts},
};

params! { CopyParams { blocks: u32, start: u32, lo: u32, hi: u32, trips: u32, last_item: u32, last_bits: u32, keep_bits: u32 } }
params! { FillParams {
    blocks: u32, start: u32, lo: u32, hi: u32, trips: u32, last_item: u32, last_bits: u32, keep_bits: u32, value: u32
} }

/// What happens to the last word of a buffer.
#[derive(Clone, Copy, Debug)]
pub struct Tail {
    /// Bits that are copied or filled.
    pub last_bits: u32,
    /// Bits that stay as they are. What is in neither becomes 0.
    pub keep_bits: u32,
}

impl Tail {
    /// The last word of `arg`: the half behind an odd number of halves stays.
    pub fn of(arg: &Arg) -> Self {
        let odd = !arg.bytes().is_multiple_of(4);
        if odd { Self { last_bits: 0xffff, keep_bits: 0xffff_0000 } } else { Self { last_bits: u32::MAX, keep_bits: 0 } }
    }
}

/// A buffer by its number among the op's arguments.
pub type Place<'a> = (usize, &'a Arg);

/// Copies every bit of `from` to `to`, an argument of the same type and length.
///
/// # Errors
/// If the device's binding limit is too small for a block.
pub fn copy(op: &'static str, caps: &Caps, from: Place, to: Place) -> Result<Vec<Step>, Error> {
    steps(op, caps, Some(from), to, 0, Tail::of(to.1))
}

/// Fills the words of `to` with `value`.
///
/// # Errors
/// If the device's binding limit is too small for a block.
pub fn fill(op: &'static str, caps: &Caps, to: Place, value: u32, tail: Tail) -> Result<Vec<Step>, Error> {
    steps(op, caps, None, to, value, tail)
}

fn steps(op: &'static str, caps: &Caps, from: Option<Place>, to: Place, value: u32, tail: Tail) -> Result<Vec<Step>, Error> {
    let (words, block_quads) = (to.1.binding_bytes() / 4, u64::from(caps.lanes) * u64::from(caps.quads));
    let mut out = Vec::new();
    for piece in partition::flat(op, caps, words, 4, block_quads)? {
        let bytes = piece.elements.start * 4..piece.elements.end * 4;
        // The up to three words of the ragged piece go one by one, the others by fours.
        let (item, first, trips) =
            if piece.ragged { (1, words / 4 * 4, 4) } else { (4, piece.blocks.start * block_quads * 4, caps.quads) };
        let local = |word: u64| ((word - piece.elements.start) / item) as u32;
        let (blocks, start) = ((piece.blocks.end - piece.blocks.start) as u32, local(first));
        let (lo, hi) = (start, local(piece.elements.end));
        // Another window, or the ragged piece, may have the last word.
        let last_item = if piece.elements.end == words { hi - 1 } else { u32::MAX };
        let Tail { last_bits, keep_bits } = tail;
        let (ty, by) = if piece.ragged { ("u32", parts::copy::BY_ONE) } else { ("vec4<u32>", parts::copy::BY_FOUR) };
        let decl = |name, writes| Decl { name, dtype: DType::U32, view: View::Raw(ty), writes };
        let (mut bindings, mut slots) = (vec![], vec![]);
        let (shader, entry, params) = match from {
            Some((i, _)) => {
                bindings.push(decl("x", false));
                slots.push(Slot::Arg(i, bytes.clone()));
                (
                    parts::copy::COPY,
                    "copy_words",
                    CopyParams { blocks, start, lo, hi, trips, last_item, last_bits, keep_bits }.into(),
                )
            }
            None => {
                let params = FillParams { blocks, start, lo, hi, trips, last_item, last_bits, keep_bits, value };
                (parts::copy::FILL, "fill_words", params.into())
            }
        };
        bindings.push(decl("y", true));
        slots.push(Slot::Arg(to.0, bytes));
        out.push(Step {
            spec: Spec { shader, entry, parts: vec![by], bindings, consts: vec![("WG", caps.lanes)] },
            params,
            slots,
            workgroups: u64::from(blocks),
            trips: u64::from(trips),
        });
    }
    Ok(out)
}

/// Places in a window are counted in 32 bits, two at a time: windows of at most 2^31 bytes.
pub(crate) fn windows(caps: &Caps) -> Caps {
    let mut caps = caps.clone();
    caps.limits.max_storage_buffer_binding_size = caps.limits.max_storage_buffer_binding_size.min(1 << 31);
    caps
}
