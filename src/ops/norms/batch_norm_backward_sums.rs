//! The sums that a backward pass needs of every rank. Kernel: `shaders/norms/batch_norm_backward_sums.wgsl`. Reference:
//! `cpu::batch_norm_backward_sums`.
#[cfg(feature = "verify")]
use crate::kernels::channels::Results;
use crate::{
    kernel,
    kernels::channels::{self, Channels, Fused, Merge, Products, vectors},
    op::{Arg, ByName, Caps, Cost, Lowered, Op, check_float},
    options::Activation,
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// Synchronised batch norm, the sums of the backward pass: Σg and Σg·x̂ of each channel over one rank's part of a batch, with
/// x̂ = (x - μ)·rstd and g = dy·act'(v), v being the input of [`BatchNormApply`](super::BatchNormApply)'s activation.
/// PyTorch's `batch_norm_backward_reduce`.
///
/// The caller sums them over the ranks for [`BatchNormBackwardApply`](super::BatchNormBackwardApply). Before that they are
/// the rank's share of dβ and dγ, to be summed with the other parameter gradients.
///
/// Reads `x` and `dy` (n·c·s elements), `mean` and `rstd` of the whole batch (c values, f32). With an activation it needs v
/// or its sign, as [`BatchNormBackward`](super::BatchNormBackward) does: `weight` γ and `bias` β (c, f32; absent: 1 and 0),
/// and `residual` (as `x`) if there was one; or `y` (as `x`) alone. Writes `sum_dy` and `sum_dy_xhat` (c, f32); 0 for an
/// empty part. PyTorch's second sum is Σg·(x - μ), without rstd. Deterministic: sums in a fixed order. Two dispatches, more
/// for tensors beyond the binding limit.
///
/// Error: that of a tree of f32 sums, relative to the sums of magnitudes.
#[op(
    name = "batch_norm_backward_sums",
    summary = "synchronised batch norm: one rank's share of the sums that the backward pass needs",
    formula = "Σg and Σg·x̂, g = dy·act'"
)]
pub struct BatchNormBackwardSums {
    /// How `x`, `dy`, `y` and `residual` are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// Whether there was a γ. Without an activation it does not matter.
    #[field(default = true)]
    pub weight: bool,
    /// Whether there was a β. Without an activation it does not matter.
    #[field(default = true)]
    pub bias: bool,
    /// The activation of the forward op.
    #[field(default)]
    pub activation: Activation,
    /// Whether the forward op added a residual.
    #[field(default)]
    pub residual: bool,
}

impl BatchNormBackwardSums {
    /// With γ and β, without activation and residual.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self::from_required(dtype, space)
    }

    fn fused(&self) -> Fused {
        Fused { activation: self.activation, residual: self.residual }
    }
}

impl Op for BatchNormBackwardSums {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, c, fused) = (self.space.len(), self.space.c, self.fused());
        let mut args = ["x", "dy"].map(|name| Arg::read(name, self.dtype, len)).to_vec();
        args.extend(["mean", "rstd"].map(|name| Arg::read(name, DType::F32, c)));
        args.extend((self.weight && fused.recomputes()).then(|| Arg::read("weight", DType::F32, c)));
        args.extend((self.bias && fused.recomputes()).then(|| Arg::read("bias", DType::F32, c)));
        args.extend(fused.beside_arg(self.dtype, &self.space));
        args.extend(["sum_dy", "sum_dy_xhat"].map(|name| Arg::write(name, DType::F32, c)));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.space.check(NAME)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.space));
        check_float(NAME, args.arg("x"))?;
        self.activation.check(NAME)?;
        if self.space.c == 0 {
            return Ok(out);
        }
        let what = Products::of(self.fused());
        let partials = tensor.products(NAME, &mut out, caps, &args, &what)?.few(&mut out, caps);
        let (merge, names) = (Merge::alone(&partials, caps), ["sum_dy", "sum_dy_xhat"]);
        let vectors = vectors(&names, &args, tensor.channels, &mut out, caps);
        out.steps.push(merge.step(caps, kernel!("norms/batch_norm_backward_sums"), vectors, merge.team));
        Ok(out)
    }

    fn cost(&self) -> Cost {
        channels::cost(self.dtype, &self.space, 2 + u64::from(self.fused().beside().is_some()))
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormBackwardSums {
    channels::draws!(self, self.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.space, args, self.fused());
        for c in 0..self.space.c {
            let (mean, rstd) = (out.at("mean", c, 0.0), out.at("rstd", c, 0.0));
            let pass = out.pass(c, mean, Approx::exact(rstd));
            let [sum, product] = reference::batch_norm_backward_sums(&pass.x, &pass.gradients(), mean, rstd);
            let kernels = pass.sums();
            out.set("sum_dy", c, Approx { value: sum, ..kernels[1] });
            out.set("sum_dy_xhat", c, Approx { value: product, ..kernels[0] });
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::few(|i, dtype, space| {
        let (activation, residual) = channels::fusion(i);
        Box::new(BatchNormBackwardSums { dtype, space, weight: i % 3 != 1, bias: i % 5 < 3, activation, residual })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::fused_benches(elements, |dtype, space, activation, residual| {
        Box::new(BatchNormBackwardSums { activation, residual, ..BatchNormBackwardSums::new(dtype, space) })
    })
}
