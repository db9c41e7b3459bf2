//! Losses of pairs of a prediction and a target: arguments, dispatches, bounds.
use crate::{
    kernels::{
        partition::{self, Window},
        reduce::{Monoid, Partials},
    },
    op::{Arg, ByName, Caps, Lowered, Step, check_float},
    ops::losses::shared::check_grad_scale,
    options::{LossReduction, check_derived},
    params,
    types::{DType, Error, Space},
    wgsl::{Decl, Source, Spec, parts},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    types::HostData,
    verify::Approx,
};

params! { PairwiseLossParams { window: Window, partial: u32, scale: f32, factor: f32, curve: f32, knee: f32, slope: f32 } }

/// The most elements of a tensor: quads are counted in 32 bits.
const MOST: u64 = Space::MAX_LEN;

/// A loss of pairs, as it differs from the others.
pub(crate) trait PairLoss {
    /// The op's own file: value and derivative by the difference.
    const MAP: Source;

    /// What all have.
    fn pairs(&self) -> Pairs;

    /// What the map asks of the parameters: curve, knee, slope.
    fn words(&self) -> [f64; 3] {
        [0.0; 3]
    }

    /// What is wrong with the op's own fields.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Value and derivative, of prediction and target in f64.
    #[cfg(feature = "verify")]
    fn exact(&self, p: f64, t: f64) -> (f64, f64);

    /// How far both may be off, of a difference that is off by as much as it says.
    #[cfg(feature = "verify")]
    fn errors(&self, d: Approx) -> [f64; 2];
}

/// What all losses of pairs have.
pub(crate) struct Pairs {
    pub dtype: DType,
    pub len: usize,
    pub reduction: LossReduction,
    pub grad: bool,
    pub grad_scale: f64,
}

/// Makes of a [`PairLoss`] what ops are. Its fields have the names of [`Pairs`], and its file has the constant `NAME`.
macro_rules! pair_loss {
    ($op:ident) => {
        impl crate::op::Op for $op {
            fn name(&self) -> &'static str {
                NAME
            }

            fn args(&self) -> Vec<crate::op::Arg> {
                self.pairs().args()
            }

            fn lower(&self, caps: &crate::op::Caps) -> Result<crate::op::Lowered, crate::types::Error> {
                self.check()?;
                self.pairs().lower(NAME, caps, Self::MAP, self.words())
            }
        }

        #[cfg(feature = "verify")]
        impl crate::op::Verify for $op {
            fn patterns(&self) -> Vec<crate::op::Pattern> {
                self.pairs().patterns()
            }

            fn fill(
                &self,
                arg: &crate::op::Arg,
                rng: &mut crate::op::Rng,
                pattern: crate::op::Pattern,
            ) -> crate::types::HostData {
                self.pairs().fill(arg, rng, pattern)
            }

            fn reference(&self, args: &[crate::types::HostData]) -> Vec<crate::op::Expected> {
                self.pairs().expected(args, |p, t| self.exact(p, t), |d| self.errors(d))
            }
        }
    };
}
pub(crate) use pair_loss;

impl Pairs {
    fn each(&self) -> bool {
        self.reduction == LossReduction::None
    }

    fn scale(&self) -> f64 {
        if self.reduction == LossReduction::Mean && self.len > 0 { 1.0 / self.len as f64 } else { 1.0 }
    }

    pub fn args(&self) -> Vec<Arg> {
        let mut args = ["pred", "target"].map(|name| Arg::read(name, self.dtype, self.len)).to_vec();
        args.push(Arg::write("loss", DType::F32, if self.each() { self.len } else { 1 }));
        args.extend(self.grad.then(|| Arg::write("dpred", self.dtype, self.len)));
        args
    }

    /// The dispatches of the loss of this name.
    pub fn lower(&self, name: &'static str, caps: &Caps, map: Source, words: [f64; 3]) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        let (args, mut out) = (self.args(), Lowered::default());
        check_float(name, args.arg("pred"))?;
        if self.len as u64 > MOST {
            return Err(Error::argument(name, "len", format!("is {}, must be at most 2^34 - 4: split it", self.len)));
        }
        check_grad_scale(name, self.grad_scale)?;
        if self.grad {
            check_derived(name, "grad_scale", "grad_scale / len", self.scale() * self.grad_scale)?;
        }
        let bytes = if self.each() { 4 } else { self.dtype.size() };
        let block = u64::from(caps.lanes) * u64::from(caps.quads);
        let pieces = partition::flat(name, caps, self.len as u64, bytes, block)?;
        let (partials, first) = Partials::of_pieces(name, &mut out, caps, Monoid::SUM, &pieces)?;
        for (piece, partial) in pieces.iter().zip(first) {
            let decl = |name, dtype, writes| Decl { name, dtype, view: piece.view(), writes };
            let mut bindings = vec![decl("pred", self.dtype, false), decl("wanted", self.dtype, false)];
            let mut slots = vec![piece.of(&args, "pred"), piece.of(&args, "target")];
            let mut parts = vec![];
            if self.each() {
                parts.push(parts::losses::VALUES_EACH);
                bindings.push(decl("loss", DType::F32, true));
                slots.push(piece.of(&args, "loss"));
            } else {
                parts.push(parts::losses::VALUES_SUM);
                bindings.push(Monoid::SUM.decl("partial_sums", true));
                slots.push(partials.slot());
            }
            if self.grad {
                parts.push(parts::losses::GRADIENT_KEPT);
                bindings.push(decl("gradient_out", self.dtype, true));
                slots.push(piece.of(&args, "dpred"));
            } else {
                parts.push(parts::losses::GRADIENT_NONE);
            }
            parts.push(map);
            let [curve, knee, slope] = words.map(|v| v as f32);
            out.steps.push(Step {
                spec: Spec {
                    shader: parts::losses::PAIRWISE_LOSS,
                    entry: "pairwise_loss",
                    parts,
                    bindings,
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: PairwiseLossParams {
                    window: piece.window(),
                    partial,
                    scale: self.scale() as f32,
                    factor: (self.scale() * self.grad_scale) as f32,
                    curve,
                    knee,
                    slope,
                }
                .into(),
                slots,
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads) + u64::from(caps.lanes.ilog2()),
            });
        }
        if !self.each() {
            let (place, loss) = args.at("loss");
            partials.into_arg(&mut out, caps, place, loss);
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Pairs {
    pub fn patterns(&self) -> Vec<Pattern> {
        if self.len > 100_000 {
            return vec![Pattern::Zeros];
        }
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Offset, Pattern::Tiny, Pattern::NonFinite]
    }

    /// A sum hides what infinities do behind one NaN: in tensors of even length there is none. Predictions meet some targets.
    #[cfg(feature = "verify")]
    pub fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let offset = if pattern == Pattern::Offset { 1e4 } else { 0.0 };
        let drawn = if offset > 0.0 { Pattern::Ordinary } else { pattern };
        let values = rng.fill(arg, [-2.0, 2.0], drawn).to_f64();
        let one = |(i, v): (usize, f64)| match (v.is_nan() && arg.len.is_multiple_of(2), i % 16 == 7 && v.is_finite()) {
            (true, _) => 0.5,
            (_, true) => offset + 0.25,
            _ => offset + v,
        };
        HostData::from_f64(arg.dtype, values.into_iter().enumerate().map(one))
    }

    /// From value and derivative by the difference: `exact` of prediction and target in f64, `errors` of a difference that is
    /// off by as much as it says.
    #[cfg(feature = "verify")]
    pub fn expected(
        &self,
        args: &[HostData],
        exact: impl Fn(f64, f64) -> (f64, f64),
        errors: impl Fn(Approx) -> [f64; 2],
    ) -> Vec<Expected> {
        let (e, least) = (DType::F32.epsilon(), DType::F32.least_normal());
        let of = Contents::new(self.args(), args);
        let (p, t) = (of.f64("pred"), of.f64("target"));
        let (scale, factor) = (Approx::host(self.scale()), Approx::host(self.scale() * self.grad_scale));
        let (mut loss, mut grad) = ((vec![], vec![]), (vec![], vec![]));
        let bound = |value: f64, bound: f64| if value.is_finite() { bound } else { 0.0 };
        for (p, t) in p.into_iter().zip(t) {
            let (value, slope) = exact(p, t);
            let d = p - t;
            let tiny = |v: f64| if v != 0.0 && v.abs() < least { least } else { 0.0 };
            let flushed = tiny(p) + tiny(t) + tiny(d);
            let [of_value, of_slope] = errors(Approx { value: d, error: e * d.abs() + flushed });
            loss.0.push(value);
            loss.1.push(bound(value, of_value));
            let dpred = Approx { value: slope, error: of_slope }.times(factor);
            let dpred = Approx { value: slope * self.scale() * self.grad_scale, ..dpred };
            grad.0.push(dpred.value);
            grad.1.push(bound(slope, dpred.stored(self.dtype)));
        }
        if !self.each() {
            let sum: f64 = loss.0.iter().sum();
            // No loss is negative: each addition is off by an ulp of the sum at most. 64 trips of a lane and 8 levels of a tree,
            // for the blocks and for each reduction level; two additions for the elements of a quad.
            let levels = (self.len as f64 / 1024.0 + 1.0).log(256.0).ceil().max(1.0);
            let error = loss.1.iter().sum::<f64>() + e * (2.0 + 72.0 * (1.0 + levels)) * sum;
            let total = Approx { value: sum, error }.times(scale);
            loss = (vec![sum * self.scale()], vec![bound(sum, total.error)]);
        }
        let mut out = vec![Expected::Within { value: loss.0, bound: loss.1 }];
        out.extend(self.grad.then_some(Expected::Within { value: grad.0, bound: grad.1 }));
        out
    }
}

#[cfg(feature = "verify")]
/// Lengths on both sides of quads, blocks and windows; every reduction in every type, with and without gradient.
pub(crate) fn cases(make: impl Fn(usize, DType, usize, LossReduction, bool) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let reductions = [LossReduction::Mean, LossReduction::Sum, LossReduction::None];
    let mut out = vec![];
    for (i, len) in [0, 1, 3, 4, 31, 1000, 4095, 4097, 20_003].into_iter().enumerate() {
        for (j, dtype) in DType::FLOATS.into_iter().enumerate() {
            out.push(make(out.len(), dtype, len, reductions[(i + j) % 3], (i + 2 * j) % 5 != 4));
        }
    }
    out
}

#[cfg(feature = "verify")]
/// One tensor of each type.
pub(crate) fn benches(elements: usize, make: impl Fn(DType, usize) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    DType::FLOATS.map(|dtype| make(dtype, elements)).into()
}
