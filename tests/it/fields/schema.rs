//! As much of JSON Schema as the ops' schemas use.
use serde_json::Value;

/// Why a value is not as a schema says; nothing if it is.
pub fn fault(schema: &Value, value: &Value, at: &str) -> Option<String> {
    let known = [
        "title",
        "description",
        "default",
        "format",
        "type",
        "const",
        "oneOf",
        "anyOf",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "minItems",
        "maxItems",
        "minimum",
        "exclusiveMinimum",
        "maximum",
        "exclusiveMaximum",
        "multipleOf",
    ];
    let words = schema.as_object().expect("a schema is an object");
    if let Some(word) = words.keys().find(|k| !known.contains(&k.as_str())) {
        return Some(format!("{at}: the schema says {word}, which this test does not know"));
    }
    let of_type = match words.get("type").map(|t| t.as_str().expect("one type")) {
        None => true,
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("null") => value.is_null(),
        Some(other) => panic!("{at}: no type {other}"),
    };
    if !of_type || words.get("const").is_some_and(|c| c != value) {
        return Some(format!("{at}: {value} is not of {}", schema));
    }
    for (word, most) in [("oneOf", 1), ("anyOf", usize::MAX)] {
        if let Some(all) = words.get(word) {
            let fit = all.as_array().expect("a list").iter().filter(|s| fault(s, value, at).is_none()).count();
            if fit == 0 || fit > most {
                return Some(format!("{at}: {value} fits {fit} of {word}"));
            }
        }
    }
    number(schema, value).or_else(|| list(schema, value, at)).or_else(|| object(schema, value, at))
}

fn number(schema: &Value, value: &Value) -> Option<String> {
    let v = value.as_f64()?;
    let bound = |word: &str| schema.get(word).map(|b| b.as_f64().expect("a number"));
    let outside = bound("minimum").is_some_and(|b| v < b)
        || bound("exclusiveMinimum").is_some_and(|b| v <= b)
        || bound("maximum").is_some_and(|b| v > b)
        || bound("exclusiveMaximum").is_some_and(|b| v >= b)
        || bound("multipleOf").is_some_and(|b| v % b != 0.0);
    outside.then(|| format!("{v} is outside of {schema}"))
}

fn list(schema: &Value, value: &Value, at: &str) -> Option<String> {
    let all = value.as_array()?;
    let count = |word: &str| schema.get(word).map(|b| b.as_u64().expect("a number") as usize);
    if count("minItems").is_some_and(|n| all.len() < n) || count("maxItems").is_some_and(|n| all.len() > n) {
        return Some(format!("{at}: has {} elements", all.len()));
    }
    all.iter().enumerate().find_map(|(i, v)| fault(schema.get("items")?, v, &format!("{at}/{i}")))
}

fn object(schema: &Value, value: &Value, at: &str) -> Option<String> {
    let all = value.as_object()?;
    let properties = schema.get("properties")?;
    let required = schema["required"].as_array().expect("a list");
    if let Some(name) = required.iter().find(|r| !all.contains_key(r.as_str().expect("a name"))) {
        return Some(format!("{at}: {name} is missing"));
    }
    assert_eq!(schema["additionalProperties"], false, "{at}");
    all.iter().find_map(|(name, v)| match properties.get(name) {
        None => Some(format!("{at}: {name} is unknown")),
        Some(schema) => fault(schema, v, &format!("{at}/{name}")),
    })
}
