//! How many lanes share a row.
use crate::{op::Caps, types::Rows};

/// Why rows are worked on in several dispatches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffChip {
    /// There is no value.
    Empty,
    /// Rows that are no whole quads begin within one.
    Ragged,
    /// A row is too long for a workgroup or for a binding, or there are too many; or too few for a lane each.
    Long,
}

/// Longer rows leave the nearer caches of a CPU before they are read again.
pub(super) const CACHED: u64 = 16_384;

/// Lanes of a row, and quads that each of them holds: one of `variants`, see `lib/rows/regs_*`.
pub(super) fn lanes(of: Rows, variants: &[u64], each: u64, caps: &Caps) -> Result<(u64, u64), OffChip> {
    let (cols, width) = (of.cols as u64, u64::from(caps.lanes));
    if of.rows == 0 || cols == 0 {
        return Err(OffChip::Empty);
    }
    if !cols.is_multiple_of(4) {
        return Err(OffChip::Ragged);
    }
    if of.rows as u64 > u64::from(u32::MAX) {
        return Err(OffChip::Long);
    }
    let quads = cols / 4;
    if caps.cpu {
        return if cols <= CACHED { Ok((quads.next_power_of_two().min(width), 0)) } else { Err(OffChip::Long) };
    }
    // Neighbouring lanes read neighbouring quads, 32 of them if there are; then `each` quads for each lane.
    let lanes = quads.next_power_of_two().min(32).max(quads.div_ceil(each).next_power_of_two()).min(width);
    variants.iter().find(|h| quads <= **h * lanes).map(|h| (lanes, *h)).ok_or(OffChip::Long)
}

/// Lanes of a subgroup if all have so many; else 0. A driver that may choose is not asked what it chose.
pub(super) fn team(caps: &Caps) -> u64 {
    let [least, most] = caps.subgroup;
    let fixed = caps.subgroups() && least == most && most <= caps.lanes;
    if fixed && !caps.cpu { u64::from(most) } else { 0 }
}

/// Lanes of a workgroup for gradients of such rows: one for each quad if that can be, where subgroups join them.
pub(super) fn widened(of: Rows, caps: &Caps) -> u32 {
    let (quads, widest) = ((of.cols as u64 / 4).next_power_of_two(), caps.widest().min(1024));
    if team(caps) > 0 { caps.lanes.max(quads.min(u64::from(widest)) as u32) } else { caps.lanes }
}

/// Quads of a row that a lane takes, if it can: more where a row in one subgroup needs no barrier.
pub(super) fn across(caps: &Caps) -> u64 {
    if team(caps) > 0 { 8 } else { 4 }
}
