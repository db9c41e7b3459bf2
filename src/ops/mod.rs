//! Every op, by family.
//!
//! An op is one kernel call, fully described: shapes, storage types and scalars, and no GPU object. It is a struct with
//! public fields that implements [`Op`]: its buffers ([`Op::args`]) and the dispatches it lowers to; and, with the feature `verify`,
//! [`Verify`](crate::Verify): the f64 reference that says what they must compute. `Session::run` runs one on host data;
//! [`Gpu::plan`](crate::Gpu::plan) and [`Plan::bind`](crate::Plan::bind) bind it to buffers of yours. Mistakes in the fields
//! are typed errors when the op is planned, before anything is recorded.
//!
//! Each op has a name, and a JSON form with the struct's field names, which [`from_json`] reads; the command `ridgepole run`
//! takes the same, and `ridgepole ops NAME` lists the fields with their defaults.
//!
//! ```rust
//! use ridgepole::{Session, ops};
//!
//! let text = r#"{"op": "penalty_grad", "dtype": "f32", "segments": [{"start": 0, "len": 3}], "groups": [{"l1": 0.5}]}"#;
//! let op = ops::from_json(text)?;
//! let grad = Session::new()?.run(&*op, &[vec![1.0, -2.0, 0.0].into(), vec![0.0; 3].into()])?;
//! assert_eq!(grad, [vec![0.5, -0.5, 0.0].into()]);
//! // The same op, found in the ops table.
//! let entry = ops::find("penalty_grad").unwrap();
//! println!("{}: {}", entry.formula, entry.summary);
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! Each family is a module with a page of its own, which says when to use which op and lists all of them with their formulas.
//! The structs are re-exported here too: `ridgepole::ops::BatchNorm` is `ridgepole::ops::norms::BatchNorm`. [`FAMILIES`] is
//! the same table as data.
//!
//! # Families
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | family | ops | what it is for |
//! |---|---|---|
//! | [`penalties`] | 8 | Penalties Ω(w) on weights, which regularize a model: value, gradient and proximal step. |
//! | [`constraints`] | 6 | Constraints on weights, enforced by a projection after each optimizer step. |
//! | [`transforms`] | 9 | Transforms of gradients, between the backward pass and the optimizer step: clipping, centralization, noise, loss scaling. |
//! | [`optimizers`] | 9 | Optimizer steps with every regularizer fused in: a whole model in one pass over its memory. |
//! | [`averaging`] | 4 | Averages of weights, which generalize better than the last iterate, and the two halves of sharpness-aware minimisation. |
//! | [`dropouts`] | 19 | Dropout and its relatives: random masks and noise, which regularize a network in training. |
//! | [`norms`] | 31 | Normalisation of activations, over batches, rows or channels, and of weights. |
//! | [`losses`] | 4 | Losses, each with its gradient in the same pass. |
//! | [`linear`] | 4 | Linear and logistic models with an elastic net, fitted many at once on one design matrix: all λ and all folds of a regularization path. |
//! | [`batched`] | 10 | Many small networks of one shape, trained together: each op works on all of them in one dispatch. |
//! | [`mixing`] | 6 | Augmentation that mixes or erases parts of a batch's samples, with their labels. |
//!
//! <!-- /ops -->
#[cfg(feature = "verify")]
use crate::op::Verify;
use crate::{
    op::{Op, json},
    types::{Error, excerpt},
};

pub use crate::op::{Entry, Family, Field};

#[cfg(feature = "averaging")]
pub mod averaging;
#[cfg(feature = "batched")]
pub mod batched;
#[cfg(feature = "constraints")]
pub mod constraints;
#[cfg(feature = "dropouts")]
pub mod dropouts;
#[cfg(feature = "linear")]
pub mod linear;
#[cfg(feature = "losses")]
pub mod losses;
#[cfg(feature = "mixing")]
pub mod mixing;
#[cfg(feature = "norms")]
pub mod norms;
#[cfg(feature = "optimizers")]
pub mod optimizers;
#[cfg(feature = "penalties")]
pub mod penalties;
#[cfg(feature = "transforms")]
pub mod transforms;

#[cfg(feature = "averaging")]
pub use averaging::*;
#[cfg(feature = "batched")]
pub use batched::*;
#[cfg(feature = "constraints")]
pub use constraints::*;
#[cfg(feature = "dropouts")]
pub use dropouts::*;
#[cfg(feature = "linear")]
pub use linear::*;
#[cfg(feature = "losses")]
pub use losses::*;
#[cfg(feature = "mixing")]
pub use mixing::*;
#[cfg(feature = "norms")]
pub use norms::*;
#[cfg(feature = "optimizers")]
pub use optimizers::*;
#[cfg(feature = "penalties")]
pub use penalties::*;
#[cfg(feature = "transforms")]
pub use transforms::*;

/// The ops table, by family: those whose features are on.
pub const FAMILIES: &[Family] = &[
    #[cfg(feature = "penalties")]
    penalties::FAMILY,
    #[cfg(feature = "constraints")]
    constraints::FAMILY,
    #[cfg(feature = "transforms")]
    transforms::FAMILY,
    #[cfg(feature = "optimizers")]
    optimizers::FAMILY,
    #[cfg(feature = "averaging")]
    averaging::FAMILY,
    #[cfg(feature = "dropouts")]
    dropouts::FAMILY,
    #[cfg(feature = "norms")]
    norms::FAMILY,
    #[cfg(feature = "losses")]
    losses::FAMILY,
    #[cfg(feature = "linear")]
    linear::FAMILY,
    #[cfg(feature = "batched")]
    batched::FAMILY,
    #[cfg(feature = "mixing")]
    mixing::FAMILY,
];

/// The names of the ops of each family that is left out, and its name.
const ABSENT: &[(&[&str], &str)] = include!(concat!(env!("OUT_DIR"), "/absent.rs"));

/// The rows of the ops table in order.
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

/// Reads any op of the ops table from JSON: `{"op": "penalty_grad", "dtype": "f32", ...}`.
///
/// # Errors
/// [`Error::Json`] names the op or field that is unknown, missing, given twice, of the wrong type or no finite number; of an op
/// whose family is not compiled in, it names the feature.
pub fn from_json(text: &str) -> Result<Box<dyn Op>, Error> {
    from_value(parse_json(text)?)
}

/// Reads JSON as [`from_json`] does, into a value for [`from_value`].
///
/// # Errors
/// [`Error::Json`] says where and why; the key that stands twice, the number that is not finite.
pub fn parse_json(text: &str) -> Result<serde_json::Value, Error> {
    json::value(text).map_err(|why| bad("the op's JSON", why))
}

/// As [`from_json`], of JSON that [`parse_json`] has read.
///
/// # Errors
/// As [`from_json`].
pub fn from_value(value: serde_json::Value) -> Result<Box<dyn Op>, Error> {
    read(value, |entry| entry.parse)
}

/// As [`from_json`], an op that can be checked.
///
/// # Errors
/// As [`from_json`].
#[cfg(feature = "verify")]
pub fn verify_from_json(text: &str) -> Result<Box<dyn Verify>, Error> {
    verify_from_value(parse_json(text)?)
}

/// As [`from_value`], an op that can be checked.
///
/// # Errors
/// As [`from_json`].
#[cfg(feature = "verify")]
pub fn verify_from_value(value: serde_json::Value) -> Result<Box<dyn Verify>, Error> {
    read(value, |entry| entry.parse_verify)
}

type Parse<T> = fn(serde_json::Value) -> Result<T, Error>;

fn read<T>(mut value: serde_json::Value, parse: fn(&Entry) -> Parse<T>) -> Result<T, Error> {
    let names = || all().map(|e| e.name).collect::<Vec<_>>().join(", ");
    let name = value.as_object_mut().and_then(|o| o.remove("op"));
    let Some(serde_json::Value::String(name)) = name else {
        return Err(bad("the op's JSON", format!("wants an object with the key \"op\", one of: {}", names())));
    };
    match find(&name) {
        Some(entry) => parse(entry)(value).map_err(|e| match e {
            Error::Json { why, .. } => bad(entry.name, why),
            e => e,
        }),
        None => match ABSENT.iter().find(|(ops, _)| ops.contains(&name.as_str())) {
            Some((_, family)) => Err(bad(&name, format!("is an op of ridgepole's feature `{family}`, which is not compiled in"))),
            None => Err(bad(&excerpt(&name), format!("no such op; there are: {}", names()))),
        },
    }
}

fn bad(what: &str, why: String) -> Error {
    Error::Json { what: what.to_string(), why }
}
