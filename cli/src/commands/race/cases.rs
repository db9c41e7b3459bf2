//! The cases of a race: ops that other libraries have too, as JSON that both sides read.
use serde_json::{Value, json};

/// An op of the table with a name under `case`.
fn case(name: &str, op: &str, dtype: &str, mut fields: Value) -> Value {
    fields["case"] = json!(format!("{name}, {dtype}"));
    fields["op"] = json!(op);
    fields["dtype"] = json!(dtype);
    fields
}

/// The cases, with tensors of about this many elements; a quarter of that for optimizers, which keep four tensors.
pub(super) fn cases(elements: usize) -> Vec<Value> {
    let mut out = Vec::new();
    dropouts(elements, &mut out);
    batch_norms(elements, &mut out);
    rows(elements, &mut out);
    weights(elements / 4, &mut out);
    out
}

fn dropouts(elements: usize, out: &mut Vec<Value>) {
    let key = json!({ "seed": 1, "stream": 2, "step": 3 });
    let flat = json!({ "n": 1, "c": 1, "s": elements });
    for dtype in ["f32", "f16", "bf16"] {
        for (name, op) in [("dropout", "dropout"), ("dropout backward", "dropout_backward")] {
            out.push(case(name, op, dtype, json!({ "space": flat, "p": 0.25, "key": key })));
        }
    }
    let (n, c) = ((elements / 1024).max(1), elements.min(1024));
    for dtype in ["f32", "bf16"] {
        let space = json!({ "n": n, "c": c, "s": 1 });
        let fields = json!({ "space": space, "p": 0.25, "key": key, "act": "gelu" });
        out.push(case("bias + GELU + dropout + residual", "bias_act_dropout_add", dtype, fields));
        let fields = json!({ "rows": n, "cols": c, "p": 0.25, "key": key });
        out.push(case("dropout + residual + layer norm", "dropout_add_layer_norm", dtype, fields));
    }
}

fn batch_norms(elements: usize, out: &mut Vec<Value>) {
    // Images as in the first stage of a residual network.
    let (c, s) = if elements < 64 * 3136 { (16, (elements / 16).max(4)) } else { (64, 3136) };
    let n = (elements / (c * s)).max(1);
    let space = |layout: &str| json!({ "n": n, "c": c, "s": s, "layout": layout });
    let running = json!({ "update": { "momentum": 0.1 }, "variance": "unbiased" });
    for (layout, place) in [("channels_first", ""), ("channels_last", " (channels last)")] {
        for dtype in ["f32", "f16"] {
            let name = |what: &str| format!("{what}{place}");
            let x = space(layout);
            out.push(case(&name("batch norm"), "batch_norm", dtype, json!({ "space": x, "running": running })));
            out.push(case(&name("batch norm backward"), "batch_norm_backward", dtype, json!({ "space": x })));
            out.push(case(&name("batch norm inference"), "batch_norm_inference", dtype, json!({ "space": x })));
        }
    }
    let x = space("channels_first");
    let relu = json!({ "space": x, "running": running, "activation": "relu" });
    out.push(case("batch norm + ReLU", "batch_norm", "f32", relu.clone()));
    out.push(case("batch norm + ReLU backward", "batch_norm_backward", "f32", json!({ "space": x, "activation": "relu" })));
    let mut add = relu;
    add["residual"] = json!(true);
    out.push(case("batch norm + residual + ReLU", "batch_norm", "f32", add));
    for (name, op) in [("group norm", "group_norm"), ("group norm backward", "group_norm_backward")] {
        out.push(case(name, op, "f32", json!({ "space": x, "groups": c / 2 })));
    }
}

fn rows(elements: usize, out: &mut Vec<Value>) {
    for dtype in ["f32", "bf16"] {
        for cols in [1024, 8192].into_iter().filter(|c| *c <= elements) {
            let fields = json!({ "rows": (elements / cols).max(1), "cols": cols });
            for op in ["layer_norm", "layer_norm_backward", "rms_norm", "rms_norm_backward"] {
                let name = format!("{} of {cols}", op.replace('_', " "));
                out.push(case(&name, op, dtype, fields.clone()));
            }
        }
    }
    let classes = elements.min(1024);
    let fields = json!({ "rows": (elements / classes).max(1), "classes": classes });
    out.push(case("cross-entropy of 1024, with gradient", "cross_entropy", "f32", fields));
}

fn weights(elements: usize, out: &mut Vec<Value>) {
    let (one, many) = (json!([{ "start": 0, "len": elements, "group": 0 }]), json!(tensors(elements)));
    let elastic = json!({ "l1": 1e-4, "l2": 1e-4 });
    let plain = json!([{ "decay": 0.01 }]);
    let adamw = |segments: &Value, groups: &Value| json!({ "segments": segments, "groups": groups, "lr": 1e-3, "step": 1 });
    out.push(case("AdamW, one tensor", "adamw", "f32", adamw(&one, &plain)));
    out.push(case("AdamW, one tensor", "adamw", "bf16", adamw(&one, &plain)));
    out.push(case("AdamW, 300 tensors", "adamw", "f32", adamw(&many, &plain)));
    let coupled = json!({ "l1": 1e-4, "l2": 1e-4, "l2_form": "sum" });
    let fused = json!([{ "decay": 0.01, "coupled": coupled, "prox": elastic }]);
    out.push(case("AdamW + elastic net + proximal step, one tensor", "adamw", "f32", adamw(&one, &fused)));
    out.push(case("AdamW + elastic net + proximal step, 300 tensors", "adamw", "f32", adamw(&many, &fused)));
    let sgd = json!({ "segments": one, "groups": plain, "lr": 1e-3, "momentum": 0.9, "step": 1 });
    out.push(case("SGD with momentum, one tensor", "sgd", "f32", sgd));
    out.push(case("elastic net's value", "penalty", "f32", json!({ "segments": one, "groups": [elastic] })));
    out.push(case("elastic net's gradient", "penalty_grad", "f32", json!({ "segments": one, "groups": [elastic] })));
    for (segments, name) in [(&one, "global norm, one tensor"), (&many, "global norm, 300 tensors")] {
        out.push(case(name, "global_norm", "f32", json!({ "segments": segments, "max_norm": 1.0 })));
    }
    out.push(case("average of the weights, 300 tensors", "ema", "f32", json!({ "segments": many, "decay": 0.999 })));
}

/// 300 tensors, the largest 160 times the smallest, with this many elements in total: a model of many layers.
fn tensors(elements: usize) -> Vec<Value> {
    let share = |i: usize| 160f64.powf(i as f64 / 299.0);
    let all: f64 = (0..300).map(share).sum();
    let mut start = 0;
    let tensor = |i| {
        let len = ((elements as f64 * share(i) / all) as usize).max(1);
        let segment = json!({ "start": start, "len": len, "group": 0 });
        start += len.next_multiple_of(128);
        segment
    };
    (0..300).map(tensor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ridgepole::{Caps, ops, wgpu};

    #[test]
    fn every_case_is_an_op_of_about_the_size() {
        let most = 1 << 34;
        let limits = wgpu::Limits { max_buffer_size: most, max_storage_buffer_binding_size: most, ..Default::default() };
        let caps = Caps::new(limits, wgpu::Features::empty(), false);
        for elements in [1 << 10, 1 << 16, 1 << 22, 1 << 26] {
            let mut names = std::collections::HashSet::new();
            for case in cases(elements) {
                let name = case["case"].as_str().unwrap().to_string();
                assert!(names.insert(name.clone()), "{name} twice");
                let mut op = case.clone();
                op.as_object_mut().unwrap().remove("case");
                let op = ops::verify_from_json(&op.to_string()).unwrap_or_else(|e| panic!("{name}: {e}"));
                op.lower(&caps).unwrap_or_else(|e| panic!("{name}: {e}"));
                let least = if case.get("segments").is_some() { elements / 4 } else { elements };
                let of = op.cost().elements as usize;
                assert!((least / 2..=2 * least + 300 * 128).contains(&of), "{name}: {of} elements of {elements}");
            }
        }
    }
}
