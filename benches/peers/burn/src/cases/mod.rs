//! The cases that Burn has words for.
mod channels;
mod dropouts;
mod losses;
mod optimizers;
mod rows;
mod weights;

use crate::work::Job;
use serde_json::Value;
use std::ops::Range;

/// An op, the fields of its JSON that are understood, and what it is in Burn.
type Row = (&'static str, &'static [&'static str], fn(&Value) -> Option<Job>);

const TABLE: [Row; 18] = [
    ("dropout", &["space", "p", "key"], dropouts::dropout),
    ("dropout_backward", &["space", "p", "key"], dropouts::dropout_backward),
    ("bias_act_dropout_add", &["space", "p", "key", "act"], dropouts::bias_act_dropout_add),
    ("dropout_add_layer_norm", &["rows", "cols", "p", "key"], dropouts::dropout_add_layer_norm),
    ("batch_norm", &["space", "running", "activation", "residual"], channels::batch_norm),
    ("batch_norm_backward", &["space", "activation"], channels::batch_norm_backward),
    ("batch_norm_inference", &["space"], channels::batch_norm_inference),
    ("group_norm", &["space", "groups"], channels::group_norm),
    ("group_norm_backward", &["space", "groups"], channels::group_norm_backward),
    ("layer_norm", &["rows", "cols", "eps"], rows::layer_norm),
    ("layer_norm_backward", &["rows", "cols", "eps"], rows::layer_norm_backward),
    ("rms_norm", &["rows", "cols", "eps"], rows::rms_norm),
    ("rms_norm_backward", &["rows", "cols", "eps"], rows::rms_norm_backward),
    ("cross_entropy", &["rows", "classes"], losses::cross_entropy),
    ("penalty", &["segments", "groups"], weights::penalty),
    ("penalty_grad", &["segments", "groups"], weights::penalty_grad),
    ("global_norm", &["segments", "max_norm"], weights::global_norm),
    ("ema", &["segments", "decay"], weights::ema),
];

const OPTIMIZERS: [Row; 2] = [
    ("adamw", &["segments", "groups", "lr", "beta1", "beta2", "eps", "step"], optimizers::adamw),
    ("sgd", &["segments", "groups", "lr", "momentum", "step"], optimizers::sgd),
];

fn row(op: &Value) -> Option<&'static Row> {
    let row = TABLE.iter().chain(&OPTIMIZERS).find(|(name, ..)| op["op"] == *name)?;
    let known = |field: &str| ["case", "op", "dtype"].contains(&field) || row.1.contains(&field);
    let first = op["space"].get("layout").is_none_or(|l| l == "channels_first");
    (op["dtype"] == "f32" && first && op.as_object()?.keys().all(|k| known(k))).then_some(row)
}

/// Whether Burn may have words for the op: known with all its fields, in f32, channels first.
pub fn has_words(op: &Value) -> bool {
    row(op).is_some()
}

/// The case in Burn. `None` if Burn has no words for the op, or for what one of its fields says.
pub fn job(op: &Value) -> Option<Job> {
    row(op).and_then(|(_, _, make)| make(op))
}

/// A size among the op's fields.
fn size(op: &Value, field: &str) -> Option<usize> {
    usize::try_from(op[field].as_u64()?).ok()
}

/// What is added to a variance.
fn eps(op: &Value) -> f64 {
    op["eps"].as_f64().unwrap_or(1e-5)
}

/// Where the tensors lie in an arena.
fn parts(op: &Value) -> Option<Vec<Range<usize>>> {
    let part = |s: &Value| {
        let start = size(s, "start")?;
        Some(start..start + size(s, "len")?)
    };
    op["segments"].as_array()?.iter().map(part).collect()
}

/// λ1 and λ2 of an elastic net λ1·Σ|w| + λ2·Σw²; zeros if there is none.
fn elastic_net(value: Option<&Value>) -> Option<[f64; 2]> {
    let Some(net) = value else { return Some([0.0; 2]) };
    let number = |field| net.get(field).map_or(Some(0.0), Value::as_f64);
    let sum = net.get("l2_form").is_none_or(|form| form == "sum");
    let known = net.as_object()?.keys().all(|k| ["l1", "l2", "l2_form"].contains(&k.as_str()));
    (known && sum).then_some([number("l1")?, number("l2")?])
}

/// The only group of parameters, if it has these fields alone.
fn group<'a>(op: &'a Value, fields: &[&str]) -> Option<&'a Value> {
    let [group] = op["groups"].as_array()?.as_slice() else { return None };
    group.as_object()?.keys().all(|k| fields.contains(&k.as_str())).then_some(group)
}
