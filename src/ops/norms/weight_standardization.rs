//! Weight standardization. Kernels: `shaders/lib/rows/row_forward.wgsl`, or `shaders/norms/weight_standardization.wgsl`.
//! Reference: `cpu::weight_standardization`.
#[cfg(feature = "verify")]
use crate::kernels::channels::{Batch, inverse_std_error};
use crate::{
    kernel,
    kernels::channels::{self, Fused, Merge, Team},
    op::{Arg, ByName, Caps, Lowered, Op, check_float},
    ops::norms::shared::filters::{self, Filters},
    options::{FilterAxis, RunningVariance, StandardForm, check_derived},
    params,
    types::{DType, Error, HostData},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { WeightStandardizationParams { team: Team, coefs: u32, divisor: f32, fan: f32, inside: f32, outside: f32, least: f32, form: u32 } }

/// Weight standardization: y = gain·(x - μ)/deviation for each filter of a weight matrix, with its mean μ and a deviation of
/// the given form.
///
/// Reads `x` (rows·cols weights, row after row) and `gain` (one f32 per filter; absent: 1). Writes `y` (as `x`) and, for the
/// backward pass, per filter in f32: `mean` μ, `rstd` r = 1/deviation, and `slope` -2/(d·r²)·∂r/∂σ², the factor of the
/// variance term in the gradient (d is the variance's divisor). A filter is a row or a column ([`FilterAxis`]). Statistics
/// are those of [`LayerNorm`](super::LayerNorm): gathered in chunks of fixed size, relative to a value of the chunk, and
/// merged in a fixed order, so results are the same bit for bit from run to run on a device, and σ² is exactly 0 for a
/// constant filter. The same number of dispatches as [`WeightNorm`](super::WeightNorm).
///
/// A filter with a NaN or an infinity, or whose squared deviations overflow f32 (|x - μ|·√m about 10^19), becomes NaN, with
/// its statistics; other filters are unaffected. Where the deviation is 0, r is taken as 0: a constant filter gives zeros,
/// even with ε = 0. So does a filter of a single value, whose unbiased variance is taken as 0. A device must be able to bind
/// 32 bytes per filter.
///
/// Qiao, Wang, Liu, Shen and Yuille, "Micro-Batch Training with Batch-Channel Normalization and Weight Standardization", 2019;
/// Brock, De, Smith and Simonyan, "High-Performance Large-Scale Image Recognition Without Normalization", 2021.
#[op(
    name = "weight_standardization",
    summary = "weight standardization: gives each filter of a weight matrix mean 0 and variance 1",
    formula = "y = gain·(x - μ)/√(σ² + ε), or the forms of the authors' code and of NF-nets"
)]
pub struct WeightStandardization {
    /// How `x` and `y`, and their gradients, are stored.
    pub dtype: DType,
    /// Rows of the matrix. May be 0.
    pub rows: usize,
    /// Columns. May be 0; rows·cols is at most 2^34 - 4.
    pub cols: usize,
    /// Whether rows or columns are filters.
    #[field(default)]
    pub axis: FilterAxis,
    /// The form of the deviation.
    #[field(default)]
    pub form: StandardForm,
    /// ε of the form.
    #[field(default = 1e-5, min = 0)]
    pub eps: f64,
    /// Whether σ² is divided by m or m - 1.
    #[field(default = RunningVariance::Biased)]
    pub variance: RunningVariance,
    /// Whether there is a gain for each filter.
    #[field(default)]
    pub gain: bool,
}

const E: f64 = DType::F32.epsilon();
/// What the kernel's 1/√v is below, where it is not 0: v is a normal number.
const LARGEST: f64 = 9.3e18;

impl WeightStandardization {
    /// Rows, by the biased variance with ε = 1e-5 inside the root, without a gain.
    pub fn new(dtype: DType, rows: usize, cols: usize) -> Self {
        Self::from_required(dtype, rows, cols)
    }

    pub(super) fn shape(&self) -> Filters {
        Filters { rows: self.rows, cols: self.cols, axis: self.axis }
    }

    /// m, and the divisor of the variance.
    fn counts(&self) -> [f64; 2] {
        let m = self.shape().values().max(1) as f64;
        [m, if self.variance == RunningVariance::Unbiased { (m - 1.0).max(1.0) } else { m }]
    }

    /// What the variance is multiplied by, what is added to that, what to its root, and what it is at least.
    fn terms(&self) -> [f64; 4] {
        let (m, eps) = (self.counts()[0], self.eps);
        match self.form {
            StandardForm::Inside => [1.0, eps, 0.0, 0.0],
            StandardForm::Outside => [1.0, 0.0, eps, 0.0],
            StandardForm::FanInFloor => [m, 0.0, 0.0, eps],
            StandardForm::FanInInside => [m, m * eps, 0.0, 0.0],
        }
    }

    /// r and the slope as the kernel finds them for a variance.
    #[cfg(feature = "verify")]
    fn spread(&self, variance: Approx) -> [Approx; 2] {
        let ([fan, inside, outside, least], d) = (self.terms(), Approx::exact(self.counts()[1]));
        if self.form == StandardForm::Outside {
            let root = variance.root();
            // A product with 1/√v, itself off by 8 ulp, in place of the root.
            let root = Approx { error: root.error + 10.0 * E * (root.value + root.error), ..root };
            let deviation = Approx::sum([root, Approx::host(outside)]);
            let r = match deviation.value - deviation.error <= 1e-37 {
                true if deviation == Approx::exact(0.0) => deviation,
                true => {
                    let value = if deviation.value == 0.0 { 0.0 } else { 1.0 / deviation.value };
                    Approx { value, error: value + LARGEST }
                }
                false => Approx::exact(1.0).over(deviation),
            };
            return [r, inverse_root(variance, 0.0).over(d)];
        }
        let scaled = if fan == 1.0 { variance } else { variance.times(Approx::exact(fan)) };
        let (floor, slack) = (least.max(scaled.value), scaled.error + Approx::host(least).error);
        let r = inverse_root(Approx { value: floor, error: slack }, inside);
        let active = r.over(d).times(Approx::exact(fan));
        let slope = match least == 0.0 || (scaled.value - least).abs() > slack {
            true if scaled.value > least || least == 0.0 => active,
            true => Approx::exact(0.0),
            // On either side of the floor.
            false => {
                let value = if scaled.value > least { active.value } else { 0.0 };
                Approx { value, error: active.value + active.error }
            }
        };
        [r, slope]
    }
}

/// 1/√(v + ε) by `lib/channels/inverse_std`.
#[cfg(feature = "verify")]
fn inverse_root(v: Approx, eps: f64) -> Approx {
    let value = reference::inverse_std(v.value, eps);
    // The root may be of 0, or of the least normal number.
    let doubtful = v.error > 0.0 && v.value + eps - v.error <= DType::F32.least_normal();
    Approx { value, error: if doubtful { value + LARGEST } else { inverse_std_error(v.value, v.error, eps) } }
}

impl Op for WeightStandardization {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, filters) = (self.shape().len(), self.shape().count());
        let mut args = vec![Arg::read("x", self.dtype, len)];
        args.extend(self.gain.then(|| Arg::read("gain", DType::F32, filters)));
        args.push(Arg::write("y", self.dtype, len));
        args.extend(["mean", "rstd", "slope"].map(|name| Arg::write(name, DType::F32, filters)));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out, of) = (self.args(), Lowered::default(), self.shape());
        check_float(NAME, args.arg("x"))?;
        of.check(NAME)?;
        channels::check_eps(NAME, self.eps)?;
        check_derived(NAME, "eps", "m · eps", self.terms()[1])?;
        if of.count() == 0 {
            return Ok(out);
        }
        let tensor = of.tensor();
        let vectors = channels::vectors(&["gain", "mean", "rstd", "slope"], &args, tensor.channels, &mut out, caps);
        let ([_, divisor], terms, outside_root) = (self.counts(), self.terms(), self.form == StandardForm::Outside);
        if let Some(shape) = of.forward_shape(self.dtype.size(), caps) {
            let (parts, to) = (&[parts::norms::ROW_STANDARD], (&mut out, caps, &args[..]));
            let params = |place| filters::standard_params(place, divisor, terms, outside_root);
            filters::forward(NAME, to, &shape, parts, ["x", "y"], vectors, &params)?;
            return Ok(out);
        }
        let partials = tensor.moments(NAME, &mut out, caps, &args)?;
        let merge = Merge::of(&partials, &mut out, caps);
        let [fan, inside, outside, least] = terms.map(|v| v as f32);
        let params = WeightStandardizationParams {
            team: merge.team,
            coefs: merge.start,
            divisor: divisor as f32,
            fan,
            inside,
            outside,
            least,
            form: u32::from(outside_root),
        };
        out.steps.push(merge.step(caps, kernel!("norms/weight_standardization"), vectors, params));
        tensor.normalize(NAME, &mut out, caps, &args, Fused::PLAIN, merge.coefs)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for WeightStandardization {
    channels::draws!(self, self.shape().space());

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, data, [m, d]) = (self.shape(), Contents::new(self.args(), args), self.counts());
        let (x, gain) = (data.f64("x"), data.f64_or("gain", 1.0, of.count()));
        let nan = |len: usize| (vec![f64::NAN; len], vec![0.0; len]);
        let (mut y, mut statistics) = (nan(x.len()), [(); 3].map(|()| nan(of.count())));
        for (f, &gain) in gain.iter().enumerate() {
            let places = of.places(f);
            let values: Vec<f64> = places.iter().map(|&i| x[i]).collect();
            // A filter with a value that is not finite becomes NaN, as all is from the start.
            let Some(batch) = Batch::of(&values, self.eps) else { continue };
            let unbiased = self.variance == RunningVariance::Unbiased;
            let (row, mean, r, slope) = reference::weight_standardization(&values, gain, self.form, unbiased, self.eps);
            let [rstd, pull] = self.spread(batch.variance(m / d));
            for (out, (value, kernel)) in statistics.iter_mut().zip([(mean, batch.mean), (r, rstd), (slope, pull)]) {
                (out.0[f], out.1[f]) = (value, kernel.error);
            }
            let factor = Approx::exact(gain).times(rstd);
            for (&i, value) in places.iter().zip(row) {
                let kernel = batch.centred(x[i]).times(factor);
                (y.0[i], y.1[i]) = (value, Approx { value, ..kernel }.stored(self.dtype));
            }
        }
        std::iter::once(y).chain(statistics).map(|(value, bound)| Expected::Within { value, bound }).collect()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    use StandardForm::{FanInFloor, FanInInside, Inside, Outside};
    filters::cases(|i, dtype, Filters { rows, cols, axis }| {
        // With eps 0 the inverse deviation of a nearly constant filter has no digit that is sure: not for halves.
        let eps = if i % 5 == 2 && dtype == DType::F32 { 0.0 } else { 1e-5 };
        let form = [Inside, Outside, FanInFloor, FanInInside][(i / 2 + i / 8) % 4];
        // Above the spread of some of the tensors.
        let eps = if form == FanInFloor && i % 3 == 0 { 2.0 } else { eps };
        let variance = if i % 7 < 3 { RunningVariance::Unbiased } else { RunningVariance::Biased };
        Box::new(WeightStandardization { dtype, rows, cols, axis, form, eps, variance, gain: i % 4 < 2 })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    filters::benches(elements, |dtype, Filters { rows, cols, axis }| {
        Box::new(WeightStandardization { axis, gain: true, ..WeightStandardization::new(dtype, rows, cols) })
    })
}
