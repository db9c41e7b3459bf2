//! Root-mean-square normalisation. Kernel: `shaders/norms/rms_norm.wgsl`. Reference: `cpu::rms_norm`.
#[cfg(feature = "verify")]
use crate::kernels::{channels::SumErrors, rows::Slack};
use crate::{
    kernel,
    kernels::{
        channels::{self, Channels, Map, Reduction, Team, given_or, position, vector, whole},
        reduce::Monoid,
        rows::{self, Affine, Forward, OnChip},
    },
    op::{Arg, Caps, Lowered, Op, Step, check_float},
    options::WeightForm,
    params,
    types::{DType, Error, HostData, Rows},
    wgsl::{Spec, parts},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::reference,
};
use ridgepole_derive::op;

params! { RmsNormParams { blocks: u32, channels: u32, row: u32, stride: u32, count: u32, coefs: u32, values: f32, eps: f32 } }

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
    /// How `x` and `y` are stored.
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

    fn shape(&self) -> Rows {
        Rows::new(self.rows, self.cols)
    }

    /// The form that matters: without a weight there is none.
    fn form(&self) -> WeightForm {
        if self.weight { self.weight_form } else { WeightForm::Plain }
    }

    /// What is wrong with the fields, under the name of `op`.
    pub(in crate::ops) fn check(&self, op: &'static str, x: &Arg) -> Result<(), Error> {
        check_float(op, x)?;
        self.shape().check(op)?;
        channels::check_eps(op, self.eps)
    }

    /// Appends the dispatches for an op that has these arguments among others, the argument `x` in place of its own.
    pub(in crate::ops) fn append(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        x: usize,
    ) -> Result<(), Error> {
        let (tensor, at) = (Channels::by_row(self.shape()), |name| position(args, name).expect("an argument"));
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
            return norm.append(self.shape(), &shape, out, caps, args, x);
        }
        let parts = &[parts::norms::SQUARES];
        let what = Reduction { parts, monoid: Monoid::SUM4, tensors: &[("x", x)], vectors: &[], consts: &[], eps: 0.0 };
        let partials = tensor.reduce(op, out, caps, args, &what)?.few(out, caps);
        let (both, start, coefs) = partials.with_coefs(op, out, caps, tensor.channels)?;
        let y = at("y");
        let team = Team::of(tensor.channels, partials.count, caps);
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("norms/rms_norm"),
                entry: NAME,
                parts: vec![],
                bindings: vec![Monoid::SUM4.decl("partials", true), vector("rstd", true)],
                consts: team.consts(caps),
            },
            params: RmsNormParams {
                blocks: team.blocks as u32,
                channels: tensor.channels as u32,
                row: partials.row as u32,
                stride: partials.stride as u32,
                count: partials.count as u32,
                coefs: start,
                values: self.cols.max(1) as f32,
                eps: self.eps as f32,
            }
            .into(),
            slots: vec![both, whole(args, at("rstd"))],
            workgroups: team.blocks,
            trips: team.trips,
        });
        let weight = [("weight", given_or(1.0, args, "weight", self.cols.max(1) as u64, out, caps))];
        let tensors = [("x", x, false), ("y", y, true)];
        let map = Map { part: parts::norms::SCALE_ROWS, tensors: &tensors, vectors: &weight, consts: self.form().consts() };
        tensor.apply(op, out, caps, args, &map, coefs)?;
        Ok(())
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
        self.check(NAME, &args[0])?;
        self.append(NAME, &mut out, caps, &args, 0)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for RmsNorm {
    fn patterns(&self) -> Vec<Pattern> {
        rows::patterns(self.shape(), self.dtype)
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        rows::fill(self.shape(), self.dtype, arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, x) = (self.shape(), args[0].to_f64());
        let weight = if self.weight { args[1].to_f64() } else { vec![1.0; of.cols] };
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
