//! Weight normalisation. Kernels: `shaders/lib/rows/row_forward.wgsl` where filters stay on the chip, else
//! `shaders/norms/weight_norm.wgsl`. Reference: `cpu::weight_norm`.
#[cfg(feature = "verify")]
use crate::kernels::channels::norm_of;
use crate::{
    kernel,
    kernels::{
        channels::{Map, Merge, Reduction, vectors},
        reduce::Monoid,
    },
    op::{Arg, ByName, Caps, Lowered, Op, check_float},
    ops::norms::shared::filters::{self, Filters, per_filter},
    options::FilterAxis,
    types::{DType, Error, HostData},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// Weight norm: w = g·v/‖v‖ for each filter of a weight matrix, whose direction v and norm g are separate parameters.
///
/// Reads `v` (rows·cols weights, row after row) and `g` (one f32 per filter). Writes `w` (as `v`) and, for the backward pass,
/// `inverse_norm` 1/‖v‖ (f32 per filter). A filter is a row or a column ([`FilterAxis`]); for a whole tensor as one filter
/// (PyTorch's `dim=None`), use one row. Squares are summed at three scales, so they neither overflow nor underflow, in chunks
/// of fixed size that are merged in a fixed order: results are the same bit for bit from run to run on a device. One dispatch
/// that reads v once where a filter is a row of whole quads and fits a workgroup (a multiple of 4 and at most 16,384 values;
/// on a software device as in [`GroupNorm`](super::GroupNorm)); else three, and more for long filters. More for tensors
/// beyond the binding limit.
///
/// A filter with a norm of 0 gives zeros, and `inverse_norm` 0; so does one with a norm below the least normal number,
/// 2^-126. One that holds a NaN or an infinity, or whose norm is above 2^126 (8.5·10^37), becomes NaN in `w` and
/// `inverse_norm`; other filters are unaffected. A device must be able to bind 32 bytes per filter (4 with one dispatch).
///
/// Salimans and Kingma, "Weight Normalization", 2016; PyTorch's `parametrizations.weight_norm`, Flax's `WeightNorm` (which adds
/// 1e-12 to ‖v‖²).
#[op(
    name = "weight_norm",
    summary = "weight norm: each filter of a weight matrix as a direction times a norm",
    formula = "w = g·v/‖v‖"
)]
pub struct WeightNorm {
    /// How `v` and `w`, and their gradients, are stored.
    pub dtype: DType,
    /// Rows of the matrix. May be 0.
    pub rows: usize,
    /// Columns. May be 0; rows·cols is at most 2^34 - 4.
    pub cols: usize,
    /// Whether rows or columns are filters.
    #[field(default)]
    pub axis: FilterAxis,
}

const LEAST: f64 = DType::F32.least_normal();
/// What fill makes each filter's size in turn: squares of the first two are no f32, but for halves.
const SIZES: [f64; 3] = [1e28, 1e-28, 1.0];

impl WeightNorm {
    /// Filters are rows.
    pub fn new(dtype: DType, rows: usize, cols: usize) -> Self {
        Self::from_required(dtype, rows, cols)
    }

    pub(super) fn shape(&self) -> Filters {
        Filters { rows: self.rows, cols: self.cols, axis: self.axis }
    }
}

/// The factor of a filter's size for checks, `inverse` to the power of -1.
pub(super) fn size(dtype: DType, filter: usize, inverse: bool) -> f64 {
    let size = if dtype == DType::F16 { [16.0, 1.0 / 16.0, 1.0][filter % 3] } else { SIZES[filter % 3] };
    if inverse { 1.0 / size } else { size }
}

/// Values as `Filters::fill` draws them, but with filters of very different sizes for the pattern of offsets.
#[cfg(feature = "verify")]
pub(super) fn fill(of: Filters, dtype: DType, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    // The tensors and the statistic by the names that are known there.
    let name = match arg.name {
        "v" => "x",
        "dw" => "dy",
        "inverse_norm" => "rstd",
        other => other,
    };
    let known = Arg { name, ..*arg };
    if pattern == Pattern::Zeros && name == "rstd" {
        return rng.fill(arg, [0.7, 3.0], pattern);
    }
    if pattern != Pattern::Offset || !["x", "rstd"].contains(&name) {
        return of.fill(dtype, &known, rng, pattern);
    }
    let mut values = of.fill(dtype, &known, rng, Pattern::Ordinary).to_f64();
    for f in 0..of.count() {
        let places = if name == "x" { of.places(f) } else { vec![f] };
        places.iter().for_each(|&i| values[i] *= size(dtype, f, name == "rstd"));
    }
    HostData::from_f64(arg.dtype, values)
}

/// The inverse of a norm as the kernel takes it: 0 below the normal numbers, and either that or large where it may be there.
#[cfg(feature = "verify")]
fn inverse(norm: Approx) -> Approx {
    if norm.value + norm.error < LEAST {
        return Approx::exact(0.0);
    }
    if norm.value - norm.error < LEAST {
        let value = if norm.value < LEAST { 0.0 } else { 1.0 / norm.value };
        return Approx { value, error: (1.0 + 4.0 * DType::F32.epsilon()) / LEAST };
    }
    Approx::exact(1.0).over(norm)
}

impl Op for WeightNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, filters) = (self.shape().len(), self.shape().count());
        vec![
            Arg::read("v", self.dtype, len),
            Arg::read("g", DType::F32, filters),
            Arg::write("w", self.dtype, len),
            Arg::write("inverse_norm", DType::F32, filters),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out, of) = (self.args(), Lowered::default(), self.shape());
        check_float(NAME, args.arg("v"))?;
        of.check(NAME)?;
        if of.count() == 0 {
            return Ok(out);
        }
        let vectors = vectors(&["g", "inverse_norm"], &args, of.count() as u64, &mut out, caps);
        if let Some(shape) = of.forward_shape(self.dtype.size(), caps) {
            let (parts, to) = (&[parts::norms::ROW_NORM], (&mut out, caps, &args[..]));
            filters::forward(NAME, to, &shape, parts, ["v", "w"], vectors, &|place| place.params(shape.0, 0.0))?;
            return Ok(out);
        }
        let tensor = of.tensor();
        let what = Reduction::of(&[parts::norms::CHANNEL_NORM], Monoid::SUM4, &[("x", "v")]);
        let partials = tensor.reduce(NAME, &mut out, caps, &args, &what)?.few(&mut out, caps);
        let merge = Merge::of(&partials, &mut out, caps);
        out.steps.push(per_filter(caps, kernel!("norms/weight_norm"), &merge, vectors));
        let map = Map::of(parts::norms::SCALE_FILTERS, &[("v", "v"), ("w", "w")]);
        tensor.apply(NAME, &mut out, caps, &args, &map, merge.coefs)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for WeightNorm {
    fn patterns(&self) -> Vec<Pattern> {
        self.shape().patterns(self.dtype)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        fill(self.shape(), self.dtype, arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, data) = (self.shape(), Contents::new(self.args(), args));
        let [v, g] = ["v", "g"].map(|name| data.f64(name));
        let nan = |len: usize| (vec![f64::NAN; len], vec![0.0; len]);
        let (mut w, mut inverses) = (nan(v.len()), nan(of.count()));
        for (f, &g) in g.iter().enumerate() {
            let places = of.places(f);
            let values: Vec<f64> = places.iter().map(|&i| v[i]).collect();
            let norm = norm_of(&values);
            // What is not finite, or above 2^126, becomes NaN, as all is from the start.
            if !norm.value.is_finite() || norm.value > 2f64.powi(126) {
                continue;
            }
            let factor = inverse(norm);
            let exact = if factor.value == 0.0 { vec![0.0; values.len()] } else { reference::weight_norm(&values, g).0 };
            (inverses.0[f], inverses.1[f]) = (factor.value, factor.error);
            for (&i, value) in places.iter().zip(exact) {
                let kernel = Approx::exact(v[i]).times(factor).times(Approx::exact(g));
                (w.0[i], w.1[i]) = (value, Approx { value, ..kernel }.stored(self.dtype));
            }
        }
        [w, inverses].map(|(value, bound)| Expected::Within { value, bound }).into()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    filters::cases(|_, dtype, Filters { rows, cols, axis }| Box::new(WeightNorm { dtype, rows, cols, axis }))
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    filters::benches(elements, |dtype, Filters { rows, cols, axis }| Box::new(WeightNorm { dtype, rows, cols, axis }))
}
