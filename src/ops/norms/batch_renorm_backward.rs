//! The gradient of batch renormalisation. Kernel: `shaders/norms/batch_renorm_backward.wgsl`. Reference:
//! `cpu::batch_renorm_backward`.
use super::BatchRenorm;
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
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchRenormBackwardParams { team: Team, coefs: u32, values: f32 } }

/// The backward pass of [`BatchRenorm`](super::BatchRenorm), with r and d held constant: with x̂ = (x - μ_B)·rstd and m
/// values per channel, dβ = Σdy, dγ = Σdy·(x̂·r + d), dx = γ·r·rstd·(dy - (Σdy + x̂·Σdy·x̂)/m).
///
/// Reads `x` and `dy` (n·c·s elements), `mean` and `rstd` as the forward op wrote them (c values, f32), `weight` γ (c, f32;
/// absent: 1) and the forward's `correction` (2·c, f32: r, then d). Writes `dx` (as `x`), and `dweight` and `dbias` (c, f32; 0
/// for an empty tensor) where there is a γ or β. Deterministic. Three dispatches, more for tensors beyond the binding limit.
///
/// Error and values that are not finite: as in [`BatchNormBackward`](super::BatchNormBackward). Ioffe, 2017: the gradient does
/// not flow through r and d, nor into the running statistics.
#[op(
    name = "batch_renorm_backward",
    summary = "backward pass of batch_renorm, to input, γ and β",
    formula = "dx = γ·r·rstd·(dy - (Σdy + x̂·Σdy·x̂)/m), dγ = Σdy·(x̂·r + d)"
)]
pub struct BatchRenormBackward {
    /// The forward op.
    #[field(flatten, without = [eps, running, r_max, d_max])]
    pub forward: BatchRenorm,
}

impl BatchRenormBackward {
    /// With γ and β.
    pub fn new(dtype: DType, space: Space) -> Self {
        BatchRenorm::new(dtype, space).into()
    }
}

impl Op for BatchRenormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        let mut args = Fused::PLAIN.backward_args(of.dtype, &of.space, ["mean", "rstd"], of.weight, of.bias);
        let dx = args.place("dx");
        args.insert(dx, Arg::read("correction", DType::F32, of.space.c.saturating_mul(2)));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.forward.space.check(NAME)?;
        let (args, mut out, tensor) = (self.args(), Lowered::default(), Channels::of(&self.forward.space));
        check_float(NAME, args.arg("x"))?;
        if self.forward.space.c == 0 {
            return Ok(out);
        }
        let what = Products::of(Fused::PLAIN);
        let partials = tensor.products(NAME, &mut out, caps, &args, &what)?.few(&mut out, caps);
        let merge = Merge::of(&partials, &mut out, caps);
        let vectors =
            vectors(&["mean", "rstd", "weight", "correction", "dweight", "dbias"], &args, tensor.channels, &mut out, caps);
        let params = BatchRenormBackwardParams { team: merge.team, coefs: merge.start, values: tensor.values().max(1) as f32 };
        out.steps.push(merge.step(caps, kernel!("norms/batch_renorm_backward"), vectors, params));
        let how = (parts::channels::NORMALIZE_BACKWARD_OPEN, Fused::PLAIN);
        tensor.input_gradient(NAME, &mut out, caps, &args, how, merge.coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // x and dy are read for the sums and again for dx.
        channels::cost(self.forward.dtype, &self.forward.space, 5)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchRenormBackward {
    fn patterns(&self) -> Vec<Pattern> {
        channels::patterns(self.forward.dtype, &self.forward.space)
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        channels::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match arg.name {
            "correction" => {
                let (r, d) = ([0.3, 3.0], [-5.0, 5.0]);
                let draw = |i: usize| if i < self.forward.space.c { r } else { d };
                HostData::from_f64(arg.dtype, (0..arg.len).map(|i| draw(i)[0] + (draw(i)[1] - draw(i)[0]) * rng.unit()))
            }
            _ => channels::fill(&self.forward.space, self.forward.dtype, arg, rng, pattern),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.forward.space, args, Fused::PLAIN);
        for c in 0..self.forward.space.c {
            let (mean, rstd, weight) = (out.at("mean", c, 0.0), out.at("rstd", c, 0.0), out.at("weight", c, 1.0));
            let given = [c, self.forward.space.c + c].map(|i| out.at("correction", i, 0.0));
            let pass = out.pass(c, mean, Approx::exact(rstd));
            let (dx, dweight, dbias) = reference::batch_renorm_backward(&pass.x, &pass.gradients(), [mean, rstd], given, weight);
            let [product, sum] = pass.sums();
            let [r, d] = given.map(Approx::exact);
            let input = pass.input(Approx::exact(weight).times(r), [product, sum], Approx::exact(pass.x.len() as f64));
            out.put_gradients(&pass, &dx, input);
            out.set("dweight", c, Approx { value: dweight, ..Approx::sum([r.times(product), d.times(sum)]) });
            out.set("dbias", c, Approx { value: dbias, ..sum });
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::few(|i, dtype, space| {
        Box::new(BatchRenormBackward::from(BatchRenorm { weight: i % 3 != 1, bias: i % 5 < 3, ..BatchRenorm::new(dtype, space) }))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::benches(elements, |dtype, space| Box::new(BatchRenormBackward::new(dtype, space)))
}
