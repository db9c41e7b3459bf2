//! The gradient of batch normalisation in training. Kernel: `shaders/norms/batch_norm_backward.wgsl`. Reference:
//! `cpu::batch_norm_backward`.
use super::BatchNorm;
#[cfg(feature = "verify")]
use crate::kernels::channels::Results;
use crate::{
    kernel,
    kernels::channels::{self, Channels, Merge, Products, Team, vectors},
    op::{Arg, ByName, Caps, Cost, Lowered, Op, check_float},
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
    /// The forward op.
    #[field(flatten, without = [eps, running, one_value])]
    pub forward: BatchNorm,
}

impl BatchNormBackward {
    /// With γ and β, without activation and residual.
    pub fn new(dtype: DType, space: Space) -> Self {
        BatchNorm::new(dtype, space).into()
    }
}

impl Op for BatchNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        of.fused().backward_args(of.dtype, &of.space, ["mean", "rstd"], of.weight, of.bias)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.forward.space.check(NAME)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.forward.space));
        check_float(NAME, args.arg("x"))?;
        self.forward.activation.check(NAME)?;
        if self.forward.space.c == 0 {
            return Ok(out);
        }
        let what = Products::of(self.forward.fused());
        let partials = tensor.products(NAME, &mut out, caps, &args, &what)?.few(&mut out, caps);
        let merge = Merge::of(&partials, &mut out, caps);
        let vectors = vectors(&["mean", "rstd", "weight", "dweight", "dbias"], &args, tensor.channels, &mut out, caps);
        let params = BatchNormBackwardParams { team: merge.team, coefs: merge.start, values: tensor.values().max(1) as f32 };
        out.steps.push(merge.step(caps, kernel!("norms/batch_norm_backward"), vectors, params));
        let how = (parts::channels::NORMALIZE_BACKWARD_OPEN, self.forward.fused());
        tensor.input_gradient(NAME, &mut out, caps, &args, how, merge.coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // x and dy, and y where the sign is taken from it, are read for the sums and again for dx.
        let tensors = if self.forward.fused().beside().is_some() { 8 } else { 5 + u64::from(self.forward.residual) };
        channels::cost(self.forward.dtype, &self.forward.space, tensors)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormBackward {
    channels::draws!(self.forward, self.forward.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.forward.space, args, self.forward.fused());
        for c in 0..self.forward.space.c {
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
        let forward = BatchNorm { weight: i % 3 != 1, bias: i % 5 < 3, activation, residual, ..BatchNorm::new(dtype, space) };
        Box::new(BatchNormBackward::from(forward))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let mut all = channels::benches(elements, |dtype, space| Box::new(BatchNormBackward::new(dtype, space)));
    all.extend(channels::fused_benches(elements, |dtype, space, activation, residual| {
        Box::new(BatchNormBackward::from(BatchNorm { activation, residual, ..BatchNorm::new(dtype, space) }))
    }));
    all
}
