//! The gradients of weight normalisation. Kernels: `shaders/lib/channels/line_backward.wgsl` where filters stay on the chip, else
//! `shaders/norms/weight_norm_backward.wgsl`. Reference: `cpu::weight_norm_backward`.
use super::WeightNorm;
#[cfg(feature = "verify")]
use super::weight_norm::fill;
#[cfg(feature = "verify")]
use crate::kernels::channels::sum_of;
use crate::{
    kernel,
    kernels::{
        channels::{Map, Merge, Reduction, vectors},
        reduce::Monoid,
    },
    op::{Arg, ByName, Caps, Lowered, Op, check_float},
    ops::norms::shared::filters::{self, Filters, per_filter},
    types::{DType, Error, HostData},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The backward pass of [`WeightNorm`](super::WeightNorm): dg = Σdw·v/‖v‖ over the filter, and dv = g/‖v‖·(dw - v/‖v‖·dg),
/// which is orthogonal to v.
///
/// Reads `v` and `dw` (rows·cols elements), `g` (one f32 per filter) and `inverse_norm` as the forward op wrote it (f32 per
/// filter). Writes `dv` (as `v`) and `dg` (f32 per filter). Sums are formed in chunks of fixed size and merged in a fixed order:
/// results are the same bit for bit from run to run on a device. One dispatch that reads v and dw once where a filter is a row of whole
/// quads and fits a workgroup (a multiple of 4, at most 8192 values on a GPU; on a software device as in
/// [`GroupNorm`](super::GroupNorm)); else three, and more for
/// long filters. More for tensors beyond the binding limit. A device must be able to bind 32 bytes per filter (4 with one
/// dispatch).
///
/// Where `inverse_norm` is 0, that is for a filter of zeros, no gradient exists: `dv` and `dg` are 0 (NaN in PyTorch), so the
/// filter stays at 0 until something else changes it. A NaN or infinity makes its filter of `dv` and its `dg` NaN or
/// infinite, and nothing else.
#[op(
    name = "weight_norm_backward",
    summary = "backward pass of weight_norm, to directions and norms",
    formula = "dg = Σdw·v/‖v‖, dv = g/‖v‖·(dw - v/‖v‖·dg)"
)]
pub struct WeightNormBackward {
    /// The forward op.
    #[field(flatten)]
    pub forward: WeightNorm,
}

impl WeightNormBackward {
    /// Filters are rows.
    pub fn new(dtype: DType, rows: usize, cols: usize) -> Self {
        WeightNorm::new(dtype, rows, cols).into()
    }
}

impl Op for WeightNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        let (len, filters) = (of.shape().len(), of.shape().count());
        let mut args = ["v", "dw"].map(|name| Arg::read(name, of.dtype, len)).to_vec();
        args.extend(["g", "inverse_norm"].map(|name| Arg::read(name, DType::F32, filters)));
        args.push(Arg::write("dv", of.dtype, len));
        args.push(Arg::write("dg", DType::F32, filters));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out, of) = (self.args(), Lowered::default(), self.forward.shape());
        check_float(NAME, args.arg("v"))?;
        of.check(NAME)?;
        if of.count() == 0 {
            return Ok(out);
        }
        let filters = of.count() as u64;
        if let Some(shape) = of.backward_shape(self.forward.dtype.size(), caps) {
            let mut vectors = vectors(&["g", "dg"], &args, filters, &mut out, caps);
            vectors.insert(0, ("rstd", args.whole("inverse_norm"), false));
            let (parts, to) = (&[parts::channels::CENTER_NONE, parts::norms::LINE_DIRECTION], (&mut out, caps, &args[..]));
            filters::backward(NAME, to, &shape, parts, ["v", "dw", "dv"], vectors)?;
            return Ok(out);
        }
        let tensor = of.tensor();
        let what = Reduction {
            vectors: &[("spread", args.whole("inverse_norm"))],
            ..Reduction::of(
                &[parts::channels::PRODUCTS, parts::channels::GRADIENT_PLAIN, parts::channels::CENTER_NONE],
                Monoid::SUM4,
                &[("x", "v"), ("dy", "dw")],
            )
        };
        let partials = tensor.reduce(NAME, &mut out, caps, &args, &what)?.few(&mut out, caps);
        let merge = Merge::of(&partials, &mut out, caps);
        let vectors = vectors(&["g", "inverse_norm", "dg"], &args, filters, &mut out, caps);
        out.steps.push(per_filter(caps, kernel!("norms/weight_norm_backward"), &merge, vectors));
        let map = Map::of(parts::norms::SCALE_FILTERS_BACKWARD, &[("v", "v"), ("dw", "dw"), ("dv", "dv")]);
        tensor.apply(NAME, &mut out, caps, &args, &map, merge.coefs)?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for WeightNormBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward.shape().patterns(self.forward.dtype)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        fill(self.forward.shape(), self.forward.dtype, arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, data) = (self.forward.shape(), Contents::new(self.args(), args));
        let [v, dw, g, inverse] = ["v", "dw", "g", "inverse_norm"].map(|name| data.f64(name));
        let zeros = |len: usize| (vec![0.0; len], vec![0.0; len]);
        let (mut dv, mut dg) = (zeros(v.len()), zeros(of.count()));
        for f in 0..of.count() {
            let places = of.places(f);
            let at = |from: &[f64]| places.iter().map(|&i| from[i]).collect::<Vec<_>>();
            let (exact, along) = reference::weight_norm_backward(&at(&v), &at(&dw), g[f], inverse[f]);
            let [scale, factor] = [inverse[f], g[f]].map(Approx::exact);
            let [v, dw] = [at(&v), at(&dw)].map(|all| all.into_iter().map(Approx::exact).collect::<Vec<_>>());
            let terms: Vec<Approx> = v.iter().zip(&dw).map(|(v, dw)| v.times(scale).times(*dw)).collect();
            let sum = Approx { value: along, ..sum_of(&terms) };
            (dg.0[f], dg.1[f]) = (along, sum.error);
            for (((&i, value), v), dw) in places.iter().zip(exact).zip(&v).zip(&dw) {
                let rest = Approx::sum([*dw, v.times(scale).times(sum).negative()]);
                let kernel = rest.times(scale).times(factor);
                (dv.0[i], dv.1[i]) = (value, Approx { value, ..kernel }.stored(self.forward.dtype));
            }
        }
        [dv, dg].map(|(value, bound)| Expected::Within { value, bound }).into()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    filters::cases(|_, dtype, Filters { rows, cols, axis }| {
        Box::new(WeightNormBackward::from(WeightNorm { dtype, rows, cols, axis }))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    filters::benches(elements, |dtype, Filters { rows, cols, axis }| {
        Box::new(WeightNormBackward::from(WeightNorm { dtype, rows, cols, axis }))
    })
}
