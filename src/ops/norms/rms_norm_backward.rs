//! The gradient of RMS norm. Kernel: `shaders/norms/rms_norm_backward.wgsl`. Reference: `cpu::rms_norm_backward`.
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
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::reference,
};
use ridgepole_derive::op;

/// The backward pass of [`RmsNorm`](super::RmsNorm): with x̂ = x·rstd and g = dy·w (or dy·(1 + w)), dx = rstd·(g -
/// x̂·Σg·x̂/cols) with the sum over the row; dw = Σdy·x̂ over the rows.
///
/// Reads `x` and `dy` (rows·cols elements), `rstd` as the forward op wrote it (rows values, f32) and `weight` w (cols, f32;
/// absent: the factor is 1). Writes `dx` (as `x`) and, where there is a w, `dweight` (cols, f32; 0 if there is no row). Sums of
/// rows and of columns are formed in chunks of fixed size and merged in a fixed order: results are the same bit for bit from
/// run to run on a device. One dispatch reads x and dy once where a row is whole quads and fits a workgroup (`cols` a multiple
/// of 4, at most 8192 on a GPU and 16,384 on a software device, and few enough rows for the sums of columns to fit a binding),
/// and one or two more add those sums; else five, three if there is no w, and more for long sums. More for tensors beyond the
/// binding limit. A device must be able to bind 32 bytes per row, and 16 per column for every 2^24 elements.
///
/// Error: that of a tree of f32 sums, relative to the sums of magnitudes. A NaN or infinity makes its row of `dx` and its
/// column of `dweight` NaN or infinite, and nothing else.
#[op(
    name = "rms_norm_backward",
    summary = "backward pass of rms_norm, to input and w",
    formula = "dx = rstd·(w·dy - x̂·Σw·dy·x̂/cols)"
)]
pub struct RmsNormBackward {
    /// How `x`, `dy` and `dx` are stored.
    pub dtype: DType,
    /// Rows. May be 0.
    pub rows: usize,
    /// Values of a row. May be 0; rows·cols is at most 2^34 - 4.
    pub cols: usize,
    /// Whether there is a w, and so a `dweight`.
    #[field(default = true)]
    pub weight: bool,
    /// Whether the factor is w or 1 + w.
    #[field(default)]
    pub weight_form: WeightForm,
}

impl RmsNormBackward {
    /// With a plain weight.
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
}

impl Op for RmsNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        rows::backward_args(self.dtype, self.shape(), &["rstd"], self.weight, false)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        check_float(NAME, args.arg("x"))?;
        self.shape().check(NAME)?;
        let source = kernel!("norms/rms_norm_backward");
        let kind = Backward { op: NAME, source, centered: false, form: self.form() };
        rows::backward(self.shape(), &kind, caps, &args)
    }
}

#[cfg(feature = "verify")]
impl Verify for RmsNormBackward {
    fn patterns(&self) -> Vec<Pattern> {
        rows::patterns(self.shape(), self.dtype)
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        if pattern == Pattern::Offset && arg.name == "rstd" {
            // As the forward op would find it beside such values of x.
            let scale = if self.dtype == DType::F32 { 6e5 } else { 100.0 };
            return HostData::from_f64(arg.dtype, (0..arg.len).map(|_| (0.7 + 0.6 * rng.unit()) / scale));
        }
        rows::fill(self.shape(), self.dtype, arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, form) = (Contents::new(self.args(), args), self.form());
        let [x, dy, rstd] = ["x", "dy", "rstd"].map(|name| of.f64(name));
        let weight = of.f64_or("weight", 1.0, self.cols);
        let (dx, dweight) = reference::rms_norm_backward(&x, &dy, &rstd, &weight, form.offset());
        let (of, dtype) = (self.shape(), self.dtype);
        let given = RowGradients { of, dtype, x: &x, dy: &dy, mean: None, rstd: &rstd, weight: &weight, form };
        given.expected((dx, dweight, vec![]), [self.weight, false])
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    rows::few_cases(|i, dtype, Rows { rows, cols }| {
        let weight_form = if i % 7 < 3 { WeightForm::OnePlus } else { WeightForm::Plain };
        Box::new(RmsNormBackward { weight: i % 4 != 1, weight_form, ..RmsNormBackward::new(dtype, rows, cols) })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    rows::benches(elements, |dtype, of| Box::new(RmsNormBackward::new(dtype, of.rows, of.cols)))
}
