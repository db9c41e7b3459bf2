//! Documentation of the fields of dropout_add_layer_norm, forward and backward.
use crate::op::Field;

const DTYPE: Field = Field { name: "dtype", default: "", about: "storage of the tensors: f32, f16 or bf16; vectors are f32" };
const ROWS: Field = Field { name: "rows", default: "", about: "rows" };
const COLS: Field = Field { name: "cols", default: "", about: "values of a row; rows·cols is at most 2^34 - 4" };
const P: Field = Field { name: "p", default: "", about: "probability of dropping, 0 to 1; 0 after training" };
const KEY: Field =
    Field { name: "key", default: "", about: "what the mask is drawn from: seed (run), stream (layer), step, first_element" };
const SHARE: Field = Field { name: "share", default: "\"element\"", about: "which elements share a decision; a row is a sample" };
const BITS: Field = Field { name: "bits", default: "\"sixteen\"", about: "random bits per decision: sixteen or thirty_two" };
const NORM: Field = Field { name: "norm", default: "\"layer\"", about: "layer (mean and variance) or rms (root mean square)" };
const WEIGHT: Field = Field { name: "weight", default: "true", about: "whether there is a weight for each column" };
const FORM: Field =
    Field { name: "weight_form", default: "\"plain\"", about: "what multiplies: plain (w), or with rms one_plus (1 + w)" };
const BIAS: Field = Field { name: "bias", default: "true", about: "with layer, whether there is a bias for each column" };
pub(in crate::ops) const FIELDS: &[Field] = &[
    DTYPE,
    ROWS,
    COLS,
    P,
    KEY,
    SHARE,
    BITS,
    Field { name: "residual", default: "true", about: "whether there is a residual" },
    NORM,
    Field { name: "eps", default: "1e-5", about: "ε, inside the root, at least 0" },
    WEIGHT,
    FORM,
    BIAS,
];

pub(in crate::ops) const BACKWARD_FIELDS: &[Field] = &[
    DTYPE,
    ROWS,
    COLS,
    P,
    KEY,
    SHARE,
    BITS,
    NORM,
    WEIGHT,
    FORM,
    BIAS,
    Field { name: "dz", default: "false", about: "whether z has other readers, whose gradient is the argument dz" },
];
