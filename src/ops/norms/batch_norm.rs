//! Batch normalisation in training. Kernel: `shaders/norms/batch_norm.wgsl`. Reference: `cpu::batch_norm`.
use crate::{
    Arg, Caps, Cost, DType, Error, Expected, HostData, Lowered, OneValue, Op, Pattern, Rng, Running, RunningUpdate,
    RunningVariance, Slot, Space, Step,
    channels::{self, Channels, MOMENTS, Map, Moments, Reduction, given_or, position, unused_or, vector, whole},
    cpu, kernel,
    ops::{Entry, Field},
    params,
    segment::check_float,
    wgsl::Spec,
};
use serde::{Deserialize, Serialize};

params! {
    BatchNormParams {
        blocks: u32, channels: u32, row: u32, stride: u32, count: u32, coefs: u32, values: f32, divisor: f32, eps: f32,
        momentum: f32, keep: f32
    }
}

/// y = γ·(x - μ)/√(σ² + ε) + β with the mean μ and the biased variance σ² of each channel over the batch.
///
/// Reads `x` (n·c·s elements), `weight` γ (c values, f32; absent: 1), `bias` β (c, f32; absent: 0). Writes `y` (as `x`),
/// and for the backward pass `mean` μ and `rstd` 1/√(σ² + ε) (c, f32). Updates `running_mean` and `running_var` (c, f32) if
/// `running` is given. Everything stays on the GPU: statistics in chunks of fixed size, merged in a fixed order, so results
/// are the same bit for bit from run to run on a device. Three dispatches, more for tensors beyond the binding limit.
///
/// Values are measured from one of their chunk (the median of three) before Welford's recurrence, so σ² is within 1e-6
/// (relative) even where |μ| is 10^6 σ, and exactly 0 for a constant channel. A channel with a NaN or an infinity, or whose
/// squared deviations overflow f32 (|x - μ|·√m about 10^19), becomes NaN: `y`, `mean`, `rstd` and running statistics; the
/// others do not. Where σ² + ε is 0, 1/√ is taken as 0. For an empty tensor `mean` is 0, σ² is 0, and running statistics
/// stay. A device must be able to bind 16 bytes per channel.
///
/// Ioffe and Szegedy, "Batch Normalization", 2015; Chan, Golub and LeVeque, 1979, for the merging.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm {
    /// How `x` and `y` are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// ε, added to the variance inside the root; at least 0.
    #[serde(default = "channels::eps")]
    pub eps: f64,
    /// Whether there is a γ.
    #[serde(default = "channels::yes")]
    pub weight: bool,
    /// Whether there is a β.
    #[serde(default = "channels::yes")]
    pub bias: bool,
    /// Whether and how running statistics follow those of the batch.
    #[serde(default)]
    pub running: Option<Running>,
    /// What to do if a channel has one value (n·s = 1), whose variance says nothing.
    #[serde(default)]
    pub one_value: OneValue,
}

const NAME: &str = "batch_norm";

impl BatchNorm {
    /// With ε = 1e-5, γ and β, without running statistics.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self { dtype, space, eps: channels::eps(), weight: true, bias: true, running: None, one_value: OneValue::Error }
    }

    fn check(&self) -> Result<(), Error> {
        check_float(NAME, &self.args()[0])?;
        self.space.check(NAME)?;
        channels::check_eps(NAME, self.eps)?;
        if let Some(Running { update: RunningUpdate::Momentum(a), .. }) = self.running
            && !(0.0..=1.0).contains(&a)
        {
            return Err(Error::argument(
                NAME,
                "running",
                format!("has momentum {a}, must be in 0..=1: the share of the new batch"),
            ));
        }
        if self.space.c > 0 && Channels::of(&self.space).values() == 1 && self.one_value == OneValue::Error {
            return Err(Error::argument(
                NAME,
                "space",
                "has 1 value per channel (n·s = 1), must have at least 2 for a variance: take a larger batch, \
                 or set one_value to skip_running or guard",
            ));
        }
        Ok(())
    }

    /// The running update that this batch makes, if any, and the divisor of its variance.
    fn update(&self) -> (Option<f64>, f64) {
        let m = self.space.n * self.space.s;
        let skip = self.space.is_empty() || (m == 1 && self.one_value == OneValue::SkipRunning);
        let biased = self.running.is_none_or(|r| r.variance == RunningVariance::Biased);
        let divisor = if biased { m } else { m.saturating_sub(1) };
        (self.running.filter(|_| !skip).map(|r| r.update.share()), divisor.max(1) as f64)
    }
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, c) = (self.space.len(), self.space.c);
        let mut args = vec![Arg::read("x", self.dtype, len)];
        args.extend(self.weight.then(|| Arg::read("weight", DType::F32, c)));
        args.extend(self.bias.then(|| Arg::read("bias", DType::F32, c)));
        args.push(Arg::write("y", self.dtype, len));
        args.extend(["mean", "rstd"].map(|name| Arg::write(name, DType::F32, c)));
        if self.running.is_some() {
            args.extend(["running_mean", "running_var"].map(|name| Arg::update(name, DType::F32, c)));
        }
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check()?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.space));
        if self.space.c == 0 {
            return Ok(out);
        }
        let what =
            Reduction { parts: &["lib/moments"], monoid: MOMENTS, tensors: &[("x", 0)], vectors: &[], consts: &[], eps: 0.0 };
        let partials = tensor.reduce(NAME, &mut out, caps, &args, &what)?.until(&mut out, caps, 64);
        let coefs = out.scratch(16 * tensor.channels, caps);
        let (share, divisor) = self.update();
        let y = position(&args, "y").expect("an argument");
        let running = |name| share.and_then(|_| position(&args, name));
        let slots = vec![
            Slot::Scratch(partials.range.start..coefs.end),
            given_or(1.0, &args, "weight", tensor.channels, &mut out, caps),
            given_or(0.0, &args, "bias", tensor.channels, &mut out, caps),
            whole(&args, y + 1),
            whole(&args, y + 2),
            unused_or(running("running_mean"), &args, tensor.channels, &mut out, caps),
            unused_or(running("running_var"), &args, tensor.channels, &mut out, caps),
        ];
        let blocks = channels::blocks(tensor.channels, caps);
        let mut bindings = vec![MOMENTS.decl("partials", true), vector("weight", false), vector("bias", false)];
        bindings.extend(["mean", "rstd", "running_mean", "running_var"].map(|name| vector(name, true)));
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("norms/batch_norm"),
                entry: NAME,
                parts: vec![],
                bindings,
                consts: vec![("WG", caps.lanes)],
            },
            params: BatchNormParams {
                blocks: blocks as u32,
                channels: tensor.channels as u32,
                row: partials.row as u32,
                stride: partials.stride as u32,
                count: partials.count as u32,
                coefs: ((coefs.start - partials.range.start) / 16) as u32,
                values: tensor.values().max(1) as f32,
                divisor: divisor as f32,
                eps: self.eps as f32,
                momentum: share.unwrap_or(0.0) as f32,
                keep: (1.0 - share.unwrap_or(0.0)) as f32,
            }
            .into(),
            slots,
            workgroups: blocks,
            trips: partials.count,
        });
        let tensors = [("x", 0, false), ("y", y, true)];
        tensor.apply(NAME, &mut out, caps, &args, &Map::of("lib/normalize", &tensors), coefs)?;
        Ok(out)
    }

    fn patterns(&self) -> Vec<Pattern> {
        channels::patterns(self.dtype, &self.space)
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        channels::fill(&self.space, self.dtype, arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let e32 = DType::F32.epsilon();
        let all = self.args();
        let data = |name| position(&all, name).map(|i| args[i].to_f64());
        let (x, c) = (args[0].to_f64(), self.space.c);
        let (weight, bias) = (data("weight").unwrap_or(vec![1.0; c]), data("bias").unwrap_or(vec![0.0; c]));
        let (share, divisor) = self.update();
        let nan = || (vec![f64::NAN; c], vec![0.0; c]);
        let (mut mean, mut rstd, mut running_mean, mut running_var) = (nan(), nan(), nan(), nan());
        let mut y = (vec![f64::NAN; x.len()], vec![0.0; x.len()]);
        let m = (self.space.n * self.space.s) as f64;
        // r ← keep·r + a·batch: a and keep rounded, two products, a sum.
        let follow = |old: f64, new: f64, error: f64| match share {
            None => (old, 0.0),
            Some(a) => {
                let terms = ((1.0 - a) * old).abs() + (a * new).abs();
                ((1.0 - a) * old + a * new, a * error + 4.0 * e32 * terms + 4.0 * DType::F32.least_normal())
            }
        };
        let old = (data("running_mean").unwrap_or_default(), data("running_var").unwrap_or_default());
        for ch in 0..c {
            let places = channels::places(&self.space, ch);
            let values: Vec<f64> = places.iter().map(|&i| x[i]).collect();
            // A channel with a value that is not finite becomes NaN, as all is from the start.
            let Some(s) = Moments::of(&values) else {
                if self.running.is_some() && share.is_none() {
                    (running_mean.0[ch], running_var.0[ch]) = (old.0[ch], old.1[ch]);
                }
                continue;
            };
            let (mu, r) = (s.mean, cpu::inverse_std(s.variance, self.eps));
            // K + (mean - K) and the store. Subnormal values may be flushed when read, differenced or stored.
            let flushed = 4.0 * DType::F32.least_normal();
            let mean_error = s.shifted_error + 2.0 * e32 * (mu.abs() + s.range) + flushed;
            let r_error = channels::inverse_std_error(s.variance, s.variance_error, self.eps);
            (mean.0[ch], mean.1[ch]) = (mu, mean_error);
            (rstd.0[ch], rstd.1[ch]) = (r, r_error);
            if self.running.is_some() {
                (running_mean.0[ch], running_mean.1[ch]) = follow(old.0[ch], mu, mean_error);
                let off = (s.variance_error + 3.0 * e32 * s.variance) * m / divisor;
                (running_var.0[ch], running_var.1[ch]) = follow(old.1[ch], s.variance * m / divisor, off);
            }
            for i in places {
                let value = cpu::batch_norm(x[i], mu, r, weight[ch], bias[ch]);
                // x - K, less mean - K; times weight * rstd; plus bias; each rounded once, and the store.
                let off = s.shifted_error + e32 * (s.range + (x[i] - mu).abs()) + flushed;
                let scaled = ((x[i] - mu).abs() + off) * weight[ch].abs();
                let error = off * weight[ch].abs() * r
                    + scaled * (r_error + 2.0 * e32 * (r + r_error))
                    + e32 * (value.abs() + bias[ch].abs())
                    + 4.0 * DType::F32.least_normal();
                (y.0[i], y.1[i]) = (value, error + self.dtype.rounding(value.abs() + error));
            }
        }
        let mut outputs = vec![y, mean, rstd];
        if self.running.is_some() {
            outputs.extend([running_mean, running_var]);
        }
        outputs.into_iter().map(|(value, bound)| Expected::Within { value, bound }).collect()
    }

    fn cost(&self) -> Cost {
        // x is read for the statistics and again to be normalised.
        let elements = self.space.len() as u64;
        Cost { bytes: 3 * elements * self.dtype.size(), elements }
    }
}

fn cases() -> Vec<Box<dyn Op>> {
    let ways = [RunningUpdate::Momentum(0.1), RunningUpdate::Cumulative { seen: 3 }, RunningUpdate::Momentum(1.0)];
    let kinds = [RunningVariance::Unbiased, RunningVariance::Biased];
    let make = |i: usize, dtype, space: Space| {
        let one_value = if space.n * space.s == 1 { [OneValue::SkipRunning, OneValue::Guard][i % 2] } else { OneValue::Error };
        let running = (i % 4 != 1).then(|| Running { update: ways[i % 3], variance: kinds[i / 2 % 2] });
        // With eps 0 the inverse deviation of a nearly constant channel has no digit that is sure: not for halves.
        let eps = if i % 5 == 2 && dtype == DType::F32 { 0.0 } else { 1e-5 };
        Box::new(BatchNorm { dtype, space, eps, weight: i % 3 != 1, bias: i % 5 < 3, running, one_value }) as Box<dyn Op>
    };
    channels::cases(make)
}

fn bench() -> Vec<Box<dyn Op>> {
    channels::benches(|dtype, space| Box::new(BatchNorm { running: Some(Running::default()), ..BatchNorm::new(dtype, space) }))
}

pub(super) const ENTRY: Entry = Entry {
    name: NAME,
    summary: "normalises each channel by the batch's mean and variance, and updates running statistics",
    formula: "y = γ·(x - μ)/√(σ² + ε) + β",
    fields: &[
        Field { name: "dtype", default: "", about: "storage of x and y: f32, f16 or bf16; vectors are f32" },
        Field { name: "space", default: "", about: "shape: n, c, s and layout (channels_first or channels_last)" },
        Field { name: "eps", default: "1e-5", about: "ε, added to the variance inside the root, at least 0" },
        Field { name: "weight", default: "true", about: "whether there is a γ" },
        Field { name: "bias", default: "true", about: "whether there is a β" },
        Field {
            name: "running",
            default: "null",
            about: "null, or update ({\"momentum\": 0.1}, share of the new batch, or {\"cumulative\": {\"seen\": batches before}}) \
                    and variance (unbiased or biased)",
        },
        Field {
            name: "one_value",
            default: "\"error\"",
            about: "if a channel has one value: error, skip_running, or guard (1 for the divisor 0)",
        },
    ],
    cases,
    bench,
    parse: crate::ops::parse::<BatchNorm>,
};
