//! What the mixing ops share of their definitions: labels as an argument.
use crate::{op::Arg, types::DType};

/// The soft labels of a batch, if there are any.
pub(crate) fn labels_arg(name: &'static str, n: usize, classes: usize) -> Option<Arg> {
    (classes > 0).then(|| Arg { name, ..Arg::read(name, DType::F32, n.saturating_mul(classes)) })
}
