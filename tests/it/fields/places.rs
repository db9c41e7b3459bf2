//! Where in an op's JSON numbers, choices and objects stand, and what the table of ops says of each place.
use ridgepole::op::{Choice, Field, Kind, Range};
use serde_json::{Value, json};

/// A place in JSON, by its pointer.
pub struct Place {
    pub at: String,
    pub what: What,
}

pub enum What {
    Number {
        range: Range,
        whole: bool,
    },
    Choice {
        choices: &'static [Choice],
        only: &'static [&'static str],
    },
    /// An object, one field of which is this; it must be given, or may be left out.
    Field {
        field: Field,
        must: bool,
    },
}

/// All places of an op's fields.
pub fn all(fields: &'static [Field], value: &Value) -> Vec<Place> {
    let mut out = vec![];
    object(fields, &[], value, "", &mut out);
    out
}

fn object(fields: &'static [Field], must_give: &[&str], value: &Value, at: &str, out: &mut Vec<Place>) {
    for f in fields {
        let must = f.default.is_empty() || must_give.contains(&f.name);
        out.push(Place { at: at.into(), what: What::Field { field: *f, must } });
        if let Some(held) = value.get(f.name) {
            walk(&f.kind, f, held, &format!("{at}/{}", f.name), out);
        }
    }
}

fn walk(kind: &Kind, f: &Field, value: &Value, at: &str, out: &mut Vec<Place>) {
    let mut push = |what| out.push(Place { at: at.into(), what });
    match kind {
        Kind::Number => push(What::Number { range: f.range, whole: false }),
        Kind::Whole { .. } => push(What::Number { range: f.range, whole: true }),
        Kind::Optional { of } if !value.is_null() => walk(of, f, value, at, out),
        Kind::List { of, .. } => {
            let all = value.as_array().unwrap_or_else(|| panic!("{at}: {value} is no list"));
            all.iter().enumerate().for_each(|(i, v)| walk(of, f, v, &format!("{at}/{i}"), out));
        }
        Kind::Object { fields, .. } => object(fields, f.must_give, value, at, out),
        Kind::Choice { choices, .. } => {
            push(What::Choice { choices, only: f.only });
            let Some((name, held)) = value.as_object().and_then(|o| o.iter().next()) else { return };
            let choice = choices.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("{at}: no choice {name}"));
            let kind = choice.holds.unwrap_or_else(|| panic!("{at}: {name} holds nothing"));
            walk(kind, &within(choice), held, &format!("{at}/{name}"), out);
        }
        _ => {}
    }
}

/// What a choice says of what it holds.
fn within(choice: &Choice) -> Field {
    Field { name: "", default: "", about: "", kind: Kind::Bool, range: choice.range, must_give: &[], only: &[] }
}

/// The JSON of a choice.
pub fn chosen(choice: &Choice) -> Value {
    match choice.holds {
        None => choice.name.into(),
        Some(kind) => json!({ choice.name: example(kind, &within(choice)) }),
    }
}

/// Something that a field may hold.
fn example(kind: &Kind, f: &Field) -> Value {
    let r = f.range;
    match kind {
        Kind::Bool => true.into(),
        Kind::Whole { .. } => (r.min.unwrap_or(0.0).max(r.multiple_of.unwrap_or(1) as f64) as u64).into(),
        Kind::Number => r.max.map_or(0.5, |max| max.min(0.5)).into(),
        Kind::Optional { of } => example(of, f),
        Kind::List { of, len } => vec![example(of, f); len.unwrap_or(1)].into(),
        Kind::Object { fields, .. } => {
            let required = fields.iter().filter(|f| f.default.is_empty());
            Value::Object(required.map(|f| (f.name.to_string(), example(&f.kind, f))).collect())
        }
        Kind::Choice { choices, .. } => chosen(choices.first().expect("a choice")),
        other => panic!("{other:?} has no example here"),
    }
}

/// The same JSON with another value in one place.
pub fn with(fields: &Value, at: &str, value: Value) -> Value {
    let mut out = fields.clone();
    *out.pointer_mut(at).unwrap_or_else(|| panic!("{fields} has no {at}")) = value;
    out
}
