//! Documentation of the fields of dropout, forward and backward.
use crate::{
    op::Field,
    ops::dropouts::shared::fields::{BITS, KEY_FIELD, P, READ, SCALING, SHARE, SPACE, STORE, TRAINING},
};

pub(in crate::ops) const FIELDS: &[Field] = &[
    Field { name: "dtype", default: "", about: "storage of x and y: f32, f16 or bf16" },
    SPACE,
    P,
    KEY_FIELD,
    SHARE,
    SCALING,
    BITS,
    STORE,
    TRAINING,
];

pub(in crate::ops) const BACKWARD_FIELDS: &[Field] = &[
    Field { name: "dtype", default: "", about: "storage of dy and dx: f32, f16 or bf16" },
    SPACE,
    P,
    KEY_FIELD,
    SHARE,
    SCALING,
    BITS,
    READ,
];
