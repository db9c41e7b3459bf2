//! The gradient of batch normalisation by running statistics. Kernel: `shaders/norms/batch_norm_frozen_backward.wgsl`. Reference:
//! `cpu::batch_norm_frozen_backward`.
#[cfg(feature = "verify")]
use crate::kernels::channels::Results;
use crate::{
    kernel,
    kernels::{
        channels::{self, Channels, Fused, Merge, Products, Team, vectors},
        reduce::{Monoid, Partials},
        rows::finish_columns,
    },
    op::{Arg, ByName, Caps, Cost, Lowered, Op, check_float},
    options::Activation,
    params,
    types::{DType, Error, HostData, Space},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchNormFrozenBackwardParams { team: Team, coefs: u32, eps: f32 } }

/// The backward pass of [`BatchNormInference`](super::BatchNormInference), for training with frozen statistics: with rstd =
/// 1/√(r_σ² + ε) and g = dy·act'(v), where v = γx̂ + β + residual is the input of the activation, dx = γ·rstd·g, dγ = Σg·(x -
/// r_μ)·rstd, dβ = Σg, dresidual = g.
///
/// Reads `x` and `dy` (n·c·s elements), `running_mean` and `running_var` (c values, f32; the variance at least 0) and `weight`
/// γ (c, f32; absent: 1). Writes `dx` (as `x`), `dweight` and `dbias` (c, f32; 0 for an empty tensor) where there is a γ or
/// β, and `dresidual` (as `x`) where there is a residual. The sums of a channel are formed in a fixed order: results are the
/// same bit for bit from run to run on a device. Where planes, or rows of channels, are whole quads (s a multiple of 4, or c
/// channels last), two dispatches, of which the first reads all once, forms the sums and writes dx; that takes 7 storage buffers, 8 with an
/// activation or a residual, and up to 10 with both. Else three, as without γ and β. More for tensors beyond the binding limit. A device
/// must be able to bind 16 bytes per channel.
///
/// v or its sign is found as in [`BatchNormBackward`](super::BatchNormBackward): from `x` and `bias` (c, f32), or, if there
/// is a residual, from the forward's `y` or `residual` (as `x`). Where there is no γ, β or activation, `x` is not read.
///
/// Error: that of a tree of f32 sums, relative to the sums of magnitudes; for dx, a few roundings. A v within its rounding
/// error of 0 may count as either sign.
#[op(
    name = "batch_norm_frozen_backward",
    summary = "backward pass of batch_norm_inference, to input, γ, β and residual: training with frozen statistics",
    formula = "dx = γ·g/√(r_σ² + ε), g = dy·act'"
)]
pub struct BatchNormFrozenBackward {
    /// How `x`, `dy`, `dx`, `y`, `residual` and `dresidual` are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// ε, added to the variance inside the root.
    #[field(default = 1e-5, min = 0)]
    pub eps: f64,
    /// Whether there is a γ, and so a `dweight`.
    #[field(default = true)]
    pub weight: bool,
    /// Whether there is a β, and so a `dbias`.
    #[field(default = true)]
    pub bias: bool,
    /// The activation of the forward op.
    #[field(default)]
    pub activation: Activation,
    /// Whether the forward op added a residual, and so a `dresidual`.
    #[field(default)]
    pub residual: bool,
}

impl BatchNormFrozenBackward {
    /// With ε = 1e-5, γ and β, without activation and residual.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self::from_required(dtype, space)
    }

    fn fused(&self) -> Fused {
        Fused { activation: self.activation, residual: self.residual }
    }
}

impl Op for BatchNormFrozenBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.fused().backward_args(self.dtype, &self.space, ["running_mean", "running_var"], self.weight, self.bias)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.space.check(NAME)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.space));
        check_float(NAME, args.arg("x"))?;
        channels::check_eps(NAME, self.eps)?;
        self.activation.check(NAME)?;
        if self.space.c == 0 {
            return Ok(out);
        }
        let (sums, emits) = (self.weight || self.bias, tensor.whole() && self.fused().emits(caps));
        let what =
            Products { statistics: ["running_mean", "running_var"], eps: Some(self.eps), emits, ..Products::of(self.fused()) };
        let partials = if sums {
            tensor.products(NAME, &mut out, caps, &args, &what)?.few(&mut out, caps)
        } else {
            Partials::interleaved(NAME, &mut out, caps, Monoid::SUM4, tensor.channels, 0)?
        };
        if sums && emits {
            finish_columns(&mut out, caps, &args, &partials);
            return Ok(out);
        }
        let merge = Merge::of(&partials, &mut out, caps);
        let vectors =
            vectors(&["running_mean", "running_var", "weight", "dweight", "dbias"], &args, tensor.channels, &mut out, caps);
        let params = BatchNormFrozenBackwardParams { team: merge.team, coefs: merge.start, eps: self.eps as f32 };
        out.steps.push(merge.step(caps, kernel!("norms/batch_norm_frozen_backward"), vectors, params));
        tensor.input_gradient(NAME, &mut out, caps, &args, (parts::norms::SCALE_BACKWARD_OPEN, self.fused()), merge.coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // The least: dy read and dx written, x if something depends on it, y if it has the sign, dresidual.
        let f = self.fused();
        let x = self.weight || self.bias || f.recomputes();
        let tensors = 2 + u64::from(x) + u64::from(f.beside().is_some()) + u64::from(self.residual);
        channels::cost(self.dtype, &self.space, tensors)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormFrozenBackward {
    channels::draws!(self, self.space, [Ordinary, Zeros, NonFinite]);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.space, args, self.fused());
        for c in 0..self.space.c {
            let (mean, variance) = (out.at("running_mean", c, 0.0), out.at("running_var", c, 0.0));
            let error = channels::inverse_std_error(variance, 0.0, self.eps);
            let rstd = Approx { value: reference::inverse_std(variance, self.eps), error };
            let pass = out.pass(c, mean, rstd);
            let weight = out.at("weight", c, 1.0);
            let (dx, dweight, dbias) =
                reference::batch_norm_frozen_backward(&pass.x, &pass.gradients(), mean, rstd.value, weight);
            let sums = pass.sums();
            let input = pass.scaled(Approx::exact(weight));
            out.put_gradients(&pass, &dx, input);
            out.put_sums(c, [dweight, dbias], sums);
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::cases(|i, dtype, space| {
        let eps = if i % 5 == 2 { 0.0 } else { 1e-5 };
        let (activation, residual) = channels::fusion(i);
        Box::new(BatchNormFrozenBackward { dtype, space, eps, weight: i % 3 != 1, bias: i % 5 < 3, activation, residual })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let mut all = channels::benches(elements, |dtype, space| Box::new(BatchNormFrozenBackward::new(dtype, space)));
    all.extend(channels::fused_benches(elements, |dtype, space, activation, residual| {
        Box::new(BatchNormFrozenBackward { activation, residual, ..BatchNormFrozenBackward::new(dtype, space) })
    }));
    all
}
