//! The gradient of batch normalisation under a mask. Kernel: `shaders/norms/batch_norm_masked_backward.wgsl`. Reference:
//! `cpu::batch_norm_masked_backward`.
#[cfg(feature = "verify")]
use crate::kernels::channels::Results;
#[cfg(feature = "verify")]
use crate::kernels::channels::fill_mask;
use crate::{
    kernel,
    kernels::{
        channels::{self, Channels, Fused, Products, Team, given_or, per_team, position, unused_or, whole},
        reduce::Monoid,
    },
    op::{Arg, Caps, Cost, Lowered, Op, Slot, check_float},
    options::Activation,
    params,
    types::{DType, Error, HostData, Space},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchNormMaskedBackwardParams { blocks: u32, channels: u32, row: u32, stride: u32, count: u32, coefs: u32 } }

/// The backward pass of [`BatchNormMasked`](super::BatchNormMasked): over the m positions that count, with x̂ = (x - μ)·rstd,
/// dβ = Σdy, dγ = Σdy·x̂ and dx = γ·rstd·(dy - (dβ + x̂·dγ)/m); dx is 0 elsewhere.
///
/// Reads `x` and `dy` (n·c·s elements), `mean` and `rstd` as the forward op wrote them (c values, f32), `weight` γ (c, f32;
/// absent: 1) and the forward's `mask` (⌈n·s/32⌉ words, u32). Writes `dx` (as `x`), and `dweight` and `dbias` (c, f32; 0 if
/// no position counts) where there is a γ or β. Values of x and dy where the mask is 0 do not matter. Deterministic. Three
/// dispatches, more for tensors beyond the binding limit; at most 2^32 elements.
///
/// Error and values that are not finite: as in [`BatchNormBackward`](super::BatchNormBackward).
#[op(
    name = "batch_norm_masked_backward",
    summary = "backward pass of batch_norm_masked, to input, γ and β",
    formula = "dx = γ·rstd·(dy - (Σdy + x̂·Σdy·x̂)/m) where the mask is 1, else 0"
)]
pub struct BatchNormMaskedBackward {
    /// How `x`, `dy` and `dx` are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// Whether there is a γ, and so a `dweight`.
    #[field(default = true)]
    pub weight: bool,
    /// Whether there is a β, and so a `dbias`.
    #[field(default = true)]
    pub bias: bool,
}

const PLAIN: Fused = Fused { activation: Activation::None, residual: false };

impl BatchNormMaskedBackward {
    /// With γ and β.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self::from_required(dtype, space)
    }
}

impl Op for BatchNormMaskedBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = PLAIN.backward_args(self.dtype, &self.space, ["mean", "rstd"], self.weight, self.bias);
        let dx = position(&args, "dx").expect("an argument");
        args.insert(dx, channels::mask(&self.space));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        channels::check_masked(NAME, &self.space)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.space));
        check_float(NAME, &args[0])?;
        if self.space.c == 0 {
            return Ok(out);
        }
        let what = Products { fused: PLAIN, mean: 2, eps: None, emits: false };
        let partials = tensor.products(NAME, &mut out, caps, &args, &what)?.few(&mut out, caps);
        let coefs = out.scratch(16 * tensor.channels, caps);
        let vectors = vec![
            ("mean", whole(&args, 2), false),
            ("rstd", whole(&args, 3), false),
            ("weight", given_or(1.0, &args, "weight", tensor.channels, &mut out, caps), false),
            ("dweight", unused_or(position(&args, "dweight"), &args, tensor.channels, &mut out, caps), true),
            ("dbias", unused_or(position(&args, "dbias"), &args, tensor.channels, &mut out, caps), true),
        ];
        let team = Team::of(tensor.channels, partials.count, caps);
        let params = BatchNormMaskedBackwardParams {
            blocks: team.blocks as u32,
            channels: tensor.channels as u32,
            row: partials.row as u32,
            stride: partials.stride as u32,
            count: partials.count as u32,
            coefs: ((coefs.start - partials.range.start) / 16) as u32,
        };
        let first = (Monoid::SUM4.decl("partials", true), Slot::Scratch(partials.range.start..coefs.end));
        let kernel = kernel!("norms/batch_norm_masked_backward");
        out.steps.push(per_team(caps, kernel, first, vectors, (team, params.into())));
        tensor.input_gradient(NAME, &mut out, caps, &args, (parts::channels::NORMALIZE_BACKWARD_OPEN, PLAIN), coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // x and dy are read for the sums and again for dx.
        let elements = self.space.len() as u64;
        Cost { bytes: 5 * elements * self.dtype.size() + 2 * channels::mask(&self.space).bytes(), elements }
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormMaskedBackward {
    fn patterns(&self) -> Vec<Pattern> {
        channels::patterns(self.dtype, &self.space)
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match arg.name {
            "mask" => fill_mask(&self.space, arg, rng, pattern),
            _ => channels::fill(&self.space, self.dtype, arg, rng, pattern),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.space, args, PLAIN);
        let kept = channels::kept(&self.space, &args[position(&self.args(), "mask").expect("an argument")]);
        for c in 0..self.space.c {
            let places = channels::places(&self.space, c);
            let (mean, rstd, weight) = (out.at("mean", c, 0.0), out.at("rstd", c, 0.0), out.at("weight", c, 1.0));
            let (x, dy) = (out.values("x", &places), out.values("dy", &places));
            let (dx, dweight, dbias) = reference::batch_norm_masked_backward(&x, &dy, &kept, [mean, rstd], weight);
            let of = |k: &usize| kept[*k];
            let counted = (0..places.len()).filter(of).map(|k| places[k]).collect();
            let dx: Vec<f64> = (0..places.len()).filter(of).map(|k| dx[k]).collect();
            let pass = out.pass_of(counted, c, mean, Approx::exact(rstd));
            let sums = pass.sums();
            let input = pass.input(Approx::exact(weight), sums, Approx::exact(pass.x.len() as f64));
            out.put_gradients(&pass, &dx, input);
            out.set("dweight", c, Approx { value: dweight, ..sums[0] });
            out.set("dbias", c, Approx { value: dbias, ..sums[1] });
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::few(|i, dtype, space| Box::new(BatchNormMaskedBackward { dtype, space, weight: i % 3 != 1, bias: i % 5 < 3 }))
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::sequence_benches(elements, |dtype, space| Box::new(BatchNormMaskedBackward::new(dtype, space)))
}
