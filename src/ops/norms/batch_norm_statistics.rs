//! Statistics of a part of a batch. Kernel: `shaders/norms/batch_norm_statistics.wgsl`. Reference:
//! `cpu::batch_norm_statistics`.
#[cfg(feature = "verify")]
use crate::kernels::channels::{Batch, Results};
use crate::{
    kernel,
    kernels::{
        channels::{self, Channels, Fused, Merge, Team, vectors},
        copy::{self, Tail},
    },
    op::{Arg, ByName, Caps, Cost, Lowered, Op, check_float},
    params,
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchNormStatisticsParams { team: Team, values: f32 } }

/// Synchronised batch norm, the statistics: count, mean and Σ(x - μ)² of each channel over one rank's part of a batch, to be
/// combined with those of the other ranks by [`BatchNormMerge`](super::BatchNormMerge). PyTorch's `batch_norm_stats`.
///
/// Reads `x` (n·c·s elements). Writes `count` (one f32: n·s), `mean` and `m2` (c values, f32). An empty part has count 0,
/// mean 0 and m2 0, and changes nothing when merged. All three are f32, so that ranks exchange 2·c + 1 numbers of one type; a
/// count beyond 2^24 is rounded, with a negligible error.
///
/// Deterministic: sums in a fixed order, as in [`BatchNorm`](super::BatchNorm), with the same precision for m2, whatever the
/// offset of the data. The mean is rounded to f32, and merging takes differences of the ranks' means, so unlike within a rank
/// an offset of 10^3 standard deviations costs the merged variance its last digits. A channel with a NaN or an infinity, or
/// whose m2 overflows f32, becomes NaN. Two dispatches, more for tensors beyond the binding limit.
///
/// Chan, Golub and LeVeque, 1979.
#[op(
    name = "batch_norm_statistics",
    summary = "synchronised batch norm: count, mean and squared deviations of each channel of one rank's part of a batch",
    formula = "m, μ = Σx/m, M2 = Σ(x - μ)²"
)]
pub struct BatchNormStatistics {
    /// How `x` is stored.
    pub dtype: DType,
    /// Its shape. n may be 0: a rank without a sample.
    pub space: Space,
}

impl BatchNormStatistics {
    /// Of a tensor of this type and shape.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self { dtype, space }
    }
}

impl Op for BatchNormStatistics {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let c = self.space.c;
        vec![
            Arg::read("x", self.dtype, self.space.len()),
            Arg::write("count", DType::F32, 1),
            Arg::write("mean", DType::F32, c),
            Arg::write("m2", DType::F32, c),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.space.check(NAME)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.space));
        check_float(NAME, args.arg("x"))?;
        let values = (self.space.n * self.space.s) as f32;
        if self.space.c == 0 {
            out.steps = copy::fill(NAME, caps, args.at("count"), values.to_bits(), Tail::of(args.arg("count")))?;
            return Ok(out);
        }
        let partials = tensor.moments(NAME, &mut out, caps, &args)?;
        let merge = Merge::alone(&partials, caps);
        let mut all = vec![("values", args.whole("count"), true)];
        all.extend(vectors(&["mean", "m2"], &args, tensor.channels, &mut out, caps));
        let params = BatchNormStatisticsParams { team: merge.team, values };
        out.steps.push(merge.step(caps, kernel!("norms/batch_norm_statistics"), all, params));
        Ok(out)
    }

    fn cost(&self) -> Cost {
        let elements = self.space.len() as u64;
        Cost { bytes: elements * self.dtype.size(), elements }
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormStatistics {
    channels::draws!(self, self.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.space, args, Fused::PLAIN);
        let m = (self.space.n * self.space.s) as f64;
        out.set("count", 0, Approx::host(m));
        for c in 0..self.space.c {
            let values = out.values("x", &channels::places(&self.space, c));
            let nan = Approx::exact(f64::NAN);
            let [mean, m2] = Batch::of(&values, 0.0).map_or([nan; 2], |b| {
                let [mean, m2] = reference::batch_norm_statistics(&values);
                // The kernel has M2 itself, no quotient.
                [Approx { value: mean, ..b.mean }, Approx { value: m2, ..b.variance(m) }]
            });
            out.set("mean", c, mean);
            out.set("m2", c, m2);
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::few(|_, dtype, space| Box::new(BatchNormStatistics { dtype, space }))
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::benches(elements, |dtype, space| Box::new(BatchNormStatistics { dtype, space }))
}
