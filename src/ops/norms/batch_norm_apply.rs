//! Normalisation by given statistics. Kernel: `shaders/norms/batch_norm_apply.wgsl`. Reference: `cpu::batch_norm_apply`.
#[cfg(feature = "verify")]
use crate::kernels::channels::{Results, difference};
use crate::{
    kernel,
    kernels::channels::{self, Channels, Fused, vectors},
    op::{Arg, ByName, Caps, Cost, Lowered, Op, check_float},
    options::Activation,
    params,
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchNormApplyParams { blocks: u32, channels: u32 } }

/// Synchronised batch norm, the normalisation: y = act(γ·(x - μ)·rstd + β + residual) with the statistics of the whole batch,
/// for one rank's part of it. PyTorch's `batch_norm_elemt`.
///
/// Reads `x` (n·c·s elements), `mean` μ and `rstd` 1/√(σ² + ε) as [`BatchNormMerge`](super::BatchNormMerge) wrote them (c values,
/// f32), `weight` γ (c, f32; absent: 1), `bias` β (c, f32; absent: 0) and `residual` (as `x`; absent: 0). Writes `y` (as `x`).
/// Deterministic. Two dispatches, more for tensors beyond the binding limit. Backward:
/// [`BatchNormBackwardSums`](super::BatchNormBackwardSums), then [`BatchNormBackwardApply`](super::BatchNormBackwardApply).
///
/// Error: x - μ is formed first; a few roundings of f32 in each factor, and that of the storage type.
#[op(
    name = "batch_norm_apply",
    summary = "synchronised batch norm: normalises one rank's part of a batch by the statistics of the whole batch",
    formula = "y = act(γ·(x - μ)·rstd + β + residual)"
)]
pub struct BatchNormApply {
    /// How `x`, `y` and `residual`, and their gradients, are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// Whether there is a γ.
    #[field(default = true)]
    pub weight: bool,
    /// Whether there is a β.
    #[field(default = true)]
    pub bias: bool,
    /// The activation, applied last.
    #[field(default)]
    pub activation: Activation,
    /// Whether a tensor is added before the activation.
    #[field(default)]
    pub residual: bool,
}

impl BatchNormApply {
    /// With γ and β, without activation and residual.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self::from_required(dtype, space)
    }

    pub(super) fn fused(&self) -> Fused {
        Fused { activation: self.activation, residual: self.residual }
    }
}

impl Op for BatchNormApply {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, c) = (self.space.len(), self.space.c);
        let mut args = vec![Arg::read("x", self.dtype, len)];
        args.extend(["mean", "rstd"].map(|name| Arg::read(name, DType::F32, c)));
        args.extend(self.weight.then(|| Arg::read("weight", DType::F32, c)));
        args.extend(self.bias.then(|| Arg::read("bias", DType::F32, c)));
        args.extend(self.fused().residual(self.dtype, &self.space));
        args.push(Arg::write("y", self.dtype, len));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.space.check(NAME)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.space));
        check_float(NAME, args.arg("x"))?;
        self.activation.check(NAME)?;
        if self.space.is_empty() {
            return Ok(out);
        }
        let vectors = vectors(&["mean", "rstd", "weight", "bias"], &args, tensor.channels, &mut out, caps);
        let params = |blocks, channels| BatchNormApplyParams { blocks, channels }.into();
        let coefs = tensor.coefficients(&mut out, caps, kernel!("norms/batch_norm_apply"), vectors, params);
        tensor.normalize(NAME, &mut out, caps, &args, self.fused(), coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        channels::cost(self.dtype, &self.space, 2 + u64::from(self.residual))
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormApply {
    channels::draws!(self, self.space, [Ordinary, Offset, NonFinite]);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.space, args, self.fused());
        for c in 0..self.space.c {
            let (mean, rstd) = (out.at("mean", c, 0.0), out.at("rstd", c, 0.0));
            let (weight, bias) = (out.at("weight", c, 1.0), out.at("bias", c, 0.0));
            let scale = Approx::exact(rstd).times(Approx::exact(weight));
            for i in channels::places(&self.space, c) {
                let x = out.at("x", i, 0.0);
                let v = Approx::sum([difference(x, mean).times(scale), Approx::exact(bias)]);
                out.put_output(i, Approx { value: reference::batch_norm_apply(x, mean, rstd, weight, bias), ..v });
            }
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::few(|i, dtype, space| {
        let (activation, residual) = channels::fusion(i);
        Box::new(BatchNormApply { dtype, space, weight: i % 3 != 1, bias: i % 5 < 3, activation, residual })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::fused_benches(elements, |dtype, space, activation, residual| {
        Box::new(BatchNormApply { activation, residual, ..BatchNormApply::new(dtype, space) })
    })
}
