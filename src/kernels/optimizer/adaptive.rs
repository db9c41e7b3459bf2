//! What `adam` and `adamw` share: fields, parameters, reference.
use super::{
    Optimizer, Words, coupled,
    macros::{optimizer_params, optimizer_words},
    regularised,
};
use crate::{
    op::{Caps, Expected, Field, Lowered, Params, Pattern},
    options::{check_held, check_scalar},
    types::{Error, HostData},
    verify::{Approx, reference},
    wgsl::{Source, parts},
};

optimizer_params! {
    AdaptiveParams {
        beta1: f32, fresh1: f32, beta2: f32, fresh2: f32, correct1: f32, correct2: f32, eps: f32,
    }
}

/// Adam's rule beside what every optimizer has.
pub(crate) struct Adaptive<'a> {
    pub optimizer: Optimizer<'a>,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    /// Keep the largest second moment.
    pub amsgrad: bool,
}

/// For serde: what remains of the first moment.
pub(crate) fn beta1() -> f64 {
    0.9
}

/// For serde: what remains of the second moment.
pub(crate) fn beta2() -> f64 {
    0.999
}

/// For serde: what is added to the root.
pub(crate) fn eps() -> f64 {
    1e-8
}

pub(crate) const BETA1: Field = Field { name: "beta1", default: "0.9", about: "what remains of the first moment, 0 to below 1" };
pub(crate) const BETA2: Field =
    Field { name: "beta2", default: "0.999", about: "what remains of the second moment, 0 to below 1" };
pub(crate) const EPS: Field =
    Field { name: "eps", default: "1e-8", about: "added to the root of the corrected second moment, at least 0" };

pub(crate) const EPS_PLACE: Field =
    Field { name: "eps_place", default: "\"outside_root\"", about: "where eps is added: outside_root or inside_root" };

/// The least root that is not 0: of the least number that f32 has on any device, below its normal ones, less the root's error.
pub(crate) const LEAST_ROOT: f64 = 3.7e-23;

/// The quotient of a direction and the root of a second moment, eps being in one of its places; 0 where the root is 0.
pub(crate) fn quotient(g: Approx, second: Approx, [inside, outside]: [f64; 2]) -> Approx {
    let root = Approx::sum([Approx::sum([second, Approx::host(inside)]).root(), Approx::host(outside)]);
    let zero = Approx::exact(0.0);
    // Each eps as the kernel has it, with the errors of a root and a sum.
    let least = LEAST_ROOT.max(inside.sqrt() * (1.0 - 1e-6)).max(outside * (1.0 - 1e-6));
    if root == zero || g == zero { zero } else { g.over_at_least(root, least) }
}

/// What remains of a moment must be below 1 on the GPU too: rounded to 1 in f32, it would never forget.
pub(crate) fn check_beta(op: &'static str, field: &'static str, beta: f64) -> Result<(), Error> {
    if beta >= 0.0 && (beta as f32) < 1.0 {
        return check_held(op, field, "is", beta);
    }
    Err(Error::argument(op, field, format!("is {beta}, must be at least 0 and, in f32, below 1")))
}

impl Adaptive<'_> {
    /// What m is multiplied with, and what the root of v is multiplied with.
    fn corrections(&self) -> [f64; 2] {
        let of = |beta: f64| 1.0 / (1.0 - beta.powf(self.optimizer.step as f64));
        [of(self.beta1), of(self.beta2).sqrt()]
    }

    pub fn lower(&self, caps: &Caps, shader: Source) -> Result<Lowered, Error> {
        check_beta(self.optimizer.name, "beta1", self.beta1)?;
        check_beta(self.optimizer.name, "beta2", self.beta2)?;
        check_scalar(self.optimizer.name, "eps", self.eps, [0.0, f64::INFINITY])?;
        let largest = if self.amsgrad { parts::optimizer::LARGEST_KEEP } else { parts::optimizer::LARGEST_NONE };
        self.optimizer.lower(caps, shader, &[largest], |w| self.params(w))
    }

    fn params(&self, words: Words) -> Params {
        let [correct1, correct2] = self.corrections();
        optimizer_words!(AdaptiveParams, words;
            beta1: self.beta1 as f32,
            fresh1: (1.0 - self.beta1) as f32,
            beta2: self.beta2 as f32,
            fresh2: (1.0 - self.beta2) as f32,
            correct1: correct1 as f32,
            correct2: correct2 as f32,
            eps: self.eps as f32,
        )
    }

    pub fn patterns(&self) -> Vec<Pattern> {
        let mut all = vec![Pattern::Ordinary, Pattern::Zeros, Pattern::NonFinite];
        // With eps = 0, what a device flushes to 0 decides whether there is a step: nothing is promised there.
        all.extend((self.eps > 0.0).then_some(Pattern::Tiny));
        all
    }

    pub fn domain(&self, arg: &str) -> [f64; 2] {
        match arg {
            "scale" => [0.5, 2.0],
            "v" | "v_max" => [0.0, 1.0],
            _ => [-1.0, 1.0],
        }
    }

    pub fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let [correct1, correct2] = self.corrections();
        self.optimizer.reference(args, |factor, rates, [g, w, m, v, before]| {
            let step = reference::AdamwStep {
                grad_scale: factor.value,
                rate: rates.rate,
                beta1: self.beta1,
                beta2: self.beta2,
                eps: self.eps,
                step: self.optimizer.step,
                coupled: rates.coupled,
                decay: rates.decay,
                threshold: rates.threshold,
                divisor: rates.divisor,
            };
            let (weight, m1, v1, most) =
                reference::adam(&step, w, g, m, v, if self.amsgrad { before } else { f64::NEG_INFINITY });
            // The same again as the kernel does it, for the error.
            let g = coupled(factor, rates, g, w);
            let am = Approx::sum([Approx::exact(m).scaled(self.beta1), g.scaled(1.0 - self.beta1)]);
            let av = Approx::sum([Approx::exact(v).scaled(self.beta2), g.times(g).scaled(1.0 - self.beta2)]);
            // A maximum is off by no more than the number that may be off.
            let largest = Approx { value: most, ..av };
            let root = Approx::sum([largest.root().scaled(correct2), Approx::host(self.eps)]);
            let zero = Approx::exact(0.0);
            let least = LEAST_ROOT.max(self.eps * (1.0 - 1e-6));
            let ratio = if root == zero { zero } else { am.scaled(correct1).over_at_least(root, least) };
            let moved = regularised(rates, w, ratio);
            [Approx { value: weight, ..moved }, Approx { value: m1, ..am }, Approx { value: v1, ..av }, largest]
        })
    }
}
