//! The gradient of batch normalisation in virtual batches. Kernel: `shaders/norms/batch_norm_ghost_backward.wgsl`. Reference:
//! `cpu::batch_norm_ghost_backward`.
use super::BatchNormGhost;
#[cfg(feature = "verify")]
use crate::kernels::channels::Results;
use crate::{
    kernel,
    kernels::{
        channels::{self, Fused, Ghosts, Map, per_channel, vectors},
        copy::{self, Tail},
        reduce::Monoid,
    },
    op::{Arg, ByName, Caps, Cost, Lowered, Op, check_float},
    params,
    types::{DType, Error, HostData, Space},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { BatchNormGhostBackwardParams { blocks: u32, channels: u32, batches: u32, runs: u32, coefs: u32, values: f32 } }

/// The backward pass of [`BatchNormGhost`](super::BatchNormGhost): in each virtual batch, with its m values per channel and
/// x̂ = (x - μ)·rstd, dx = γ·rstd·(dy - (Σdy + x̂·Σdy·x̂)/m); over all of them, dβ = Σdy and dγ = Σdy·x̂.
///
/// Reads `x` and `dy` (n·c·s elements), `mean` and `rstd` as the forward op wrote them (n/virtual_batch · c values, f32) and
/// `weight` γ (c, f32; absent: 1). Writes `dx` (as `x`), and `dweight` and `dbias` (c, f32; 0 for an empty tensor) where there is
/// a γ or β. Deterministic. Three dispatches, more for tensors beyond the binding limit; the limits of the forward op hold.
///
/// Error and values that are not finite: as in [`BatchNormBackward`](super::BatchNormBackward), by virtual batch.
#[op(
    name = "batch_norm_ghost_backward",
    summary = "backward pass of batch_norm_ghost, to input, γ and β",
    formula = "dx = γ·rstd_g·(dy - (Σdy + x̂·Σdy·x̂)/m), the sums over g"
)]
pub struct BatchNormGhostBackward {
    /// The forward op.
    #[field(flatten, without = [eps, running, ghost_running])]
    pub forward: BatchNormGhost,
}

impl BatchNormGhostBackward {
    /// With γ and β.
    pub fn new(dtype: DType, space: Space, virtual_batch: usize) -> Self {
        BatchNormGhost::new(dtype, space, virtual_batch).into()
    }
}

impl Op for BatchNormGhostBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        let lines = (of.space.n / of.virtual_batch.max(1)).saturating_mul(of.space.c);
        channels::backward_args(of.dtype, &of.space, (["mean", "rstd"], lines), of.weight, of.bias)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let ghosts = Ghosts::new(NAME, &self.forward.space, self.forward.virtual_batch)?;
        let (args, mut out, c) = (self.args(), Lowered::default(), self.forward.space.c as u64);
        check_float(NAME, args.arg("x"))?;
        if ghosts.lines() == 0 {
            // No statistics are there to bind, and the gradients are 0.
            for name in ["dweight", "dbias"] {
                if let Some(to) = args.find_at(name).filter(|_| c > 0) {
                    out.steps.extend(copy::fill(NAME, caps, to, 0, Tail::of(to.1))?);
                }
            }
            return Ok(out);
        }
        let (partials, runs) = ghosts.products(NAME, &mut out, caps, &args)?;
        let (slot, start, coefs) = partials.with_coefs(NAME, &mut out, caps, ghosts.lines())?;
        let vectors = vectors(&["mean", "rstd", "weight", "dweight", "dbias"], &args, c, &mut out, caps);
        let blocks = channels::blocks(c, caps);
        let params = BatchNormGhostBackwardParams {
            blocks: blocks as u32,
            channels: c as u32,
            batches: ghosts.batches as u32,
            runs: runs as u32,
            coefs: start,
            values: ghosts.values().max(1) as f32,
        };
        let trips = ghosts.batches * (runs + 1);
        let kernel = kernel!("norms/batch_norm_ghost_backward");
        let first = (Monoid::SUM4.decl("partials", true), slot);
        out.steps.push(per_channel(caps, kernel, first, vectors, (blocks, params.into()), trips));
        let tensors = [("x", "x"), ("dy", "dy"), ("dx", "dx")];
        let map = Map::of(parts::channels::NORMALIZE_BACKWARD_OPEN, &tensors);
        ghosts.apply(NAME, &mut out, caps, &args, (&map, &[parts::channels::DX_PLAIN, parts::channels::VISIBLE_ALL]), coefs)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        // x and dy are read for the sums and again for dx.
        channels::cost(self.forward.dtype, &self.forward.space, 5)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchNormGhostBackward {
    channels::draws!(self.forward, self.forward.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut out = Results::of(self, &self.forward.space, args, Fused::PLAIN);
        let (m, channels) = (self.forward.virtual_batch.saturating_mul(self.forward.space.s), self.forward.space.c);
        for c in 0..channels {
            let (places, weight) = (channels::places(&self.forward.space, c), out.at("weight", c, 1.0));
            let batches = places.len().checked_div(m).unwrap_or(0);
            let line = |g: usize| g * channels + c;
            let given: Vec<[f64; 2]> =
                (0..batches).map(|g| [out.at("mean", line(g), 0.0), out.at("rstd", line(g), 0.0)]).collect();
            let (x, dy) = (out.values("x", &places), out.values("dy", &places));
            let (dx, dweight, dbias) = reference::batch_norm_ghost_backward(&x, &dy, m, &given, weight);
            let mut totals = [Approx::exact(0.0); 2];
            for (g, [mean, rstd]) in given.iter().enumerate() {
                let pass = out.pass_of(places[g * m..(g + 1) * m].to_vec(), c, *mean, Approx::exact(*rstd));
                let sums = pass.sums();
                totals = [0, 1].map(|k| Approx::sum([totals[k], sums[k]]));
                let input = pass.input(Approx::exact(weight), sums, Approx::exact(m as f64));
                out.put_gradients(&pass, &dx[g * m..(g + 1) * m], input);
            }
            out.put_sums(c, [dweight, dbias], totals);
        }
        out.finish()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::ghosts(|i, dtype, space, virtual_batch| {
        let forward = BatchNormGhost { weight: i % 3 != 1, bias: i % 5 < 3, ..BatchNormGhost::new(dtype, space, virtual_batch) };
        Box::new(BatchNormGhostBackward::from(forward))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::ghost_benches(elements, |dtype, space, size| Box::new(BatchNormGhostBackward::new(dtype, space, size)))
}
