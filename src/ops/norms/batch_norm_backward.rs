//! The gradient of batch normalisation in training. Kernel: `shaders/norms/batch_norm_backward.wgsl`. Reference:
//! `cpu::batch_norm_backward`.
use crate::{
    Arg, Caps, Cost, DType, Error, Expected, HostData, Lowered, Op, Pattern, Rng, Slot, Space, Step,
    channels::{self, Channels, Map, Reduction, SumErrors, given_or, position, unused_or, vector, whole},
    cpu,
    fold::Monoid,
    kernel,
    ops::{Entry, Field},
    params,
    segment::check_float,
    wgsl::Spec,
};
use serde::{Deserialize, Serialize};

params! {
    BatchNormBackwardParams { blocks: u32, channels: u32, row: u32, stride: u32, count: u32, coefs: u32, values: f32 }
}

/// The gradients of [`BatchNorm`](super::BatchNorm): with x̂ = (x - μ)·rstd and m values per channel, dβ = Σdy, dγ = Σdy·x̂,
/// dx = γ·rstd·(dy - (dβ + x̂·dγ)/m).
///
/// Reads `x` and `dy` (n·c·s elements), `mean` and `rstd` as the forward op wrote them (c values, f32) and `weight` γ (c, f32;
/// absent: 1). Writes `dx` (as `x`) and, where there is a γ or β, `dweight` and `dbias` (c, f32; 0 for an empty tensor). The
/// sums of a channel are formed in a fixed order: results are the same bit for bit from run to run on a device. Three
/// dispatches, more for tensors beyond the binding limit. A device must be able to bind 16 bytes per channel.
///
/// Error: that of a tree of f32 sums, relative to the sums of magnitudes; x - μ is formed first, from a mean rounded to f32.
/// A NaN or infinity in a channel makes that channel's results NaN or infinite, and no other's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNormBackward {
    /// How `x`, `dy` and `dx` are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// Whether there is a γ, and so a `dweight`.
    #[serde(default = "channels::yes")]
    pub weight: bool,
    /// Whether there is a β, and so a `dbias`.
    #[serde(default = "channels::yes")]
    pub bias: bool,
}

const NAME: &str = "batch_norm_backward";

impl BatchNormBackward {
    /// With γ and β.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self { dtype, space, weight: true, bias: true }
    }
}

impl Op for BatchNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        channels::backward_args(self.dtype, &self.space, ["mean", "rstd"], self.weight, self.bias)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.space.check(NAME)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.space));
        check_float(NAME, &args[0])?;
        if self.space.c == 0 {
            return Ok(out);
        }
        let what = Reduction {
            parts: &["lib/products", "lib/gradient_plain", "lib/center_given"],
            monoid: Monoid::SUM4,
            tensors: &[("x", 0), ("dy", 1)],
            vectors: &[("mean", whole(&args, 2)), ("spread", whole(&args, 3))],
            consts: &[],
            eps: 0.0,
        };
        let partials = tensor.reduce(NAME, &mut out, caps, &args, &what)?.until(&mut out, caps, 64);
        let coefs = out.scratch(16 * tensor.channels, caps);
        let slots = vec![
            Slot::Scratch(partials.range.start..coefs.end),
            whole(&args, 2),
            whole(&args, 3),
            given_or(1.0, &args, "weight", tensor.channels, &mut out, caps),
            unused_or(position(&args, "dweight"), &args, tensor.channels, &mut out, caps),
            unused_or(position(&args, "dbias"), &args, tensor.channels, &mut out, caps),
        ];
        let mut bindings = vec![Monoid::SUM4.decl("partials", true)];
        bindings.extend(["mean", "rstd", "weight"].map(|name| vector(name, false)));
        bindings.extend(["dweight", "dbias"].map(|name| vector(name, true)));
        let blocks = channels::blocks(tensor.channels, caps);
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("norms/batch_norm_backward"),
                entry: NAME,
                parts: vec![],
                bindings,
                consts: vec![("WG", caps.lanes)],
            },
            params: BatchNormBackwardParams {
                blocks: blocks as u32,
                channels: tensor.channels as u32,
                row: partials.row as u32,
                stride: partials.stride as u32,
                count: partials.count as u32,
                coefs: ((coefs.start - partials.range.start) / 16) as u32,
                values: tensor.values().max(1) as f32,
            }
            .into(),
            slots,
            workgroups: blocks,
            trips: partials.count,
        });
        let dx = position(&args, "dx").expect("an argument");
        let tensors = [("x", 0, false), ("dy", 1, false), ("dx", dx, true)];
        tensor.apply(NAME, &mut out, caps, &args, &Map::of("lib/normalize_backward", &tensors), coefs)?;
        Ok(out)
    }

    fn patterns(&self) -> Vec<Pattern> {
        channels::patterns(self.dtype, &self.space)
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
            let (x, dy, mean, rstd) = (of(&all[0]), of(&all[1]), all[2][c], all[3][c]);
            let (dx, dweight, dbias) = cpu::batch_norm_backward(&x, &dy, mean, rstd, weight[c]);
            let off = SumErrors::of(&x, &dy, mean, rstd, 0.0);
            let (m, a) = (x.len() as f64, weight[c] * rstd);
            // The coefficients p = dbias / m and t = rstd * dweight / m: two and three roundings.
            let p_error = off.dbias / m + 3.0 * e32 * (dbias / m).abs();
            let t_error = rstd * off.dweight / m + 4.0 * e32 * (rstd * dweight / m).abs();
            let errors = x.iter().zip(&dy).zip(&dx).map(|((x, dy), dx)| {
                // dy - p, x - mean, its product with t, their difference; then times a, itself a product; and the store.
                let far = (x - mean).abs();
                let sums = (dy - dbias / m).abs() + 3.0 * far * (rstd * dweight / m).abs();
                let inner = p_error + far * t_error + 2.0 * e32 * (sums + p_error + far * t_error);
                let error = a.abs() * inner * (1.0 + 2.0 * e32)
                    + 3.0 * e32 * dx.abs()
                    + 4.0 * (1.0 + a.abs()) * DType::F32.least_normal();
                error + self.dtype.rounding(dx.abs() + error)
            });
            out.put(c, &places, (&dx, errors), (dweight, off.dweight), (dbias, off.dbias));
        }
        out.finish(self.weight, self.bias)
    }

    fn cost(&self) -> Cost {
        // x and dy are read for the sums and again for dx.
        let elements = self.space.len() as u64;
        Cost { bytes: 5 * elements * self.dtype.size(), elements }
    }
}

fn cases() -> Vec<Box<dyn Op>> {
    channels::cases(|i, dtype, space| Box::new(BatchNormBackward { dtype, space, weight: i % 3 != 1, bias: i % 5 < 3 }))
}

fn bench() -> Vec<Box<dyn Op>> {
    channels::benches(|dtype, space| Box::new(BatchNormBackward::new(dtype, space)))
}

pub(super) const ENTRY: Entry = Entry {
    name: NAME,
    summary: "the gradients of batch_norm: of its input, and of γ and β",
    formula: "dx = γ·rstd·(dy - (Σdy + x̂·Σdy·x̂)/m)",
    fields: &[
        Field { name: "dtype", default: "", about: "storage of x, dy and dx: f32, f16 or bf16; vectors are f32" },
        Field { name: "space", default: "", about: "shape: n, c, s and layout (channels_first or channels_last)" },
        Field { name: "weight", default: "true", about: "whether there is a γ, and so a dweight" },
        Field { name: "bias", default: "true", about: "whether there is a β, and so a dbias" },
    ],
    cases,
    bench,
    parse: crate::ops::parse::<BatchNormBackward>,
};
