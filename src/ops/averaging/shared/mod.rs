//! What the ops of this family share.
use crate::types::{HostData, Segment};

/// `to` with the bits of `from` in the live elements.
pub(super) fn copied(segments: &[Segment], from: &HostData, to: &HostData) -> HostData {
    let (size, mut bytes) = (from.dtype().size() as usize, to.bytes().to_vec());
    for s in segments {
        let at = s.start * size..(s.start + s.len) * size;
        bytes[at.clone()].copy_from_slice(&from.bytes()[at]);
    }
    HostData::from_bytes(from.dtype(), &bytes)
}
