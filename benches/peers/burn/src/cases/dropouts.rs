//! Dropout. Burn's masks come from a generator of its own: results are held to what each value may be, and to how many are 0.
use super::{eps, size};
use crate::{
    drawn::Drawn,
    gradient::{Graph, from_above, leaf},
    work::{Backward, Job, Pure, TOLERANCE, boxed, close},
};
use burn::{
    module::Param,
    nn::{DropoutConfig, LayerNormConfig},
    tensor::{Tensor, activation},
};
use ridgepole::{Activation, cpu};
use serde_json::{Value, json};
use std::rc::Rc;

/// Whether each of `got` is `dropped` or else `kept`, those that count as many as `p` says; where both are near, it does not.
fn either(got: &[f32], dropped: impl Fn(usize) -> f64, kept: impl Fn(usize) -> f64, p: f64) -> Result<(), String> {
    let (mut far, mut count, mut zeros) = (0.0f64, 0u64, 0u64);
    for (i, &v) in got.iter().enumerate() {
        let [to_dropped, to_kept] = [dropped(i), kept(i)].map(|want| (f64::from(v) - want).abs());
        let nearer = to_dropped.min(to_kept);
        far = if nearer.is_nan() { f64::INFINITY } else { far.max(nearer) };
        if (dropped(i) - kept(i)).abs() > 1e-3 {
            count += 1;
            zeros += u64::from(to_dropped < to_kept);
        }
    }
    let share = zeros as f64 / count.max(1) as f64;
    // Six standard deviations.
    let most = 6.0 * (p * (1.0 - p) / count.max(1) as f64).sqrt();
    if far <= 2.0 * TOLERANCE && (share - p).abs() <= most {
        return Ok(());
    }
    Err(format!("off by {far:.2e}, {share:.4} dropped, wanted {p} ± {most:.4}"))
}

pub fn dropout(op: &Value) -> Option<Job> {
    let (drawn, p) = (Rc::new(Drawn::new(op)), op["p"].as_f64()?);
    let (data, len) = (drawn.clone(), drawn.values("x").len());
    Some(Job {
        bytes: drawn.bytes(),
        held: 0,
        calls: 1,
        set: Box::new(move |device| {
            // Burn's dropout does something on autodiff devices only. The input wants no gradient, so no mask is kept.
            let (x, layer) = (data.tensor("x", [len], device).autodiff(), DropoutConfig::new(p).init());
            Box::new(Pure(move || boxed([layer.forward(x.clone())])))
        }),
        check: Box::new(move |out| {
            let x = |i| f64::from(drawn.values("x")[i]);
            either(&out[0], |_| 0.0, |i| x(i) / (1.0 - p), p)
        }),
    })
}

/// As Burn does it: the forward pass keeps the mask in f32, and the backward pass multiplies by it and by the scale.
pub fn dropout_backward(op: &Value) -> Option<Job> {
    let (drawn, p) = (Rc::new(Drawn::new(op)), op["p"].as_f64()?);
    let (data, len) = (drawn.clone(), drawn.values("dy").len());
    Some(Job {
        bytes: drawn.bytes(),
        // The mask and the output.
        held: 8 * len as u64,
        calls: 1,
        set: Box::new(move |device| {
            let dy: Tensor<1> = data.tensor("dy", [len], device);
            let layer = DropoutConfig::new(p).init();
            let forward = move || {
                // The gradient as the input, too: then the outputs of both passes must be equal.
                let x = leaf(&dy);
                let y = layer.forward(x.clone());
                (Graph { loss: from_above(y.clone(), dy.clone()), x, vectors: vec![] }, y.inner())
            };
            Box::new(Backward::new(forward, |(graph, y): (Graph<1>, Tensor<1>)| {
                let mut results = graph.backward();
                results.extend(boxed([y]));
                results
            }))
        }),
        check: Box::new(move |out| {
            let dy = |i| f64::from(drawn.values("dy")[i]);
            either(&out[0], |_| 0.0, |i| dy(i) / (1.0 - p), p)?;
            close("the mask of the backward pass", &out[0], &wide(&out[1]), TOLERANCE)
        }),
    })
}

pub fn bias_act_dropout_add(op: &Value) -> Option<Job> {
    let act: fn(Tensor<2>) -> Tensor<2> = match op["act"].as_str().unwrap_or("none") {
        "none" => |x| x,
        "relu" => activation::relu,
        "gelu" => activation::gelu,
        "silu" => activation::silu,
        _ => return None,
    };
    let exact: Activation = serde_json::from_value(op.get("act").cloned().unwrap_or(json!("none"))).ok()?;
    let (n, c, s) = (size(&op["space"], "n")?, size(&op["space"], "c")?, size(&op["space"], "s")?);
    let (drawn, p) = (Rc::new(Drawn::new(op)), op["p"].as_f64()?);
    let data = drawn.clone();
    (s == 1).then(|| Job {
        bytes: drawn.bytes(),
        held: 0,
        calls: 1,
        set: Box::new(move |device| {
            let [x, residual] = ["x", "residual"].map(|name| data.tensor(name, [n, c], device).autodiff());
            let bias: Tensor<2> = data.tensor("bias", [1, c], device).autodiff();
            let layer = DropoutConfig::new(p).init();
            Box::new(Pure(move || {
                let y = layer.forward(act(x.clone() + bias.clone()));
                boxed([residual.clone() + y])
            }))
        }),
        check: Box::new(move |out| {
            let at = |name, i| f64::from(drawn.values(name)[i]);
            let kept = |i| cpu::activation(exact, at("x", i) + at("bias", i % c)).0 / (1.0 - p) + at("residual", i);
            either(&out[0], |i| at("residual", i), kept, p)
        }),
    })
}

pub fn dropout_add_layer_norm(op: &Value) -> Option<Job> {
    let (rows, cols) = (size(op, "rows")?, size(op, "cols")?);
    let (drawn, p) = (Rc::new(Drawn::new(op)), op["p"].as_f64()?);
    let norm = json!({ "case": "", "op": "layer_norm", "dtype": "f32", "rows": rows, "cols": cols });
    let (data, eps) = (drawn.clone(), eps(op));
    Some(Job {
        bytes: drawn.bytes(),
        held: 0,
        calls: 1,
        set: Box::new(move |device| {
            let [x, residual] = ["x", "residual"].map(|name| data.tensor(name, [rows, cols], device).autodiff());
            let dropout = DropoutConfig::new(p).init();
            let mut layer = LayerNormConfig::new(cols).with_epsilon(eps).init(device);
            layer.gamma = Param::from_tensor(data.tensor("weight", [cols], device));
            layer.beta = Some(Param::from_tensor(data.tensor("bias", [cols], device)));
            Box::new(Pure(move || {
                let z: Tensor<2> = (residual.clone() + dropout.forward(x.clone())).inner();
                let y = layer.forward(z.clone());
                boxed([z, y])
            }))
        }),
        check: Box::new(move |out| {
            let at = |name, i| f64::from(drawn.values(name)[i]);
            either(&out[0], |i| at("residual", i), |i| at("residual", i) + at("x", i) / (1.0 - p), p)?;
            let mut layer = Drawn::new(&norm);
            layer.set("x", &wide(&out[0]));
            ["weight", "bias"].iter().for_each(|name| layer.set(name, &wide(drawn.values(name))));
            close("y", &out[1], &layer.expect("y"), TOLERANCE)
        }),
    })
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}
