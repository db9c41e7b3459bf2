//! Every op, a family to a folder, and the table that tests, benches, the command line and the documents walk.
use crate::{op::Op, types::Error};

pub use crate::op::{Entry, Family, Field};

pub mod averaging;
pub mod batched;
pub mod constraints;
pub mod dropouts;
pub mod linear;
pub mod losses;
pub mod mixing;
pub mod norms;
pub mod optimizers;
pub mod penalties;
pub mod transforms;

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

/// Says which ops a family has, and exports them: `folder: "Title", module::Type, ...`.
macro_rules! family {
    ($name:ident: $title:literal, $($op:ident::$ty:ident),* $(,)?) => {
        $(pub use $op::$ty;)*
        pub(super) const FAMILY: crate::op::Family =
            crate::op::Family { name: stringify!($name), title: $title, ops: &[$($op::ENTRY),*] };
    };
}
use family;

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
