//! What follows γ·x̂ + β in the same pass, a residual and an activation, and how a gradient comes back through both.
use super::{Channels, Map, Reduction, backward_args, given_or, position, whole};
use crate::{
    Activation, Approx, Arg, Caps, DType, Error, Lowered, Slot, Space, cpu,
    fold::{Monoid, Partials},
};
use std::ops::Range;

/// The residual is added first, then comes the activation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fused {
    pub activation: Activation,
    pub residual: bool,
}

/// Where the backward pass finds the sign of what was activated: in the bytes that are cheapest.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    /// There is no activation.
    Unused,
    /// Computed again from x, which is read anyway.
    Recomputed,
    /// In y: with a residual, one of the two must be read.
    Output,
}

impl Fused {
    fn sign(self) -> Sign {
        match (self.activation, self.residual) {
            (Activation::None, _) => Sign::Unused,
            (_, false) => Sign::Recomputed,
            (_, true) => Sign::Output,
        }
    }

    /// Whether sums over the batch need x, y or dy only, and the gradient of the input x again.
    pub fn recomputes(self) -> bool {
        self.sign() == Sign::Recomputed
    }

    /// Tensors that the backward pass reads beside x and dy.
    pub fn reads_output(self) -> bool {
        self.sign() == Sign::Output
    }

    /// The residual, for the arguments of the forward op.
    pub fn residual(self, dtype: DType, space: &Space) -> Option<Arg> {
        self.residual.then(|| Arg::read("residual", dtype, space.len()))
    }

    fn consts(self) -> Vec<(&'static str, u32)> {
        let slope = self.activation.slope() as f32;
        if self.activation == Activation::None { vec![] } else { vec![("SLOPE", slope.to_bits())] }
    }

    /// The arguments of a backward op whose statistics have these names.
    pub fn backward_args(self, dtype: DType, space: &Space, statistics: [&'static str; 2], weight: bool, bias: bool) -> Vec<Arg> {
        let mut args = backward_args(dtype, space, statistics, weight, bias);
        let more = match self.sign() {
            Sign::Unused => None,
            Sign::Recomputed => bias.then(|| Arg::read("bias", DType::F32, space.c)),
            Sign::Output => Some(Arg::read("y", dtype, space.len())),
        };
        let dx = position(&args, "dx").expect("an argument");
        args.splice(dx..dx, more);
        args.extend(self.residual.then(|| Arg::write("dresidual", dtype, space.len())));
        args
    }

    /// γ·x̂ + β as it is written: with the residual, activated. With how far that may be off before it is stored.
    pub fn finish(self, v: Approx, residual: Option<f64>) -> Approx {
        let v = residual.map_or(v, |r| Approx::sum([v, Approx::exact(r)]));
        let slope = self.activation.slope();
        let value = cpu::activate(slope, v.value);
        if slope == 1.0 || !v.value.is_finite() {
            return Approx { value, error: v.error };
        }
        // It moves no two numbers further apart than the larger of its slopes does.
        let certain = v.value - v.error > 0.0;
        let negative = v.value + v.error <= 0.0;
        match (certain, negative) {
            (true, _) => v,
            (_, true) => v.scaled(slope),
            _ => Approx { value, error: v.error * slope.max(1.0) + v.scaled(slope).error },
        }
    }

    /// The gradient of v from that of its activation. Where v may be on either side of 0, so may its gradient.
    pub fn gate(self, v: Approx, dy: f64) -> Approx {
        let slope = self.activation.slope();
        let value = cpu::activate_backward(slope, v.value, dy);
        if slope == 1.0 {
            return Approx::exact(dy);
        }
        let doubtful = v.error > 0.0 && v.value.abs() <= v.error;
        let passes = value == dy && slope != 0.0;
        let error = if passes { 0.0 } else { Approx::exact(dy).scaled(slope).error };
        Approx { value, error: error + if doubtful { dy.abs() * (1.0 - slope).abs() } else { 0.0 } }
    }
}

/// What becomes of elements that a mask does not keep, where there is one.
fn shown(args: &[Arg]) -> (&'static str, Vec<(&'static str, Slot)>) {
    match position(args, "mask") {
        Some(i) => ("lib/show_bits", vec![("mask", whole(args, i))]),
        None => ("lib/show_all", vec![]),
    }
}

/// The sums of a backward pass: what [`Channels::products`] needs beside the tensors.
pub(crate) struct Products {
    pub fused: Fused,
    /// Where the mean is; the next argument is rstd, or the variance if there is an ε.
    pub mean: usize,
    pub eps: Option<f64>,
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
        let (mut parts, mut tensors) =
            (vec!["lib/products_open", "lib/gradient_plain", "lib/center_given", "lib/line_channel"], vec![("x", 0), ("dy", 1)]);
        let mut vectors = vec![("mean", whole(args, what.mean)), ("spread", whole(args, what.mean + 1))];
        let mask = position(args, "mask");
        parts.push(if mask.is_some() { "lib/keep_bits" } else { "lib/keep_all" });
        vectors.extend(mask.map(|i| ("mask", whole(args, i))));
        match what.fused.sign() {
            Sign::Unused => parts.push("lib/gate_none"),
            Sign::Recomputed => {
                parts.push("lib/gate_recomputed");
                vectors.push(("weight", given_or(1.0, args, "weight", self.channels, out, caps)));
                vectors.push(("bias", given_or(0.0, args, "bias", self.channels, out, caps)));
            }
            Sign::Output => {
                parts.push("lib/gate_output");
                tensors.push(("y", position(args, "y").expect("an argument")));
            }
        }
        let mut consts = what.fused.consts();
        consts.extend(what.eps.map(|_| ("VARIANCE", 1)));
        let (tensors, vectors, eps) = (&tensors, &vectors, what.eps.unwrap_or(0.0) as f32);
        let what = Reduction { parts: &parts, monoid: Monoid::SUM4, tensors, vectors, consts: &consts, eps };
        self.reduce(op, out, caps, args, &what)
    }

    /// Appends the dispatches that write y = act(γ·x̂ + β + residual), from coefficients as `lib/normalize_open` wants them.
    pub fn normalize(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        fused: Fused,
        coefs: Range<u64>,
    ) -> Result<(), Error> {
        let mut tensors = vec![("x", 0, false), ("y", position(args, "y").expect("an argument"), true)];
        let residual = position(args, "residual");
        tensors.extend(residual.map(|i| ("residual", i, false)));
        let plain = fused.activation == Activation::None;
        let (show, mask) = shown(args);
        let fills = [
            show,
            if plain { "lib/activation_none" } else { "lib/activation_slope" },
            if residual.is_some() { "lib/residual_add" } else { "lib/added_none" },
        ];
        let map = Map { consts: &fused.consts(), vectors: &mask, ..Map::of("lib/normalize_open", &tensors) };
        self.apply_filled(op, out, caps, args, (&map, &fills), coefs)
    }

    /// Appends the dispatches that write dx by this open map, and dresidual.
    pub fn input_gradient(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        (part, fused): (&'static str, Fused),
        coefs: Range<u64>,
    ) -> Result<(), Error> {
        let at = |name| position(args, name).expect("an argument");
        let (show, mut vectors) = shown(args);
        let mut tensors = vec![("dy", 1, false), ("dx", at("dx"), true)];
        if part == "lib/normalize_backward_open" || fused.recomputes() {
            tensors.push(("x", 0, false));
        }
        if fused.residual {
            tensors.push(("dresidual", at("dresidual"), true));
        }
        let fill = match (fused.sign(), fused.residual) {
            (Sign::Unused, false) => "lib/passed_none",
            (Sign::Unused, true) => "lib/passed_residual",
            (Sign::Recomputed, _) => {
                vectors.push(("bias", given_or(0.0, args, "bias", self.channels, out, caps)));
                "lib/passed_recomputed"
            }
            (Sign::Output, _) => {
                tensors.push(("y", at("y"), false));
                "lib/passed_output"
            }
        };
        let map = Map { part, tensors: &tensors, vectors: &vectors, consts: &fused.consts() };
        self.apply_filled(op, out, caps, args, (&map, &[fill, show]), coefs)
    }
}
