//! DropConnect, forward. Kernel: `shaders/dropouts/drop_connect.wgsl`. Reference: `cpu::drop_connect`.
use super::Dropout;
use crate::{
    kernel,
    op::{Arg, ByName, Caps, Lowered, Op},
    options::{Bits, Key, Scaling},
    types::{DType, Error, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Verify},
    types::HostData,
    verify::reference,
};
use ridgepole_derive::op;

#[cfg(feature = "verify")]
mod cases;

/// DropConnect: masked = m·weight/(1-p), with a random decision m for each weight of a matrix and of its bias.
///
/// Reads `weight`, rows × cols, and `bias`, rows, if there is one; writes `masked_weight` and `masked_bias`, for the matrix
/// product that follows. One mask serves the whole batch; a mask per sample, as in the paper, would need a weight matrix per
/// sample. Count training steps in `key.step`, so that each step has its own mask. No scratch. Deterministic. A dispatch for
/// the weight and one for the bias, one more for an end that is no whole quad, one for each window beyond the binding limit.
///
/// Weight e, in the order of rows, has decision first_element + e of the key, and the bias of row r has decision 2^63 +
/// first_element/cols + r. So a layer may be split by rows over devices: with the index of its first weight in
/// `first_element`, each part draws the mask of the whole. [`Bits`] says how a decision is made; masks are equal bit for bit
/// on every device.
///
/// A dropped weight is +0 whatever it holds, even NaN. T = 2^b (p = 0, inverted scaling after training) copies every bit; T =
/// 0 (p = 1) writes zeros. After training, inverted scaling copies the weights; scaling at test time gives the expectation
/// (1-p)·weight over all masks. The paper's inference, which samples the units' inputs from a normal distribution with their
/// mean and variance over all masks, is an op on activations and not part of this one.
///
/// Error: one f32 product with a factor that is rounded to f32 on the host, and the rounding of the storage type.
/// [`Plan::update`](crate::device::Plan::update) as for [`Dropout`](super::Dropout).
///
/// Wan, Zeiler, Zhang, LeCun and Fergus, "Regularization of neural networks using DropConnect", 2013.
#[op(
    name = "drop_connect",
    summary = "DropConnect: drops weights and biases of a layer at random and rescales the rest",
    formula = "masked = m·weight/(1-p), m = 1 with probability 1-p (scale_at_test: m·weight, and (1-p)·weight after training)",
    cases = DropConnect::cases,
    bench = DropConnect::bench
)]
pub struct DropConnect {
    /// How all tensors are stored.
    pub dtype: DType,
    /// Rows of the weight matrix: units of the layer.
    pub rows: usize,
    /// Its columns: inputs of the layer. rows·cols is at most 2^34 - 4.
    pub cols: usize,
    /// The probability of dropping a weight.
    #[field(min = 0, max = 1)]
    pub p: f64,
    /// What the mask is drawn from. With a bias, `first_element` is a multiple of `cols`, and below 2^62.
    pub key: Key,
    /// Whether there is a bias: its values are dropped like weights.
    #[field(default)]
    pub bias: bool,
    /// Whether kept weights are scaled in training or all weights after it.
    #[field(default)]
    pub scaling: Scaling,
    /// Random bits per decision.
    #[field(default)]
    pub bits: Bits,
    /// Whether the network is in training. If not, nothing is dropped: inverted scaling copies, scaling at test time multiplies
    /// by T/2^b.
    #[field(default = true)]
    pub training: bool,
}

impl DropConnect {
    /// Training, no bias, 16 bits to a decision, inverted scaling.
    pub fn new(dtype: DType, [rows, cols]: [usize; 2], p: f64, key: Key) -> Self {
        Self::from_required(dtype, rows, cols, p, key)
    }

    /// rows·cols, and rows if there is a bias. Saturates; lowering refuses such a matrix.
    pub(super) fn lens(&self) -> Vec<usize> {
        let weights = self.rows.saturating_mul(self.cols);
        if self.bias { vec![weights, self.rows] } else { vec![weights] }
    }

    /// Arguments of these names, for weight and bias.
    pub(super) fn tensors(&self, names: [&'static str; 2], make: fn(&'static str, DType, usize) -> Arg) -> Vec<Arg> {
        names.into_iter().zip(self.lens()).map(|(name, len)| make(name, self.dtype, len)).collect()
    }

    /// The key of the weight's decisions, and that of the bias', whose numbers begin at 2^63.
    fn keys(&self) -> [Key; 2] {
        let first = self.key.first_element / self.cols.max(1) as u64;
        [self.key, Key { first_element: (1 << 63) | first, ..self.key }]
    }

    /// The op on the weight, and that on the bias.
    pub(super) fn dropouts(&self) -> Vec<Dropout> {
        let Self { dtype, p, scaling, bits, training, .. } = *self;
        let one = |(len, key)| Dropout { scaling, bits, training, ..Dropout::new(dtype, Space::flat(len), p, key) };
        self.lens().into_iter().zip(self.keys()).map(one).collect()
    }

    /// What is wrong with the sizes and with the key, under the name of `op`.
    pub(super) fn check(&self, op: &'static str) -> Result<(), Error> {
        let Self { rows, cols, key, .. } = *self;
        // With a size of 0 taken for 1: the bias of a matrix without columns still has a value for each row.
        if rows.max(1).saturating_mul(cols.max(1)) as u64 > Space::MAX_LEN {
            let why = format!("is {rows} for {cols} columns: must be at most 2^34 - 4 weights, split by key.first_element");
            return Err(Error::argument(op, "rows", why));
        }
        let first = key.first_element;
        if self.bias && (!first.is_multiple_of(cols.max(1) as u64) || first >= 1 << 62) {
            let why = format!("has first_element {first}, must be a multiple of {cols} below 2^62: with a bias, rows are whole");
            return Err(Error::argument(op, "key", why));
        }
        Ok(())
    }

    /// The maps of weight and bias by the kernel that writes anew, from arguments of the first names to those of the others.
    pub(super) fn maps(
        &self,
        op: &'static str,
        caps: &Caps,
        args: &[Arg],
        names: [[&'static str; 2]; 2],
    ) -> Result<Lowered, Error> {
        self.check(op)?;
        let mut out = Lowered::default();
        for (dropout, places) in self.dropouts().iter().zip(names) {
            let kernel = (kernel!("dropouts/drop_connect"), NAME);
            out.steps.extend(dropout.steps(op, caps, kernel, places.map(|name| args.at(name)), None)?);
        }
        Ok(out)
    }
}

impl Op for DropConnect {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = self.tensors(["weight", "bias"], Arg::read);
        args.extend(self.tensors(["masked_weight", "masked_bias"], Arg::write));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.maps(NAME, caps, &self.args(), [["weight", "masked_weight"], ["bias", "masked_bias"]])
    }
}

#[cfg(feature = "verify")]
impl Verify for DropConnect {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Tiny, Pattern::NonFinite]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let one = |(d, name): (&Dropout, &str)| d.expected(of.get(name), &d.kept(None), reference::drop_connect);
        self.dropouts().iter().zip(["weight", "bias"]).map(one).collect()
    }
}
