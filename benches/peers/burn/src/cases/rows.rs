//! Layer norm and RMS norm.
use super::{eps, size};
use crate::{
    drawn::Drawn,
    gradient::{Graph, from_above, leaf},
    work::{Backward, Job, Pure, TOLERANCE, boxed, close},
};
use burn::{
    module::Param,
    nn::{LayerNorm, LayerNormConfig, RmsNorm},
    tensor::{Device, Tensor},
};
use serde_json::Value;
use std::rc::Rc;

fn layer(weight: Tensor<1>, bias: Tensor<1>, eps: f64, device: &Device) -> LayerNorm {
    let mut layer = LayerNormConfig::new(weight.dims()[0]).with_epsilon(eps).init(device);
    (layer.gamma, layer.beta) = (Param::from_tensor(weight), Some(Param::from_tensor(bias)));
    layer
}

fn rms(weight: Tensor<1>, epsilon: f64) -> RmsNorm {
    RmsNorm { gamma: Param::from_tensor(weight), epsilon }
}

pub fn layer_norm(op: &Value) -> Option<Job> {
    let (drawn, eps) = (Rc::new(Drawn::new(op)), eps(op));
    let (data, shape) = (drawn.clone(), [size(op, "rows")?, size(op, "cols")?]);
    forward(drawn, move |device| {
        let x: Tensor<2> = data.tensor("x", shape, device);
        let [weight, bias] = ["weight", "bias"].map(|name| data.tensor(name, [shape[1]], device));
        let layer = layer(weight, bias, eps, device);
        Box::new(move || layer.forward(x.clone()))
    })
}

pub fn rms_norm(op: &Value) -> Option<Job> {
    let (drawn, eps) = (Rc::new(Drawn::new(op)), eps(op));
    let (data, shape) = (drawn.clone(), [size(op, "rows")?, size(op, "cols")?]);
    forward(drawn, move |device| {
        let x: Tensor<2> = data.tensor("x", shape, device);
        let layer = rms(data.tensor("weight", [shape[1]], device), eps);
        Box::new(move || layer.forward(x.clone()))
    })
}

fn forward(drawn: Rc<Drawn>, make: impl Fn(&Device) -> Box<dyn Fn() -> Tensor<2>> + 'static) -> Option<Job> {
    Some(Job {
        bytes: drawn.bytes(),
        held: 0,
        calls: 1,
        set: Box::new(move |device| {
            let run = make(device);
            Box::new(Pure(move || boxed([run()])))
        }),
        check: Box::new(move |out| close("y", &out[0], &drawn.expect("y"), TOLERANCE)),
    })
}

pub fn layer_norm_backward(op: &Value) -> Option<Job> {
    let eps = eps(op);
    backward(op, "layer_norm", move |x, weight, bias| {
        let layer = layer(weight, bias, eps, &x.device());
        let (gamma, beta) = (layer.gamma.val(), layer.beta.as_ref().expect("set above").val());
        (layer.forward(x), vec![gamma, beta])
    })
}

pub fn rms_norm_backward(op: &Value) -> Option<Job> {
    let eps = eps(op);
    backward(op, "rms_norm", move |x, weight, _| {
        let layer = rms(weight, eps);
        let gamma = layer.gamma.val();
        (layer.forward(x), vec![gamma])
    })
}

type Layer = dyn Fn(Tensor<2>, Tensor<1>, Tensor<1>) -> (Tensor<2>, Vec<Tensor<1>>);

/// `layer` makes the output, and names the vectors whose gradients are wanted.
fn backward(
    op: &Value,
    forward: &str,
    layer: impl Fn(Tensor<2>, Tensor<1>, Tensor<1>) -> (Tensor<2>, Vec<Tensor<1>>) + 'static,
) -> Option<Job> {
    let shape = [size(op, "rows")?, size(op, "cols")?];
    let mut drawn = Drawn::new(op);
    drawn.follow(forward);
    let (drawn, layer): (_, Rc<Layer>) = (Rc::new(drawn), Rc::new(layer));
    let data = drawn.clone();
    Some(Job {
        bytes: drawn.bytes(),
        // What the graph of a layer out of tensor ops keeps, about.
        held: 6 * 4 * (shape[0] * shape[1]) as u64,
        calls: 1,
        set: Box::new(move |device| {
            let [x, dy] = ["x", "dy"].map(|name| data.tensor(name, shape, device));
            let weight = data.tensor("weight", [shape[1]], device);
            let bias = Tensor::zeros([shape[1]], device);
            let layer = layer.clone();
            let forward = move || {
                let x = leaf(&x);
                let (y, vectors) = layer(x.clone(), weight.clone().autodiff(), bias.clone().autodiff());
                Graph { loss: from_above(y, dy.clone()), x, vectors }
            };
            Box::new(Backward::new(forward, Graph::backward))
        }),
        check: Box::new(move |out| {
            let want = drawn.expected();
            out.iter().zip(&want).try_for_each(|(got, (name, want))| close(name, got, want, TOLERANCE))
        }),
    })
}
