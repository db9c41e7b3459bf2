//! A row of the ops table.
#[cfg(feature = "verify")]
use super::Verify;
use super::{Field, Op};
use crate::types::{Error, message, object};

/// Ops that belong together.
pub struct Family {
    /// Its folder in `shaders`, `src/ops` and `src/verify/reference`, and its file in `docs/numerics`.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Its rows.
    pub ops: &'static [Entry],
}

/// A row of the ops table.
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
    #[cfg(feature = "verify")]
    pub cases: fn() -> Vec<Box<dyn Verify>>,
    /// Cases of realistic shape, of about so many elements, at least 1024: run by the benchmarks.
    /// Few ops have work that no size changes; they ignore it.
    #[cfg(feature = "verify")]
    pub bench: fn(usize) -> Vec<Box<dyn Verify>>,
    /// Reads the op from JSON (without the key `op`).
    pub parse: fn(serde_json::Value) -> Result<Box<dyn Op>, Error>,
    /// The same as an op that can be checked.
    #[cfg(feature = "verify")]
    pub parse_verify: fn(serde_json::Value) -> Result<Box<dyn Verify>, Error>,
}

impl Entry {
    /// The op's JSON as JSON Schema (draft 2020-12): an object of its fields, with `op` for the name.
    pub fn schema(&self) -> serde_json::Value {
        let mut out = object(self.fields, &[]);
        (out["title"], out["description"]) = (self.name.into(), self.summary.into());
        out["properties"]["op"] = serde_json::json!({ "const": self.name });
        if let Some(required) = out["required"].as_array_mut() {
            required.insert(0, "op".into());
        }
        out
    }
}

/// Reads the fields of an op.
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|e| Error::Json { what: "the op's fields".into(), why: message(&e.to_string()) })
}
