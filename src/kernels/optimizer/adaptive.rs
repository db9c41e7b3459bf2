//! What `adam` and `adamw` share: fields, parameters, reference.
use super::{
    Counter, Optimizer, Words,
    macros::{optimizer_params, optimizer_words},
};
#[cfg(feature = "verify")]
use super::{coupled, regularised};
use crate::{
    op::{Caps, Lowered, Params},
    options::{EpsPlace, check_held, check_scalar},
    types::{Error, HostData},
    wgsl::{Source, parts},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern},
    verify::{Approx, reference},
};

optimizer_params! {
    AdaptiveParams {
        beta1: f32, fresh1: f32, beta2: f32, fresh2: f32, correct1: f32, correct2: f32, eps_inside: f32,
        eps_outside: f32,
    }
}

/// Adam's rule beside what every optimizer has.
pub(crate) struct Adaptive<'a> {
    pub optimizer: Optimizer<'a>,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    pub eps_place: EpsPlace,
    /// Keep the largest second moment.
    pub amsgrad: bool,
    /// Take the number of the step from a counter on the GPU.
    pub gpu_step: bool,
}

/// The least root that is not 0: of the least number that f32 has on any device, below its normal ones, less the root's error.
pub(crate) const LEAST_ROOT: f64 = 3.7e-23;

/// The quotient of a direction and the root of a second moment, eps being in one of its places; 0 where the root is 0.
#[cfg(feature = "verify")]
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

/// The least eps beside the uncorrected second moment: four times the least normal number, so that a root is never that of a number
/// which a device may have flushed.
const LEAST_INSIDE: f64 = 4.71e-38;

impl<'a> Adaptive<'a> {
    /// The optimizer, with its counter if the GPU counts the steps.
    pub fn optimizer(self) -> Optimizer<'a> {
        self.counted().optimizer
    }

    fn counted(mut self) -> Self {
        let counter = Counter { betas: [self.beta1, self.beta2], eps: self.eps_place.split(self.eps)[0] };
        self.optimizer.counter = self.gpu_step.then_some(counter);
        self
    }

    /// 1 - β^step of both: the part of a constant that its moment has reached.
    fn fresh(&self) -> [f64; 2] {
        [self.beta1, self.beta2].map(|beta| 1.0 - beta.powf(self.optimizer.step as f64))
    }

    fn check(&self) -> Result<(), Error> {
        let name = self.optimizer.name;
        check_beta(name, "beta1", self.beta1)?;
        check_beta(name, "beta2", self.beta2)?;
        check_scalar(name, "eps", self.eps, [0.0, f64::INFINITY])?;
        if self.gpu_step && self.optimizer.step != 1 {
            let why = format!("is {}, must be 1 with gpu_step: the argument steps counts", self.optimizer.step);
            return Err(Error::argument(name, "step", why));
        }
        let inside = self.eps_place.split(self.eps)[0] * self.fresh()[1];
        if self.optimizer.step > 0 && self.eps > 0.0 && self.eps_place == EpsPlace::InsideRoot && inside < LEAST_INSIDE {
            let why = format!(
                "is {:e} with inside_root: eps · (1 - beta2^step) is {inside:e}, must be 0 or at least {LEAST_INSIDE:e}",
                self.eps
            );
            return Err(Error::argument(name, "eps", why));
        }
        Ok(())
    }

    pub fn lower(self, caps: &Caps, shader: Source) -> Result<Lowered, Error> {
        self.check()?;
        let of = self.counted();
        let largest = if of.amsgrad { parts::optimizer::LARGEST_KEEP } else { parts::optimizer::LARGEST_NONE };
        let correct = if of.gpu_step { parts::optimizer::CORRECT_GPU } else { parts::optimizer::CORRECT_HOST };
        of.optimizer.lower(caps, shader, &[largest, correct], |w| of.params(w))
    }

    fn params(&self, words: Words) -> Params {
        let [fresh1, fresh2] = self.fresh();
        let [inside, outside] = self.eps_place.split(self.eps);
        optimizer_words!(AdaptiveParams, words;
            beta1: self.beta1 as f32,
            fresh1: (1.0 - self.beta1) as f32,
            beta2: self.beta2 as f32,
            fresh2: (1.0 - self.beta2) as f32,
            correct1: (1.0 / fresh1) as f32,
            correct2: (1.0 / fresh2).sqrt() as f32,
            eps_inside: (inside * fresh2) as f32,
            eps_outside: outside as f32,
        )
    }

    #[cfg(feature = "verify")]
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

    /// The step's number, and what the kernels multiply m and the root of v with, and add to v.
    #[cfg(feature = "verify")]
    fn corrections(&self, args: &[HostData]) -> (u64, [Approx; 3]) {
        let inside = self.eps_place.split(self.eps)[0];
        let Some(counter) = self.optimizer.counter else {
            let [fresh1, fresh2] = self.fresh();
            return (self.optimizer.step, [1.0 / fresh1, (1.0 / fresh2).sqrt(), inside * fresh2].map(Approx::host));
        };
        let step = args[self.optimizer.place("steps")].words().map_or(0, |w| w[0]).saturating_add(1);
        let ([fresh1, fresh2], one) = (counter.lost(step), Approx::exact(1.0));
        (u64::from(step), [one.over(fresh1), one.over(fresh2.root()), Approx::host(inside).times(fresh2)])
    }

    #[cfg(feature = "verify")]
    pub fn reference(self, args: &[HostData]) -> Vec<Expected> {
        let of = self.counted();
        let (number, [correct1, correct2, inside]) = of.corrections(args);
        let eps = of.eps_place.split(of.eps);
        of.optimizer.reference(args, |factor, rates, [g, w, m, v, before]| {
            let step = reference::AdamwStep {
                grad_scale: factor.value,
                rate: rates.rate,
                beta1: of.beta1,
                beta2: of.beta2,
                eps,
                step: number,
                coupled: rates.coupled,
                decay: rates.decay,
                threshold: rates.threshold,
                divisor: rates.divisor,
            };
            let (weight, m1, v1, most) = reference::adam(&step, w, g, m, v, if of.amsgrad { before } else { f64::NEG_INFINITY });
            // The same again as the kernel does it, for the error.
            let g = coupled(factor, rates, g, w);
            let am = Approx::sum([Approx::exact(m).scaled(of.beta1), g.scaled(1.0 - of.beta1)]);
            let av = Approx::sum([Approx::exact(v).scaled(of.beta2), g.times(g).scaled(1.0 - of.beta2)]);
            // A maximum is off by no more than the number that may be off.
            let largest = Approx { value: most, ..av };
            let root = Approx::sum([Approx::sum([largest, inside]).root().times(correct2), Approx::host(eps[1])]);
            let zero = Approx::exact(0.0);
            // The host's or the GPU's correction is right to 30 ulp, the root to 5: less than 1e-5 together.
            let least = LEAST_ROOT.max((inside.value.sqrt() * correct2.value).max(eps[1]) * (1.0 - 1e-5));
            let ratio = if root == zero { zero } else { am.times(correct1).over_at_least(root, least) };
            let moved = regularised(rates, w, ratio);
            [Approx { value: weight, ..moved }, Approx { value: m1, ..am }, Approx { value: v1, ..av }, largest]
        })
    }
}
