//! Layer normalisation. Kernel: `shaders/norms/layer_norm.wgsl`. Reference: `cpu::layer_norm`.
#[cfg(feature = "verify")]
use crate::kernels::{channels::Moments, rows::Slack};
use crate::{
    kernel,
    kernels::{
        channels::{self, Channels, Map, Merge, Team, given, vectors},
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

params! { LayerNormParams { team: Team, coefs: u32, values: f32, eps: f32 } }

/// Layer norm: y = γ·(x - μ)/√(σ² + ε) + β, with the mean μ and the biased variance σ² of each row; γ and β are per column.
///
/// Reads `x` (rows·cols elements, row after row), `weight` γ (cols values, f32; absent: 1), `bias` β (cols, f32; absent: 0).
/// Writes `y` (as `x`), and for the backward pass `mean` μ and `rstd` 1/√(σ² + ε) (rows, f32). Statistics are gathered
/// relative to a value of the row and merged in a fixed order, so results are the same bit for bit from run to run on a
/// device, and σ² is exactly 0 for a constant row. One dispatch that reads each value once where a row is whole quads and
/// fits a workgroup (`cols` a multiple of 4 and at most 16,384); else three, as [`BatchNorm`](super::BatchNorm) with a row
/// for a channel, and more for long rows. More for tensors beyond the binding limit.
///
/// A row with a NaN or an infinity, or whose squared deviations overflow f32 (|x - μ|·√cols about 10^19), becomes NaN in `y`,
/// `mean` and `rstd`; other rows are unaffected. Where σ² + ε is 0, 1/√ is taken as 0. For rows without columns `mean` is 0
/// and σ² is
/// 0. A device must be able to bind 32 bytes per row (4 with one dispatch), and 4 per column.
///
/// Ba, Kiros and Hinton, "Layer Normalization", 2016; PyTorch's `layer_norm`, Flax's `LayerNorm` (whose ε is 1e-6).
#[op(
    name = "layer_norm",
    summary = "layer norm: normalises each row by its mean and variance",
    formula = "y = γ·(x - μ)/√(σ² + ε) + β"
)]
pub struct LayerNorm {
    /// How `x` and `y`, and their gradients, are stored.
    pub dtype: DType,
    /// Rows: the product of all sizes but the normalised ones. May be 0.
    pub rows: usize,
    /// Values of a row. May be 0; rows·cols is at most 2^34 - 4.
    pub cols: usize,
    /// ε, added to the variance inside the root.
    #[field(default = 1e-5, min = 0)]
    pub eps: f64,
    /// Whether there is a γ for each column.
    #[field(default = true)]
    pub weight: bool,
    /// Whether there is a β for each column.
    #[field(default = true)]
    pub bias: bool,
}

impl LayerNorm {
    /// With ε = 1e-5, γ and β.
    pub fn new(dtype: DType, rows: usize, cols: usize) -> Self {
        Self::from_required(dtype, rows, cols)
    }

    pub(super) fn shape(&self) -> Rows {
        Rows::new(self.rows, self.cols)
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
                part: parts::rows::ROW_AFFINE,
                centered: true,
                affine: Affine::Places(WeightForm::Plain),
                eps: self.eps,
            };
            return norm.append(self.shape(), &shape, out, caps, args);
        }
        let partials = tensor.moments(op, out, caps, args)?;
        let (_, start, coefs) = partials.with_coefs(op, out, caps, tensor.channels)?;
        let merge = Merge::into(&partials, coefs, caps);
        let (values, eps) = (self.cols.max(1) as f32, self.eps as f32);
        let params = LayerNormParams { team: merge.team, coefs: start, values, eps };
        let statistics = vectors(&["mean", "rstd"], args, tensor.channels, out, caps);
        out.steps.push(merge.step(caps, kernel!("norms/layer_norm"), statistics, params));
        let of_columns = ["weight", "bias"].map(|name| (name, given(name, args, self.cols.max(1) as u64, out, caps)));
        let map = Map { vectors: &of_columns, ..Map::of(parts::norms::NORMALIZE_ROWS, &[("x", "x"), ("y", "y")]) };
        tensor.apply(op, out, caps, args, &map, merge.coefs)
    }

    /// What y, mean and rstd must hold where each x is known but for `slack`.
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn results(&self, x: &[f64], slack: &[f64], weight: &[f64], bias: &[f64]) -> Vec<Expected> {
        let (e32, of) = (DType::F32.epsilon(), self.shape());
        let nan = |len: usize| (vec![f64::NAN; len], vec![0.0; len]);
        let (mut y, mut mean, mut rstd) = (nan(x.len()), nan(of.rows), nan(of.rows));
        for r in 0..of.rows {
            let values = of.row(x, r);
            // A row with a value that is not finite becomes NaN, as all is from the start.
            let Some(s) = Moments::of(values) else { continue };
            let (row, mu, inverse) = reference::layer_norm(values, weight, bias, self.eps);
            // K + (mean - K) and the store. Subnormal values may be flushed when read, differenced or stored.
            let moved = Slack::of(of.row(slack, r));
            let mean_error = moved.mean + s.shifted_error + 2.0 * e32 * (mu.abs() + s.range) + 4.0 * DType::F32.least_normal();
            let rstd_error = moved.inverse_error(s.variance, s.variance_error, self.eps);
            (mean.0[r], mean.1[r]) = (mu, mean_error);
            (rstd.0[r], rstd.1[r]) = (inverse, rstd_error);
            for (c, value) in row.into_iter().enumerate() {
                // x - K, less mean - K.
                let far = values[c] - mu;
                let far_error = moved.of[c] + moved.mean + s.shifted_error + e32 * (s.range + far.abs());
                let error =
                    rows::normalized_error([far, far_error], [inverse, rstd_error], weight[c], bias[c], value, self.dtype);
                (y.0[r * of.cols + c], y.1[r * of.cols + c]) = (value, error);
            }
        }
        [y, mean, rstd].map(|(value, bound)| Expected::Within { value, bound }).into()
    }
}

impl Op for LayerNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.shape().len();
        let mut args = vec![Arg::read("x", self.dtype, len)];
        args.extend(self.weight.then(|| Arg::read("weight", DType::F32, self.cols)));
        args.extend(self.bias.then(|| Arg::read("bias", DType::F32, self.cols)));
        args.push(Arg::write("y", self.dtype, len));
        args.extend(["mean", "rstd"].map(|name| Arg::write(name, DType::F32, self.rows)));
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
impl Verify for LayerNorm {
    channels::draws!(self, self.shape().space());

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, cols) = (Contents::new(self.args(), args), self.cols);
        let (x, weight, bias) = (of.f64("x"), of.f64_or("weight", 1.0, cols), of.f64_or("bias", 0.0, cols));
        self.results(&x, &vec![0.0; x.len()], &weight, &bias)
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    rows::cases(|i, dtype, Rows { rows, cols }| {
        // With eps 0 the inverse deviation of a nearly constant row has no digit that is sure: not for halves.
        let eps = if i % 5 == 2 && dtype == DType::F32 { 0.0 } else { 1e-5 };
        Box::new(LayerNorm { eps, weight: i % 4 != 1, bias: i % 5 < 3, ..LayerNorm::new(dtype, rows, cols) })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    rows::benches(elements, |dtype, of| Box::new(LayerNorm::new(dtype, of.rows, of.cols)))
}
