//! Layer normalisation. Kernel: `shaders/norms/layer_norm.wgsl`. Reference: `cpu::layer_norm`.
#[cfg(feature = "verify")]
use crate::kernels::{channels::Moments, rows::Slack};
use crate::{
    kernel,
    kernels::{
        channels::{self, Channels, MOMENTS, Map, Reduction, Team, given_or, position, vector, whole},
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

params! { LayerNormParams { blocks: u32, channels: u32, row: u32, stride: u32, count: u32, coefs: u32, values: f32, eps: f32 } }

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
    /// How `x` and `y` are stored.
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

    fn shape(&self) -> Rows {
        Rows::new(self.rows, self.cols)
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
                part: parts::rows::ROW_AFFINE,
                centered: true,
                affine: Affine::Places(WeightForm::Plain),
                eps: self.eps,
            };
            return norm.append(self.shape(), &shape, out, caps, args, x);
        }
        let what = Reduction {
            parts: &[parts::channels::MOMENTS],
            monoid: MOMENTS,
            tensors: &[("x", x)],
            vectors: &[],
            consts: &[],
            eps: 0.0,
        };
        let partials = tensor.reduce(op, out, caps, args, &what)?.few(out, caps);
        let (both, start, coefs) = partials.with_coefs(op, out, caps, tensor.channels)?;
        let y = at("y");
        let team = Team::of(tensor.channels, partials.count, caps);
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("norms/layer_norm"),
                entry: NAME,
                parts: vec![],
                bindings: vec![MOMENTS.decl("partials", true), vector("mean", true), vector("rstd", true)],
                consts: team.consts(caps),
            },
            params: LayerNormParams {
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
            slots: vec![both, whole(args, at("mean")), whole(args, at("rstd"))],
            workgroups: team.blocks,
            trips: team.trips,
        });
        let of_columns = [("weight", 1.0), ("bias", 0.0)]
            .map(|(name, absent)| (name, given_or(absent, args, name, self.cols.max(1) as u64, out, caps)));
        let tensors = [("x", x, false), ("y", y, true)];
        let map = Map { part: parts::norms::NORMALIZE_ROWS, tensors: &tensors, vectors: &of_columns, consts: &[] };
        tensor.apply(op, out, caps, args, &map, coefs)?;
        Ok(())
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
        self.check(NAME, &args[0])?;
        self.append(NAME, &mut out, caps, &args, 0)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for LayerNorm {
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
        let (of, all) = (self.shape(), self.args());
        let data = |name| position(&all, name).map(|i| args[i].to_f64());
        let x = args[0].to_f64();
        let (weight, bias) = (data("weight").unwrap_or(vec![1.0; of.cols]), data("bias").unwrap_or(vec![0.0; of.cols]));
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
