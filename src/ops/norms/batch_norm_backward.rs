//! The gradient of batch normalisation in training. Kernel: `shaders/norms/batch_norm_backward.wgsl`. Reference:
//! `cpu::batch_norm_backward`.
#[cfg(feature = "verify")]
use crate::kernels::channels::Results;
use crate::{
    kernel,
    kernels::channels::{self, Channels, Fused, Merge, Products, Team, vectors},
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

params! { BatchNormBackwardParams { team: Team, coefs: u32, values: f32 } }

/// The backward pass of [`BatchNorm`](super::BatchNorm): with x̂ = (x - μ)·rstd, m values per channel and g = dy·act'(v),
/// where v = γx̂ + β + residual is the input of the activation: dβ = Σg, dγ = Σg·x̂, dresidual = g, dx = γ·rstd·(g - (dβ +
/// x̂·dγ)/m).
///
/// Reads `x` and `dy` (n·c·s elements), `mean` and `rstd` as the forward op wrote them (c values, f32) and `weight` γ (c, f32;
/// absent: 1). Writes `dx` (as `x`), `dweight` and `dbias` (c, f32; 0 for an empty tensor) where there is a γ or β, and
/// `dresidual` (as `x`) where there is a residual. The sums of a channel are formed in a fixed order: results are the same
/// bit for bit from run to run on a device. Three dispatches, more for tensors beyond the binding limit. A device must be
/// able to bind 16 bytes per channel.
///
/// The gradient of an activation needs v or its sign. Without a residual, v is recomputed from `x`, so this reads `bias` too
/// (c, f32), with no more traffic than plain batch norm. With one, this reads the forward's `y` (as `x`) for ReLU and leaky
/// ReLU, since y has the same sign; for the others `bias`, and the forward's `residual` (as `x`). Without an activation
/// dresidual is dy itself: leave `residual` false and use dy.
///
/// Error: that of a tree of f32 sums, relative to the sums of magnitudes; x - μ is formed first, from a mean rounded to f32.
/// A v within its rounding error of 0 may count as either sign. A NaN or infinity makes the results of its channel NaN or
/// infinite, and no others; a dy that the activation blocks is ignored, whatever it is.
#[op(
    name = "batch_norm_backward",
    summary = "backward pass of batch_norm, to input, γ, β and residual",
    formula = "dx = γ·rstd·(g - (Σg + x̂·Σg·x̂)/m), g = dy·act'"
)]
pub struct BatchNormBackward {
    /// How `x`, `dy`, `dx`, `y`, `residual` and `dresidual` are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
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

impl BatchNormBackward {
    /// With γ and β, without activation and residual.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self::from_required(dtype, space)
    }

    fn fused(&self) -> Fused {
        Fused { activation: self.activation, residual: self.residual }
    }
}

impl Op for BatchNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.fused().backward_args(self.dtype, &self.space, ["mean", "rstd"], self.weight, self.bias)
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
        let merge = Merge::of(&partials, &mut out, caps);
        let vectors = vectors(&["mean", "rstd", "weight", "dweight", "dbias"], &args, tensor.channels, &mut out, caps);
        let params = BatchNormBackwardParams { team: merge.team, coefs: merge.start, values: tensor.values().max(1) as f32 };
        out.steps.push(merge.step(caps, kernel!("norms/batch_norm_backward"), vectors, params));
        tensor.input_gradient(
            NAME,
            &mut out,
            caps,
            &args,
            (parts::channels::NORMALIZE_BACKWARD_OPEN, self.fused()),
            merge.coefs,
        )?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // x and dy, and y where the sign is taken from it, are read for the sums and again for dx.
        let tensors = if self.fused().beside().is_some() { 8 } else { 5 + u64::from(self.residual) };
        channels::cost(self.dtype, &self.space, tensors)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormBackward {
    channels::draws!(self, self.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.space, args, self.fused());
        for c in 0..self.space.c {
            let (mean, rstd) = (out.at("mean", c, 0.0), out.at("rstd", c, 0.0));
            let pass = out.pass(c, mean, Approx::exact(rstd));
            let weight = out.at("weight", c, 1.0);
            let (dx, dweight, dbias) = reference::batch_norm_backward(&pass.x, &pass.gradients(), mean, rstd, weight);
            let sums = pass.sums();
            let input = pass.input(Approx::exact(weight), sums, Approx::exact(pass.x.len() as f64));
            out.put_gradients(&pass, &dx, input);
            out.put_sums(c, [dweight, dbias], sums);
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::cases(|i, dtype, space| {
        let (activation, residual) = channels::fusion(i);
        Box::new(BatchNormBackward { dtype, space, weight: i % 3 != 1, bias: i % 5 < 3, activation, residual })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let mut all = channels::benches(elements, |dtype, space| Box::new(BatchNormBackward::new(dtype, space)));
    all.extend(channels::fused_benches(elements, |dtype, space, activation, residual| {
        Box::new(BatchNormBackward { activation, residual, ..BatchNormBackward::new(dtype, space) })
    }));
    all
}
