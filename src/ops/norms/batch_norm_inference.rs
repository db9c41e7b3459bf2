//! Batch normalisation by running statistics. Kernel: `shaders/norms/batch_norm_inference.wgsl`. Reference:
//! `cpu::batch_norm_inference`.
use crate::{
    Arg, Caps, DType, Error, Expected, HostData, Lowered, Op, Pattern, Rng, Slot, Space, Step,
    channels::{self, Channels, Map, given_or, position, vector, whole},
    cpu, kernel,
    ops::{Entry, Field},
    params,
    segment::check_float,
    wgsl::{Decl, Spec, View},
};
use serde::{Deserialize, Serialize};

params! { BatchNormInferenceParams { blocks: u32, channels: u32, eps: f32 } }

/// y = γ·(x - r_μ)/√(r_σ² + ε) + β with running statistics: what [`BatchNorm`](super::BatchNorm) does once trained.
///
/// Reads `x` (n·c·s elements), `running_mean`, `running_var` (c values, f32; the variance at least 0), `weight` γ (c, f32;
/// absent: 1) and `bias` β (c, f32; absent: 0). Writes `y` (as `x`). Deterministic. Two dispatches, more for tensors beyond
/// the binding limit. Where r_σ² + ε is 0, 1/√ is taken as 0; where it is negative, y is NaN.
///
/// Error: x - r_μ is formed first, so nothing cancels; a few roundings of f32 in each factor, and that of the storage type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNormInference {
    /// How `x` and `y` are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// ε, added to the variance inside the root; at least 0.
    #[serde(default = "channels::eps")]
    pub eps: f64,
    /// Whether there is a γ.
    #[serde(default = "channels::yes")]
    pub weight: bool,
    /// Whether there is a β.
    #[serde(default = "channels::yes")]
    pub bias: bool,
}

const NAME: &str = "batch_norm_inference";

impl BatchNormInference {
    /// With ε = 1e-5, γ and β.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self { dtype, space, eps: channels::eps(), weight: true, bias: true }
    }
}

impl Op for BatchNormInference {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, c) = (self.space.len(), self.space.c);
        let mut args = vec![Arg::read("x", self.dtype, len)];
        args.extend(["running_mean", "running_var"].map(|name| Arg::read(name, DType::F32, c)));
        args.extend(self.weight.then(|| Arg::read("weight", DType::F32, c)));
        args.extend(self.bias.then(|| Arg::read("bias", DType::F32, c)));
        args.push(Arg::write("y", self.dtype, len));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.space.check(NAME)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.space));
        check_float(NAME, &args[0])?;
        channels::check_eps(NAME, self.eps)?;
        if self.space.is_empty() {
            return Ok(out);
        }
        let coefs = out.scratch(16 * tensor.channels, caps);
        let slots = vec![
            whole(&args, 1),
            whole(&args, 2),
            given_or(1.0, &args, "weight", tensor.channels, &mut out, caps),
            given_or(0.0, &args, "bias", tensor.channels, &mut out, caps),
            Slot::Scratch(coefs.clone()),
        ];
        let mut bindings = ["running_mean", "running_var", "weight", "bias"].map(|name| vector(name, false)).to_vec();
        bindings.push(Decl { name: "coefs", dtype: DType::F32, view: View::Raw("vec4<f32>"), writes: true });
        let blocks = channels::blocks(tensor.channels, caps);
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("norms/batch_norm_inference"),
                entry: NAME,
                parts: vec![],
                bindings,
                consts: vec![("WG", caps.lanes)],
            },
            params: BatchNormInferenceParams { blocks: blocks as u32, channels: tensor.channels as u32, eps: self.eps as f32 }
                .into(),
            slots,
            workgroups: blocks,
            trips: 0,
        });
        let y = position(&args, "y").expect("an argument");
        tensor.apply(NAME, &mut out, caps, &args, &Map::of("lib/normalize", &[("x", 0, false), ("y", y, true)]), coefs)?;
        Ok(out)
    }

    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Offset, Pattern::NonFinite]
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        channels::fill(&self.space, self.dtype, arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let e32 = DType::F32.epsilon();
        let all = self.args();
        let data =
            |name, otherwise| position(&all, name).map_or_else(|| vec![otherwise; self.space.c], |i: usize| args[i].to_f64());
        let (x, mean, variance) = (args[0].to_f64(), args[1].to_f64(), args[2].to_f64());
        let (weight, bias) = (data("weight", 1.0), data("bias", 0.0));
        let (mut value, mut bound) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        for c in 0..self.space.c {
            let rstd = cpu::inverse_std(variance[c], self.eps);
            let off = channels::inverse_std_error(variance[c], 0.0, self.eps);
            for i in channels::places(&self.space, c) {
                let y = cpu::batch_norm_inference(x[i], mean[c], variance[c], self.eps, weight[c], bias[c]);
                // The difference, two products and the sum, each rounded once, and the store.
                let error = (x[i] - mean[c]).abs() * weight[c].abs() * (off + 4.0 * e32 * rstd)
                    + e32 * (y.abs() + bias[c].abs())
                    + 4.0 * DType::F32.least_normal();
                value[i] = y;
                bound[i] = if y.is_finite() { error + self.dtype.rounding(y.abs() + error) } else { 0.0 };
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

fn cases() -> Vec<Box<dyn Op>> {
    channels::cases(|i, dtype, space| {
        let eps = if i % 5 == 2 { 0.0 } else { 1e-5 };
        Box::new(BatchNormInference { dtype, space, eps, weight: i % 3 != 1, bias: i % 5 < 3 })
    })
}

fn bench() -> Vec<Box<dyn Op>> {
    channels::benches(|dtype, space| Box::new(BatchNormInference::new(dtype, space)))
}

pub(super) const ENTRY: Entry = Entry {
    name: NAME,
    summary: "normalises each channel by its running mean and variance",
    formula: "y = γ·(x - r_μ)/√(r_σ² + ε) + β",
    fields: &[
        Field { name: "dtype", default: "", about: "storage of x and y: f32, f16 or bf16; vectors are f32" },
        Field { name: "space", default: "", about: "shape: n, c, s and layout (channels_first or channels_last)" },
        Field { name: "eps", default: "1e-5", about: "ε, added to the variance inside the root, at least 0" },
        Field { name: "weight", default: "true", about: "whether there is a γ" },
        Field { name: "bias", default: "true", about: "whether there is a β" },
    ],
    cases,
    bench,
    parse: crate::ops::parse::<BatchNormInference>,
};
