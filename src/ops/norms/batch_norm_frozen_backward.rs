//! The gradient of batch normalisation by running statistics. Kernel: `shaders/norms/batch_norm_frozen_backward.wgsl`. Reference:
//! `cpu::batch_norm_frozen_backward`.
#[cfg(feature = "verify")]
use crate::kernels::channels::Results;
use crate::{
    kernel,
    kernels::{
        channels::{self, Channels, Fused, Products, Team, given_or, position, unused_or, vector, whole},
        reduce::{Monoid, Partials},
        rows::finish_columns,
    },
    op::{Arg, Caps, Cost, Lowered, Op, Slot, Step, check_float},
    options::Activation,
    params,
    types::{DType, Error, HostData, Space},
    wgsl::{Spec, parts},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchNormFrozenBackwardParams { blocks: u32, channels: u32, row: u32, stride: u32, count: u32, coefs: u32, eps: f32 } }

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
        check_float(NAME, &args[0])?;
        channels::check_eps(NAME, self.eps)?;
        self.activation.check(NAME)?;
        if self.space.c == 0 {
            return Ok(out);
        }
        let (sums, emits) = (self.weight || self.bias, tensor.whole() && self.fused().emits(caps));
        let what = Products { fused: self.fused(), mean: 2, eps: Some(self.eps), emits };
        let partials = if sums {
            tensor.products(NAME, &mut out, caps, &args, &what)?.few(&mut out, caps)
        } else {
            Partials::interleaved(NAME, &mut out, caps, Monoid::SUM4, tensor.channels, 0)?
        };
        if sums && emits {
            let [dweight, dbias] = ["dweight", "dbias"].map(|name| position(&args, name));
            finish_columns(&mut out, caps, &args, &partials, dweight, dbias);
            return Ok(out);
        }
        let coefs = out.scratch(16 * tensor.channels, caps);
        let slots = vec![
            Slot::Scratch(partials.range.start..coefs.end),
            whole(&args, 2),
            whole(&args, 3),
            given_or(1.0, &args, "weight", tensor.channels, &mut out, caps),
            unused_or(position(&args, "dweight"), &args, tensor.channels, &mut out, caps),
            unused_or(position(&args, "dbias"), &args, tensor.channels, &mut out, caps),
        ];
        let mut bindings = vec![Monoid::SUM4.decl("partials", true)];
        bindings.extend(["running_mean", "running_var", "weight"].map(|name| vector(name, false)));
        bindings.extend(["dweight", "dbias"].map(|name| vector(name, true)));
        let team = Team::of(tensor.channels, partials.count, caps);
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("norms/batch_norm_frozen_backward"),
                entry: NAME,
                parts: vec![],
                bindings,
                consts: team.consts(caps),
            },
            params: BatchNormFrozenBackwardParams {
                blocks: team.blocks as u32,
                channels: tensor.channels as u32,
                row: partials.row as u32,
                stride: partials.stride as u32,
                count: partials.count as u32,
                coefs: ((coefs.start - partials.range.start) / 16) as u32,
                eps: self.eps as f32,
            }
            .into(),
            slots,
            workgroups: team.blocks,
            trips: team.trips,
        });
        tensor.input_gradient(NAME, &mut out, caps, &args, (parts::norms::SCALE_BACKWARD_OPEN, self.fused()), coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // The least: dy read and dx written, x if something depends on it, y if it has the sign, dresidual.
        let f = self.fused();
        let x = self.weight || self.bias || f.recomputes();
        let tensors = 2 + u64::from(x) + u64::from(f.beside().is_some()) + u64::from(self.residual);
        let elements = self.space.len() as u64;
        Cost { bytes: tensors * elements * self.dtype.size(), elements }
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormFrozenBackward {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::NonFinite]
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        channels::fill(&self.space, self.dtype, arg, rng, pattern)
    }

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
            out.set("dweight", c, Approx { value: dweight, ..sums[0] });
            out.set("dbias", c, Approx { value: dbias, ..sums[1] });
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
