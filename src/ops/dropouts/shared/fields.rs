//! Documentation of the fields that dropouts have in common, and their backward passes' buffers.
use crate::{
    op::{Arg, Field},
    options::MaskMode,
    types::{DType, Space},
};

pub(in crate::ops) const SPACE: Field =
    Field { name: "space", default: "", about: "n, c, s, and layout: channels_first (default) or channels_last" };
pub(in crate::ops) const P: Field = Field { name: "p", default: "", about: "the probability of dropping, 0 to 1" };
pub(in crate::ops) const KEY_FIELD: Field = Field {
    name: "key",
    default: "",
    about: "seed, stream, step, and first_element (default 0), the tensor's place in a larger whole",
};
pub(in crate::ops) const SHARE: Field = Field {
    name: "share",
    default: "\"element\"",
    about: "what has one decision: element, channel (of a sample), sample, position (of a sample); batch_element, \
            batch_channel, batch_position (the same in all samples); batch",
};
pub(in crate::ops) const SCALING: Field = Field {
    name: "scaling",
    default: "\"inverted\"",
    about: "inverted: kept elements over 1-p in training; scale_at_test: all times 1-p after it",
};
pub(in crate::ops) const BITS: Field =
    Field { name: "bits", default: "\"sixteen\"", about: "random bits per decision: sixteen, thirty_two" };
pub(in crate::ops) const STORE: Field = Field {
    name: "mask",
    default: "\"recompute\"",
    about: "store: also write the mask, a bit for each element in the order of memory",
};
pub(in crate::ops) const READ: Field =
    Field { name: "mask", default: "\"recompute\"", about: "store: read the mask that the forward pass wrote" };
pub(in crate::ops) const TRAINING: Field = Field { name: "training", default: "true", about: "false: drop nothing" };

/// The default of `training`.
pub(in crate::ops) fn yes() -> bool {
    true
}

/// What a backward pass reads and writes.
pub(in crate::ops) fn backward_args(dtype: DType, space: &Space, mask: MaskMode) -> Vec<Arg> {
    let len = space.len();
    let mut args = vec![Arg::read("dy", dtype, len)];
    args.extend((mask == MaskMode::Store).then(|| Arg::read("mask", DType::U32, len.div_ceil(32))));
    args.push(Arg::write("dx", dtype, len));
    args
}
