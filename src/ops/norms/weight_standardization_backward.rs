//! The gradients of weight standardization. Kernel: `shaders/norms/weight_standardization_backward.wgsl`. Reference:
//! `cpu::weight_standardization_backward`.
use super::WeightStandardization;
#[cfg(feature = "verify")]
use crate::kernels::channels::{Pass, difference};
use crate::{
    kernel,
    kernels::channels::{Fused, Merge, Products, Team, vectors},
    op::{Arg, ByName, Caps, Lowered, Op, check_float},
    ops::norms::shared::filters::{self, Filters},
    params,
    types::{DType, Error, HostData},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { WeightStandardizationBackwardParams { team: Team, coefs: u32, values: f32 } }

/// The backward pass of [`WeightStandardization`](super::WeightStandardization) in any of its forms: with x̂ = (x - μ)·r,
/// dgain = Σdy·x̂ and dx = gain·r·(dy - Σdy/m - (x - μ)·slope·dgain), the sums over the filter.
///
/// Reads `x` and `dy` (rows·cols elements), and per filter in f32 `mean`, `rstd` and `slope` as the forward op wrote them,
/// and `gain` (absent: 1). Writes `dx` (as `x`) and, where there is a gain, `dgain` (f32 per filter). Sums are formed in
/// chunks of fixed size and merged in a fixed order: results are the same bit for bit from run to run on a device. The same
/// number of dispatches as [`WeightNormBackward`](super::WeightNormBackward). A device must be able to bind 32 bytes per
/// filter.
///
/// Where the deviation was 0 there is no gradient; r is 0 there, and so are `dx` and `dgain`. Error: that of a tree of f32 sums,
/// relative to the sums of magnitudes. A NaN or infinity makes its filter NaN or infinite, and nothing else.
#[op(
    name = "weight_standardization_backward",
    summary = "backward pass of weight_standardization, to weights and gain",
    formula = "dgain = Σdy·x̂, dx = gain·r·(dy - Σdy/m - (x - μ)·slope·dgain)"
)]
pub struct WeightStandardizationBackward {
    /// The forward op.
    #[field(flatten, without = [form, eps, variance])]
    pub forward: WeightStandardization,
}

impl WeightStandardizationBackward {
    /// Rows, without a gain.
    pub fn new(dtype: DType, rows: usize, cols: usize) -> Self {
        WeightStandardization::new(dtype, rows, cols).into()
    }
}

impl Op for WeightStandardizationBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        let (len, filters) = (of.shape().len(), of.shape().count());
        let mut args = ["x", "dy"].map(|name| Arg::read(name, of.dtype, len)).to_vec();
        args.extend(["mean", "rstd", "slope"].map(|name| Arg::read(name, DType::F32, filters)));
        args.extend(of.gain.then(|| Arg::read("gain", DType::F32, filters)));
        args.push(Arg::write("dx", of.dtype, len));
        args.extend(of.gain.then(|| Arg::write("dgain", DType::F32, filters)));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out, of) = (self.args(), Lowered::default(), self.forward.shape());
        check_float(NAME, args.arg("x"))?;
        of.check(NAME)?;
        if of.count() == 0 {
            return Ok(out);
        }
        let (tensor, names) = (of.tensor(), ["mean", "rstd", "slope", "gain", "dgain"]);
        let vectors = vectors(&names, &args, tensor.channels, &mut out, caps);
        if let Some(shape) = of.backward_shape(self.forward.dtype.size(), caps) {
            let (parts, to) = (&[parts::channels::CENTER_GIVEN, parts::norms::LINE_STANDARD], (&mut out, caps, &args[..]));
            filters::backward(NAME, to, &shape, parts, ["x", "dy", "dx"], vectors)?;
            return Ok(out);
        }
        let what = Products::of(Fused::PLAIN);
        let partials = tensor.products(NAME, &mut out, caps, &args, &what)?.few(&mut out, caps);
        let merge = Merge::of(&partials, &mut out, caps);
        let params =
            WeightStandardizationBackwardParams { team: merge.team, coefs: merge.start, values: of.values().max(1) as f32 };
        out.steps.push(merge.step(caps, kernel!("norms/weight_standardization_backward"), vectors, params));
        let how = (parts::channels::NORMALIZE_BACKWARD_OPEN, Fused::PLAIN);
        tensor.input_gradient(NAME, &mut out, caps, &args, how, merge.coefs)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for WeightStandardizationBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward.shape().patterns(self.forward.dtype)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let m = self.forward.shape().values().max(1) as f64;
        match (arg.name, pattern) {
            ("slope", _) => rng.fill(arg, [0.7 / m, 3.0 / m], Pattern::Ordinary),
            // Filters that the forward op found to be constant.
            ("rstd", Pattern::Zeros) => rng.fill(arg, [0.7, 3.0], pattern),
            _ => self.forward.shape().fill(self.forward.dtype, arg, rng, pattern),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, data) = (self.forward.shape(), Contents::new(self.args(), args));
        let [x, dy, mean, rstd, slope] = ["x", "dy", "mean", "rstd", "slope"].map(|name| data.f64(name));
        let gain = data.f64_or("gain", 1.0, of.count());
        let zeros = |len: usize| (vec![0.0; len], vec![0.0; len]);
        let (mut dx, mut dgain) = (zeros(x.len()), zeros(of.count()));
        let m = Approx::exact(of.values().max(1) as f64);
        for f in 0..of.count() {
            let places = of.places(f);
            let at = |from: &[f64]| places.iter().map(|&i| from[i]).collect::<Vec<_>>();
            let (exact, along) =
                reference::weight_standardization_backward(&at(&x), &at(&dy), gain[f], [mean[f], rstd[f], slope[f]]);
            let g = at(&dy).into_iter().map(Approx::exact).collect();
            let pass = Pass { x: at(&x), g, places, mean: mean[f], rstd: Approx::exact(rstd[f]) };
            let [sum, total] = pass.sums();
            (dgain.0[f], dgain.1[f]) = (along, if along.is_finite() { sum.error } else { 0.0 });
            let (p, t) = (total.over(m), Approx::exact(slope[f]).times(sum));
            let scale = Approx::exact(gain[f]).times(pass.rstd);
            for ((&i, g), value) in pass.places.iter().zip(&pass.g).zip(exact) {
                let away = difference(x[i], mean[f]).times(t);
                let kernel = scale.times(Approx::sum([*g, p.negative(), away.negative()]));
                (dx.0[i], dx.1[i]) = (value, Approx { value, ..kernel }.stored(self.forward.dtype));
            }
        }
        let all = [(true, dx), (self.forward.gain, dgain)];
        all.into_iter().filter(|a| a.0).map(|(_, (value, bound))| Expected::Within { value, bound }).collect()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    filters::cases(|i, dtype, Filters { rows, cols, axis }| {
        let forward = WeightStandardization { axis, gain: i % 4 != 1, ..WeightStandardization::new(dtype, rows, cols) };
        Box::new(WeightStandardizationBackward::from(forward))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    filters::benches(elements, |dtype, Filters { rows, cols, axis }| {
        let forward = WeightStandardization { axis, gain: true, ..WeightStandardization::new(dtype, rows, cols) };
        Box::new(WeightStandardizationBackward::from(forward))
    })
}
