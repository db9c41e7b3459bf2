//! Batch normalisation by running statistics. Kernel: `shaders/norms/batch_norm_inference.wgsl`. Reference:
//! `cpu::batch_norm_inference`.
#[cfg(feature = "verify")]
use crate::kernels::channels::{Results, difference};
use crate::{
    kernel,
    kernels::channels::{self, Channels, Fused, vectors},
    op::{Arg, ByName, Caps, Lowered, Op, check_float},
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

params! { BatchNormInferenceParams { blocks: u32, channels: u32, eps: f32 } }

/// Batch norm in inference: y = act(γ·(x - r_μ)/√(r_σ² + ε) + β + residual), with the running statistics that
/// [`BatchNorm`](super::BatchNorm) keeps in training.
///
/// Reads `x` (n·c·s elements), `running_mean`, `running_var` (c values, f32; the variance at least 0), `weight` γ (c, f32;
/// absent: 1), `bias` β (c, f32; absent: 0) and `residual` (as `x`; absent: 0). Writes `y` (as `x`). Deterministic. Two dispatches, more for tensors beyond
/// the binding limit. Where r_σ² + ε is 0, 1/√ is taken as 0; where it is negative, y is NaN.
///
/// Error: x - r_μ is formed first, so only β and the residual can cancel; a few roundings of f32 in each factor, and that of
/// the storage type.
#[op(
    name = "batch_norm_inference",
    summary = "batch norm in inference: normalises each channel by its running mean and variance",
    formula = "y = act(γ·(x - r_μ)/√(r_σ² + ε) + β + residual)"
)]
pub struct BatchNormInference {
    /// How `x`, `y` and `residual` are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// ε, added to the variance inside the root.
    #[field(default = 1e-5, min = 0)]
    pub eps: f64,
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

impl BatchNormInference {
    /// With ε = 1e-5, γ and β, without activation and residual.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self::from_required(dtype, space)
    }

    fn fused(&self) -> Fused {
        Fused { activation: self.activation, residual: self.residual }
    }
}

impl Op for BatchNormInference {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, c) = (self.space.len(), self.space.c);
        let mut args = vec![Arg::read("x", self.dtype, len)];
        args.extend(["running_mean", "running_var"].map(|name| Arg::read(name, DType::F32, c)));
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
        channels::check_eps(NAME, self.eps)?;
        self.activation.check(NAME)?;
        if self.space.is_empty() {
            return Ok(out);
        }
        let vectors = vectors(&["running_mean", "running_var", "weight", "bias"], &args, tensor.channels, &mut out, caps);
        let params = |blocks, channels| BatchNormInferenceParams { blocks, channels, eps: self.eps as f32 }.into();
        let coefs = tensor.coefficients(&mut out, caps, kernel!("norms/batch_norm_inference"), vectors, params);
        tensor.normalize(NAME, &mut out, caps, &args, self.fused(), coefs)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormInference {
    channels::draws!(self, self.space, [Ordinary, Offset, NonFinite]);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.space, args, self.fused());
        for c in 0..self.space.c {
            let (mean, variance) = (out.at("running_mean", c, 0.0), out.at("running_var", c, 0.0));
            let (weight, bias) = (out.at("weight", c, 1.0), out.at("bias", c, 0.0));
            let error = channels::inverse_std_error(variance, 0.0, self.eps);
            let scale = Approx { value: reference::inverse_std(variance, self.eps), error }.times(Approx::exact(weight));
            for i in channels::places(&self.space, c) {
                let x = out.at("x", i, 0.0);
                let value = reference::batch_norm_inference(x, mean, variance, self.eps, weight, bias);
                let v = Approx::sum([difference(x, mean).times(scale), Approx::exact(bias)]);
                out.put_output(i, Approx { value, ..v });
            }
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::cases(|i, dtype, space| {
        let eps = if i % 5 == 2 { 0.0 } else { 1e-5 };
        let (activation, residual) = channels::fusion(i);
        Box::new(BatchNormInference { dtype, space, eps, weight: i % 3 != 1, bias: i % 5 < 3, activation, residual })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let mut all = channels::benches(elements, |dtype, space| Box::new(BatchNormInference::new(dtype, space)));
    all.extend(channels::fused_benches(elements, |dtype, space, activation, residual| {
        Box::new(BatchNormInference { activation, residual, ..BatchNormInference::new(dtype, space) })
    }));
    all
}
