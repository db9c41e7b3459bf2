//! Documentation of the fields of batched_loss.
use crate::{
    op::Field,
    ops::batched::batched_relu_dropout::{MODELS, ROWS},
};

pub(super) const FIELDS: &[Field] = &[
    Field { name: "loss", default: "", about: "cross_entropy or squared_error" },
    MODELS,
    ROWS,
    Field { name: "columns", default: "", about: "classes, or values predicted, 1 to 4096" },
];
