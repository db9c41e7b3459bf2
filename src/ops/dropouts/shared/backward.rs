//! The buffers of the dropouts' backward passes.
use crate::{
    op::Arg,
    options::MaskMode,
    types::{DType, Space},
};

/// What a backward pass reads and writes.
pub(in crate::ops) fn backward_args(dtype: DType, space: &Space, mask: MaskMode) -> Vec<Arg> {
    let len = space.len();
    let mut args = vec![Arg::read("dy", dtype, len)];
    args.extend((mask == MaskMode::Store).then(|| Arg::read("mask", DType::U32, len.div_ceil(32))));
    args.push(Arg::write("dx", dtype, len));
    args
}
