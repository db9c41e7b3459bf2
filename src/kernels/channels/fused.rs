//! What follows γ·x̂ + β in the same pass, a residual and an activation, and how a gradient comes back through both.
use super::{Channels, Map, Reduction, backward_args, given};
#[cfg(feature = "verify")]
use crate::verify::{Approx, reference};
use crate::{
    kernels::reduce::{Monoid, Partials},
    op::{Arg, ByName, Caps, Lowered, Slot},
    options::Activation,
    types::{DType, Error, Space},
    wgsl::{Source, parts},
};
use std::ops::Range;

/// The residual is added first, then comes the activation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fused {
    pub activation: Activation,
    pub residual: bool,
}

/// Where the backward pass finds what was activated, or its sign where that will do: in the bytes that are cheapest.
#[derive(Clone, Copy, PartialEq)]
enum Preactivation {
    /// There is no activation.
    Unused,
    /// Computed again from x, which is read anyway.
    Recomputed,
    /// In y: with a residual, one of the two must be read, and with y the sum needs not be formed again.
    Output,
    /// Computed again from x and the residual, where y does not tell.
    Sum,
}

impl Fused {
    /// Nothing follows.
    pub const PLAIN: Self = Self { activation: Activation::None, residual: false };

    fn source(self) -> Preactivation {
        match (self.activation, self.residual) {
            (Activation::None, _) => Preactivation::Unused,
            (_, false) => Preactivation::Recomputed,
            (a, true) if a.by_sign() => Preactivation::Output,
            (_, true) => Preactivation::Sum,
        }
    }

    /// Whether γ·x̂ + β is formed again.
    pub fn recomputes(self) -> bool {
        matches!(self.source(), Preactivation::Recomputed | Preactivation::Sum)
    }

    /// Which tensor the backward pass reads beside x and dy, if any.
    pub fn beside(self) -> Option<&'static str> {
        match self.source() {
            Preactivation::Unused | Preactivation::Recomputed => None,
            Preactivation::Output => Some("y"),
            Preactivation::Sum => Some("residual"),
        }
    }

    /// Whether a device binds enough buffers for sums with dx and dresidual beside them: x, dy, dx, mean, variance, weight, partials.
    pub fn emits(self, caps: &Caps) -> bool {
        let more = [self.recomputes(), self.beside().is_some(), self.residual].into_iter().filter(|m| *m).count();
        7 + more <= caps.limits.max_storage_buffers_per_shader_stage as usize
    }

    /// The same, for the arguments of a backward op.
    pub fn beside_arg(self, dtype: DType, space: &Space) -> Option<Arg> {
        self.beside().map(|name| Arg::read(name, dtype, space.len()))
    }

    /// The residual, for the arguments of the forward op.
    pub fn residual(self, dtype: DType, space: &Space) -> Option<Arg> {
        self.residual.then(|| Arg::read("residual", dtype, space.len()))
    }

    /// The arguments of a backward op whose statistics have these names.
    pub fn backward_args(self, dtype: DType, space: &Space, statistics: [&'static str; 2], weight: bool, bias: bool) -> Vec<Arg> {
        let mut args = backward_args(dtype, space, (statistics, space.c), weight, bias);
        let more = (bias && self.recomputes()).then(|| Arg::read("bias", DType::F32, space.c));
        let more = more.into_iter().chain(self.beside_arg(dtype, space));
        let dx = args.place("dx");
        args.splice(dx..dx, more);
        args.extend(self.residual.then(|| Arg::write("dresidual", dtype, space.len())));
        args
    }

    /// γ·x̂ + β as it is written: with the residual, activated. With how far that may be off before it is stored.
    #[cfg(feature = "verify")]
    pub fn finish(self, v: Approx, residual: Option<f64>) -> Approx {
        let v = residual.map_or(v, |r| Approx::sum([v, Approx::exact(r)]));
        if v.value.is_finite() {
            return self.activation.approx(v)[0];
        }
        // What comes of an infinity is 0 or infinite for certain.
        let value = reference::activation(self.activation, v.value).0;
        Approx { value, error: if value.is_finite() { 0.0 } else { v.error } }
    }

    /// The gradient of v from that of its activation. Where v may be on either side of a bend, so may its gradient.
    #[cfg(feature = "verify")]
    pub fn gate(self, v: Approx, dy: f64) -> Approx {
        let value = reference::activation_backward(self.activation, v.value, dy);
        if !v.value.is_finite() {
            // Only a leaky slope is a product, of numbers that both were rounded; the others pass dy on, or nothing.
            let slope = if let Activation::LeakyRelu { slope } = self.activation { slope } else { 0.0 };
            let error = if v.value < 0.0 { Approx::exact(dy).scaled(slope).error } else { 0.0 };
            return Approx { value, error };
        }
        let [_, slope] = self.activation.approx(v);
        // Where nothing goes through, whatever dy is.
        if slope == Approx::exact(0.0) { slope } else { Approx { value, ..Approx::exact(dy).times(slope) } }
    }
}

/// What becomes of elements that a mask does not keep, where there is one.
fn shown(args: &[Arg]) -> (Source, Vec<(&'static str, Slot)>) {
    match args.find("mask") {
        Some(_) => (parts::channels::VISIBLE_BITS, vec![("mask", args.whole("mask"))]),
        None => (parts::channels::VISIBLE_ALL, vec![]),
    }
}

/// Parts of `lib/channels/reduce` for the sums of dy and dy·x̂ of lines.
pub(crate) const PLAIN_PRODUCTS: [Source; 7] = [
    parts::channels::PRODUCTS_OPEN,
    parts::channels::GRADIENT_PLAIN,
    parts::channels::CENTER_GIVEN,
    parts::channels::COUNTED_ALL,
    parts::channels::ACT_GRAD_NONE,
    parts::channels::LINE_BATCH,
    parts::channels::STORE_NONE,
];

/// The sums of a backward pass: what [`Channels::products`] needs beside the tensors.
pub(crate) struct Products {
    pub fused: Fused,
    /// The arguments with the mean and rstd, or the variance if there is an ε.
    pub statistics: [&'static str; 2],
    pub eps: Option<f64>,
    /// Whether dx = γ·rstd·g, and dresidual, are written on the way, where [`Channels::whole`].
    pub emits: bool,
}

impl Products {
    /// Of what was normalised by `mean` and `rstd`; nothing is written on the way.
    pub fn of(fused: Fused) -> Self {
        Self { fused, statistics: ["mean", "rstd"], eps: None, emits: false }
    }
}

impl Channels {
    /// Appends the dispatches that sum g and g·x̂ of every channel, g being dy as it comes back through the activation.
    pub fn products(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        what: &Products,
    ) -> Result<Partials, Error> {
        let (mut parts, mut tensors) = (
            vec![
                parts::channels::PRODUCTS_OPEN,
                parts::channels::GRADIENT_PLAIN,
                parts::channels::CENTER_GIVEN,
                parts::channels::LINE_CHANNEL,
            ],
            vec![("x", "x"), ("dy", "dy")],
        );
        let [mean, spread] = what.statistics.map(|name| args.whole(name));
        let mut vectors = vec![("mean", mean), ("spread", spread)];
        let mask = args.find("mask").map(|_| ("mask", args.whole("mask")));
        parts.push(if mask.is_some() { parts::channels::COUNTED_BITS } else { parts::channels::COUNTED_ALL });
        vectors.extend(mask);
        if what.fused.source() != Preactivation::Unused {
            parts.push(what.fused.activation.part());
        }
        parts.push(match what.fused.source() {
            Preactivation::Unused => parts::channels::ACT_GRAD_NONE,
            Preactivation::Recomputed => parts::channels::ACT_GRAD_RECOMPUTED,
            Preactivation::Output => parts::channels::ACT_GRAD_OUTPUT,
            Preactivation::Sum => parts::channels::ACT_GRAD_SUM,
        });
        if what.fused.recomputes() || what.emits {
            vectors.push(("weight", given("weight", args, self.channels, out, caps)));
        }
        if what.fused.recomputes() {
            vectors.push(("bias", given("bias", args, self.channels, out, caps)));
        }
        tensors.extend(what.fused.beside().map(|name| (name, name)));
        parts.push(match (what.emits, what.fused.residual) {
            (false, _) => parts::channels::STORE_NONE,
            (true, false) => parts::channels::STORE_SCALED,
            (true, true) => parts::channels::STORE_SCALED_RESIDUAL,
        });
        let written = ["dx", "dresidual"].into_iter().filter(|name| what.emits && args.find(name).is_some());
        let written: Vec<_> = written.collect();
        let mut consts = what.fused.activation.consts();
        consts.extend(what.eps.map(|_| ("VARIANCE", 1)));
        let (tensors, vectors, eps) = (&tensors, &vectors, what.eps.unwrap_or(0.0) as f32);
        let what = Reduction { parts: &parts, monoid: Monoid::SUM4, tensors, vectors, consts: &consts, eps };
        self.reduce_writing((self.outer, u64::MAX), op, out, caps, args, (&what, &written))
    }

    /// Appends the dispatches that write y = act(γ·x̂ + β + residual), from coefficients as `lib/channels/normalize_open` wants them.
    pub fn normalize(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        fused: Fused,
        coefs: Range<u64>,
    ) -> Result<(), Error> {
        let mut tensors = vec![("x", "x"), ("y", "y")];
        let residual = args.find("residual").map(|_| ("residual", "residual"));
        tensors.extend(residual);
        let (show, mask) = shown(args);
        let fills = [
            show,
            fused.activation.part(),
            if residual.is_some() { parts::channels::RESIDUAL_ADD } else { parts::channels::ADDED_NONE },
        ];
        let map =
            Map { consts: &fused.activation.consts(), vectors: &mask, ..Map::of(parts::channels::NORMALIZE_OPEN, &tensors) };
        self.apply_filled(op, out, caps, args, (&map, &fills), coefs)
    }

    /// Appends the dispatches that write dx by this open map, and dresidual.
    pub fn input_gradient(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        (part, fused): (Source, Fused),
        coefs: Range<u64>,
    ) -> Result<(), Error> {
        let (show, mut vectors) = shown(args);
        let mut tensors = vec![("dy", "dy"), ("dx", "dx")];
        if part == parts::channels::NORMALIZE_BACKWARD_OPEN || fused.recomputes() {
            tensors.push(("x", "x"));
        }
        if fused.residual {
            tensors.push(("dresidual", "dresidual"));
        }
        let fill = match (fused.source(), fused.residual) {
            (Preactivation::Unused, false) => parts::channels::DX_PLAIN,
            (Preactivation::Unused, true) => parts::channels::DX_RESIDUAL,
            (Preactivation::Recomputed, _) => parts::channels::DX_RECOMPUTED,
            (Preactivation::Output, _) => parts::channels::DX_OUTPUT,
            (Preactivation::Sum, _) => parts::channels::DX_SUM,
        };
        let mut fills = vec![fill, show];
        if fused.source() != Preactivation::Unused {
            fills.push(fused.activation.part());
        }
        if fused.recomputes() {
            vectors.push(("bias", given("bias", args, self.channels, out, caps)));
        }
        tensors.extend(fused.beside().map(|name| (name, name)));
        let map = Map { part, tensors: &tensors, vectors: &vectors, consts: &fused.activation.consts() };
        self.apply_filled(op, out, caps, args, (&map, &fills), coefs)
    }
}
