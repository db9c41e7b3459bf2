//! Penalties, norms and averages of weights, put together from tensor ops: Burn has none of them as a whole.
use super::{elastic_net, group, parts};
use crate::{
    drawn::Drawn,
    work::{Job, Pure, Steps, TOLERANCE, boxed, close},
};
use burn::tensor::Tensor;
use serde_json::Value;
use std::{ops::Range, rc::Rc};

/// What f32 keeps of the largest value. A penalty adds a ten-thousandth to a gradient, and an average takes in a thousandth: of
/// either, a hundredth must be right. A step moves a weight by a thousandth, its decay by a hundred-thousandth.
pub const EXACT: f64 = 1e-6;

pub fn penalty(op: &Value) -> Option<Job> {
    let [l1, l2] = elastic_net(Some(group(op, &["l1", "l2"])?))?;
    // One sum for both terms, which fusion can do in one pass.
    let value = move |weights: &[Tensor<1>]| {
        let values = weights.iter().map(|w| (w.clone().abs() * l1 + w.clone().square() * l2).sum());
        Tensor::cat(values.collect(), 0).sum()
    };
    summed(op, "weight", "value", value)
}

/// Burn clips by the norm of each tensor only; this is how one writes that of all.
pub fn global_norm(op: &Value) -> Option<Job> {
    summed(op, "grad", "norm", |grads| Tensor::cat(grads.iter().map(|g| g.clone().square().sum()).collect(), 0).sum().sqrt())
}

/// One number from all tensors.
fn summed(
    op: &Value,
    from: &'static str,
    to: &'static str,
    value: impl Fn(&[Tensor<1>]) -> Tensor<1> + Copy + 'static,
) -> Option<Job> {
    let (parts, drawn) = (parts(op)?, Rc::new(Drawn::new(op)));
    let data = drawn.clone();
    Some(Job {
        bytes: drawn.bytes(),
        held: 0,
        calls: 1,
        set: Box::new(move |device| {
            let tensors = data.tensors(from, &parts, device);
            Box::new(Pure(move || boxed([value(&tensors)])))
        }),
        check: Box::new(move |out| close(to, &out[0], &drawn.expect(to), TOLERANCE)),
    })
}

/// g + λ1·sign(w) + 2·λ2·w, by the formula: autodiff would only add to it.
pub fn with_gradient(grad: Tensor<1>, weight: &Tensor<1>, [l1, l2]: [f64; 2]) -> Tensor<1> {
    grad + weight.clone().sign() * l1 + weight.clone() * (2.0 * l2)
}

pub fn penalty_grad(op: &Value) -> Option<Job> {
    let net = elastic_net(Some(group(op, &["l1", "l2"])?))?;
    followed(op, "grad", move |grad, weight| with_gradient(grad, weight, net))
}

pub fn ema(op: &Value) -> Option<Job> {
    let decay = op["decay"].as_f64()?;
    followed(op, "average", move |average, weight| average * decay + weight.clone() * (1.0 - decay))
}

/// Tensors that follow the weights, each with the tensor of its place.
fn followed(op: &Value, name: &'static str, next: impl Fn(Tensor<1>, &Tensor<1>) -> Tensor<1> + Copy + 'static) -> Option<Job> {
    let (parts, drawn) = (parts(op)?, Rc::new(Drawn::new(op)));
    let (data, places) = (drawn.clone(), parts.clone());
    Some(Job {
        bytes: drawn.bytes(),
        held: 0,
        calls: 1,
        set: Box::new(move |device| {
            let weights = data.tensors("weight", &parts, device);
            let step = move |old: Vec<Tensor<1>>| old.into_iter().zip(&weights).map(|(o, w)| next(o, w)).collect();
            Box::new(Steps::new(data.tensors(name, &parts, device), step, |s: &Vec<Tensor<1>>| boxed(s.clone())))
        }),
        check: Box::new(move |out| close_parts(name, out, &drawn.expect(name), &places, EXACT)),
    })
}

/// As [`close`], of the tensors of an arena.
pub fn close_parts(name: &str, got: &[Vec<f32>], want: &[f64], parts: &[Range<usize>], tolerance: f64) -> Result<(), String> {
    let want: Vec<f64> = parts.iter().flat_map(|part| &want[part.clone()]).copied().collect();
    close(name, &got.concat(), &want, tolerance)
}
