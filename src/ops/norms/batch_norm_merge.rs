//! The statistics of a batch from those of its parts. Kernel: `shaders/norms/batch_norm_merge.wgsl`. Reference:
//! `cpu::batch_norm_merge`.
use crate::{
    kernel,
    kernels::channels::{self, per_channel, vector},
    op::{Arg, ByName, Caps, Lowered, Op},
    options::{Running, RunningVariance},
    params,
    types::{DType, Error, HostData},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchNormMergeParams { blocks: u32, channels: u32, ranks: u32, less: f32, eps: f32, momentum: f32, keep: f32 } }

/// Synchronised batch norm, the merge: mean and 1/√(σ² + ε) of a batch that is split over ranks, and its running statistics,
/// from the [`BatchNormStatistics`](super::BatchNormStatistics) of each rank. PyTorch's
/// `batch_norm_gather_stats_with_counts`.
///
/// Reads `counts` (one f32 per rank), `means` and `m2s` (ranks · channels, f32, rank after rank), gathered from all ranks.
/// Writes `count` (one f32: Σ counts), `mean` and `rstd` (channels values, f32); updates `running_mean` and `running_var`
/// (channels, f32) if `running` is given. Counts may differ, and a rank may have none; its mean and m2 do not matter then.
/// Ranks are merged in order, so all ranks get the same bits from the same inputs.
///
/// The total count is not known when the op is planned. With none, mean and σ² are 0 and running statistics are unchanged;
/// with one, the divisor of an unbiased running variance is 1 (as [`OneValue::Guard`](crate::OneValue)). A channel with a NaN
/// or an infinity becomes NaN. One dispatch.
///
/// Chan, Golub and LeVeque, 1979. It has no backward pass of its own: see
/// [`BatchNormBackwardSums`](super::BatchNormBackwardSums).
#[op(
    name = "batch_norm_merge",
    summary = "synchronised batch norm: merges the statistics of all ranks, updates running statistics",
    formula = "m = Σmᵢ, μ = Σmᵢμᵢ/m, σ² = Σ(M2ᵢ + mᵢ(μᵢ - μ)²)/m"
)]
pub struct BatchNormMerge {
    /// How many parts there are.
    #[field(min = 1, max = 8192)]
    pub ranks: usize,
    /// Channels.
    #[field(min = 1)]
    pub channels: usize,
    /// ε, added to the variance inside the root.
    #[field(default = 1e-5, min = 0)]
    pub eps: f64,
    /// Whether and how running statistics follow those of the batch.
    #[field(default)]
    pub running: Option<Running>,
}

const MOST: usize = crate::op::MAX_TRIPS as usize;

impl BatchNormMerge {
    /// With ε = 1e-5, without running statistics.
    pub fn new(ranks: usize, channels: usize) -> Self {
        Self::from_required(ranks, channels)
    }

    fn check(&self) -> Result<(), Error> {
        channels::check_eps(NAME, self.eps)?;
        self.running.map_or(Ok(()), |r| r.check(NAME))?;
        if !(1..=MOST).contains(&self.ranks) {
            let why = format!("is {}, must be in 1..={MOST}: merge in two levels, or give what there is", self.ranks);
            return Err(Error::argument(NAME, "ranks", why));
        }
        if self.channels == 0 || self.ranks.saturating_mul(self.channels) as u64 >= 1 << 32 {
            let most = ((1u64 << 32) - 1) / self.ranks as u64;
            let why = format!("is {}, must be in 1..={most}: ranks times channels is less than 2^32", self.channels);
            return Err(Error::argument(NAME, "channels", why));
        }
        Ok(())
    }

    /// 1 for the unbiased variance, which divides by one less than the count.
    fn less(&self) -> f64 {
        f64::from(self.running.is_some_and(|r| r.variance == RunningVariance::Unbiased))
    }
}

/// The kernel's merge of (count, K, mean - K, M2), with what it may be off by.
#[cfg(feature = "verify")]
fn merge(a: (f64, f64, Approx, Approx), b: (f64, f64, Approx, Approx)) -> (f64, f64, Approx, Approx) {
    if a.0 == 0.0 || b.0 == 0.0 {
        return if b.0 == 0.0 { a } else { b };
    }
    // Counts up to 2^24 are exact.
    let count = a.0 + b.0;
    let n = if count <= 16_777_216.0 { Approx::exact(count) } else { Approx::sum([a.0, b.0].map(Approx::exact)) };
    let share = |n_: f64| Approx::exact(n_).over(n);
    let delta = Approx::sum([channels::difference(b.1, a.1), b.2, a.2.negative()]);
    let (first, second) =
        ((a.1, Approx::sum([a.2, delta.times(share(b.0))])), (b.1, Approx::sum([b.2, delta.times(share(a.0)).negative()])));
    let m2 = Approx::sum([a.3, b.3, delta.times(delta).times(Approx::exact(a.0).times(share(b.0)))]);
    // The kernel may decide the other way where both are about as near.
    let error = first.1.error.max(second.1.error);
    let (k, d) = if a.2.value.abs() <= b.2.value.abs() { first } else { second };
    (count, k, Approx { error, ..d }, m2)
}

impl Op for BatchNormMerge {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (c, all) = (self.channels, self.ranks.saturating_mul(self.channels));
        let mut args = vec![Arg::read("counts", DType::F32, self.ranks)];
        args.extend(["means", "m2s"].map(|name| Arg::read(name, DType::F32, all)));
        args.push(Arg::write("count", DType::F32, 1));
        args.extend(["mean", "rstd"].map(|name| Arg::write(name, DType::F32, c)));
        if self.running.is_some() {
            args.extend(channels::running_args(c));
        }
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check()?;
        let (args, mut out, c) = (self.args(), Lowered::default(), self.channels as u64);
        let share = self.running.map_or(0.0, |r| r.update.share());
        let blocks = channels::blocks(c, caps);
        let mut vectors = channels::vectors(&["means", "m2s"], &args, c, &mut out, caps);
        vectors.push(("values", args.whole("count"), true));
        vectors.extend(channels::vectors(&["mean", "rstd", "running_mean", "running_var"], &args, c, &mut out, caps));
        let params = BatchNormMergeParams {
            blocks: blocks as u32,
            channels: self.channels as u32,
            ranks: self.ranks as u32,
            less: self.less() as f32,
            eps: self.eps as f32,
            momentum: share as f32,
            keep: (1.0 - share) as f32,
        };
        let first = (vector("counts", false), args.whole("counts"));
        let kernel = kernel!("norms/batch_norm_merge");
        out.steps.push(per_channel(caps, kernel, first, vectors, (blocks, params.into()), self.ranks as u64));
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormMerge {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Offset, Pattern::Zeros, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match (arg.name, pattern) {
            // No rank has a value; or some have none, some few, some many.
            ("counts", Pattern::Zeros) => HostData::from_f64(arg.dtype, vec![0.0; arg.len]),
            ("counts", _) => {
                HostData::from_f64(arg.dtype, (0..arg.len).map(|_| f64::from([0, 1, 2, 7, 100_000][rng.word() as usize % 5])))
            }
            ("m2s" | "running_var", Pattern::Zeros) => rng.fill(arg, [0.0, 2.0], pattern),
            ("m2s" | "running_var", _) => rng.fill(arg, [0.1, 2.0], Pattern::Ordinary),
            // Far from 0, and not all the same: a mean is its own K.
            ("means", Pattern::Offset) => rng.fill(arg, [999.0, 1000.0], Pattern::Ordinary),
            ("means", _) => rng.fill(arg, [-1.0, 1.0], pattern),
            _ => rng.fill(arg, [-1.0, 1.0], Pattern::Ordinary),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, c) = (Contents::new(self.args(), args), self.channels);
        let [counts, means, m2s] = ["counts", "means", "m2s"].map(|name| of.f64(name));
        let running = ["running_mean", "running_var"].map(|name| of.f64_or(name, 0.0, c));
        let mut out: Vec<Vec<Approx>> = vec![vec![]; 4];
        let mut count = Approx::exact(0.0);
        let zero = (0.0, 0.0, Approx::exact(0.0), Approx::exact(0.0));
        for (r, n) in counts.iter().enumerate() {
            count = if r == 0 || count.value == 0.0 { Approx::exact(*n) } else { Approx::sum([count, Approx::exact(*n)]) };
        }
        for ch in 0..c {
            let part = |r: usize| [counts[r], means[r * c + ch], m2s[r * c + ch]];
            let parts: Vec<[f64; 3]> = (0..self.ranks).map(part).collect();
            let [m, mean, m2] = reference::batch_norm_merge(&parts);
            let all = parts.iter().fold(zero, |all, p| merge(all, (p[0], p[1], Approx::exact(0.0), Approx::exact(p[2]))));
            let mean = Approx { value: mean, ..Approx::sum([Approx::exact(all.1), all.2]) };
            let nan = !mean.value.is_finite() || !m2.is_finite();
            let m2 = Approx { value: m2, ..all.3 };
            let variance = m2.over(Approx::exact(m.max(1.0)));
            let rstd = Approx {
                value: reference::inverse_std(variance.value, self.eps),
                error: channels::inverse_std_error(variance.value, variance.error, self.eps),
            };
            let estimate = m2.over(Approx::exact((m - self.less()).max(1.0)));
            let of = |v: Approx| if nan { Approx::exact(f64::NAN) } else { v };
            out[0].push(of(mean));
            out[1].push(of(rstd));
            if let Some(r) = self.running {
                for (k, new) in [(2, mean), (3, estimate)] {
                    let old = running[k - 2][ch];
                    out[k].push(if m == 0.0 { Approx::exact(old) } else { r.update.follow(old, of(new)) });
                }
            }
        }
        let all = std::iter::once(vec![count]).chain(out).take(self.args().len() - 3);
        let bound = |v: &Approx| if v.value.is_finite() { v.error } else { 0.0 };
        all.map(|v| Expected::Within { value: v.iter().map(|v| v.value).collect(), bound: v.iter().map(bound).collect() })
            .collect()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let make = |(i, &(ranks, channels)): (usize, &(usize, usize))| {
        let running = (i % 3 != 1)
            .then(|| Running { variance: [RunningVariance::Unbiased, RunningVariance::Biased][i % 2], ..Running::default() });
        Box::new(BatchNormMerge { ranks, channels, eps: if i % 4 == 3 { 0.0 } else { 1e-5 }, running }) as Box<dyn Verify>
    };
    [(1, 1), (1, 7), (2, 5), (3, 300), (8, 64), (65, 3), (2, 257), (1, 3), (2, 1)].iter().enumerate().map(make).collect()
}

#[cfg(feature = "verify")]
/// However large the batch: it works on the statistics of a layer's channels.
fn bench(_elements: usize) -> Vec<Box<dyn Verify>> {
    let running = Some(Running::default());
    let make = |&(ranks, channels): &(usize, usize)| {
        Box::new(BatchNormMerge { running, ..BatchNormMerge::new(ranks, channels) }) as Box<dyn Verify>
    };
    [(8, 2048), (64, 2048)].iter().map(make).collect()
}
