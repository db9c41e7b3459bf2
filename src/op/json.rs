//! JSON as people and programs write it: what is not as it should be is named by its place.
use crate::types::{excerpt, message};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use std::fmt;

/// The value that a text describes; a key that stands twice in an object is an error, and so is a number that is not finite. A
/// byte-order mark may stand in front.
///
/// # Errors
/// Where and why, in words.
pub(crate) fn value(text: &str) -> Result<Value, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str::<Strict>(text).map(|v| v.0).map_err(|e| {
        let Some((path, token)) = stranger(text) else { return message(&e.to_string()) };
        let (path, shown, line, column) = (excerpt(&path), excerpt(&token), e.line(), e.column());
        let word = token.trim_start_matches(['+', '-']).to_ascii_lowercase();
        let why = match word.as_str() {
            "infinity" | "inf" | "nan" => "JSON has no such number, must be finite in f32",
            _ if e.to_string().starts_with("number out of range") => "no f64 is as large, must be finite in f32",
            _ => "that is no JSON",
        };
        format!("`{path}` is {shown}: {why} (line {line}, column {column})")
    })
}

/// A value without double keys.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Strict;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Strict, E> {
                Ok(Strict(Value::Null))
            }
            fn visit_bool<E>(self, v: bool) -> Result<Strict, E> {
                Ok(Strict(v.into()))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Strict, E> {
                Ok(Strict(v.into()))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Strict, E> {
                Ok(Strict(v.into()))
            }
            fn visit_f64<E>(self, v: f64) -> Result<Strict, E> {
                Ok(Strict(v.into()))
            }
            fn visit_str<E>(self, v: &str) -> Result<Strict, E> {
                Ok(Strict(v.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Strict, A::Error> {
                let mut all = Vec::new();
                while let Some(Strict(v)) = from.next_element()? {
                    all.push(v);
                }
                Ok(Strict(all.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Strict, A::Error> {
                let mut all = Map::new();
                while let Some(key) = from.next_key::<String>()? {
                    if all.contains_key(&key) {
                        return Err(A::Error::custom(format!("the key `{}` stands twice", excerpt(&key))));
                    }
                    let Strict(v) = from.next_value()?;
                    all.insert(key, v);
                }
                Ok(Strict(all.into()))
            }
        }
        from.deserialize_any(Any)
    }
}

/// The first word of a text that is no JSON value, and where in the value it stands: `groups[0].l1`.
fn stranger(text: &str) -> Option<(String, String)> {
    enum At {
        Key(String),
        Item(usize),
    }
    let (mut place, mut key_next, mut rest) = (Vec::new(), false, text);
    while let Some(first) = rest.chars().next() {
        let mut taken = first.len_utf8();
        match first {
            '{' | '[' => {
                place.push(if first == '{' { At::Key(String::new()) } else { At::Item(0) });
                key_next = first == '{';
            }
            '}' | ']' => drop(place.pop()),
            ',' => match place.last_mut() {
                Some(At::Item(i)) => *i += 1,
                _ => key_next = true,
            },
            ':' => key_next = false,
            '"' => {
                let mut escaped = false;
                let end = rest[1..].find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                })?;
                taken = end + 2;
                if let (true, Some(At::Key(key))) = (key_next, place.last_mut()) {
                    *key = rest[1..=end].to_string();
                }
            }
            c if c.is_ascii_whitespace() => {}
            _ => {
                taken = rest.find(|c: char| ",:{}[]\"".contains(c) || c.is_ascii_whitespace()).unwrap_or(rest.len());
                let word = &rest[..taken];
                if !matches!(word, "true" | "false" | "null") && serde_json::from_str::<f64>(word).is_err() {
                    let mut path = String::new();
                    for at in &place {
                        match at {
                            At::Key(key) if path.is_empty() => path.clone_from(key),
                            At::Key(key) => path = format!("{path}.{key}"),
                            At::Item(i) => path = format!("{path}[{i}]"),
                        }
                    }
                    return Some((path, word.to_string())).filter(|(path, _)| !path.is_empty());
                }
            }
        }
        // Deeper than any parser goes.
        if place.len() > 128 {
            return None;
        }
        rest = &rest[taken..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        value(text).expect_err("no JSON")
    }

    #[test]
    fn values_are_those_of_serde_json() {
        for text in [r#"{"a": [1, -2, 0.1, 1e300, 18446744073709551615, "λ\"", null, true, {}], "b": {"a": 0}}"#, "7", "[]"] {
            assert_eq!(value(text).expect("valid"), serde_json::from_str::<Value>(text).expect("valid"));
        }
        assert_eq!(value("\u{feff}{}"), Ok(Value::Object(Map::new())));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (number, because) in [
            ("Infinity", "JSON has no such number, must be finite in f32"),
            ("-Infinity", "JSON has no such number, must be finite in f32"),
            ("NaN", "JSON has no such number, must be finite in f32"),
            ("inf", "JSON has no such number, must be finite in f32"),
            ("1e999", "no f64 is as large, must be finite in f32"),
            ("True", "that is no JSON"),
            (".5", "that is no JSON"),
        ] {
            let got = why(&format!("{{\"op\": \"x,y\", \"groups\": [{{}}, {{\"l1\": {number}}}]}}"));
            assert!(got.starts_with(&format!("`groups[1].l1` is {number}: {because} (line 1, column ")), "{got}");
        }
        assert!(why("{\"a\\\"\": 1, \"eps\":\n nan}").starts_with("`eps` is nan: JSON has no such number"));
        assert_eq!(why("{"), "EOF while parsing an object at line 1 column 1");
        assert_eq!(why("nan"), "expected ident at line 1 column 2");
        assert!(why(r#"{"rows": 1, "a": {"rows": 2}, "rows": 3}"#).starts_with("the key `rows` stands twice at line 1"));
        assert!(why(&"[".repeat(1 << 20)).starts_with("recursion limit exceeded"));
        let long = why(&format!("{{\"{}\": Infinity}}", "k".repeat(2_000_000)));
        assert!(long.contains("k... (2000000 characters)` is Infinity") && long.len() < 400, "{long}");
    }
}
