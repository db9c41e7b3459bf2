//! Batch renormalisation. Kernel: `shaders/norms/batch_renorm.wgsl`. Reference: `cpu::batch_renorm`.
#[cfg(feature = "verify")]
use crate::kernels::channels::{Batch, Results, inverse_std_error};
use crate::{
    kernel,
    kernels::channels::{self, Channels, Fused, Merge, Team, vectors},
    op::{Arg, Caps, Cost, Lowered, Op, check_float},
    options::{Running, RunningVariance, check_derived, check_held},
    params,
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! {
    BatchRenormParams {
        team: Team, coefs: u32, values: f32, divisor: f32, eps: f32, momentum: f32, keep: f32, r_least: f32, r_most: f32, d_most: f32
    }
}

/// Batch renormalisation: y = γ·(x̂·r + d) + β with x̂ = (x - μ_B)/√(σ_B² + ε) from the batch, corrected towards the running
/// statistics μ and σ: r = clip(σ_B/σ, 1/r_max, r_max), d = clip((μ_B - μ)/σ, -d_max, d_max). For small batches, and batches
/// of dependent samples: where nothing is clipped, y equals inference with the running statistics.
///
/// Reads `x` (n·c·s elements), `weight` γ (c values, f32; absent: 1) and `bias` β (c, f32; absent: 0). Writes `y` (as `x`),
/// and for the backward pass `mean` μ_B, `rstd` 1/√(σ_B² + ε) (c, f32) and `correction` (2·c, f32: r of every channel, then
/// d). Updates `running_mean` and `running_var` (c, f32), whose old values enter r and d. Deterministic, with the precision
/// of [`BatchNorm`](super::BatchNorm); a channel with a value that is not finite becomes NaN. Three dispatches, more for
/// tensors beyond the binding limit.
///
/// Deviations are roots of variances with ε: σ_B = √(σ_B² + ε), σ = √(running_var + ε); the paper averages deviations
/// instead. Where running_var + ε is 0, 1/σ is taken as 0. With r_max = 1 and d_max = 0 this is batch norm, as in the paper's
/// first steps; the paper then raises them to 3 and 5. A channel may have one value: y = γ·d + β, and the divisor of an
/// unbiased running variance is 1. For an empty tensor running statistics are unchanged.
///
/// Ioffe, "Batch Renormalization", 2017.
#[op(
    name = "batch_renorm",
    summary = "batch renormalisation: batch norm corrected towards the running statistics, within bounds",
    formula = "y = γ·(x̂·r + d) + β, r = clip(σ_B/σ), d = clip((μ_B - μ)/σ)"
)]
pub struct BatchRenorm {
    /// How `x` and `y`, and their gradients, are stored.
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
    /// How running statistics follow those of the batch.
    #[field(default)]
    pub running: Running,
    /// The upper bound of r, and the inverse of its lower bound.
    #[field(default = 3.0, min = 1)]
    pub r_max: f64,
    /// The upper bound of |d|.
    #[field(default = 5.0, min = 0)]
    pub d_max: f64,
}

impl BatchRenorm {
    /// With ε = 1e-5, γ and β, PyTorch's running statistics, and the bounds that the paper ends with.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self::from_required(dtype, space)
    }

    fn check(&self) -> Result<(), Error> {
        self.space.check(NAME)?;
        check_float(NAME, &self.args()[0])?;
        channels::check_eps(NAME, self.eps)?;
        self.running.check(NAME)?;
        let most = f64::from(f32::MAX);
        if !(1.0..=most).contains(&self.r_max) {
            let why = format!("is {}, must be at least 1 and finite in f32: r lies between 1/r_max and r_max", self.r_max);
            return Err(Error::argument(NAME, "r_max", why));
        }
        if !(0.0..=most).contains(&self.d_max) {
            let why = format!("is {}, must be at least 0 and finite in f32: d lies between -d_max and d_max", self.d_max);
            return Err(Error::argument(NAME, "d_max", why));
        }
        check_derived(NAME, "r_max", "1 / r_max", 1.0 / self.r_max)?;
        check_held(NAME, "d_max", "is", self.d_max)
    }

    /// Values per channel, the divisor of the running variance, and the share of this batch.
    fn update(&self) -> (f64, f64, f64) {
        let m = if self.space.is_empty() { 0.0 } else { (self.space.n * self.space.s) as f64 };
        let less = f64::from(self.running.variance == RunningVariance::Unbiased);
        (m, (m - less).max(1.0), if m == 0.0 { 0.0 } else { self.running.update.share() })
    }
}

/// `v` between two numbers of the host: it moves no two numbers apart, and beyond the bounds nothing is left of its error.
#[cfg(feature = "verify")]
fn clip(v: Approx, low: f64, high: f64) -> Approx {
    let (low, high) = (Approx::host(low), Approx::host(high));
    if v.value - v.error > high.value + high.error {
        return high;
    }
    if v.value + v.error < low.value - low.error {
        return low;
    }
    Approx { value: v.value.clamp(low.value, high.value), error: v.error + low.error.max(high.error) }
}

impl Op for BatchRenorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = channels::forward_args(self.dtype, &self.space, self.space.c, self.weight, self.bias);
        args.push(Arg::write("correction", DType::F32, self.space.c.saturating_mul(2)));
        args.extend(channels::running_args(self.space.c));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check()?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.space));
        if self.space.c == 0 {
            return Ok(out);
        }
        let partials = tensor.moments(NAME, &mut out, caps, &args)?;
        let merge = Merge::of(&partials, &mut out, caps);
        let (_, divisor, share) = self.update();
        let vectors = vectors(
            &["weight", "bias", "mean", "rstd", "running_mean", "running_var", "correction"],
            &args,
            tensor.channels,
            &mut out,
            caps,
        );
        let params = BatchRenormParams {
            team: merge.team,
            coefs: merge.start,
            values: tensor.values().max(1) as f32,
            divisor: divisor as f32,
            eps: self.eps as f32,
            momentum: share as f32,
            keep: (1.0 - share) as f32,
            r_least: (1.0 / self.r_max) as f32,
            r_most: self.r_max as f32,
            d_most: self.d_max as f32,
        };
        out.steps.push(merge.step(caps, kernel!("norms/batch_renorm"), vectors, params));
        tensor.normalize(NAME, &mut out, caps, &args, Fused::PLAIN, merge.coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // x is read for the statistics and again to be normalised.
        channels::cost(self.dtype, &self.space, 3)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchRenorm {
    channels::draws!(self, self.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.space, args, Fused::PLAIN);
        let (m, divisor, _) = self.update();
        let nan = Approx::exact(f64::NAN);
        for c in 0..self.space.c {
            let places = channels::places(&self.space, c);
            let (weight, bias) = (out.at("weight", c, 1.0), out.at("bias", c, 0.0));
            let (center, spread) = (out.at("running_mean", c, 0.0), out.at("running_var", c, 0.0));
            let error = inverse_std_error(spread, 0.0, self.eps);
            let within = Approx { value: reference::inverse_std(spread, self.eps), error };
            let batch = Batch::of(&out.values("x", &places), self.eps);
            let [mean, rstd] = batch.as_ref().map_or([nan; 2], |b| [b.mean, b.rstd]);
            let [r, d] = batch.as_ref().map_or([nan; 2], |b| {
                let deviation = Approx::sum([b.variance(1.0), Approx::host(self.eps)]).root();
                let away = b.centred(center).negative().times(within);
                let (r, d) = (clip(deviation.times(within), 1.0 / self.r_max, self.r_max), clip(away, -self.d_max, self.d_max));
                let given = [center, within.value];
                let exact = reference::batch_renorm_correction([b.mean.value, deviation.value], given, self.r_max, self.d_max);
                [Approx { value: exact[0], ..r }, Approx { value: exact[1], ..d }]
            });
            out.put_statistics(c, batch.as_ref(), m / divisor, (m > 0.0).then_some(self.running.update));
            out.set("correction", c, r);
            out.set("correction", self.space.c + c, d);
            for i in places {
                let v = batch.as_ref().map_or(nan, |b| {
                    let (x, w) = (out.at("x", i, 0.0), Approx::exact(weight));
                    let shift = Approx::sum([Approx::exact(bias), w.times(d)]);
                    let v = Approx::sum([b.centred(x).times(w.times(b.rstd).times(r)), shift]);
                    let value = reference::batch_renorm(x, [mean.value, rstd.value], [r.value, d.value], weight, bias);
                    Approx { value, ..v }
                });
                out.put_output(i, v);
            }
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let kinds = [RunningVariance::Unbiased, RunningVariance::Biased];
    // Wide enough for most channels, narrow enough for some, and none at all, which is batch norm.
    let bounds = [(3.0, 5.0), (1.1, 0.2), (1.5, 0.5), (1.0, 0.0)];
    let mut all = channels::few(|i, dtype, space| {
        let running = Running { variance: kinds[i / 2 % 2], ..Running::default() };
        let ((r_max, d_max), weight, bias) = (bounds[i % 4], i % 3 != 1, i % 5 < 3);
        Box::new(BatchRenorm { dtype, space, eps: 1e-5, weight, bias, running, r_max, d_max })
    });
    all.push(Box::new(BatchRenorm::new(DType::F32, Space::channels_first(1, 5, 1))));
    all
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::benches(elements, |dtype, space| Box::new(BatchRenorm::new(dtype, space)))
}
