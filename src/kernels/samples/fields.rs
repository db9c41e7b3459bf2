//! What the mixing ops share of their definitions: labels as an argument, and the texts of fields, for the ops table.
use crate::{
    op::{Arg, Field},
    types::DType,
};

/// The soft labels of a batch, if there are any.
pub(crate) fn labels_arg(name: &'static str, n: usize, classes: usize) -> Option<Arg> {
    (classes > 0).then(|| Arg { name, ..Arg::read(name, DType::F32, n.saturating_mul(classes)) })
}

pub(crate) const DTYPE: Field =
    Field { name: "dtype", default: "", about: "storage of the tensors: f32, f16 or bf16; labels are f32" };
pub(crate) const SPACE: Field =
    Field { name: "space", default: "", about: "the batch: n samples, c channels, s = H·W positions, layout" };
pub(crate) const WIDTH: Field = Field { name: "width", default: "", about: "W, the columns of an image; s is a multiple" };
pub(crate) const CLASSES: Field =
    Field { name: "classes", default: "0", about: "K of the soft or one-hot labels, n x K; 0: there are none" };
pub(crate) const PARTNERS: Field = Field {
    name: "partners",
    default: "\"shuffle\"",
    about: "with whom: \"shuffle\", \"roll\" (torchvision), \"flip\" (timm), or {\"given\": [...]}, a permutation",
};
pub(crate) const KEY: Field =
    Field { name: "key", default: "", about: "what is drawn from: seed, stream, step, first_element (a multiple of c·s)" };
pub(crate) const LAMBDA: Field = Field {
    name: "lambda",
    default: "",
    about: "{\"per_batch\": alpha} or {\"per_sample\": alpha} from Beta(alpha, alpha), or {\"given\": [...]}, 1 or n of them",
};
pub(crate) const CUT: Field = Field {
    name: "cut",
    default: "",
    about: "{\"per_batch\": alpha}, {\"per_sample\": alpha}, {\"lambda\": [...]} or {\"boxes\": [{top, left, height, width}, ...]}",
};
pub(crate) const HOLES: Field = Field {
    name: "holes",
    default: "",
    about: "{\"square\": side}, {\"erasing\": {p, scale, ratio}} or {\"boxes\": [{top, left, height, width}, ...]}",
};
