//! A gradient that comes from above, for the backward pass of a layer alone.
//!
//! Burn's `backward` starts at a loss with a gradient of 1. Where the layer's gradient should be `dy`, one writes
//! `(y * dy).sum().backward()`; that reads and writes the tensor again, which no training step does and no other library is timed
//! with. [`from_above`] is a loss that hands on `dy` as it is.
use burn::{
    backend::{
        Autodiff, Backend, Wgpu,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
    },
    tensor::Tensor,
};

use crate::work::{Results, boxed};

#[derive(Debug)]
struct FromAbove;

impl<B: Backend> Backward<B, 1> for FromAbove {
    type State = B::FloatTensorPrimitive;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        // The 1 of the loss, which nobody needs.
        drop(grads.consume::<B>(&ops.node));
        if let [Some(parent)] = ops.parents {
            grads.register::<B>(parent.id, ops.state);
        }
    }
}

/// A loss whose gradient with respect to `y`, a result on an autodiff device, is `dy`.
pub fn from_above<const D: usize>(y: Tensor<D>, dy: Tensor<D>) -> Tensor<1> {
    let loss = Tensor::<1>::zeros([1], &dy.device());
    let primitive = "made on the device that `device` opens";
    let y = y.try_into_primitive::<Autodiff<Wgpu>>().expect(primitive);
    let dy = dy.try_into_primitive::<Wgpu>().expect(primitive);
    let loss = loss.try_into_primitive::<Wgpu>().expect(primitive);
    let prepared = Backward::<Wgpu, 1>::prepare::<NoCheckpointing>(FromAbove, [y.node()]).compute_bound().stateful();
    Tensor::from_primitive::<Autodiff<Wgpu>>(match prepared {
        OpsKind::Tracked(prepared) => prepared.finish(dy, loss),
        OpsKind::UnTracked(prepared) => prepared.finish(loss),
    })
}

/// A forward pass that is done: its loss, and the tensors whose gradients are wanted.
pub struct Graph<const D: usize> {
    pub loss: Tensor<1>,
    pub x: Tensor<D>,
    pub vectors: Vec<Tensor<1>>,
}

impl<const D: usize> Graph<D> {
    /// The gradients: of x, then of the vectors.
    pub fn backward(self) -> Results {
        let mut grads = self.loss.backward();
        let wanted = "it requires a gradient";
        let mut results = boxed([self.x.grad_remove(&mut grads).expect(wanted)]);
        results.extend(boxed(self.vectors.iter().map(|v| v.grad_remove(&mut grads).expect(wanted))));
        results
    }
}

/// A tensor whose gradient is wanted, with the contents of `x`.
pub fn leaf<const D: usize>(x: &Tensor<D>) -> Tensor<D> {
    x.clone().autodiff().require_grad()
}
