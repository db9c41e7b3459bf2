//! Documentation of the fields of bias_act_dropout_add, forward and backward.
use crate::{op::Field, options::Activation};

const DTYPE: Field = Field { name: "dtype", default: "", about: "storage of the tensors: f32, f16 or bf16; the bias is f32" };
const SPACE: Field = Field { name: "space", default: "", about: "shape: n, c, s and layout (channels_first or channels_last)" };
const P: Field = Field { name: "p", default: "", about: "probability of dropping, 0 to 1; 0 after training" };
const KEY: Field =
    Field { name: "key", default: "", about: "what the mask is drawn from: seed (run), stream (layer), step, first_element" };
const SHARE: Field = Field { name: "share", default: "\"element\"", about: "which elements share a decision, as for dropout" };
const BITS: Field = Field { name: "bits", default: "\"sixteen\"", about: "random bits per decision: sixteen or thirty_two" };
const BIAS: Field = Field { name: "bias", default: "true", about: "whether there is a bias for each channel" };
pub(in crate::ops) const FIELDS: &[Field] = &[
    DTYPE,
    SPACE,
    P,
    KEY,
    SHARE,
    BITS,
    Activation::ACT,
    BIAS,
    Field { name: "residual", default: "true", about: "whether there is a residual" },
];

pub(in crate::ops) const BACKWARD_FIELDS: &[Field] = &[DTYPE, SPACE, P, KEY, SHARE, BITS, Activation::ACT, BIAS];
