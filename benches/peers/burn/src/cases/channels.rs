//! Batch norm and group norm of images.
use super::size;
use crate::{
    drawn::Drawn,
    gradient::{Graph, from_above, leaf},
    work::{Backward, Job, Pure, Results, Set, TOLERANCE, boxed, close},
};
use burn::{
    module::{Module, Param, RunningState},
    nn::{BatchNorm, BatchNormConfig, GroupNorm},
    tensor::{Tensor, activation::relu, module::batch_norm_train},
};
use serde_json::{Value, json};
use std::rc::Rc;

const EPS: f64 = 1e-5;

/// A tensor n x c x s as images, square ones where they can be.
fn shape(op: &Value) -> Option<[usize; 4]> {
    let [n, c, s] = ["n", "c", "s"].map(|field| size(&op["space"], field));
    let (n, c, s) = (n?, c?, s?);
    let side = s.isqrt();
    Some(if side * side == s { [n, c, side, side] } else { [n, c, s, 1] })
}

/// Whether ReLU comes last; `None` if something else does.
fn has_relu(op: &Value) -> Option<bool> {
    match op.get("activation").map_or(Some("none"), Value::as_str)? {
        "none" => Some(false),
        "relu" => Some(true),
        _ => None,
    }
}

/// A batch norm in training, which moves its running statistics at each call.
struct Training {
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    relu: bool,
    layer: BatchNorm,
}

impl Set for Training {
    fn call(&mut self) -> Results {
        let y = self.layer.forward(self.x.clone());
        let y = self.residual.iter().fold(y, |y, r| y + r.clone());
        boxed([if self.relu { relu(y) } else { y }])
    }

    fn changed(&self) -> Results {
        boxed([self.layer.running_mean.value_sync(), self.layer.running_var.value_sync()])
    }
}

pub fn batch_norm(op: &Value) -> Option<Job> {
    let (shape, relu, momentum) = (shape(op)?, has_relu(op)?, op["running"]["update"]["momentum"].as_f64()?);
    let residual = op.get("residual").is_some_and(|r| r == true);
    // Burn's running variance is the biased one; that is no fault.
    let mut biased = op.clone();
    biased["running"]["variance"] = json!("biased");
    let drawn = Rc::new(Drawn::new(&biased));
    let (data, c) = (drawn.clone(), shape[1]);
    Some(Job {
        bytes: drawn.bytes(),
        held: 0,
        calls: 1,
        set: Box::new(move |device| {
            // Burn's batch norm trains on autodiff devices only; nothing wants a gradient, so no graph is kept.
            let device = device.clone().autodiff();
            let mut layer = BatchNormConfig::new(c).with_epsilon(EPS).with_momentum(momentum).init(&device);
            layer.gamma = Param::from_tensor(data.tensor("weight", [c], &device));
            layer.beta = Param::from_tensor(data.tensor("bias", [c], &device));
            layer.running_mean = RunningState::new(data.tensor("running_mean", [c], &device));
            layer.running_var = RunningState::new(data.tensor("running_var", [c], &device));
            Box::new(Training {
                x: data.tensor("x", shape, &device),
                residual: residual.then(|| data.tensor("residual", shape, &device)),
                relu,
                layer: layer.no_grad(),
            })
        }),
        check: Box::new(move |out| {
            let names = ["y", "running_mean", "running_var"];
            let want = drawn.expected();
            names.iter().zip(out).try_for_each(|(name, got)| {
                let (_, want) = want.iter().find(|(n, _)| n == name).expect("the op writes it");
                close(name, got, want, TOLERANCE)
            })
        }),
    })
}

pub fn batch_norm_inference(op: &Value) -> Option<Job> {
    let (shape, drawn) = (shape(op)?, Rc::new(Drawn::new(op)));
    let (data, c) = (drawn.clone(), shape[1]);
    Some(Job {
        bytes: drawn.bytes(),
        held: 0,
        calls: 1,
        set: Box::new(move |device| {
            let mut layer = BatchNormConfig::new(c).with_epsilon(EPS).init(device);
            layer.gamma = Param::from_tensor(data.tensor("weight", [c], device));
            layer.beta = Param::from_tensor(data.tensor("bias", [c], device));
            layer.running_mean = RunningState::new(data.tensor("running_mean", [c], device));
            layer.running_var = RunningState::new(data.tensor("running_var", [c], device));
            let x: Tensor<4> = data.tensor("x", shape, device);
            Box::new(Pure(move || boxed([layer.forward(x.clone())])))
        }),
        check: Box::new(move |out| close("y", &out[0], &drawn.expect("y"), TOLERANCE)),
    })
}

/// Burn's own gradient of batch norm, one node of its graph, and of ReLU before it.
pub fn batch_norm_backward(op: &Value) -> Option<Job> {
    let with_relu = has_relu(op)?;
    backward(op, "batch_norm", with_relu, move |x, weight, bias| {
        let y = batch_norm_train(x, weight, bias, EPS).output;
        if with_relu { relu(y) } else { y }
    })
}

fn grouped(weight: Tensor<1>, bias: Tensor<1>, groups: usize) -> GroupNorm {
    let (num_channels, num_groups) = (weight.dims()[0], groups);
    let [gamma, beta] = [weight, bias].map(|v| Some(Param::from_tensor(v)));
    GroupNorm { gamma, beta, num_groups, num_channels, epsilon: EPS, affine: true }
}

pub fn group_norm(op: &Value) -> Option<Job> {
    let (shape, groups, drawn) = (shape(op)?, size(op, "groups")?, Rc::new(Drawn::new(op)));
    let data = drawn.clone();
    Some(Job {
        bytes: drawn.bytes(),
        held: 0,
        calls: 1,
        set: Box::new(move |device| {
            let x: Tensor<4> = data.tensor("x", shape, device);
            let [weight, bias] = ["weight", "bias"].map(|name| data.tensor(name, [shape[1]], device));
            let layer = grouped(weight, bias, groups);
            Box::new(Pure(move || boxed([layer.forward(x.clone())])))
        }),
        check: Box::new(move |out| close("y", &out[0], &drawn.expect("y"), TOLERANCE)),
    })
}

pub fn group_norm_backward(op: &Value) -> Option<Job> {
    let groups = size(op, "groups")?;
    // As parameters of a layer, weight and bias are still the leaves that they were made as.
    backward(op, "group_norm", false, move |x, weight, bias| grouped(weight, bias, groups).forward(x))
}

/// Moves each x whose output is near 0 away from there: else rounding would decide whether ReLU lets its gradient through, which
/// changes sums by far more than rounding does.
fn decide(drawn: &mut Drawn, forward: &str, [_, c, h, w]: [usize; 4]) {
    // Without weights near 0, no x has to go far.
    let weight: Vec<f64> = drawn.values("weight").iter().map(|&v| 0.5 + f64::from(v).abs()).collect();
    drawn.set("weight", &weight);
    drawn.follow(forward);
    let at = |name, c: usize| f64::from(drawn.values(name)[c]);
    let moved = |(i, &x): (usize, &f32)| {
        let (x, c) = (f64::from(x), i / (h * w) % c);
        let slope = weight[c] * at("rstd", c);
        let y = slope * (x - at("mean", c)) + at("bias", c);
        if y.abs() < 1e-3 { x + 2e-3_f64.copysign(y) / slope } else { x }
    };
    let x: Vec<f64> = drawn.values("x").iter().enumerate().map(moved).collect();
    drawn.set("x", &x);
}

type Layer = dyn Fn(Tensor<4>, Tensor<1>, Tensor<1>) -> Tensor<4>;

fn backward(
    op: &Value,
    forward: &str,
    gated: bool,
    layer: impl Fn(Tensor<4>, Tensor<1>, Tensor<1>) -> Tensor<4> + 'static,
) -> Option<Job> {
    let shape = shape(op)?;
    let mut drawn = Drawn::new(op);
    if gated {
        decide(&mut drawn, forward, shape);
    }
    drawn.follow(forward);
    let (drawn, layer): (_, Rc<Layer>) = (Rc::new(drawn), Rc::new(layer));
    let data = drawn.clone();
    Some(Job {
        bytes: drawn.bytes(),
        // What the graph of a layer out of tensor ops keeps, about.
        held: 6 * 4 * shape.iter().product::<usize>() as u64,
        calls: 1,
        set: Box::new(move |device| {
            let [x, dy] = ["x", "dy"].map(|name| data.tensor(name, shape, device));
            let weight = data.tensor("weight", [shape[1]], device);
            let bias = if gated { data.tensor("bias", [shape[1]], device) } else { Tensor::zeros([shape[1]], device) };
            let layer = layer.clone();
            let forward = move || {
                let (x, weight, bias) = (leaf(&x), leaf(&weight), leaf(&bias));
                let y = layer(x.clone(), weight.clone(), bias.clone());
                Graph { loss: from_above(y, dy.clone()), x, vectors: vec![weight, bias] }
            };
            Box::new(Backward::new(forward, Graph::backward))
        }),
        check: Box::new(move |out| {
            let want = drawn.expected();
            out.iter().zip(&want).try_for_each(|(got, (name, want))| close(name, got, want, TOLERANCE))
        }),
    })
}
