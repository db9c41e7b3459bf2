//! The fields of an op, as its attribute describes them, and of an op that holds another: a backward op its forward.
use crate::types::Field;
use serde::{
    Deserializer,
    de::{DeserializeOwned, Error, MapAccess, Visitor},
    ser::SerializeStruct,
};
use serde_json::{Map, Value};
use std::fmt;

/// What `#[op]` makes of an op's fields. Those of an op within it stand among them.
pub(crate) trait Fields {
    /// A row for each.
    const FIELDS: &'static [Field];

    /// Writes those that `keeps` takes.
    fn put<S: SerializeStruct>(&self, out: &mut S, keeps: &dyn Fn(&str) -> bool) -> Result<(), S::Error>;

    /// Prints them.
    fn show(&self, out: &mut fmt::DebugStruct<'_, '_>, keeps: &dyn Fn(&str) -> bool);
}

/// How many rows [`joined`] has.
pub(crate) const fn joined_len(held: &[Field], without: &[&str], own: &[Field]) -> usize {
    held.len() - without.len() + own.len()
}

/// The rows of an op that is held, but for those `without`, and then its holder's own.
///
/// # Panics
/// When it is compiled: if what is left out is not there, or must be given.
pub(crate) const fn joined<const N: usize>(held: &[Field], without: &[&str], own: &[Field]) -> [Field; N] {
    let mut out = [if held.is_empty() { own[0] } else { held[0] }; N];
    let (mut i, mut to) = (0, 0);
    while i < held.len() {
        if !among(without, held[i].name) {
            assert!(to < N, "what is left out must be a field of the op that is held, named once");
            out[to] = held[i];
            to += 1;
        } else {
            assert!(!held[i].default.is_empty(), "a field without a default cannot be left out");
        }
        i += 1;
    }
    assert!(to + own.len() == N, "what is left out must be a field of the op that is held, named once");
    i = 0;
    while i < own.len() {
        out[to + i] = own[i];
        i += 1;
    }
    out
}

const fn among(names: &[&str], name: &str) -> bool {
    let mut i = 0;
    while i < names.len() {
        if same(names[i].as_bytes(), name.as_bytes()) {
            return true;
        }
        i += 1;
    }
    false
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    a.len() == b.len()
}

/// Their names.
pub(crate) const fn names<const N: usize>(fields: &[Field]) -> [&'static str; N] {
    let (mut out, mut i) = ([""; N], 0);
    while i < N {
        out[i] = fields[i].name;
        i += 1;
    }
    out
}

/// Reads an op that holds another, and its `own` fields, from an object of all their `names`. Errors are those of serde for a struct
/// `what` that has all these fields.
pub(crate) fn parted<'de, D: Deserializer<'de>, H: DeserializeOwned, O: DeserializeOwned>(
    from: D,
    what: &'static str,
    names: &'static [&'static str],
    own: &'static [&'static str],
) -> Result<(H, O), D::Error> {
    let [held, own] = from.deserialize_struct(what, names, Parts { what, names, own })?;
    let wrong = |e: serde_json::Error| D::Error::custom(e);
    Ok((serde_json::from_value(held.into()).map_err(wrong)?, serde_json::from_value(own.into()).map_err(wrong)?))
}

/// Parts the fields of an object.
struct Parts {
    what: &'static str,
    names: &'static [&'static str],
    own: &'static [&'static str],
}

impl<'de> Visitor<'de> for Parts {
    type Value = [Map<String, Value>; 2];

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "struct {}", self.what)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut parts = [Map::new(), Map::new()];
        while let Some(key) = from.next_key::<String>()? {
            let Some(name) = self.names.iter().find(|n| **n == key) else {
                return Err(A::Error::unknown_field(&key, self.names));
            };
            if parts[usize::from(self.own.contains(name))].insert(key, from.next_value()?).is_some() {
                return Err(A::Error::duplicate_field(name));
            }
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &'static str, default: &'static str) -> Field {
        let kind = crate::types::Kind::Bool;
        Field { name, default, about: "", kind, range: crate::types::Range::ANY, must_give: &[], only: &[] }
    }

    #[test]
    fn rows_are_joined() {
        let (held, own) = ([field("a", ""), field("b", "1"), field("ab", "2")], [field("c", "")]);
        let all: [Field; 3] = joined(&held, &["b"], &own);
        assert_eq!(names::<3>(&all), ["a", "ab", "c"]);
        assert_eq!(names::<1>(&joined::<1>(&[], &[], &own)), ["c"]);
    }

    #[test]
    #[should_panic(expected = "must be a field of the op that is held")]
    fn what_is_not_there_is_not_left_out() {
        joined::<1>(&[field("a", ""), field("b", "1")], &["c"], &[]);
    }

    #[test]
    #[should_panic(expected = "without a default cannot be left out")]
    fn what_must_be_given_is_not_left_out() {
        joined::<0>(&[field("a", "")], &["a"], &[]);
    }
}
