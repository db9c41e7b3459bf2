//! Optimizer steps, tensor after tensor, as Burn's optimizers go through a module.
use super::{
    elastic_net, group, parts,
    weights::{EXACT, close_parts, with_gradient},
};
use crate::{
    drawn::Drawn,
    work::{Job, Steps, boxed},
};
use burn::{
    optim::{AdamWConfig, Optimizer, SgdConfig, decay::WeightDecayConfig, momentum::MomentumConfig},
    tensor::Tensor,
};
use serde_json::{Value, json};
use std::rc::Rc;

/// At the first step alone, no factor of a moment shows.
const STEPS: usize = 3;

pub fn adamw(op: &Value) -> Option<Job> {
    let decay = group(op, &["decay", "coupled", "prox"])?["decay"].as_f64().unwrap_or(0.0);
    let number = |field: &str, default: f64| op.get(field).map_or(Some(default), Value::as_f64);
    let config = AdamWConfig::new()
        .with_beta_1(number("beta1", 0.9)? as f32)
        .with_beta_2(number("beta2", 0.999)? as f32)
        // Burn's own are 1e-5 and 1e-4.
        .with_epsilon(number("eps", 1e-8)? as f32)
        .with_weight_decay(decay as f32);
    steps(op, op.clone(), config.build())
}

pub fn sgd(op: &Value) -> Option<Job> {
    let decay = group(op, &["decay"])?["decay"].as_f64().unwrap_or(0.0);
    // Burn's dampening is 0.1 by default.
    let momentum = MomentumConfig::new().with_momentum(op["momentum"].as_f64()?).with_dampening(0.0);
    let config = SgdConfig::new().with_momentum(Some(momentum)).with_weight_decay(Some(WeightDecayConfig::new(decay as f32)));
    // Burn's decay is a part of the gradient; ours is not, in the case. Both read and write the same.
    let mut same = op.clone();
    same["groups"] = json!([{ "coupled": { "l2": decay, "l2_form": "half" } }]);
    steps(op, same, config.build())
}

/// A tensor with its gradient, and what the optimizer keeps of it.
struct Kept<O: Optimizer> {
    weight: Tensor<1>,
    state: Option<O::State<1>>,
}

/// `same` says in ridgepole's words what Burn's `optimizer` does.
fn steps<O: Optimizer + Clone + 'static>(op: &Value, same: Value, optimizer: O) -> Option<Job> {
    let (parts, lr) = (parts(op)?, op["lr"].as_f64()?);
    let [coupled, prox] = ["coupled", "prox"].map(|name| elastic_net(op["groups"][0].get(name)));
    let (coupled, prox) = (coupled?, prox?);
    let mut drawn = Drawn::new(&same);
    let zeros = vec![0.0; drawn.values("weight").len()];
    ["m", "v", "momentum_buffer"].iter().for_each(|name| drawn.set(name, &zeros));
    let (bytes, first) = (drawn.bytes(), Rc::new(drawn));
    let (data, places) = (first.clone(), parts.clone());
    Some(Job {
        bytes,
        held: 0,
        calls: STEPS,
        set: Box::new(move |device| {
            let (grads, optimizer) = (data.tensors("grad", &parts, device), optimizer.clone());
            let start = data.tensors("weight", &parts, device).into_iter().map(|weight| Kept::<O> { weight, state: None });
            let one = move |kept: Kept<O>, grad: &Tensor<1>| {
                let grad = if coupled == [0.0; 2] { grad.clone() } else { with_gradient(grad.clone(), &kept.weight, coupled) };
                let (weight, state) = optimizer.step(lr, kept.weight, grad, kept.state);
                let weight = if prox == [0.0; 2] { weight } else { proximal(weight, prox.map(|l| lr * l)) };
                Kept { weight, state }
            };
            let step = move |all: Vec<Kept<O>>| all.into_iter().zip(&grads).map(|(k, g)| one(k, g)).collect();
            Box::new(Steps::new(start.collect(), step, |all: &Vec<Kept<O>>| boxed(all.iter().map(|k| k.weight.clone()))))
        }),
        check: Box::new(move |out| {
            let (mut drawn, mut same) = (Drawn::clone(&first), same.clone());
            for number in 2..=STEPS {
                same["step"] = json!(number);
                drawn.step(&same);
            }
            close_parts("weight", out, &drawn.expect("weight"), &places, EXACT)
        }),
    })
}

/// The proximal step of an elastic net λ1·Σ|w| + λ2·Σw², both already times the learning rate.
fn proximal(weight: Tensor<1>, [l1, l2]: [f64; 2]) -> Tensor<1> {
    let size = (weight.clone().abs() - l1).clamp_min(0.0);
    weight.sign() * size / (1.0 + 2.0 * l2)
}
