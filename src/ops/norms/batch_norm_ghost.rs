//! Batch normalisation in virtual batches. Kernel: `shaders/norms/batch_norm_ghost.wgsl`. Reference: `cpu::batch_norm_ghost`.
#[cfg(feature = "verify")]
use crate::kernels::channels::{Batch, Results};
use crate::{
    kernel,
    kernels::channels::{self, Fused, Ghosts, MOMENTS, Map, per_channel, vectors},
    op::{Arg, ByName, Caps, Cost, Lowered, Op, check_float},
    options::{GhostRunning, Running, RunningVariance},
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

params! {
    BatchNormGhostParams {
        blocks: u32, channels: u32, batches: u32, runs: u32, coefs: u32, sequential: u32, values: f32, divisor: f32, eps: f32,
        momentum: f32, keep: f32
    }
}

/// How running statistics follow several virtual batches.
/// One after the other, as if each were a separate batch: r ← (1 - a)·r + a·batch for each in order. The exponentially
/// weighted sum of Hoffer et al., and a PyTorch module called on each part.
/// Once, by the mean over the virtual batches of their means and variances: Keras' `virtual_batch_size`.
/// Ghost batch norm, [`BatchNorm`](super::BatchNorm) in virtual batches: each run of `virtual_batch` consecutive samples is
/// normalised by its own mean and variance, so that a large batch is regularised like small ones. γ, β and the running
/// statistics are shared.
///
/// Reads `x` (n·c·s elements), `weight` γ (c values, f32; absent: 1) and `bias` β (c, f32; absent: 0). Writes `y` (as `x`),
/// and for the backward pass `mean` μ and `rstd` 1/√(σ² + ε) (n/virtual_batch · c, f32, virtual batch after virtual batch).
/// Updates `running_mean` and `running_var` (c, f32) if `running` is given, as `ghost_running` says; the momentum applies per
/// virtual batch. Deterministic, with the precision and the treatment of values that are not finite of
/// [`BatchNorm`](super::BatchNorm), by virtual batch. Three dispatches, more for tensors beyond the binding limit.
///
/// A virtual batch may have one value per channel: y is β then, and the divisor of an unbiased variance is 1. For an empty
/// tensor running statistics are unchanged. Fewer than 2^32 elements; a device must be able to bind 16 bytes per channel and
/// virtual batch, and no channel may fall into more than 8192 partial results, or a virtual batch of it into more than 64.
///
/// Hoffer, Hubara and Soudry, "Train longer, generalize better", 2017.
#[op(
    name = "batch_norm_ghost",
    summary = "ghost batch norm: splits a batch into virtual batches, each normalised by its own mean and variance",
    formula = "y = γ·(x - μ_g)/√(σ_g² + ε) + β for each run g of samples"
)]
pub struct BatchNormGhost {
    /// How `x` and `y`, and their gradients, are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// Samples that are normalised together, a divisor of n.
    #[field(min = 1)]
    pub virtual_batch: usize,
    /// ε, added to the variance inside the root.
    #[field(default = 1e-5, min = 0)]
    pub eps: f64,
    /// Whether there is a γ.
    #[field(default = true)]
    pub weight: bool,
    /// Whether there is a β.
    #[field(default = true)]
    pub bias: bool,
    /// Whether and how running statistics follow those of the batch.
    #[field(default)]
    pub running: Option<Running>,
    /// How running statistics follow the virtual batches.
    #[field(default)]
    pub ghost_running: GhostRunning,
}

impl BatchNormGhost {
    /// With ε = 1e-5, γ and β, without running statistics.
    pub fn new(dtype: DType, space: Space, virtual_batch: usize) -> Self {
        Self::from_required(dtype, space, virtual_batch)
    }

    /// Channels of all virtual batches. Saturates; [`Space::check`] refuses such a space.
    fn lines(&self) -> usize {
        (self.space.n / self.virtual_batch.max(1)).saturating_mul(self.space.c)
    }

    /// Values of a channel in a virtual batch, and the divisor of its running variance.
    fn values(&self) -> (usize, f64) {
        let m = self.virtual_batch.saturating_mul(self.space.s);
        let less = usize::from(self.running.is_some_and(|r| r.variance == RunningVariance::Unbiased));
        (m, m.saturating_sub(less).max(1) as f64)
    }
}

impl Op for BatchNormGhost {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = channels::forward_args(self.dtype, &self.space, self.lines(), self.weight, self.bias);
        if self.running.is_some() {
            args.extend(channels::running_args(self.space.c));
        }
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let ghosts = Ghosts::new(NAME, &self.space, self.virtual_batch)?;
        let (args, mut out, c) = (self.args(), Lowered::default(), self.space.c as u64);
        check_float(NAME, args.arg("x"))?;
        channels::check_eps(NAME, self.eps)?;
        self.running.map_or(Ok(()), |r| r.check(NAME))?;
        if self.lines() == 0 {
            return Ok(out);
        }
        let (partials, runs) = ghosts.moments(NAME, &mut out, caps, &args)?;
        let (slot, start, coefs) = partials.with_coefs(NAME, &mut out, caps, ghosts.lines())?;
        let share = self.running.filter(|_| !self.space.is_empty()).map(|r| r.update.share());
        let (values, divisor) = self.values();
        let vectors = vectors(&["weight", "bias", "mean", "rstd", "running_mean", "running_var"], &args, c, &mut out, caps);
        let blocks = channels::blocks(c, caps);
        let params = BatchNormGhostParams {
            blocks: blocks as u32,
            channels: c as u32,
            batches: ghosts.batches as u32,
            runs: runs as u32,
            coefs: start,
            sequential: u32::from(self.ghost_running == GhostRunning::Sequential),
            values: values.max(1) as f32,
            divisor: divisor as f32,
            eps: self.eps as f32,
            momentum: share.unwrap_or(0.0) as f32,
            keep: (1.0 - share.unwrap_or(0.0)) as f32,
        };
        let trips = ghosts.batches * (runs + 1);
        let kernel = kernel!("norms/batch_norm_ghost");
        let first = (MOMENTS.decl("partials", true), slot);
        out.steps.push(per_channel(caps, kernel, first, vectors, (blocks, params.into()), trips));
        let tensors = [("x", "x"), ("y", "y")];
        let fills = [parts::activation::IDENTITY, parts::channels::ADDED_NONE, parts::channels::VISIBLE_ALL];
        ghosts.apply(NAME, &mut out, caps, &args, (&Map::of(parts::channels::NORMALIZE_OPEN, &tensors), &fills), coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // x is read for the statistics and again to be normalised.
        channels::cost(self.dtype, &self.space, 3)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormGhost {
    channels::draws!(self, self.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.space, args, Fused::PLAIN);
        let (m, divisor) = self.values();
        let batches = self.lines() / self.space.c.max(1);
        let nan = Approx::exact(f64::NAN);
        for c in 0..self.space.c {
            let places = channels::places(&self.space, c);
            let (weight, bias) = (out.at("weight", c, 1.0), out.at("bias", c, 0.0));
            let x = out.values("x", &places);
            let (y, _) = reference::batch_norm_ghost(&x, m, self.eps, weight, bias);
            let olds = ["running_mean", "running_var"].map(|name| Approx::exact(out.at(name, c, 0.0)));
            let (mut running, mut sum) = (olds, [Approx::exact(0.0); 2]);
            for g in 0..batches {
                let here = g * m..(g + 1) * m;
                let batch = Batch::of(&x[here.clone()], self.eps);
                let [mean, rstd, variance] =
                    batch.as_ref().map_or([nan; 3], |b| [b.mean, b.rstd, b.variance(m as f64 / divisor)]);
                out.set("mean", g * self.space.c + c, mean);
                out.set("rstd", g * self.space.c + c, rstd);
                for (k, new) in [mean, variance].into_iter().enumerate() {
                    sum[k] = Approx::sum([sum[k], new]);
                    running[k] = self.running.map_or(running[k], |r| r.update.after(running[k], new));
                }
                for k in here {
                    let v = batch.as_ref().map_or(nan, |b| {
                        let v = b.centred(x[k]).times(b.rstd.times(Approx::exact(weight)));
                        Approx { value: y[k], ..Approx::sum([v, Approx::exact(bias)]) }
                    });
                    out.put_output(places[k], v);
                }
            }
            if self.ghost_running == GhostRunning::Mean {
                let of = |k: usize| sum[k].over(Approx::exact(batches as f64));
                running = [0, 1].map(|k| self.running.map_or(olds[k], |r| r.update.after(olds[k], of(k))));
            }
            let left = if self.space.is_empty() { olds } else { running };
            out.set("running_mean", c, left[0]);
            out.set("running_var", c, left[1]);
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let kinds = [RunningVariance::Unbiased, RunningVariance::Biased];
    channels::ghosts(|i, dtype, space, virtual_batch| {
        let running = (i % 4 != 1).then(|| Running { variance: kinds[i / 2 % 2], ..Running::default() });
        let ghost_running = [GhostRunning::Sequential, GhostRunning::Mean][i % 2];
        let (weight, bias) = (i % 3 != 1, i % 5 < 3);
        Box::new(BatchNormGhost { dtype, space, virtual_batch, eps: 1e-5, weight, bias, running, ghost_running })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::ghost_benches(elements, |dtype, space, size| Box::new(BatchNormGhost::new(dtype, space, size)))
}
