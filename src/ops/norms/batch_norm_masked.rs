//! Batch normalisation of the positions that a mask keeps. Kernel: `shaders/norms/batch_norm_masked.wgsl`. Reference:
//! `cpu::batch_norm_masked`.
#[cfg(feature = "verify")]
use crate::kernels::channels::{Batch, Results};
use crate::{
    kernel,
    kernels::channels::{self, Channels, Fused, MOMENTS, Merge, Reduction, Team, vectors},
    op::{Arg, ByName, Caps, Cost, Lowered, Op, check_float},
    options::{Running, RunningVariance},
    params,
    types::{DType, Error, HostData, Space},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchNormMaskedParams { team: Team, coefs: u32, less: f32, eps: f32, momentum: f32, keep: f32 } }

/// Masked [`BatchNorm`](super::BatchNorm), for sequences of unequal length: padding is ignored in the statistics, and its
/// output is 0.
///
/// Reads `x` (n·c·s elements), `mask` (⌈n·s/32⌉ words, u32: bit p % 32 of word p / 32 says whether position p = i·s + j, that
/// of sample i and place j, counts, whatever the layout), `weight` γ (c values, f32; absent: 1) and `bias` β (c, f32; absent:
/// 0). Writes `y` (as `x`), and for the backward pass `mean` μ and `rstd` 1/√(σ² + ε) of the positions that count (c, f32).
/// Updates `running_mean` and `running_var` (c, f32) if `running` is given. Values of x where the mask is 0 do not matter,
/// even NaN. The mask has a bit per position, and not a length per sample, because padding may be in front or in between; it
/// costs 1/32 of an f32 value per position.
///
/// The number of positions that count is not known when the op is planned. With none, mean and σ² are 0 and running
/// statistics are unchanged; with one, y is β there and the divisor of an unbiased running variance is 1 (as
/// [`OneValue::Guard`](crate::OneValue)). Deterministic, with the precision and the treatment of values that are not finite
/// of [`BatchNorm`](super::BatchNorm). Three dispatches, more for tensors beyond the binding limit; at most 2^32 elements.
///
/// Flax's `BatchNorm` with a mask, except that Flax also normalises masked positions, where this writes 0.
#[op(
    name = "batch_norm_masked",
    summary = "masked batch norm: ignores padding in the statistics and sets it to 0",
    formula = "y = γ·(x - μ)/√(σ² + ε) + β where the mask is 1, else 0"
)]
pub struct BatchNormMasked {
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
    /// Whether and how running statistics follow those of the batch.
    #[field(default)]
    pub running: Option<Running>,
}

impl BatchNormMasked {
    /// With ε = 1e-5, γ and β, without running statistics.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self::from_required(dtype, space)
    }

    /// 1 for the unbiased variance, which divides by one less than the count.
    fn less(&self) -> f64 {
        f64::from(self.running.is_some_and(|r| r.variance == RunningVariance::Unbiased))
    }
}

impl Op for BatchNormMasked {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = channels::forward_args(self.dtype, &self.space, self.space.c, self.weight, self.bias);
        args.insert(1, channels::mask(&self.space));
        if self.running.is_some() {
            args.extend(channels::running_args(self.space.c));
        }
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        channels::check_masked(NAME, &self.space)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.space));
        check_float(NAME, args.arg("x"))?;
        channels::check_eps(NAME, self.eps)?;
        self.running.map_or(Ok(()), |r| r.check(NAME))?;
        if self.space.c == 0 {
            return Ok(out);
        }
        let what = Reduction {
            vectors: &[("mask", args.whole("mask"))],
            ..Reduction::of(&[parts::norms::MOMENTS_MASKED], MOMENTS, &[("x", "x")])
        };
        let partials = tensor.reduce(NAME, &mut out, caps, &args, &what)?;
        // The search for the first position that counts, word by word.
        out.steps.iter_mut().for_each(|step| step.trips += tensor.chunk_positions(caps) / 32 + 2);
        let partials = partials.few(&mut out, caps);
        let merge = Merge::of(&partials, &mut out, caps);
        let share = self.running.map(|r| r.update.share());
        let vectors =
            vectors(&["weight", "bias", "mean", "rstd", "running_mean", "running_var"], &args, tensor.channels, &mut out, caps);
        let params = BatchNormMaskedParams {
            team: merge.team,
            coefs: merge.start,
            less: self.less() as f32,
            eps: self.eps as f32,
            momentum: share.unwrap_or(0.0) as f32,
            keep: (1.0 - share.unwrap_or(0.0)) as f32,
        };
        out.steps.push(merge.step(caps, kernel!("norms/batch_norm_masked"), vectors, params));
        tensor.normalize(NAME, &mut out, caps, &args, Fused::PLAIN, merge.coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // x is read for the statistics and again to be normalised.
        let elements = self.space.len() as u64;
        Cost { bytes: 3 * elements * self.dtype.size() + 2 * channels::mask(&self.space).bytes(), elements }
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormMasked {
    channels::draws!(self, self.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.space, args, Fused::PLAIN);
        let kept = channels::kept(&self.space, Contents::new(self.args(), args).get("mask"));
        let m = kept.iter().filter(|k| **k).count() as f64;
        let divisor = (m - self.less()).max(1.0);
        let nan = Approx::exact(f64::NAN);
        for c in 0..self.space.c {
            let places = channels::places(&self.space, c);
            let (weight, bias) = (out.at("weight", c, 1.0), out.at("bias", c, 0.0));
            let x = out.values("x", &places);
            let (y, _) = reference::batch_norm_masked(&x, &kept, self.eps, weight, bias);
            let counted: Vec<f64> = x.iter().zip(&kept).filter(|v| *v.1).map(|v| *v.0).collect();
            let batch = Batch::of(&counted, self.eps);
            let follows = self.running.filter(|_| m > 0.0).map(|r| r.update);
            out.put_statistics(c, batch.as_ref(), m / divisor, follows);
            for (k, &i) in places.iter().enumerate().filter(|(k, _)| kept[*k]) {
                let v = batch.as_ref().map_or(nan, |b| {
                    let v = b.centred(x[k]).times(b.rstd.times(Approx::exact(weight)));
                    Approx { value: y[k], ..Approx::sum([v, Approx::exact(bias)]) }
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
    channels::few(|i, dtype, space| {
        let running = (i % 4 != 1).then(|| Running { variance: kinds[i / 2 % 2], ..Running::default() });
        Box::new(BatchNormMasked { dtype, space, eps: 1e-5, weight: i % 3 != 1, bias: i % 5 < 3, running })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::sequence_benches(elements, |dtype, space| Box::new(BatchNormMasked::new(dtype, space)))
}
