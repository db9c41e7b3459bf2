//! Root-mean-square normalisation. Kernel: `shaders/norms/rms_norm.wgsl`. Reference: `cpu::rms_norm`.
#[cfg(feature = "verify")]
use crate::kernels::{channels::SumErrors, rows::Slack};
use crate::{
    kernel,
    kernels::{
        channels::{self, Channels, Map, Merge, Reduction, Team, given, vectors},
        reduce::Monoid,
        rows::{self, Affine, Forward, OnChip},
    },
    op::{Arg, ByName, Caps, Lowered, Op, check_float},
    options::WeightForm,
    params,
    types::{DType, Error, HostData, Rows},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Verify},
    verify::reference,
};
use ridgepole_derive::op;

params! { RmsNormParams { team: Team, coefs: u32, values: f32, eps: f32 } }

/// RMS norm: y = w·x/√(Σx²/cols + ε) for each row, or (1 + w)·x/√(Σx²/cols + ε). No mean is subtracted, and there is no bias.
///
/// Reads `x` (rows·cols elements, row after row), `weight` w (cols values, f32; absent: the factor is 1). Writes `y` (as `x`)
/// and, for the backward pass, `rstd` 1/√(Σx²/cols + ε) (rows, f32). Squares are summed in a
/// fixed order, so results are the same bit for bit from run to run on a device. One dispatch that reads each value once where
/// a row is whole quads and fits a workgroup (`cols` a multiple of 4 and at most 16,384); else three, and more for long rows.
/// More for tensors beyond the binding limit.
///
/// A row with a NaN or an infinity, or whose sum of squares overflows f32 (|x|·√cols of 1.8·10^19), becomes NaN in `y` and
/// `rstd`; other rows are unaffected. Squares below 10^-38 may count as 0. Where Σx²/cols + ε is 0, 1/√ is taken as 0: a row
/// of zeros gives zeros even with ε = 0. A device must be able to bind 32 bytes per row (4 with one dispatch), and 4 per
/// column.
///
/// Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019; PyTorch's `rms_norm` (whose ε is 2^-23 for f32 unless
/// given), Flax's and Keras' (1e-6). 1 + w is Gemma's.
#[op(
    name = "rms_norm",
    summary = "RMS norm: divides each row by its root mean square",
    formula = "y = w·x/√(Σx²/cols + ε), or (1 + w)·x/√(Σx²/cols + ε)"
)]
pub struct RmsNorm {
    /// How `x` and `y`, and their gradients, are stored.
    pub dtype: DType,
    /// Rows: the product of all sizes but the normalised ones. May be 0.
    pub rows: usize,
    /// Values of a row. May be 0; rows·cols is at most 2^34 - 4.
    pub cols: usize,
    /// ε, added to the mean square inside the root.
    #[field(default = 1e-5, min = 0)]
    pub eps: f64,
    /// Whether there is a w for each column.
    #[field(default = true)]
    pub weight: bool,
    /// Whether the factor is w or 1 + w.
    #[field(default)]
    pub weight_form: WeightForm,
}

impl RmsNorm {
    /// With ε = 1e-5 and a plain weight.
    pub fn new(dtype: DType, rows: usize, cols: usize) -> Self {
        Self::from_required(dtype, rows, cols)
    }

    pub(super) fn shape(&self) -> Rows {
        Rows::new(self.rows, self.cols)
    }

    /// The form that matters: without a weight there is none.
    pub(super) fn form(&self) -> WeightForm {
        if self.weight { self.weight_form } else { WeightForm::Plain }
    }

    /// What is wrong with the fields, under the name of `op`.
    pub(in crate::ops) fn check(&self, op: &'static str, x: &Arg) -> Result<(), Error> {
        check_float(op, x)?;
        self.shape().check(op)?;
        channels::check_eps(op, self.eps)
    }

    /// Appends the dispatches for an op that has these arguments among others.
    pub(in crate::ops) fn append(&self, op: &'static str, out: &mut Lowered, caps: &Caps, args: &[Arg]) -> Result<(), Error> {
        let tensor = Channels::by_row(self.shape());
        if self.rows == 0 {
            return Ok(());
        }
        if let Ok(shape) = OnChip::forward(self.shape(), self.dtype.size(), caps) {
            let norm = Forward {
                op,
                part: parts::norms::ROW_SQUARES,
                centered: false,
                affine: Affine::Places(self.form()),
                eps: self.eps,
            };
            return norm.append(self.shape(), &shape, out, caps, args);
        }
        let what = Reduction::of(&[parts::norms::SQUARES], Monoid::SUM4, &[("x", "x")]);
        let partials = tensor.reduce(op, out, caps, args, &what)?.few(out, caps);
        let (_, start, coefs) = partials.with_coefs(op, out, caps, tensor.channels)?;
        let merge = Merge::into(&partials, coefs, caps);
        let (values, eps) = (self.cols.max(1) as f32, self.eps as f32);
        let params = RmsNormParams { team: merge.team, coefs: start, values, eps };
        let statistics = vectors(&["rstd"], args, tensor.channels, out, caps);
        out.steps.push(merge.step(caps, kernel!("norms/rms_norm"), statistics, params));
        let weight = [("weight", given("weight", args, self.cols.max(1) as u64, out, caps))];
        let tensors = [("x", "x"), ("y", "y")];
        let map = Map { part: parts::norms::SCALE_ROWS, tensors: &tensors, vectors: &weight, consts: self.form().consts() };
        tensor.apply(op, out, caps, args, &map, merge.coefs)
    }

    /// What y and rstd must hold where each x is known but for `slack`.
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn results(&self, x: &[f64], slack: &[f64], weight: &[f64]) -> Vec<Expected> {
        let (of, offset) = (self.shape(), self.form().offset());
        let nan = |len: usize| (vec![f64::NAN; len], vec![0.0; len]);
        let (mut y, mut rstd) = (nan(x.len()), nan(of.rows));
        for r in 0..of.rows {
            let values = of.row(x, r);
            let sum = values.iter().map(|v| v * v).sum::<f64>();
            // A row that is not finite, or whose squares are not in f32, becomes NaN, as all is from the start.
            if !sum.is_finite() || sum > f64::from(f32::MAX) {
                continue;
            }
            let (row, inverse) = reference::rms_norm(values, weight, offset, self.eps);
            // The sum's error, and the division by cols.
            let m = of.cols.max(1) as f64;
            let off = (SumErrors::of(values, values, 0.0, 1.0, 0.0).dweight + 3.0 * DType::F32.epsilon() * sum) / m;
            let moved = Slack::of(of.row(slack, r));
            let rstd_error = moved.inverse_error(sum / m, off + DType::F32.least_normal(), self.eps);
            (rstd.0[r], rstd.1[r]) = (inverse, rstd_error + DType::F32.least_normal());
            for (c, value) in row.into_iter().enumerate() {
                let factor = offset + weight[c];
                let error =
                    rows::normalized_error([values[c], moved.of[c]], [inverse, rstd_error], factor, 0.0, value, self.dtype);
                (y.0[r * of.cols + c], y.1[r * of.cols + c]) = (value, error);
            }
        }
        [y, rstd].map(|(value, bound)| Expected::Within { value, bound }).into()
    }
}

impl Op for RmsNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.shape().len();
        let mut args = vec![Arg::read("x", self.dtype, len)];
        args.extend(self.weight.then(|| Arg::read("weight", DType::F32, self.cols)));
        args.push(Arg::write("y", self.dtype, len));
        args.push(Arg::write("rstd", DType::F32, self.rows));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        self.check(NAME, args.arg("x"))?;
        self.append(NAME, &mut out, caps, &args)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for RmsNorm {
    channels::draws!(self, self.shape().space());

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let (x, weight) = (of.f64("x"), of.f64_or("weight", 1.0, self.cols));
        self.results(&x, &vec![0.0; x.len()], &weight)
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    rows::few_cases(|i, dtype, Rows { rows, cols }| {
        // With eps 0 the inverse root of a row that is nearly 0 has no digit that is sure: not for halves.
        let eps = if i % 5 == 2 && dtype == DType::F32 { 0.0 } else { 1e-5 };
        let weight_form = if i % 7 < 3 { WeightForm::OnePlus } else { WeightForm::Plain };
        Box::new(RmsNorm { eps, weight: i % 4 != 1, weight_form, ..RmsNorm::new(dtype, rows, cols) })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    rows::benches(elements, |dtype, of| Box::new(RmsNorm::new(dtype, of.rows, of.cols)))
}
