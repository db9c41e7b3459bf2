//! Averages of weights, and the step to the worst weights nearby with the way back.
mod ema;
mod sam_perturb;
mod sam_restore;
mod swa;

use super::Field;
use crate::{
    op::{Op, bench_shapes},
    types::{DType, HostData, Segment},
};

super::family! {
    averaging: "Averaging and flatness",
    ema::Ema,
    sam_perturb::SamPerturb,
    sam_restore::SamRestore,
    swa::Swa,
}

const SEGMENTS: Field =
    Field { name: "segments", default: "", about: "tensors of the arena: start (a multiple of 4), len, any group" };

/// What these ops are timed on: one long tensor of each kind, and a model of many short ones.
pub(super) fn arenas(elements: usize, make: impl Fn(DType, Vec<Segment>) -> Box<dyn Op>) -> Vec<Box<dyn Op>> {
    vec![
        make(DType::F32, Segment::one(elements)),
        make(DType::Bf16, Segment::one(elements)),
        make(DType::F32, bench_shapes::tensors(elements)),
    ]
}

/// `to` with the bits of `from` in the live elements.
fn copied(segments: &[Segment], from: &HostData, to: &HostData) -> HostData {
    let (size, mut bytes) = (from.dtype().size() as usize, to.bytes().to_vec());
    for s in segments {
        let at = s.start * size..(s.start + s.len) * size;
        bytes[at.clone()].copy_from_slice(&from.bytes()[at]);
    }
    HostData::from_bytes(from.dtype(), &bytes)
}
