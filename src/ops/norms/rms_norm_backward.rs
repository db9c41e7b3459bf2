//! The gradient of RMS norm. Kernel: `shaders/norms/rms_norm_backward.wgsl`. Reference: `cpu::rms_norm_backward`.
use super::RmsNorm;
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
    /// The forward op.
    #[field(flatten, without = [eps])]
    pub forward: RmsNorm,
}

impl RmsNormBackward {
    /// With a plain weight.
    pub fn new(dtype: DType, rows: usize, cols: usize) -> Self {
        RmsNorm::new(dtype, rows, cols).into()
    }
}

impl Op for RmsNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        rows::backward_args(of.dtype, of.shape(), &["rstd"], of.weight, false)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        check_float(NAME, args.arg("x"))?;
        self.forward.shape().check(NAME)?;
        let source = kernel!("norms/rms_norm_backward");
        let kind = Backward { op: NAME, source, centered: false, form: self.forward.form() };
        rows::backward(self.forward.shape(), &kind, caps, &args)
    }
}

#[cfg(feature = "verify")]
impl Verify for RmsNormBackward {
    fn patterns(&self) -> Vec<Pattern> {
        rows::patterns(self.forward.shape(), self.forward.dtype)
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        if pattern == Pattern::Offset && arg.name == "rstd" {
            // As the forward op would find it beside such values of x.
            let scale = if self.forward.dtype == DType::F32 { 6e5 } else { 100.0 };
            return HostData::from_f64(arg.dtype, (0..arg.len).map(|_| (0.7 + 0.6 * rng.unit()) / scale));
        }
        rows::fill(self.forward.shape(), self.forward.dtype, arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, form) = (Contents::new(self.args(), args), self.forward.form());
        let [x, dy, rstd] = ["x", "dy", "rstd"].map(|name| of.f64(name));
        let weight = of.f64_or("weight", 1.0, self.forward.cols);
        let (dx, dweight) = reference::rms_norm_backward(&x, &dy, &rstd, &weight, form.offset());
        let (of, dtype) = (self.forward.shape(), self.forward.dtype);
        let given = RowGradients { of, dtype, x: &x, dy: &dy, mean: None, rstd: &rstd, weight: &weight, form };
        given.expected((dx, dweight, vec![]), [self.forward.weight, false])
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    rows::few_cases(|i, dtype, Rows { rows, cols }| {
        let weight_form = if i % 7 < 3 { WeightForm::OnePlus } else { WeightForm::Plain };
        Box::new(RmsNormBackward::from(RmsNorm { weight: i % 4 != 1, weight_form, ..RmsNorm::new(dtype, rows, cols) }))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    rows::benches(elements, |dtype, of| Box::new(RmsNormBackward::new(dtype, of.rows, of.cols)))
}
