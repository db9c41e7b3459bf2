//! The gradient of dropout, residual and normalisation. Kernels: those of `layer_norm_backward` or `rms_norm_backward`, then
//! `shaders/dropouts/dropout_add_layer_norm_backward.wgsl`. Reference: `cpu::dropout_add_layer_norm_backward`, and theirs.
use super::DropoutAddLayerNorm;
#[cfg(feature = "verify")]
use super::dropout_add_layer_norm::fill;
use crate::{
    kernel,
    kernels::{
        copy::{self, Tail, windows},
        rows::{self, Backward},
    },
    op::{Access, Arg, ByName, Caps, Lowered, Op},
    ops::dropouts::shared::masked_map::Rule,
    options::{RowNorm, WeightForm},
    types::{DType, Error},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::{channels, rows::RowGradients},
    op::{Contents, Expected, Pattern, Rng, Verify},
    types::HostData,
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The gradients of [`DropoutAddLayerNorm`]: dresidual is the gradient of z, from the norm's backward pass and, with `dz`,
/// from other readers of z; dx = m·dresidual/(1-p) with a regenerated mask.
///
/// Reads `z` and `dy` (rows·cols elements), `mean` (layer norm only) and `rstd` as the forward op wrote them (rows values,
/// f32), `weight` (cols, f32; absent: 1) and, with `dz`, `dz`, the gradient from the other readers of z (as `z`). Writes
/// `dresidual` and `dx` (as `z`) and, where there is a weight or bias, `dweight` and `dbias` (cols, f32; 0 if there is no
/// row). dx is computed from dresidual as stored. See [`LayerNormBackward`](crate::ops::LayerNormBackward) and
/// [`RmsNormBackward`](crate::ops::RmsNormBackward) for order, errors and needs; one dispatch more than theirs, more for
/// windows.
#[op(
    name = "dropout_add_layer_norm_backward",
    summary = "backward pass of dropout_add_layer_norm, to input, residual, and the norm's weight and bias",
    formula = "dresidual = norm'(z)·dy + dz, dx = m·dresidual/(1-p)",
    cases = DropoutAddLayerNormBackward::cases,
    bench = DropoutAddLayerNormBackward::bench
)]
pub struct DropoutAddLayerNormBackward {
    /// The forward op.
    #[field(flatten, without = [residual, eps])]
    pub forward: DropoutAddLayerNorm,
    /// Whether z has other readers, and so a `dz`.
    #[field(default)]
    pub dz: bool,
}

impl DropoutAddLayerNorm {
    /// The backward pass of this; `dz` says whether others read z.
    pub fn backward(&self, dz: bool) -> DropoutAddLayerNormBackward {
        DropoutAddLayerNormBackward { forward: self.held(), dz }
    }

    /// As the backward op holds it: what does not matter there is at its default.
    fn held(&self) -> Self {
        Self { residual: true, eps: 1e-5, ..self.clone() }
    }
}

impl DropoutAddLayerNormBackward {
    fn form(&self) -> WeightForm {
        if self.forward.weight { self.forward.weight_form } else { WeightForm::Plain }
    }

    fn centered(&self) -> bool {
        self.forward.norm == RowNorm::Layer
    }
}

impl Op for DropoutAddLayerNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.forward.held().shape().len();
        let (bias, statistics) = (self.forward.bias && self.centered(), ["mean", "rstd"]);
        let mut args = ["z", "dy"].map(|name| Arg::read(name, self.forward.dtype, len)).to_vec();
        let statistics = &statistics[usize::from(!self.centered())..];
        args.extend(statistics.iter().map(|name| Arg::read(name, DType::F32, self.forward.rows)));
        args.extend(self.forward.weight.then(|| Arg::read("weight", DType::F32, self.forward.cols)));
        args.extend(self.dz.then(|| Arg::read("dz", self.forward.dtype, len)));
        args.extend(["dresidual", "dx"].map(|name| Arg::write(name, self.forward.dtype, len)));
        args.extend(self.forward.weight.then(|| Arg::write("dweight", DType::F32, self.forward.cols)));
        args.extend(bias.then(|| Arg::write("dbias", DType::F32, self.forward.cols)));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, forward, centered) = (self.args(), self.forward.held(), self.centered());
        forward.check(NAME)?;
        // To the norm, z is x and dresidual is dx.
        let name = |arg: &Arg| match arg.name {
            "dresidual" => "dx",
            "z" => "x",
            "dx" => "unknown to the norm",
            name => name,
        };
        let renamed: Vec<Arg> = args.iter().map(|a| Arg { name: name(a), ..*a }).collect();
        let source = if centered { kernel!("norms/layer_norm_backward") } else { kernel!("norms/rms_norm_backward") };
        let kind = Backward { op: NAME, source, centered, form: self.form() };
        let mut out = rows::backward(forward.shape(), &kind, caps, &renamed)?;
        let (from, to) = (args.at("dresidual"), args.at("dx"));
        let (masked, factor) = forward.branch().masked(NAME)?;
        out.steps.extend(if masked.keeps_none() {
            copy::fill(NAME, &windows(caps), to, 0, Tail::of(to.1))?
        } else if masked.keeps_all() {
            copy::copy(NAME, &windows(caps), from, to)?
        } else {
            // What was written before is read.
            let from = (from.0, &Arg { access: Access::Read, ..*from.1 });
            let rule = Rule::scaled(kernel!("dropouts/dropout_add_layer_norm_backward"), NAME, factor);
            masked.steps(caps, &rule, &[("x", from), ("y", to)], masked.source())?
        });
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for DropoutAddLayerNormBackward {
    fn patterns(&self) -> Vec<Pattern> {
        fill::patterns(self.forward.dtype)
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        if pattern == Pattern::Offset && arg.name == "rstd" && !self.centered() {
            // As the forward op would find it beside such values of z.
            return HostData::from_f64(arg.dtype, (0..arg.len).map(|_| (0.7 + 0.6 * rng.unit()) / 6e5));
        }
        let arg = Arg { name: if arg.name == "z" { "x" } else { arg.name }, ..*arg };
        rows::fill(self.forward.held().shape(), self.forward.dtype, &arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (data, forward) = (Contents::new(self.args(), args), self.forward.held());
        let (branch, of, form, dtype) = (forward.branch(), forward.shape(), self.form(), forward.dtype);
        let [z, dy, rstd] = ["z", "dy", "rstd"].map(|name| data.f64(name));
        let (mean, weight) = (data.find("mean").map(HostData::to_f64), data.f64_or("weight", 1.0, of.cols));
        let values = match &mean {
            Some(mean) => reference::layer_norm_backward(&z, &dy, mean, &rstd, &weight),
            None => {
                let (dx, dweight) = reference::rms_norm_backward(&z, &dy, &rstd, &weight, form.offset());
                (dx, dweight, vec![])
            }
        };
        let others = data.f64_or("dz", 0.0, z.len());
        let (kept, factor) = branch.mask();
        let (_, dresidual) = reference::dropout_add_layer_norm_backward(&values.0, &others, &kept, factor);
        let given = RowGradients { of, dtype, x: &z, dy: &dy, mean: mean.as_deref(), rstd: &rstd, weight: &weight, form };
        let errors = given.input_errors(&values.0);
        let norm = given.expected(values, [self.forward.weight, self.forward.bias && mean.is_some()]).into_iter().skip(1);
        let stored: Vec<Approx> = (0..z.len())
            .map(|i| {
                let by_norm = Approx { value: dresidual[i] - others[i], error: errors[i] };
                let sum = if self.dz { Approx::sum([by_norm, Approx::exact(others[i])]) } else { by_norm };
                let sum = Approx { value: dresidual[i], ..sum };
                let f32 = Approx { error: sum.stored_with_ulp(DType::F32), ..sum };
                if dtype == DType::F32 { f32 } else { sum.rounded_to(dtype) }
            })
            .collect();
        // dx is that of the gradient as it is stored.
        let dresidual: Vec<f64> = stored.iter().map(|d| d.value).collect();
        let (dx, _) = reference::dropout_add_layer_norm_backward(&dresidual, &vec![0.0; z.len()], &kept, factor);
        let (mut of_residual, mut of_x) = (vec![], vec![]);
        for (i, stored) in stored.into_iter().enumerate() {
            let off = if stored.value.is_finite() { stored.error } else { 0.0 };
            of_residual.push(off);
            of_x.push(match (kept[i], branch.dropout().keep() == 1.0) {
                (false, _) => 0.0,
                _ if !dx[i].is_finite() => 0.0,
                (true, true) => off,
                (true, false) => stored.times(Approx::exact(factor)).stored(dtype),
            });
        }
        let sum = [(dresidual, of_residual), (dx, of_x)].map(|(value, bound)| Expected::Within { value, bound });
        sum.into_iter().chain(norm).collect()
    }
}
