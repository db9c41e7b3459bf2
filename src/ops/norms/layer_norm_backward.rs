//! The gradient of layer normalisation. Kernel: `shaders/norms/layer_norm_backward.wgsl`. Reference: `cpu::layer_norm_backward`.
use super::LayerNorm;
#[cfg(feature = "verify")]
use crate::kernels::rows::RowGradients;
use crate::{
    kernel,
    kernels::{
        channels,
        rows::{self, Backward},
    },
    op::{Arg, ByName, Caps, Lowered, Op, check_float},
    options::WeightForm,
    types::{DType, Error, HostData, Rows},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Verify},
    verify::reference,
};
use ridgepole_derive::op;

/// The backward pass of [`LayerNorm`](super::LayerNorm): with x̂ = (x - μ)·rstd and g = dy·γ, dx = rstd·(g - (Σg +
/// x̂·Σg·x̂)/cols) with sums over the row; dγ = Σdy·x̂ and dβ = Σdy over the rows.
///
/// Reads `x` and `dy` (rows·cols elements), `mean` and `rstd` as the forward op wrote them (rows values, f32) and `weight` γ
/// (cols, f32; absent: 1). Writes `dx` (as `x`) and, where there is a γ or β, `dweight` and `dbias` (cols, f32; 0 if there is
/// no row). Sums of rows and of columns are formed in chunks of fixed size and merged in a fixed order: results are the same
/// bit for bit from run to run on a device. One dispatch reads x and dy once where a row is whole quads and fits a workgroup
/// (`cols` a multiple of 4, at most 8192 on a GPU and 16,384 on a software device, and few enough rows for the sums of columns
/// to fit a binding), and two to four more add those sums; else five, three if there is neither γ nor β, and more for long sums.
/// More for tensors beyond the binding limit. A device must be able to bind 32 bytes per row, and 16 per column for every 2^24
/// elements.
///
/// Error: that of a tree of f32 sums, relative to the sums of magnitudes; x - μ is formed first, from a mean rounded to f32.
/// A NaN or infinity makes its row of `dx`, and its column of `dweight` and `dbias`, NaN or infinite, and nothing else of
/// `dx`; one in `x` alone leaves `dbias` finite.
#[op(
    name = "layer_norm_backward",
    summary = "backward pass of layer_norm, to input, γ and β",
    formula = "dx = rstd·(γ·dy - (Σγ·dy + x̂·Σγ·dy·x̂)/cols)"
)]
pub struct LayerNormBackward {
    /// The forward op.
    #[field(flatten, without = [eps])]
    pub forward: LayerNorm,
}

impl LayerNormBackward {
    /// With γ and β.
    pub fn new(dtype: DType, rows: usize, cols: usize) -> Self {
        LayerNorm::new(dtype, rows, cols).into()
    }
}

impl Op for LayerNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        rows::backward_args(of.dtype, of.shape(), &["mean", "rstd"], of.weight, of.bias)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        check_float(NAME, args.arg("x"))?;
        self.forward.shape().check(NAME)?;
        let source = kernel!("norms/layer_norm_backward");
        let kind = Backward { op: NAME, source, centered: true, form: WeightForm::Plain };
        rows::backward(self.forward.shape(), &kind, caps, &args)
    }
}

#[cfg(feature = "verify")]
impl Verify for LayerNormBackward {
    channels::draws!(self.forward, self.forward.shape().space());

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let [x, dy, mean, rstd] = ["x", "dy", "mean", "rstd"].map(|name| of.f64(name));
        let weight = of.f64_or("weight", 1.0, self.forward.cols);
        let values = reference::layer_norm_backward(&x, &dy, &mean, &rstd, &weight);
        let (of, dtype) = (self.forward.shape(), self.forward.dtype);
        let form = WeightForm::Plain;
        let given = RowGradients { of, dtype, x: &x, dy: &dy, mean: Some(&mean), rstd: &rstd, weight: &weight, form };
        given.expected(values, [self.forward.weight, self.forward.bias])
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    rows::cases(|i, dtype, Rows { rows, cols }| {
        Box::new(LayerNormBackward::from(LayerNorm { weight: i % 4 != 1, bias: i % 5 < 3, ..LayerNorm::new(dtype, rows, cols) }))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    rows::benches(elements, |dtype, of| Box::new(LayerNormBackward::new(dtype, of.rows, of.cols)))
}
