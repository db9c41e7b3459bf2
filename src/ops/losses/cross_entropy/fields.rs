//! Documentation of the fields of cross_entropy.
use crate::op::Field;

pub(super) const FIELDS: &[Field] = &[
    Field { name: "dtype", default: "", about: "storage of logits and dlogits: f32, f16 or bf16" },
    Field { name: "rows", default: "", about: "rows, below 2^32" },
    Field { name: "classes", default: "", about: "classes K, 1 to 2^20; rows·classes is at most 2^34 - 4" },
    Field {
        name: "target",
        default: "\"classes\"",
        about: "classes: a class for each row, u32; probabilities: a share of each class, f32",
    },
    Field { name: "label_smoothing", default: "0", about: "ε, 0 to 1: the part spread evenly over all classes" },
    Field { name: "class_weight", default: "false", about: "whether classes have weights" },
    Field { name: "ignore_index", default: "null", about: "class that marks a row without target" },
    Field { name: "z_loss", default: "0", about: "λ, at least 0: times (ln Σ exp z)²" },
    Field { name: "confidence_penalty", default: "0", about: "β, at least 0: times the entropy, subtracted" },
    Field {
        name: "focal_gamma", default: "0", about: "γ, at least 0: the loss is multiplied by (1-p_t)^γ; not with smoothing"
    },
    Field { name: "reduction", default: "\"mean\"", about: "mean (by the rows' weights), sum, or none: a loss for each row" },
    Field { name: "grad", default: "true", about: "whether dlogits is written" },
    Field { name: "grad_scale", default: "1", about: "what dlogits is multiplied by" },
];
