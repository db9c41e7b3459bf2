//! The gradient of batch normalisation under a mask. Kernel: `shaders/norms/batch_norm_masked_backward.wgsl`. Reference:
//! `cpu::batch_norm_masked_backward`.
use super::BatchNormMasked;
#[cfg(feature = "verify")]
use crate::kernels::channels::Results;
use crate::{
    kernel,
    kernels::channels::{self, Channels, Fused, Merge, Products, Team, vectors},
    op::{Arg, ByName, Caps, Cost, Lowered, Op, check_float},
    params,
    types::{DType, Error, HostData, Space},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchNormMaskedBackwardParams { team: Team, coefs: u32 } }

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
    /// The forward op.
    #[field(flatten, without = [eps, running])]
    pub forward: BatchNormMasked,
}

impl BatchNormMaskedBackward {
    /// With γ and β.
    pub fn new(dtype: DType, space: Space) -> Self {
        BatchNormMasked::new(dtype, space).into()
    }
}

impl Op for BatchNormMaskedBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        let mut args = Fused::PLAIN.backward_args(of.dtype, &of.space, ["mean", "rstd"], of.weight, of.bias);
        let dx = args.place("dx");
        args.insert(dx, channels::mask(&of.space));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        channels::check_masked(NAME, &self.forward.space)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.forward.space));
        check_float(NAME, args.arg("x"))?;
        if self.forward.space.c == 0 {
            return Ok(out);
        }
        let what = Products::of(Fused::PLAIN);
        let partials = tensor.products(NAME, &mut out, caps, &args, &what)?.few(&mut out, caps);
        let merge = Merge::of(&partials, &mut out, caps);
        let vectors = vectors(&["mean", "rstd", "weight", "dweight", "dbias"], &args, tensor.channels, &mut out, caps);
        let params = BatchNormMaskedBackwardParams { team: merge.team, coefs: merge.start };
        out.steps.push(merge.step(caps, kernel!("norms/batch_norm_masked_backward"), vectors, params));
        let how = (parts::channels::NORMALIZE_BACKWARD_OPEN, Fused::PLAIN);
        tensor.input_gradient(NAME, &mut out, caps, &args, how, merge.coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // x and dy are read for the sums and again for dx.
        let elements = self.forward.space.len() as u64;
        Cost { bytes: 5 * elements * self.forward.dtype.size() + 2 * channels::mask(&self.forward.space).bytes(), elements }
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormMaskedBackward {
    channels::draws!(self.forward, self.forward.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.forward.space, args, Fused::PLAIN);
        let kept = channels::kept(&self.forward.space, Contents::new(self.args(), args).get("mask"));
        for c in 0..self.forward.space.c {
            let places = channels::places(&self.forward.space, c);
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
            out.put_sums(c, [dweight, dbias], sums);
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::few(|i, dtype, space| {
        let forward = BatchNormMasked { weight: i % 3 != 1, bias: i % 5 < 3, ..BatchNormMasked::new(dtype, space) };
        Box::new(BatchNormMaskedBackward::from(forward))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::sequence_benches(elements, |dtype, space| Box::new(BatchNormMaskedBackward::new(dtype, space)))
}
