//! Every op, one module each, and the table that tests, benches, the command line and the documents walk.
use crate::{DType, Error, Op, Segment};

mod adagrad;
mod adam;
mod adamw;
mod batch_norm;
mod batch_norm_backward;
mod batch_norm_frozen_backward;
mod batch_norm_inference;
mod dropout;
mod dropout_backward;
mod ftrl;
mod layer_norm;
mod layer_norm_backward;
mod lion;
mod penalty;
mod penalty_grad;
mod philox;
mod prox;
mod rmsprop;
mod sgd;

pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamw::Adamw;
pub use batch_norm::BatchNorm;
pub use batch_norm_backward::BatchNormBackward;
pub use batch_norm_frozen_backward::BatchNormFrozenBackward;
pub use batch_norm_inference::BatchNormInference;
pub use dropout::Dropout;
pub use dropout_backward::DropoutBackward;
pub use ftrl::Ftrl;
pub use layer_norm::LayerNorm;
pub use layer_norm_backward::LayerNormBackward;
pub use lion::Lion;
pub use penalty::Penalty;
pub use penalty_grad::PenaltyGrad;
pub use philox::Philox;
pub use prox::Prox;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

/// The table.
pub const ALL: &[Entry] = &[
    adagrad::ENTRY,
    adam::ENTRY,
    adamw::ENTRY,
    batch_norm::ENTRY,
    batch_norm_backward::ENTRY,
    batch_norm_frozen_backward::ENTRY,
    batch_norm_inference::ENTRY,
    dropout::ENTRY,
    dropout_backward::ENTRY,
    ftrl::ENTRY,
    lion::ENTRY,
    layer_norm::ENTRY,
    layer_norm_backward::ENTRY,
    penalty::ENTRY,
    penalty_grad::ENTRY,
    philox::ENTRY,
    prox::ENTRY,
    rmsprop::ENTRY,
    sgd::ENTRY,
];

/// The kernel files, one per op.
mod sources {
    use crate::wgsl::Source;
    macro_rules! source {
        ($($id:ident = $name:literal),* $(,)?) => {
            $(pub const $id: Source = Source { name: $name, text: include_str!(concat!("../../shaders/", $name, ".wgsl")) };)*
        };
    }
    source! {
        ADAGRAD = "adagrad",
        ADAM = "adam",
        ADAMW = "adamw",
        DROPOUT = "dropout",
        DROPOUT_BACKWARD = "dropout_backward",
        BATCH_NORM = "batch_norm",
        BATCH_NORM_BACKWARD = "batch_norm_backward",
        BATCH_NORM_FROZEN_BACKWARD = "batch_norm_frozen_backward",
        BATCH_NORM_INFERENCE = "batch_norm_inference",
        FTRL = "ftrl",
        LION = "lion",
        LAYER_NORM = "layer_norm",
        LAYER_NORM_BACKWARD = "layer_norm_backward",
        PENALTY = "penalty",
        PENALTY_GRAD = "penalty_grad",
        PHILOX = "philox",
        PROX = "prox",
        RMSPROP = "rmsprop",
        SGD = "sgd",
    }
}

/// A row of the table.
pub struct Entry {
    /// The op's one name.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What it computes, in a line.
    pub formula: &'static str,
    /// The fields of its JSON form.
    pub fields: &'static [Field],
    /// Small cases that reach every branch: run by the cross-check.
    pub cases: fn() -> Vec<Box<dyn Op>>,
    /// Cases of realistic size: run by the benchmarks.
    pub bench: fn() -> Vec<Box<dyn Op>>,
    /// Reads the op from JSON (without the key `op`).
    pub parse: fn(serde_json::Value) -> Result<Box<dyn Op>, Error>,
}

/// A field of an op, for documentation.
pub struct Field {
    /// Its name, in Rust and in JSON.
    pub name: &'static str,
    /// The JSON text that stands for leaving it out; empty if it must be given.
    pub default: &'static str,
    /// What it is, its unit and range.
    pub about: &'static str,
}

/// The row of an op.
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|e| e.name == name)
}

/// Reads any op of the table from JSON: `{"op": "penalty_grad", "dtype": "f32", ...}`.
///
/// # Errors
/// [`Error::Json`] names the op or field that is unknown, missing or of the wrong type.
pub fn from_json(text: &str) -> Result<Box<dyn Op>, Error> {
    let bad = |what: &str, why: String| Error::Json { what: what.to_string(), why };
    let mut value: serde_json::Value = serde_json::from_str(text).map_err(|e| bad("the op's JSON", e.to_string()))?;
    let names = || ALL.iter().map(|e| e.name).collect::<Vec<_>>().join(", ");
    let name = value.as_object_mut().and_then(|o| o.remove("op"));
    let Some(serde_json::Value::String(name)) = name else {
        return Err(bad("the op's JSON", format!("wants an object with the key \"op\", one of: {}", names())));
    };
    match find(&name) {
        Some(entry) => (entry.parse)(value).map_err(|e| match e {
            Error::Json { why, .. } => bad(entry.name, why),
            e => e,
        }),
        None => Err(bad(&name, format!("no such op; there are: {}", names()))),
    }
}

fn parse<T: Op + serde::de::DeserializeOwned + 'static>(value: serde_json::Value) -> Result<Box<dyn Op>, Error> {
    match serde_json::from_value::<T>(value) {
        Ok(op) => Ok(Box::new(op)),
        Err(e) => Err(Error::Json { what: "the op's fields".into(), why: e.to_string() }),
    }
}

/// Lengths on both sides of every multiple that matters to a workgroup of `wg` lanes.
pub(crate) fn lengths(wg: usize) -> Vec<usize> {
    vec![0, 1, 2, 3, 4, wg - 1, wg, wg + 1, 2 * wg, 2 * wg + 7, wg * wg + 1]
}

/// Arenas for the ops that work on segments: single tensors of every length that matters, packed and spaced tensors, one
/// with many. `make` gets the type, the segments (groups 0 to `groups` - 1) and a number that differs from case to case.
pub(crate) fn arena_cases(groups: usize, make: impl Fn(DType, Vec<Segment>, usize) -> Box<dyn Op>) -> Vec<Box<dyn Op>> {
    let mut arenas: Vec<Vec<Segment>> = lengths(256).into_iter().map(Segment::one).collect();
    arenas.push(Vec::new());
    arenas.push(Segment::pack(&[10, 0, 1, 4096, 7, 2048, 513, 3], 4));
    arenas.push(Segment::pack(&[3, 5000, 64, 1], 128));
    arenas.push(Segment::pack(&[100; 300], 4));
    for (i, s) in arenas.iter_mut().flatten().enumerate() {
        s.group = i % groups;
    }
    let mut out = Vec::new();
    for dtype in DType::FLOATS {
        for segments in &arenas {
            out.push(make(dtype, segments.clone(), out.len()));
        }
    }
    out
}
