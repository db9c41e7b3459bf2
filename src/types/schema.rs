//! Fields as JSON Schema (draft 2020-12), from which other programs make forms, functions and type stubs.
use super::field::{Choice, Field, Kind, Range};
use serde_json::{Map, Value, json};

impl Field {
    /// The schema of what it holds, with its text and, if it has one, its default.
    ///
    /// A number's bounds are in it; that every number is 0, or normal and finite in f32, is not.
    pub fn schema(&self) -> Value {
        let mut out = self.kind.schema(&Narrowed { range: self.range, must_give: self.must_give, only: self.only });
        out["description"] = self.about.into();
        if let Ok(default) = serde_json::from_str::<Value>(self.default) {
            out["default"] = default;
        }
        out
    }
}

/// What a field says of its kind.
struct Narrowed {
    range: Range,
    must_give: &'static [&'static str],
    only: &'static [&'static str],
}

impl Kind {
    fn schema(&self, to: &Narrowed) -> Value {
        match self {
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Number => bounded(json!({ "type": "number" }), to.range, false),
            Kind::Whole { bits } => {
                let mut out = json!({ "type": "integer", "format": format!("uint{bits}"), "minimum": 0 });
                if *bits == 32 {
                    out["maximum"] = u32::MAX.into();
                }
                bounded(out, to.range, true)
            }
            Kind::Optional { of } => json!({ "anyOf": [of.schema(to), { "type": "null" }] }),
            Kind::List { of, len } => {
                let mut out = json!({ "type": "array", "items": of.schema(to) });
                if let Some(len) = len {
                    (out["minItems"], out["maxItems"]) = ((*len).into(), (*len).into());
                }
                out
            }
            Kind::Object { name, about, fields } => {
                let mut out = object(fields, to.must_give);
                if !name.is_empty() {
                    (out["title"], out["description"]) = ((*name).into(), (*about).into());
                }
                out
            }
            Kind::Choice { name, about, choices } => {
                let taken = choices.iter().filter(|c| to.only.is_empty() || to.only.contains(&c.name));
                json!({ "title": name, "description": about, "oneOf": taken.map(Choice::schema).collect::<Vec<_>>() })
            }
        }
    }
}

impl Choice {
    fn schema(&self) -> Value {
        let Self { name, about, range, holds } = self;
        match holds {
            None => json!({ "const": name, "description": about }),
            Some(kind) => json!({
                "type": "object",
                "description": about,
                "properties": { *name: kind.schema(&Narrowed { range: *range, must_give: &[], only: &[] }) },
                "required": [name],
                "additionalProperties": false,
            }),
        }
    }
}

/// An object that takes these fields and no others.
pub(crate) fn object(fields: &[Field], must_give: &[&str]) -> Value {
    let properties: Map<_, _> = fields.iter().map(|f| (f.name.to_string(), f.schema())).collect();
    let required: Vec<&str> =
        fields.iter().filter(|f| f.default.is_empty() || must_give.contains(&f.name)).map(|f| f.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn bounded(mut out: Value, range: Range, whole: bool) -> Value {
    let number = |v: f64| if whole { Value::from(v as u64) } else { Value::from(v) };
    let Range { min, above, max, below, multiple_of, words: _ } = range;
    for (name, bound) in [("minimum", min), ("exclusiveMinimum", above), ("maximum", max), ("exclusiveMaximum", below)] {
        if let Some(v) = bound {
            out[name] = number(v);
        }
    }
    if let Some(n) = multiple_of {
        out["multipleOf"] = n.into();
    }
    out
}
