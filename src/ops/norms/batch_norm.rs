//! Batch normalisation in training. Kernel: `shaders/norms/batch_norm.wgsl`. Reference: `cpu::batch_norm`.
#[cfg(feature = "verify")]
use crate::kernels::channels::{Batch, Results};
use crate::{
    kernel,
    kernels::channels::{self, Channels, Fused, Merge, Team},
    op::{Arg, ByName, Caps, Cost, Lowered, Op, check_float},
    options::{Activation, OneValue, Running, RunningUpdate, RunningVariance},
    params,
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchNormParams { team: Team, coefs: u32, values: f32, divisor: f32, eps: f32, momentum: f32, keep: f32 } }

/// Batch norm in training: y = act(γ·(x - μ)/√(σ² + ε) + β + residual), with the mean μ and the biased variance σ² of each
/// channel over the batch.
///
/// Reads `x` (n·c·s elements), `weight` γ (c values, f32; absent: 1), `bias` β (c, f32; absent: 0) and `residual` (as `x`;
/// absent: 0). Activation and residual are fused in. Writes `y` (as `x`), and for the backward pass `mean` μ and `rstd`
/// 1/√(σ² + ε) (c, f32). Updates `running_mean` and `running_var` (c, f32) if `running` is given. Everything stays on the
/// GPU: statistics are gathered in chunks of fixed size and merged in a fixed order, so results are the same bit for bit from
/// run to run on a device. Three dispatches, more for tensors beyond the binding limit.
///
/// A value of each chunk (the median of three) is subtracted before Welford's recurrence, so σ² is within 1e-6 (relative)
/// even where |μ| is 10^6 σ, and exactly 0 for a constant channel. A channel with a NaN or an infinity, or whose squared
/// deviations overflow f32 (|x - μ|·√m about 10^19), becomes NaN in `y`, `mean`, `rstd` and the running statistics; other
/// channels are unaffected. Where σ² + ε is 0, 1/√ is taken as 0. For an empty tensor `mean` is 0, σ² is 0, and running
/// statistics are unchanged. A device must be able to bind 16 bytes per channel.
///
/// Ioffe and Szegedy, "Batch Normalization", 2015; Chan, Golub and LeVeque, 1979 (merging).
#[op(
    name = "batch_norm",
    summary = "batch norm in training: normalises each channel by the batch's mean and variance, updates running statistics",
    formula = "y = act(γ·(x - μ)/√(σ² + ε) + β + residual)"
)]
pub struct BatchNorm {
    /// How `x`, `y` and `residual`, and their gradients, are stored.
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
    /// Whether and how running statistics follow those of the batch.
    #[field(default)]
    pub running: Option<Running>,
    /// What to do if a channel has one value (n·s = 1), whose variance says nothing.
    #[field(default)]
    pub one_value: OneValue,
    /// The activation, applied last.
    #[field(default)]
    pub activation: Activation,
    /// Whether a tensor is added before the activation.
    #[field(default)]
    pub residual: bool,
}

impl BatchNorm {
    /// With ε = 1e-5, γ and β, without running statistics, activation and residual.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self::from_required(dtype, space)
    }

    pub(super) fn fused(&self) -> Fused {
        Fused { activation: self.activation, residual: self.residual }
    }

    fn check(&self) -> Result<(), Error> {
        check_float(NAME, &self.args()[0])?;
        self.space.check(NAME)?;
        channels::check_eps(NAME, self.eps)?;
        self.activation.check(NAME)?;
        self.running.map_or(Ok(()), |r| r.check(NAME))?;
        self.one_value.check(NAME, &self.space)
    }
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = channels::forward_args(self.dtype, &self.space, self.space.c, self.weight, self.bias);
        let y = args.place("y");
        args.splice(y..y, self.fused().residual(self.dtype, &self.space));
        if self.running.is_some() {
            args.extend(channels::running_args(self.space.c));
        }
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
        let (follows, divisor) = self.one_value.update(&self.space, self.running);
        let share = follows.map(RunningUpdate::share);
        let mut vectors = channels::vectors(&["weight", "bias", "mean", "rstd"], &args, tensor.channels, &mut out, caps);
        // Where they follow nothing they are not bound.
        let kept = if share.is_some() { &args[..] } else { &[] };
        vectors.extend(channels::vectors(&["running_mean", "running_var"], kept, tensor.channels, &mut out, caps));
        let params = BatchNormParams {
            team: merge.team,
            coefs: merge.start,
            values: tensor.values().max(1) as f32,
            divisor: divisor as f32,
            eps: self.eps as f32,
            momentum: share.unwrap_or(0.0) as f32,
            keep: (1.0 - share.unwrap_or(0.0)) as f32,
        };
        out.steps.push(merge.step(caps, kernel!("norms/batch_norm"), vectors, params));
        tensor.normalize(NAME, &mut out, caps, &args, self.fused(), merge.coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // x is read for the statistics and again to be normalised.
        channels::cost(self.dtype, &self.space, 3 + u64::from(self.residual))
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNorm {
    channels::draws!(self, self.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.space, args, self.fused());
        let (follows, divisor) = self.one_value.update(&self.space, self.running);
        let m = (self.space.n * self.space.s) as f64;
        let nan = Approx::exact(f64::NAN);
        for c in 0..self.space.c {
            let places = channels::places(&self.space, c);
            let (weight, bias) = (out.at("weight", c, 1.0), out.at("bias", c, 0.0));
            let batch = Batch::of(&out.values("x", &places), self.eps);
            // A channel with a value that is not finite becomes NaN.
            out.put_statistics(c, batch.as_ref(), m / divisor, follows);
            for i in places {
                let v = batch.as_ref().map_or(nan, |b| {
                    let x = out.at("x", i, 0.0);
                    let v = b.centred(x).times(b.rstd.times(Approx::exact(weight)));
                    let value = reference::batch_norm(x, b.mean.value, b.rstd.value, weight, bias);
                    Approx { value, ..Approx::sum([v, Approx::exact(bias)]) }
                });
                out.put_output(i, v);
            }
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let ways = [RunningUpdate::Momentum(0.1), RunningUpdate::Cumulative { seen: 3 }, RunningUpdate::Momentum(1.0)];
    let kinds = [RunningVariance::Unbiased, RunningVariance::Biased];
    let make = |i: usize, dtype, space: Space| {
        let one_value = if space.n * space.s == 1 { [OneValue::SkipRunning, OneValue::Guard][i % 2] } else { OneValue::Error };
        let running = (i % 4 != 1).then(|| Running { update: ways[i % 3], variance: kinds[i / 2 % 2] });
        // With eps 0 the inverse deviation of a nearly constant channel has no digit that is sure: not for halves.
        let eps = if i % 5 == 2 && dtype == DType::F32 { 0.0 } else { 1e-5 };
        let (activation, residual) = channels::fusion(i);
        let (weight, bias) = (i % 3 != 1, i % 5 < 3);
        Box::new(BatchNorm { dtype, space, eps, weight, bias, running, one_value, activation, residual }) as Box<dyn Verify>
    };
    channels::cases(make)
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let running = Some(Running::default());
    let mut all = channels::benches(elements, |dtype, space| Box::new(BatchNorm { running, ..BatchNorm::new(dtype, space) }));
    all.extend(channels::fused_benches(elements, |dtype, space, activation, residual| {
        Box::new(BatchNorm { running, activation, residual, ..BatchNorm::new(dtype, space) })
    }));
    all
}
