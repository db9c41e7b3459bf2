//! The gradient of the input from sums over all ranks. Kernel: `shaders/norms/batch_norm_backward_apply.wgsl`. Reference:
//! `cpu::batch_norm_backward_apply`.
use super::BatchNormApply;
#[cfg(feature = "verify")]
use crate::kernels::channels::Results;
use crate::{
    kernel,
    kernels::channels::{self, Channels, vectors},
    op::{Arg, ByName, Caps, Cost, Lowered, Op, check_float},
    params,
    types::{DType, Error, HostData, Space},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchNormBackwardApplyParams { blocks: u32, channels: u32 } }

/// Synchronised batch norm, the input gradient: dx = γ·rstd·(g - (Σg + x̂·Σg·x̂)/m) for one rank's part of a batch, with the
/// sums and the count m of the whole batch. PyTorch's `batch_norm_backward_elemt`. The backward pass of
/// [`BatchNormApply`](super::BatchNormApply).
///
/// Reads `x` and `dy` (n·c·s elements), `mean` and `rstd` of the whole batch (c values, f32), `weight` γ (c, f32; absent: 1),
/// `sum_dy` and `sum_dy_xhat` (c, f32: [`BatchNormBackwardSums`](super::BatchNormBackwardSums), added over the ranks) and
/// `count` (one f32, at least 1: [`BatchNormMerge`](super::BatchNormMerge)). With an activation also `bias` β (c, f32; absent:
/// 0), `y` or `residual` (as `x`), as [`BatchNormBackward`](super::BatchNormBackward) does. Writes
/// `dx` (as `x`), and `dresidual` g (as `x`) where there was a residual. Deterministic. Two dispatches, more for tensors beyond
/// the binding limit.
///
/// Error: a few roundings of each term, relative to the largest of them.
#[op(
    name = "batch_norm_backward_apply",
    summary = "synchronised batch norm: gradient of one rank's part of a batch, from sums over all ranks",
    formula = "dx = γ·rstd·(g - (Σg + x̂·Σg·x̂)/m), g = dy·act'"
)]
pub struct BatchNormBackwardApply {
    /// The forward op.
    #[field(flatten)]
    pub forward: BatchNormApply,
}

impl BatchNormBackwardApply {
    /// With γ and β, without activation and residual.
    pub fn new(dtype: DType, space: Space) -> Self {
        BatchNormApply::new(dtype, space).into()
    }
}

impl Op for BatchNormBackwardApply {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        let (len, c, fused) = (of.space.len(), of.space.c, of.fused());
        let mut args = ["x", "dy"].map(|name| Arg::read(name, of.dtype, len)).to_vec();
        args.extend(["mean", "rstd"].map(|name| Arg::read(name, DType::F32, c)));
        args.extend(of.weight.then(|| Arg::read("weight", DType::F32, c)));
        args.extend((of.bias && fused.recomputes()).then(|| Arg::read("bias", DType::F32, c)));
        args.extend(fused.beside_arg(of.dtype, &of.space));
        args.extend(["sum_dy", "sum_dy_xhat"].map(|name| Arg::read(name, DType::F32, c)));
        args.push(Arg::read("count", DType::F32, 1));
        args.push(Arg::write("dx", of.dtype, len));
        args.extend(of.residual.then(|| Arg::write("dresidual", of.dtype, len)));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.forward.space.check(NAME)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.forward.space));
        check_float(NAME, args.arg("x"))?;
        self.forward.activation.check(NAME)?;
        if self.forward.space.is_empty() {
            return Ok(out);
        }
        let mut vectors = vectors(&["mean", "rstd", "weight", "sum_dy", "sum_dy_xhat"], &args, tensor.channels, &mut out, caps);
        vectors.push(("values", args.whole("count"), false));
        let params = |blocks, channels| BatchNormBackwardApplyParams { blocks, channels }.into();
        let coefs = tensor.coefficients(&mut out, caps, kernel!("norms/batch_norm_backward_apply"), vectors, params);
        let how = (parts::channels::NORMALIZE_BACKWARD_OPEN, self.forward.fused());
        tensor.input_gradient(NAME, &mut out, caps, &args, how, coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // x, dy, dx; y where it has the sign; dresidual.
        let tensors = 3 + u64::from(self.forward.fused().beside().is_some()) + u64::from(self.forward.residual);
        channels::cost(self.forward.dtype, &self.forward.space, tensors)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormBackwardApply {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Offset, Pattern::NonFinite]
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match arg.name {
            // At least as many as there are here, and of their size.
            "count" => HostData::from_f64(arg.dtype, [(self.forward.space.n * self.forward.space.s + 3) as f64]),
            "sum_dy" | "sum_dy_xhat" => {
                let most = (self.forward.space.n * self.forward.space.s) as f64;
                rng.fill(arg, [-most, most], Pattern::Ordinary)
            }
            _ => channels::fill(&self.forward.space, self.forward.dtype, arg, rng, pattern),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.forward.space, args, self.forward.fused());
        let m = out.at("count", 0, 1.0);
        for c in 0..self.forward.space.c {
            let [mean, rstd, sum, product] = ["mean", "rstd", "sum_dy", "sum_dy_xhat"].map(|name| out.at(name, c, 0.0));
            let weight = out.at("weight", c, 1.0);
            let pass = out.pass(c, mean, Approx::exact(rstd));
            let dx: Vec<f64> = pass
                .x
                .iter()
                .zip(pass.gradients())
                .map(|(x, g)| reference::batch_norm_backward_apply(*x, g, [mean, rstd], [sum, product], m, weight))
                .collect();
            let input = pass.input(Approx::exact(weight), [product, sum].map(Approx::exact), Approx::exact(m));
            out.put_gradients(&pass, &dx, input);
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::few(|i, dtype, space| {
        let (activation, residual) = channels::fusion(i);
        let forward = BatchNormApply { dtype, space, weight: i % 3 != 1, bias: i % 5 < 3, activation, residual };
        Box::new(BatchNormBackwardApply::from(forward))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::fused_benches(elements, |dtype, space, activation, residual| {
        Box::new(BatchNormBackwardApply::from(BatchNormApply { activation, residual, ..BatchNormApply::new(dtype, space) }))
    })
}
