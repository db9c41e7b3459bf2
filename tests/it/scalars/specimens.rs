//! Every op as JSON with all its numbers written out, made from the ops table; and where in it numbers stand.
use ridgepole::{Verify, op::Entry, ops};
use serde_json::{Value, json};

/// What a field holds here if it is written out; a number at its default is taken from the ops table.
fn field(op: &str, name: &str, default: &str) -> Value {
    let net = json!({"l1": 0.25, "l2": 0.5, "l2_form": "sum"});
    match (op, name) {
        (_, "act" | "activation") => json!({"leaky_relu": {"slope": 0.25}}),
        (_, "adaptive" | "clipping" | "deviation" | "max_norm" | "p" | "radius" | "rho") => json!(0.5),
        (_, "averaged" | "patience" | "parts" | "seed") => json!(3),
        (_, "block" | "penalized" | "per_set" | "ranks" | "sets" | "epoch" | "virtual_batch") => json!(2),
        (_, "channels" | "features" | "models" | "outputs" | "picks" | "inputs" | "columns") => json!(4),
        (_, "classes") => json!(5),
        (_, "cols") => json!(8),
        (_, "cut") => json!({"lambda": [0.25]}),
        (_, "decay") => json!(0.75),
        (_, "dtype") => json!("f32"),
        (_, "ema") => json!({"decay": 0.75, "warmup": {"debiased": {"updates": 2}}}),
        ("group_norm" | "group_norm_backward", "groups") => json!(2),
        ("group_lasso" | "group_lasso_grad" | "group_lasso_prox", "groups") => json!([{"lambda": 0.25, "l1": 0.5}]),
        ("penalty" | "penalty_grad" | "prox", "groups") => json!([net, {"l1": 0.25, "l2": 0.5, "l2_form": "half"}]),
        ("ftrl", "groups") => json!([{"lr_scale": 0.5, "coupled": net, "prox": net}]),
        (_, "groups") => json!([
            {"lr_scale": 0.5, "coupled": net, "decay": 0.125, "prox": net},
            {"lr_scale": 2.0, "decay": 0.125, "decay_mode": "independent"},
        ]),
        (_, "holes") => json!({"erasing": {"p": 0.5, "scale": [0.25, 0.5], "ratio": [0.5, 2.0]}}),
        (_, "key") => json!({"seed": 1, "stream": 2, "step": 3}),
        ("mixup" | "mixup_backward", "lambda") => json!({"given": [0.25]}),
        (_, "lambda") => json!(0.5),
        (_, "len") => json!(40),
        (_, "level") => json!({"constant": {"std": 0.5}}),
        (_, "loss") => json!("squared_error"),
        (_, "lr") => json!(0.125),
        (_, "matrices") => json!([{"start": 0, "rows": 5, "cols": 4}, {"start": 20, "rows": 4, "cols": 5, "unit": "columns"}]),
        ("min_max_norm", "min") => json!(0.0),
        (_, "min") => json!(0.25),
        (_, "max") => json!(0.75),
        (_, "model") => json!("linear"),
        (_, "rows") => json!(6),
        (_, "running") => json!({"update": {"momentum": 0.125}}),
        (_, "scale") => json!(8.0),
        (_, "seen") => json!(1),
        // The second tensor is of the second group where there are two.
        (_, "segments") => json!([{"start": 0, "len": 21}, {"start": 24, "len": 16}]),
        (_, "size") => json!(3),
        (_, "space") => json!({"n": 4, "c": 4, "s": 6}),
        ("prox" | "group_lasso_prox", "step") => json!(0.5),
        (_, "step") => json!(2),
        ("cutout" | "cutout_backward" | "cutmix" | "cutmix_backward" | "drop_block" | "drop_block_backward", "width") => json!(3),
        (_, "width") => json!(4),
        // Zero switches these off.
        ("sgd" | "rmsprop", "momentum") => json!(0.75),
        ("adagrad", "lr_decay") => json!(0.5),
        ("ftrl", "beta") => json!(1.0),
        ("nadam", "momentum_decay") => json!(0.25),
        ("cross_entropy", "label_smoothing" | "z_loss" | "confidence_penalty") => json!(0.125),
        ("early_stopping", "min_delta") => json!(0.125),
        ("cutout", "value") => json!(0.5),
        ("sam_perturb", "eps") => json!(1e-3),
        ("cross_entropy", "ignore_index") | ("monte_carlo_accumulate", "variance") => Value::Null,
        _ => {
            assert!(!default.is_empty() && default != "null", "{op}: `{name}` needs a value here");
            serde_json::from_str(default).unwrap_or_else(|e| panic!("{op}: the default of `{name}`, {default}: {e}"))
        }
    }
}

/// What one specimen cannot show, as changes of it.
fn variants(op: &str) -> Vec<Value> {
    match op {
        "cross_entropy" => vec![json!({"label_smoothing": 0.0, "focal_gamma": 2.0})],
        "mixup" | "mixup_backward" => vec![json!({"lambda": {"per_batch": 1.5}}), json!({"lambda": {"per_sample": 0.25}})],
        "cutmix" | "cutmix_backward" => vec![json!({"cut": {"per_batch": 1.5}}), json!({"cut": {"per_sample": 0.25}})],
        "gradient_noise" => vec![json!({"level": {"annealed": {"eta": 0.25, "gamma": 0.5}}})],
        "penalty" | "penalty_grad" => vec![json!({"per": {"batch": 3}})],
        "weight_standardization" => ["outside", "fan_in_floor", "fan_in_inside"].map(|form| json!({ "form": form })).into(),
        "rmsprop" => {
            vec![json!({"centered": true}), json!({"nesterov": true}), json!({"momentum": 0.0, "eps_place": "inside_root"})]
        }
        "adagrad" => vec![json!({"eps_place": "inside_root"})],
        "adam" | "adamw" => vec![
            json!({"amsgrad": true, "step": 1}),
            json!({"eps_place": "inside_root"}),
            json!({"gpu_step": true, "step": 1, "eps_place": "inside_root"}),
        ],
        "sgd" => vec![json!({"dampening": 0.5}), json!({"nesterov": true})],
        "huber_loss" => vec![json!({"form": "smooth_l1"})],
        "max_norm" => ["torch", "keras"].map(|form| json!({ "form": form })).into(),
        "clip_by_norm" | "clip_by_global_norm" | "global_norm" => vec![json!({"form": "plain"})],
        "local_response_norm" | "local_response_norm_backward" => {
            vec![json!({"beta": 1.5}), json!({"alpha_form": "sum", "beta": 0.5})]
        }
        "zoneout" | "zoneout_backward" => vec![json!({"training": false})],
        _ => vec![],
    }
}

/// The op with these fields.
pub fn made(entry: &Entry, fields: &Value) -> Result<Box<dyn Verify>, ridgepole::Error> {
    (entry.parse_verify)(fields.clone())
}

/// Every op, more than once where it has forms that exclude one another.
pub fn all() -> Vec<(&'static Entry, Value)> {
    let mut out = vec![];
    for entry in ops::all() {
        let base: serde_json::Map<_, _> =
            entry.fields.iter().map(|f| (f.name.to_string(), field(entry.name, f.name, f.default))).collect();
        out.push((entry, Value::Object(base.clone())));
        for change in variants(entry.name) {
            let mut fields = base.clone();
            fields.extend(change.as_object().expect("fields").clone());
            out.push((entry, Value::Object(fields)));
        }
    }
    out
}

/// The places of all numbers that need not be whole, as JSON pointers.
pub fn scalars(entry: &Entry, fields: &Value) -> Vec<String> {
    fn walk(at: &str, value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Number(_) => out.push(at.to_string()),
            Value::Array(all) => all.iter().enumerate().for_each(|(i, v)| walk(&format!("{at}/{i}"), v, out)),
            Value::Object(all) => all.iter().for_each(|(k, v)| walk(&format!("{at}/{k}"), v, out)),
            _ => {}
        }
    }
    let mut out = vec![];
    walk("", fields, &mut out);
    out.retain(|place| made(entry, &with(fields, place, 0.53125)).is_ok());
    out
}

/// The same with another number in one place.
pub fn with(fields: &Value, place: &str, v: f64) -> Value {
    let mut out = fields.clone();
    *out.pointer_mut(place).expect("a place of it") = json!(v);
    out
}
