//! The gradient of batch normalisation by running statistics. Kernel: `shaders/norms/batch_norm_frozen_backward.wgsl`. Reference:
//! `cpu::batch_norm_frozen_backward`.
use crate::{
    Arg, Caps, Cost, DType, Error, Expected, HostData, Lowered, Op, Pattern, Rng, Slot, Space, Step,
    channels::{self, Channels, Map, Reduction, SumErrors, given_or, position, unused_or, vector, whole},
    cpu,
    fold::{Monoid, Partials},
    kernel,
    ops::{Entry, Field},
    params,
    segment::check_float,
    wgsl::Spec,
};
use serde::{Deserialize, Serialize};

params! {
    BatchNormFrozenBackwardParams { blocks: u32, channels: u32, row: u32, stride: u32, count: u32, coefs: u32, eps: f32 }
}

/// The gradients of [`BatchNormInference`](super::BatchNormInference), for training with frozen statistics: with
/// rstd = 1/√(r_σ² + ε), dx = γ·rstd·dy, dγ = Σdy·(x - r_μ)·rstd, dβ = Σdy.
///
/// Reads `x` and `dy` (n·c·s elements), `running_mean` and `running_var` (c values, f32; the variance at least 0) and `weight`
/// γ (c, f32; absent: 1). Writes `dx` (as `x`) and, where there is a γ or β, `dweight` and `dbias` (c, f32; 0 for an empty
/// tensor). With neither, `x` is not read. The sums of a channel are formed in a fixed order: results are the same bit for
/// bit from run to run on a device. Three dispatches, more for tensors beyond the binding limit. A device must be able to
/// bind 16 bytes per channel.
///
/// Error: that of a tree of f32 sums, relative to the sums of magnitudes; for dx, a few roundings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNormFrozenBackward {
    /// How `x`, `dy` and `dx` are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// ε, added to the variance inside the root; at least 0.
    #[serde(default = "channels::eps")]
    pub eps: f64,
    /// Whether there is a γ, and so a `dweight`.
    #[serde(default = "channels::yes")]
    pub weight: bool,
    /// Whether there is a β, and so a `dbias`.
    #[serde(default = "channels::yes")]
    pub bias: bool,
}

const NAME: &str = "batch_norm_frozen_backward";

impl BatchNormFrozenBackward {
    /// With ε = 1e-5, γ and β.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self { dtype, space, eps: channels::eps(), weight: true, bias: true }
    }
}

impl Op for BatchNormFrozenBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        channels::backward_args(self.dtype, &self.space, ["running_mean", "running_var"], self.weight, self.bias)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.space.check(NAME)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.space));
        check_float(NAME, &args[0])?;
        channels::check_eps(NAME, self.eps)?;
        if self.space.c == 0 {
            return Ok(out);
        }
        let what = Reduction {
            parts: &["lib/products", "lib/gradient_plain", "lib/center_given"],
            monoid: Monoid::SUM4,
            tensors: &[("x", 0), ("dy", 1)],
            vectors: &[("mean", whole(&args, 2)), ("spread", whole(&args, 3))],
            consts: &[("VARIANCE", 1)],
            eps: self.eps as f32,
        };
        let partials = if self.weight || self.bias {
            tensor.reduce(NAME, &mut out, caps, &args, &what)?.until(&mut out, caps, 64)
        } else {
            Partials::interleaved(NAME, &mut out, caps, Monoid::SUM4, tensor.channels, 0)?
        };
        let coefs = out.scratch(16 * tensor.channels, caps);
        let slots = vec![
            Slot::Scratch(partials.range.start..coefs.end),
            whole(&args, 3),
            given_or(1.0, &args, "weight", tensor.channels, &mut out, caps),
            unused_or(position(&args, "dweight"), &args, tensor.channels, &mut out, caps),
            unused_or(position(&args, "dbias"), &args, tensor.channels, &mut out, caps),
        ];
        let mut bindings = vec![Monoid::SUM4.decl("partials", true)];
        bindings.extend(["running_var", "weight"].map(|name| vector(name, false)));
        bindings.extend(["dweight", "dbias"].map(|name| vector(name, true)));
        let blocks = channels::blocks(tensor.channels, caps);
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("norms/batch_norm_frozen_backward"),
                entry: NAME,
                parts: vec![],
                bindings,
                consts: vec![("WG", caps.lanes)],
            },
            params: BatchNormFrozenBackwardParams {
                blocks: blocks as u32,
                channels: tensor.channels as u32,
                row: partials.row as u32,
                stride: partials.stride as u32,
                count: partials.count as u32,
                coefs: ((coefs.start - partials.range.start) / 16) as u32,
                eps: self.eps as f32,
            }
            .into(),
            slots,
            workgroups: blocks,
            trips: partials.count,
        });
        let dx = position(&args, "dx").expect("an argument");
        tensor.apply(NAME, &mut out, caps, &args, &Map::of("lib/normalize", &[("x", 1, false), ("y", dx, true)]), coefs)?;
        Ok(out)
    }

    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::NonFinite]
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        channels::fill(&self.space, self.dtype, arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let e32 = DType::F32.epsilon();
        let all: Vec<Vec<f64>> = args[..4].iter().map(HostData::to_f64).collect();
        let weight = if self.weight { args[4].to_f64() } else { vec![1.0; self.space.c] };
        let mut out = channels::Gradients::new(&self.space);
        for c in 0..self.space.c {
            let places = channels::places(&self.space, c);
            let of = |from: &[f64]| places.iter().map(|&i| from[i]).collect::<Vec<f64>>();
            let (x, dy, mean) = (of(&all[0]), of(&all[1]), all[2][c]);
            let rstd = cpu::inverse_std(all[3][c], self.eps);
            let rstd_error = channels::inverse_std_error(all[3][c], 0.0, self.eps);
            let (dx, dweight, dbias) = cpu::batch_norm_frozen_backward(&x, &dy, mean, rstd, weight[c]);
            let off = SumErrors::of(&x, &dy, mean, rstd, rstd_error);
            // γ·rstd and its product with dy, and the store.
            let errors = dy.iter().zip(&dx).map(|(dy, dx)| {
                let error = (dy * weight[c]).abs() * rstd_error + 3.0 * e32 * dx.abs() + 4.0 * DType::F32.least_normal();
                error + self.dtype.rounding(dx.abs() + error)
            });
            out.put(c, &places, (&dx, errors), (dweight, off.dweight), (dbias, off.dbias));
        }
        out.finish(self.weight, self.bias)
    }

    fn cost(&self) -> Cost {
        // The least: x and dy read, dx written.
        let (elements, tensors) = (self.space.len() as u64, if self.weight || self.bias { 3 } else { 2 });
        Cost { bytes: tensors * elements * self.dtype.size(), elements }
    }
}

fn cases() -> Vec<Box<dyn Op>> {
    channels::cases(|i, dtype, space| {
        let eps = if i % 5 == 2 { 0.0 } else { 1e-5 };
        Box::new(BatchNormFrozenBackward { dtype, space, eps, weight: i % 3 != 1, bias: i % 5 < 3 })
    })
}

fn bench() -> Vec<Box<dyn Op>> {
    channels::benches(|dtype, space| Box::new(BatchNormFrozenBackward::new(dtype, space)))
}

pub(super) const ENTRY: Entry = Entry {
    name: NAME,
    summary: "the gradients of batch_norm_inference: of its input, and of γ and β",
    formula: "dx = γ·dy/√(r_σ² + ε)",
    fields: &[
        Field { name: "dtype", default: "", about: "storage of x, dy and dx: f32, f16 or bf16; vectors are f32" },
        Field { name: "space", default: "", about: "shape: n, c, s and layout (channels_first or channels_last)" },
        Field { name: "eps", default: "1e-5", about: "ε, added to the variance inside the root, at least 0" },
        Field { name: "weight", default: "true", about: "whether there is a γ, and so a dweight" },
        Field { name: "bias", default: "true", about: "whether there is a β, and so a dbias" },
    ],
    cases,
    bench,
    parse: crate::ops::parse::<BatchNormFrozenBackward>,
};
