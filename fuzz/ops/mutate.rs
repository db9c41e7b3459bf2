//! Descriptions of ops made of others.
use crate::fuzz::{self, INTEGERS, below, pick};
use ridgepole::{Rng, ops};
use serde_json::{Map, Value, json};

/// Where scalars go wrong: signs, the ends of f16, f32 and f64, what rounds to 0 or 1.
const FLOATS: [f64; 34] = [
    0.0, -0.0, 0.5, 1.0, -1.0, 2.0, 1e-5, 0.1, 0.9, 0.999, 1.5, 100.0, 5e-324, 1e-320, 2.3e-308, 1e-300, 1e-46, 1.4e-45, 1e-40,
    1.17e-38, 1.18e-38, 6e-8, 6.1e-5, 0.99999999, 1.00000001, 65504.0, 65520.0, 3.4e38, 3.5e38, 1e300, 1.7e308, -1e300, 1e19,
    1e-20,
];

/// Words of other ops' fields, and of none.
const WORDS: [&str; 24] = [
    "f32",
    "f16",
    "bf16",
    "u32",
    "relu",
    "none",
    "mean",
    "sum",
    "rows",
    "columns",
    "whole",
    "channels_last",
    "channels_first",
    "store",
    "recompute",
    "inverted",
    "biased",
    "unbiased",
    "sixteen",
    "elements",
    "huber",
    "",
    "thirty_two",
    "\u{202e}\u{1b}[2J",
];

/// A description made of one, or of two, by its structure; now and then by its bytes.
pub fn op(rng: &mut Rng, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let parsed = serde_json::from_slice::<Value>(input).ok().filter(Value::is_object);
    let Some(mut value) = parsed.filter(|_| rng.unit() < 0.93) else {
        return fuzz::bytes(
            rng,
            input,
            others,
            &["{", "}", "[", "]", ":", ",", "\"op\":", "null", "1e999", "-0.0", "\\u0000", "f32"],
        );
    };
    let other = serde_json::from_slice(pick(rng, others).as_slice()).unwrap_or(Value::Null);
    for _ in 0..1 + below(rng, 3) {
        change(rng, &mut value, &other);
    }
    value.to_string().into_bytes()
}

fn change(rng: &mut Rng, value: &mut Value, other: &Value) {
    let fields = value.get("op").and_then(Value::as_str).and_then(ops::find).map_or(&[][..], |e| e.fields);
    let Some(object) = value.as_object_mut() else { return };
    let keys: Vec<String> = object.keys().filter(|k| *k != "op").cloned().collect();
    match below(rng, 20) {
        // A field that may be left out: given, or not.
        0 | 1 if !fields.is_empty() => {
            let field = pick(rng, fields);
            let default = serde_json::from_str(field.default).unwrap_or_else(|_| hostile(rng));
            object.insert(field.name.into(), default);
        }
        2 if !keys.is_empty() => drop(object.remove(pick(rng, &keys))),
        // The other's field of the same name, or of any.
        3..6 if !keys.is_empty() => {
            let key = pick(rng, &keys);
            if let Some(theirs) = other.get(key) {
                object.insert(key.clone(), theirs.clone());
            }
        }
        6 if !keys.is_empty() => {
            let theirs: Vec<&Value> = other.as_object().map(|o| o.values().collect()).unwrap_or_default();
            if !theirs.is_empty() {
                let theirs = (*pick(rng, &theirs)).clone();
                object.insert(pick(rng, &keys).clone(), theirs);
            }
        }
        // The same fields for another op.
        7 if rng.unit() < 0.3 => {
            let all: Vec<&str> = ops::all().map(|e| e.name).collect();
            object.insert("op".into(), (*pick(rng, &all)).into());
        }
        _ if !keys.is_empty() => {
            let key = pick(rng, &keys);
            deep(rng, object.get_mut(key).expect("one of its keys"));
        }
        _ => drop(object.insert("extra".into(), hostile(rng))),
    }
}

/// Changes a value, or one within it.
fn deep(rng: &mut Rng, value: &mut Value) {
    if rng.unit() < 0.04 {
        *value = hostile(rng);
        return;
    }
    match value {
        Value::Array(all) => match below(rng, 8) {
            0 if !all.is_empty() => drop(all.remove(below(rng, all.len()))),
            1 | 2 if !all.is_empty() && all.len() < 200 => {
                let one = pick(rng, all).clone();
                all.insert(below(rng, all.len() + 1), one);
            }
            3 if all.len() > 1 => {
                let (a, b) = (below(rng, all.len()), below(rng, all.len()));
                all.swap(a, b);
            }
            _ if !all.is_empty() => {
                let at = below(rng, all.len());
                deep(rng, &mut all[at]);
            }
            _ => all.push(hostile(rng)),
        },
        Value::Object(all) if !all.is_empty() => {
            let keys: Vec<String> = all.keys().cloned().collect();
            let key = pick(rng, &keys);
            if rng.unit() < 0.05 {
                all.remove(key);
            } else {
                deep(rng, all.get_mut(key).expect("one of its keys"));
            }
        }
        Value::Number(n) if n.is_u64() || n.is_i64() => *value = integer(rng, n.as_u64()),
        Value::Number(_) => *value = float(rng),
        Value::Bool(b) => *b = !*b,
        Value::String(text) => *text = (*pick(rng, &WORDS)).into(),
        _ => *value = hostile(rng),
    }
}

fn integer(rng: &mut Rng, was: Option<u64>) -> Value {
    match (below(rng, 8), was) {
        (0, Some(n)) => json!(n.wrapping_add(1)),
        (1, Some(n)) => json!(n.wrapping_sub(1)),
        (2, Some(n)) => json!(n.saturating_mul(2)),
        (3, Some(n)) => json!(n.saturating_add(4)),
        (4, _) => json!(below(rng, 70)),
        (5, _) => json!(-1 - below(rng, 3) as i64),
        _ => json!(pick(rng, &INTEGERS)),
    }
}

fn float(rng: &mut Rng) -> Value {
    match below(rng, 4) {
        0 => json!(rng.unit()),
        1 => json!(10f64.powf(rng.unit() * 90.0 - 45.0)),
        _ => json!(pick(rng, &FLOATS)),
    }
}

fn hostile(rng: &mut Rng) -> Value {
    match below(rng, 12) {
        0 => Value::Null,
        1 => json!(rng.unit() < 0.5),
        2 | 3 => integer(rng, None),
        4 | 5 => float(rng),
        6 => json!(pick(rng, &WORDS)),
        7 => json!([]),
        8 => json!({}),
        9 => json!([{ "start": pick(rng, &INTEGERS), "len": pick(rng, &INTEGERS) }]),
        10 => {
            json!([{ "start": 0, "rows": pick(rng, &INTEGERS), "cols": pick(rng, &INTEGERS), "unit": pick(rng, &["rows", "columns", "whole"]) }])
        }
        _ => json!({ "n": pick(rng, &INTEGERS), "c": pick(rng, &INTEGERS), "s": pick(rng, &INTEGERS) }),
    }
}

/// Without a field, or with a smaller number, a shorter list.
pub fn smaller(input: &[u8]) -> Vec<Vec<u8>> {
    let Ok(value) = serde_json::from_slice::<Value>(input) else { return fuzz::fewer_bytes(input) };
    let mut out = Vec::new();
    fewer(&value, &mut |v| out.push(v.to_string().into_bytes()));
    out.retain(|o| o.len() <= input.len() && o != input);
    out
}

fn fewer(value: &Value, give: &mut dyn FnMut(Value)) {
    match value {
        Value::Object(all) => {
            let with = |key: &str, new: Option<Value>| {
                let mut less: Map<String, Value> = all.clone();
                match new {
                    Some(new) => drop(less.insert(key.into(), new)),
                    None => drop(less.remove(key)),
                }
                Value::Object(less)
            };
            all.keys().filter(|k| *k != "op").for_each(|k| give(with(k, None)));
            for (key, inner) in all {
                fewer(inner, &mut |less| give(with(key, Some(less))));
            }
        }
        Value::Array(all) => {
            for i in 0..all.len() {
                let mut less = all.clone();
                less.remove(i);
                give(Value::Array(less));
            }
            for (i, inner) in all.iter().enumerate() {
                fewer(inner, &mut |less| {
                    let mut all = all.clone();
                    all[i] = less;
                    give(Value::Array(all));
                });
            }
        }
        Value::Number(n) => match n.as_u64() {
            Some(n) => [0, 1, 2, 4, n / 2].into_iter().filter(|less| *less < n).for_each(|less| give(json!(less))),
            None => [0.5, 1.0].into_iter().filter(|less| n.as_f64() != Some(*less)).for_each(|less| give(json!(less))),
        },
        _ => {}
    }
}
