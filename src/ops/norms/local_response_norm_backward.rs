//! The gradient of local response normalisation. Kernel: `shaders/norms/local_response_norm_backward.wgsl`. Reference:
//! `cpu::local_response_norm_backward`.
use super::LocalResponseNorm;
use super::local_response_norm::positions;
#[cfg(feature = "verify")]
use super::local_response_norm::{benches_of, cases_of};
#[cfg(feature = "verify")]
use super::local_response_norm::{fill, known};
#[cfg(feature = "verify")]
use crate::kernels::channels::sum_of;
use crate::{
    kernel,
    kernels::channels::{self},
    op::{Arg, ByName, Caps, Lowered, Op},
    ops::norms::shared::local_response::Response,
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The backward pass of [`LocalResponseNorm`](super::LocalResponseNorm): with d = k + α/size·Σx² over the neighbourhood about a
/// channel, dxᵢ = dyᵢ·dᵢ^-β - 2αβ/size·xᵢ·Σⱼ dyⱼ·xⱼ·dⱼ^(-β-1), the sum over the channels j whose neighbourhood holds i; or with α in
/// place of α/size.
///
/// Reads `x` and `dy` (n·c·s elements). Writes `dx` (as `x`). The forward pass saves nothing: the denominators are
/// recomputed, size² squares for each element, from cached values, so each tensor crosses the bus once. Deterministic. One
/// dispatch, a second for lengths that are no multiple of four, more for tensors beyond the binding limit; a device must be
/// able to bind two neighbourhoods' channels of one sample at once, 8·size·s bytes for f32 with channels first.
///
/// Where d is 0 or below the least normal number, its powers are taken as 0. A NaN, an infinity or squares that overflow f32 make
/// `dx` NaN where their neighbourhoods reach, and nothing else.
#[op(
    name = "local_response_norm_backward",
    summary = "backward pass of local_response_norm",
    formula = "dxᵢ = dyᵢ·dᵢ^-β - 2αβ/size·xᵢ·Σⱼ dyⱼ·xⱼ·dⱼ^(-β-1)"
)]
pub struct LocalResponseNormBackward {
    /// The forward op.
    #[field(flatten)]
    pub forward: LocalResponseNorm,
}

impl LocalResponseNormBackward {
    /// With PyTorch's usual values: k = 1, α = 1e-4, β = 0.75, the mean of the squares.
    pub fn new(dtype: DType, space: Space, size: usize) -> Self {
        LocalResponseNorm::new(dtype, space, size).into()
    }

    fn response(&self) -> Response {
        Response { op: NAME, ..self.forward.response() }
    }
}

impl Op for LocalResponseNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        let mut args = ["x", "dy"].map(|name| Arg::read(name, of.dtype, of.space.len())).to_vec();
        args.push(Arg::write("dx", of.dtype, of.space.len()));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, of, size) = (self.args(), self.response(), self.forward.size as u64);
        of.check(args.arg("x"), 1.0)?;
        of.lower(caps, &args, kernel!("norms/local_response_norm_backward"), (&["x", "dy"], "dx"), (2, size * (size + 1)))
    }
}

#[cfg(feature = "verify")]
impl Verify for LocalResponseNormBackward {
    fn patterns(&self) -> Vec<Pattern> {
        channels::patterns(self.forward.dtype, &self.forward.space)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        fill(&self.forward.space, arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, data) = (self.response(), Contents::new(self.args(), args));
        let [x, dy] = ["x", "dy"].map(|name| data.f64(name));
        let (mut value, mut bound) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let slope = Approx::host(of.slope());
        for places in positions(&self.forward.space) {
            let [x, dy] = [&x, &dy].map(|from| places.iter().map(|&i| from[i]).collect::<Vec<_>>());
            let exact =
                reference::local_response_norm_backward(&x, &dy, of.sides(), self.forward.k, of.factor(), self.forward.beta);
            let (powers, [before, behind]) = (of.powers(&x), of.sides());
            let term = |j: usize| {
                let [d, p] = powers[j];
                let product = Approx::exact(dy[j]).times(Approx::exact(x[j])).times(p);
                // Where the denominator may be 0, the kernel divides by 1, or by the least normal number.
                let least = DType::F32.least_normal();
                if d.value + d.error < least {
                    return Approx::exact(0.0);
                }
                if d.value - d.error < least {
                    return Approx { value: product.value / least, error: 2.0 * (product.value.abs() + product.error) / least };
                }
                product.over(d)
            };
            for (i, &place) in places.iter().enumerate() {
                let reach = i.saturating_sub(behind)..(i + before + 1).min(x.len());
                let terms: Vec<Approx> = reach.clone().map(term).collect();
                let pull = slope.times(Approx::exact(x[i])).times(sum_of(&terms)).negative();
                let dx = Approx::sum([Approx::exact(dy[i]).times(powers[i][1]), pull]);
                // What the kernel takes for NaN, or for 0, is in reach of this element.
                let taken = reach.into_iter().any(|j| powers[j][1].value.is_nan() || powers[j][1].value == 0.0);
                (value[place], bound[place]) =
                    known(Approx { value: if taken { dx.value } else { exact[i] }, ..dx }, self.forward.dtype);
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    cases_of(|dtype, space, (size, k, alpha, beta, alpha_form)| {
        Box::new(LocalResponseNormBackward::from(LocalResponseNorm { dtype, space, size, k, alpha, beta, alpha_form }))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    benches_of(elements, |dtype, space| Box::new(LocalResponseNormBackward::new(dtype, space, 5)))
}
