//! Losses with their gradients.
use super::size;
use crate::{
    drawn::Drawn,
    gradient::leaf,
    work::{Job, Pure, TOLERANCE, boxed, close},
};
use burn::{nn::loss::CrossEntropyLossConfig, tensor::Tensor};
use serde_json::Value;
use std::rc::Rc;

/// Forward and backward pass: the op gives both results, so the clock sees both.
pub fn cross_entropy(op: &Value) -> Option<Job> {
    let (shape, drawn) = ([size(op, "rows")?, size(op, "classes")?], Rc::new(Drawn::new(op)));
    let data = drawn.clone();
    Some(Job {
        bytes: drawn.bytes(),
        held: 0,
        calls: 1,
        set: Box::new(move |device| {
            let logits: Tensor<2> = data.tensor("logits", shape, device);
            let target = data.words("target", &device.clone().autodiff());
            let loss = CrossEntropyLossConfig::new().init(&device.clone().autodiff());
            Box::new(Pure(move || {
                let logits = leaf(&logits);
                let loss = loss.forward(logits.clone(), target.clone());
                let mut grads = loss.backward();
                let mut results = boxed([loss.inner()]);
                results.extend(boxed(logits.grad_remove(&mut grads)));
                results
            }))
        }),
        check: Box::new(move |out| {
            let want = drawn.expected();
            let same = out.len() == want.len();
            let each = || out.iter().zip(&want).try_for_each(|(got, (name, want))| close(name, got, want, TOLERANCE));
            if same { each() } else { Err("there is no gradient".to_string()) }
        }),
    })
}
