//! The gradient of spectral normalisation. Kernel: `shaders/norms/spectral_norm_backward.wgsl`. Reference:
//! `cpu::spectral_norm_backward`.
use super::SpectralNorm;
use super::spectral_norm::SHAPES;
#[cfg(feature = "verify")]
use crate::kernels::channels::SumErrors;
use crate::{
    kernel,
    kernels::{
        channels::{self, Channels, Map, Reduction, per_channel},
        reduce::Monoid,
    },
    op::{Arg, ByName, Caps, Lowered, Op, Slot, check_float},
    ops::norms::shared::power_iteration,
    params,
    types::{DType, Error, HostData, Rows},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify, bench_shapes},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { SpectralNormBackwardParams { blocks: u32, channels: u32, stride: u32, count: u32, coefs: u32 } }

/// The backward pass of [`SpectralNorm`](super::SpectralNorm): dW = (dY - ⟨dY, W⟩/σ·u·vᵀ)/σ. u and v are held constant, as in
/// the paper; for exact singular vectors this is the full gradient.
///
/// Reads `weight` W and `dy` (rows·cols elements each), `u` (rows, f32), `v` (cols, f32) and `sigma` (f32\[1\]) as the forward op
/// left them; writes `dweight` (as W). Where σ is 0 it is 0. ⟨dY, W⟩ is summed in chunks of fixed size, merged in a fixed order:
/// results are the same bit for bit from run to run on a device. Three dispatches, more for long sums and for tensors beyond the
/// binding limit. A device must be able to bind 16 bytes per row.
///
/// Error: that of a tree of f32 sums, relative to Σ|dY·W|, and four operations more. A NaN or infinity reaches all of `dweight`.
#[op(
    name = "spectral_norm_backward",
    summary = "backward pass of spectral_norm, with the singular vectors held constant",
    formula = "dW = (dY - ⟨dY, W⟩/σ·u·vᵀ)/σ"
)]
pub struct SpectralNormBackward {
    /// The forward op.
    #[field(flatten, without = [iterations, eps])]
    pub forward: SpectralNorm,
}

impl SpectralNormBackward {
    /// Of a weight of this shape.
    pub fn new(dtype: DType, rows: usize, cols: usize) -> Self {
        SpectralNorm::new(dtype, rows, cols).into()
    }
}

impl Op for SpectralNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        let len = of.shape().len();
        vec![
            Arg::read("weight", of.dtype, len),
            Arg::read("dy", of.dtype, len),
            Arg::read("u", DType::F32, of.rows),
            Arg::read("v", DType::F32, of.cols),
            Arg::read("sigma", DType::F32, 1),
            Arg::write("dweight", of.dtype, len),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out, of) = (self.args(), Lowered::default(), self.forward.shape());
        check_float(NAME, args.arg("weight"))?;
        of.check(NAME)?;
        if of.len() == 0 {
            return Ok(out);
        }
        let all = Channels { outer: 1, channels: 1, inner: of.len() as u64 };
        let what = Reduction::of(&[parts::norms::DOT_PRODUCTS], Monoid::SUM4, &[("x", "weight"), ("dy", "dy")]);
        let partials = all.reduce(NAME, &mut out, caps, &args, &what)?.until(&mut out, caps, 64);
        let coefs = out.scratch(16 * self.forward.rows as u64, caps);
        let blocks = channels::blocks(self.forward.rows as u64, caps);
        let params = SpectralNormBackwardParams {
            blocks: blocks as u32,
            channels: self.forward.rows as u32,
            stride: partials.stride as u32,
            count: partials.count as u32,
            coefs: ((coefs.start - partials.range.start) / 16) as u32,
        };
        let first = (Monoid::SUM4.decl("partials", true), Slot::Scratch(partials.range.start..coefs.end));
        let vectors = channels::vectors(&["u", "sigma"], &args, self.forward.rows as u64, &mut out, caps);
        let source = kernel!("norms/spectral_norm_backward");
        out.steps.push(per_channel(caps, source, first, vectors, (blocks, params.into()), partials.count));
        let tensors = [("dy", "dy"), ("dx", "dweight")];
        let map = Map { vectors: &[("v", args.whole("v"))], ..Map::of(parts::norms::RANK_ONE, &tensors) };
        Channels::by_row(of).apply(NAME, &mut out, caps, &args, &map, coefs)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for SpectralNormBackward {
    fn patterns(&self) -> Vec<Pattern> {
        if self.forward.shape().len() > 1 << 20 {
            return vec![Pattern::Ordinary];
        }
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match (arg.name, pattern) {
            ("sigma", Pattern::Zeros) => HostData::from_f64(arg.dtype, [0.0]),
            ("sigma", _) => rng.fill(arg, [0.5, 2.0], Pattern::Ordinary),
            // None is 0: what is infinite times 0 depends on what else may be flushed.
            ("u" | "v", _) => rng.fill(arg, [0.1, 0.5], Pattern::Ordinary),
            ("dy", Pattern::NonFinite) => {
                let mut values = rng.fill(arg, [-1.0, 1.0], Pattern::Ordinary).to_f64();
                if let Some(last) = values.last_mut() {
                    *last = [f64::NAN, f64::INFINITY][rng.word() as usize % 2];
                }
                HostData::from_f64(arg.dtype, values)
            }
            _ => rng.fill(arg, [-1.0, 1.0], Pattern::Ordinary),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let data = Contents::new(self.args(), args);
        let [w, dy, u, v, sigma] = ["weight", "dy", "u", "v", "sigma"].map(|name| data.f64(name));
        let value = reference::spectral_norm_backward(&w, &dy, &u, &v, sigma[0]);
        let dot =
            Approx { value: w.iter().zip(&dy).map(|(w, dy)| w * dy).sum(), error: SumErrors::of(&w, &dy, 0.0, 1.0, 0.0).dweight };
        let sigma = Approx::exact(sigma[0]);
        let share = power_iteration::quotient(dot, sigma);
        let bound = |(i, dy): (usize, &f64)| {
            let term = share.times(Approx::exact(u[i / self.forward.cols])).times(Approx::exact(v[i % self.forward.cols]));
            let dweight = power_iteration::quotient(Approx::sum([Approx::exact(*dy), term.negative()]), sigma);
            Approx { value: value[i], ..dweight }.stored(self.forward.dtype)
        };
        let bound = dy.iter().enumerate().map(bound).collect();
        vec![Expected::Within { value, bound }]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    // The last is so long that its sum takes a reduction level, and leaves more than one partial.
    let shapes = SHAPES.into_iter().chain([(1500, 30), (1100, 1001)]).enumerate();
    shapes
        .map(|(i, (rows, cols))| Box::new(SpectralNormBackward::new(DType::FLOATS[i % 3], rows, cols)) as Box<dyn Verify>)
        .collect()
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let Rows { rows, cols } = bench_shapes::matrix(elements, [1, 1]);
    [DType::F32, DType::F16].map(|dtype| Box::new(SpectralNormBackward::new(dtype, rows, cols)) as Box<dyn Verify>).into()
}
