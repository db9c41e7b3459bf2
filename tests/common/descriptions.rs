//! Descriptions of ops in JSON, made from what the ops table says of them.
use ridgepole::{Caps, Error, ops, wgpu};
use serde_json::{Value, json};

/// A valid description of an op: for each required field the first of some usual values that the op can read.
pub fn usual(entry: &ops::Entry) -> Value {
    let values = [
        json!(1),
        json!(0.5),
        json!("f32"),
        json!(true),
        json!([{}]),
        json!([{ "decay": 0.01 }]),
        json!([{ "lambda": 0.5 }]),
        json!({ "constant": { "std": 0.5 } }),
        json!([{ "start": 0, "len": 5, "group": 0 }]),
        json!([{ "start": 0, "rows": 2, "cols": 3, "group": 0 }]),
        json!({ "n": 2, "c": 3, "s": 4 }),
        json!({ "seed": 1, "stream": 2, "step": 3 }),
        json!({ "per_batch": 0.5 }),
        json!({ "square": 1 }),
        json!("linear"),
        json!("cross_entropy"),
    ];
    let required: Vec<&str> = entry.fields.iter().filter(|f| f.default.is_empty()).map(|f| f.name).collect();
    let mut base = json!({ "op": entry.name });
    for field in &required {
        let fits = |value: &&Value| {
            let mut with = base.clone();
            with[field] = (*value).clone();
            let missing = |e: &str| required.iter().any(|r| r != field && e.contains(&format!("missing field `{r}`")));
            ops::verify_from_json(&with.to_string()).map_or_else(|e| missing(&e.to_string()), |_| true)
        };
        let value = values.iter().find(fits);
        base[field] = value.unwrap_or_else(|| panic!("{}: no usual value fits `{field}`: add one here", entry.name)).clone();
    }
    // Of the right types, but perhaps one is out of its range.
    let others = required.iter().flat_map(|field| values.iter().map(move |v| (field, v)));
    // Widths that must be whole quads.
    let mut quads = base.clone();
    quads.as_object_mut().expect("an object").values_mut().filter(|v| **v == json!(1)).for_each(|v| *v = json!(4));
    let mut all = [base.clone(), quads].into_iter().chain(others.map(|(field, value)| {
        let mut with = base.clone();
        with[field] = value.clone();
        with
    }));
    let works = |d: &Value| ops::verify_from_json(&d.to_string()).is_ok_and(|op| valid(op.as_ref()));
    all.find(works).unwrap_or_else(|| panic!("{}: {base} is not valid", entry.name))
}

/// Whether the best of devices would take it.
pub fn valid(op: &dyn ridgepole::Op) -> bool {
    let most = 1 << 32;
    let limits = wgpu::Limits { max_buffer_size: most, max_storage_buffer_binding_size: most, ..Default::default() };
    // The reference has none of a device's limits.
    matches!(op.lower(&Caps::new(limits, wgpu::Features::empty(), false)), Ok(_) | Err(Error::Unsupported { .. }))
}

/// The places of all whole numbers in a description.
pub fn numbers(of: &Value) -> Vec<String> {
    fn walk(at: &str, of: &Value, out: &mut Vec<String>) {
        match of {
            Value::Object(o) => o.iter().for_each(|(k, v)| walk(&format!("{at}/{k}"), v, out)),
            Value::Array(a) => a.iter().enumerate().for_each(|(i, v)| walk(&format!("{at}/{i}"), v, out)),
            Value::Number(n) if n.is_u64() => out.push(at.to_string()),
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk("", of, &mut out);
    out
}
