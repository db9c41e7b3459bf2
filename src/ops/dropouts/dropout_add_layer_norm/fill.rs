//! What the checks of dropout_add_layer_norm draw, forward and backward.
use crate::{op::Pattern, types::DType};

pub(in crate::ops) fn patterns(dtype: DType) -> Vec<Pattern> {
    if dtype != DType::F32 {
        return vec![Pattern::Ordinary, Pattern::NonFinite];
    }
    vec![Pattern::Ordinary, Pattern::Offset, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
}
