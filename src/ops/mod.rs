//! Every op, a family to a folder, and the table that tests, benches, the command line and the documents walk.
use crate::{DType, Error, Op, Segment};

mod averaging;
mod batched;
mod constraints;
mod dropouts;
mod linear;
mod losses;
mod mixing;
mod norms;
mod optimizers;
mod penalties;
mod transforms;

pub use averaging::*;
pub use batched::*;
pub use constraints::*;
pub use dropouts::*;
pub use linear::*;
pub use losses::*;
pub use mixing::*;
pub use norms::*;
pub use optimizers::*;
pub use penalties::*;
pub use transforms::*;

/// The table, by family.
pub const FAMILIES: &[Family] = &[
    penalties::FAMILY,
    constraints::FAMILY,
    transforms::FAMILY,
    optimizers::FAMILY,
    averaging::FAMILY,
    dropouts::FAMILY,
    norms::FAMILY,
    losses::FAMILY,
    linear::FAMILY,
    batched::FAMILY,
    mixing::FAMILY,
];

/// The rows of the table in order.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    FAMILIES.iter().flat_map(|f| f.ops)
}

/// Ops that belong together.
pub struct Family {
    /// Its folder in `shaders`, `src/ops` and `src/cpu`, and its file in `docs/numerics`.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Its rows.
    pub ops: &'static [Entry],
}

/// Says which ops a family has, and exports them: `folder: "Title", module::Type, ...`.
macro_rules! family {
    ($name:ident: $title:literal, $($op:ident::$ty:ident),* $(,)?) => {
        $(pub use $op::$ty;)*
        pub(super) const FAMILY: super::Family =
            super::Family { name: stringify!($name), title: $title, ops: &[$($op::ENTRY),*] };
    };
}
use family;

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
    /// Cases of realistic shape, of about so many elements, at least [`bench::LEAST`](crate::bench::LEAST): run by the benchmarks.
    /// Few ops have work that no size changes; they ignore it.
    pub bench: fn(usize) -> Vec<Box<dyn Op>>,
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
    all().find(|e| e.name == name)
}

/// Reads any op of the table from JSON: `{"op": "penalty_grad", "dtype": "f32", ...}`.
///
/// # Errors
/// [`Error::Json`] names the op or field that is unknown, missing or of the wrong type.
pub fn from_json(text: &str) -> Result<Box<dyn Op>, Error> {
    let bad = |what: &str, why: String| Error::Json { what: what.to_string(), why };
    let mut value: serde_json::Value = serde_json::from_str(text).map_err(|e| bad("the op's JSON", e.to_string()))?;
    let names = || all().map(|e| e.name).collect::<Vec<_>>().join(", ");
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
