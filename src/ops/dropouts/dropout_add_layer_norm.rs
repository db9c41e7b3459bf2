//! Dropout, residual and normalisation. Kernel: `shaders/dropouts/dropout_add_layer_norm.wgsl`, then those of `layer_norm` or
//! `rms_norm`. Reference: `cpu::dropout_add_layer_norm`, and theirs.
use super::BiasActDropoutAdd;
use crate::{
    Activation, Arg, Bits, Caps, DType, Error, Expected, HostData, Key, Lowered, Op, Pattern, Rng, RowNorm, Share, Space,
    WeightForm,
    channels::{self, position},
    cpu, kernel,
    masked::Rule,
    ops::{Entry, LayerNorm, RmsNorm},
    rows::Rows,
    wgsl::part,
    words::{self, Tail, windows},
};
use serde::{Deserialize, Serialize};

pub(super) mod table;

/// z = residual + m·x/(1-p) and y = norm(z) for each row: the end of a transformer's sublayer.
///
/// Reads `x` (rows·cols elements, row after row), `residual` (as `x`; absent: 0), `weight` (cols values, f32; absent: 1) and, for
/// layer norm, `bias` (cols, f32; absent: 0). Writes `z` and `y` (as `x`), and for the backward pass `mean` (layer norm only)
/// and `rstd` (rows, f32). y is the norm of z as it is stored: see [`LayerNorm`] and [`RmsNorm`], also for what is not finite.
/// m is the mask of [`Dropout`](super::Dropout) over (rows, cols, 1), scaled by 1/(1-p) as it is realised, and is drawn
/// again by [`DropoutAddLayerNormBackward`](super::DropoutAddLayerNormBackward). After training, p is 0. Where x is dropped, z is
/// `residual` bit by bit. Results are the same bit for bit from run to run on a device. One dispatch for z, then those of the
/// norm; more for windows. A device must be able to bind 32 bytes per row, and 4 per column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropoutAddLayerNorm {
    /// How `x`, `residual`, `z` and `y` are stored.
    pub dtype: DType,
    /// Rows. May be 0.
    pub rows: usize,
    /// Values of a row. May be 0; rows·cols is at most 2^34.
    pub cols: usize,
    /// The probability of dropping, 0 to 1, both included.
    pub p: f64,
    /// What the mask is drawn from.
    pub key: Key,
    /// Which elements share a decision; a row is a sample, a column a channel.
    #[serde(default)]
    pub share: Share,
    /// Random bits per decision.
    #[serde(default)]
    pub bits: Bits,
    /// Whether there is a residual.
    #[serde(default = "channels::yes")]
    pub residual: bool,
    /// The normalisation.
    #[serde(default)]
    pub norm: RowNorm,
    /// ε, inside the root; at least 0.
    #[serde(default = "channels::eps")]
    pub eps: f64,
    /// Whether columns have weights.
    #[serde(default = "channels::yes")]
    pub weight: bool,
    /// What a weight multiplies by; with layer norm it is plain.
    #[serde(default)]
    pub weight_form: WeightForm,
    /// Whether columns have biases; RMS norm has none either way.
    #[serde(default = "channels::yes")]
    pub bias: bool,
}

const NAME: &str = "dropout_add_layer_norm";

impl DropoutAddLayerNorm {
    /// Layer norm of the sum, with ε = 1e-5, residual, weight and bias; a decision per element of 16 bits.
    pub fn new(dtype: DType, rows: usize, cols: usize, p: f64, key: Key) -> Self {
        let (share, bits, norm, weight_form) = Default::default();
        let eps = channels::eps();
        Self { dtype, rows, cols, p, key, share, bits, residual: true, norm, eps, weight: true, weight_form, bias: true }
    }

    /// The backward pass of this; `dz` says whether others read z.
    pub fn backward(&self, dz: bool) -> super::DropoutAddLayerNormBackward {
        let Self { dtype, rows, cols, p, key, share, bits, norm, weight, weight_form, bias, .. } = *self;
        super::DropoutAddLayerNormBackward { dtype, rows, cols, p, key, share, bits, norm, weight, weight_form, bias, dz }
    }

    pub(super) fn shape(&self) -> Rows {
        Rows::new(self.rows, self.cols)
    }

    /// The sum alone.
    pub(super) fn branch(&self) -> BiasActDropoutAdd {
        let Self { dtype, rows, cols, p, key, share, bits, residual, .. } = *self;
        let space = Space::channels_last(rows, cols, 1);
        BiasActDropoutAdd { dtype, space, p, key, share, bits, act: Activation::None, bias: false, residual }
    }

    fn layer(&self) -> LayerNorm {
        let Self { dtype, rows, cols, eps, weight, bias, .. } = *self;
        LayerNorm { dtype, rows, cols, eps, weight, bias }
    }

    fn rms(&self) -> RmsNorm {
        let Self { dtype, rows, cols, eps, weight, weight_form, .. } = *self;
        RmsNorm { dtype, rows, cols, eps, weight, weight_form }
    }

    /// What is wrong with the fields, under the name of `op`.
    pub(super) fn check(&self, op: &'static str) -> Result<(), Error> {
        self.layer().check(op, &Arg::read("x", self.dtype, 0))?;
        self.branch().check(op)?;
        if self.norm == RowNorm::Layer && self.weight_form != WeightForm::Plain {
            let why = "is OnePlus, must be plain for layer norm: 1 + w is a convention of RMS norm";
            return Err(Error::argument(op, "weight_form", why));
        }
        Ok(())
    }
}

impl Op for DropoutAddLayerNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, layer) = (self.shape().len(), self.norm == RowNorm::Layer);
        let mut args = vec![Arg::read("x", self.dtype, len)];
        args.extend(self.residual.then(|| Arg::read("residual", self.dtype, len)));
        args.extend(self.weight.then(|| Arg::read("weight", DType::F32, self.cols)));
        args.extend((self.bias && layer).then(|| Arg::read("bias", DType::F32, self.cols)));
        args.extend(["z", "y"].map(|name| Arg::write(name, self.dtype, len)));
        args.extend(layer.then(|| Arg::write("mean", DType::F32, self.rows)));
        args.push(Arg::write("rstd", DType::F32, self.rows));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        self.check(NAME)?;
        let branch = self.branch();
        let (masked, factor) = branch.masked(NAME);
        let z = position(&args, "z").expect("an argument");
        let to = (z, &args[z]);
        out.steps = match (masked.threshold(), self.residual) {
            (0, true) => words::copy(NAME, &windows(caps), (1, &args[1]), to)?,
            (0, false) => words::fill(NAME, &windows(caps), to, 0, Tail::of(to.1))?,
            _ => {
                let shader = kernel!("dropouts/dropout_add_layer_norm");
                let rule = Rule { shader, entry: NAME, scalars: [factor, 0.0, 0.0], consts: &[] };
                let mut tensors = vec![("x", (0, &args[0]))];
                tensors.extend(self.residual.then(|| ("residual", (1, &args[1]))));
                let reads = tensors.len();
                tensors.push(("z", to));
                let onto = [part(if self.residual { "lib/residual_given" } else { "lib/residual_none" })];
                masked.steps_with(caps, &rule, &tensors, reads, branch.decisions(), &onto, &mut |_| vec![])?
            }
        };
        match self.norm {
            RowNorm::Layer => self.layer().append(NAME, &mut out, caps, &args, z)?,
            RowNorm::Rms => self.rms().append(NAME, &mut out, caps, &args, z)?,
        }
        Ok(out)
    }

    fn patterns(&self) -> Vec<Pattern> {
        table::patterns(self.dtype)
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.shape().fill(self.dtype, arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (all, of) = (self.args(), self.shape());
        let data = |name| position(&all, name).map(|i| args[i].to_f64());
        let weight = data("weight").unwrap_or_else(|| vec![1.0; of.cols]);
        let bias = data("bias").unwrap_or_else(|| vec![0.0; of.cols]);
        let (kept, factor) = self.branch().mask();
        let x = args[0].to_f64();
        let residual = data("residual").unwrap_or_else(|| vec![0.0; x.len()]);
        let z = cpu::dropout_add_layer_norm(&x, &residual, &kept, factor);
        let sum = self.branch().reference(&args[..if self.residual { 2 } else { 1 }]).remove(0);
        let Expected::Within { bound: slack, .. } = &sum else { unreachable!("the sum has a bound") };
        let norms = match self.norm {
            RowNorm::Layer => self.layer().results(&z, slack, &weight, &bias),
            RowNorm::Rms => self.rms().results(&z, slack, &weight),
        };
        std::iter::once(sum).chain(norms).collect()
    }
}

pub(super) const ENTRY: Entry = Entry {
    name: NAME,
    summary: "dropout, residual add, and layer or RMS norm of each row; also writes the sum",
    formula: "z = residual + m·x/(1-p), y = norm(z)",
    fields: table::FIELDS,
    cases: table::forward,
    bench: table::forward_bench,
    parse: crate::ops::parse::<DropoutAddLayerNorm>,
};
