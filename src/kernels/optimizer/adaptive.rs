//! What `adam` and `adamw` share: parameters, reference.
use super::{Counter, Element, Words, after, macros::optimizer_words};
use crate::{
    op::{Contents, Params},
    options::{EpsPlace, check_held, check_scalar},
    types::Error,
    verify::{Approx, reference},
    wgsl::{Source, parts},
};

/// Adam's rule, as its ops describe it.
#[derive(Clone, Copy)]
pub(crate) struct Adaptive {
    pub name: &'static str,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    pub eps_place: EpsPlace,
    /// Keep the largest second moment.
    pub amsgrad: bool,
    pub step: u64,
    /// Take the number of the step from a counter on the GPU.
    pub gpu_step: bool,
}

/// The least root that is not 0: of the least number that f32 has on any device, below its normal ones, less the root's error.
pub(crate) const LEAST_ROOT: f64 = 3.7e-23;

/// The quotient, and 0 where either is; the kernel's divisor is 0 or at least `least`.
pub(crate) fn over_or_zero(a: Approx, by: Approx, least: f64) -> Approx {
    let zero = Approx::exact(0.0);
    if a == zero || by == zero { zero } else { a.over_at_least(by, least) }
}

/// The quotient of a direction and the root of a second moment, eps being in one of its places; 0 where the root is 0.
pub(crate) fn quotient(g: Approx, second: Approx, [inside, outside]: [f64; 2]) -> Approx {
    let root = Approx::sum([Approx::sum([second, Approx::host(inside)]).root(), Approx::host(outside)]);
    // Each eps as the kernel has it, with the errors of a root and a sum.
    over_or_zero(g, root, LEAST_ROOT.max(inside.sqrt() * (1.0 - 1e-6)).max(outside * (1.0 - 1e-6)))
}

/// What remains of a moment must be below 1 on the GPU too: rounded to 1 in f32, it would never forget.
pub(crate) fn check_beta(op: &'static str, field: &'static str, beta: f64) -> Result<(), Error> {
    if beta >= 0.0 && (beta as f32) < 1.0 {
        return check_held(op, field, "is", beta);
    }
    Err(Error::argument(op, field, format!("is {beta}, must be at least 0 and, in f32, below 1")))
}

/// The same for both moments; and eps is not negative.
pub(crate) fn check_moments(op: &'static str, [beta1, beta2]: [f64; 2], eps: f64) -> Result<(), Error> {
    check_beta(op, "beta1", beta1)?;
    check_beta(op, "beta2", beta2)?;
    check_scalar(op, "eps", eps, [0.0, f64::INFINITY])
}

/// 1 - β^step: the part of a constant that its moment has reached.
pub(crate) fn reached(beta: f64, step: u64) -> f64 {
    1.0 - beta.powf(step as f64)
}

/// The least eps beside the uncorrected second moment: four times the least normal number, so that a root is never that of a number
/// which a device may have flushed.
const LEAST_INSIDE: f64 = 4.71e-38;

impl Adaptive {
    pub fn counter(&self) -> Option<Counter> {
        self.gpu_step.then(|| Counter { betas: [self.beta1, self.beta2], eps: self.eps_place.split(self.eps)[0] })
    }

    fn reached(&self) -> [f64; 2] {
        [self.beta1, self.beta2].map(|beta| reached(beta, self.step))
    }

    pub fn check(&self) -> Result<(), Error> {
        check_moments(self.name, [self.beta1, self.beta2], self.eps)?;
        if self.gpu_step && self.step != 1 {
            let why = format!("is {}, must be 1 with gpu_step: the argument steps counts", self.step);
            return Err(Error::argument(self.name, "step", why));
        }
        let inside = self.eps_place.split(self.eps)[0] * self.reached()[1];
        if self.step > 0 && self.eps > 0.0 && self.eps_place == EpsPlace::InsideRoot && inside < LEAST_INSIDE {
            let why = format!(
                "is {:e} with inside_root: eps · (1 - beta2^step) is {inside:e}, must be 0 or at least {LEAST_INSIDE:e}",
                self.eps
            );
            return Err(Error::argument(self.name, "eps", why));
        }
        Ok(())
    }

    pub fn parts(&self) -> Vec<Source> {
        vec![
            if self.amsgrad { parts::optimizer::LARGEST_KEEP } else { parts::optimizer::LARGEST_NONE },
            if self.gpu_step { parts::optimizer::CORRECT_GPU } else { parts::optimizer::CORRECT_HOST },
        ]
    }

    pub fn params(&self, words: Words) -> Params {
        let [fresh1, fresh2] = self.reached();
        let [inside, outside] = self.eps_place.split(self.eps);
        optimizer_words!(words,
            beta1: f32 = self.beta1,
            fresh1: f32 = 1.0 - self.beta1,
            beta2: f32 = self.beta2,
            fresh2: f32 = 1.0 - self.beta2,
            correct1: f32 = 1.0 / fresh1,
            correct2: f32 = (1.0 / fresh2).sqrt(),
            eps_inside: f32 = inside * fresh2,
            eps_outside: f32 = outside,
        )
    }

    /// The step's number, and what the kernels multiply m and the root of v with, and add to v.
    fn corrections(&self, of: &Contents) -> (u64, [Approx; 3]) {
        let inside = self.eps_place.split(self.eps)[0];
        let Some(counter) = self.counter() else {
            let [fresh1, fresh2] = self.reached();
            return (self.step, [1.0 / fresh1, (1.0 / fresh2).sqrt(), inside * fresh2].map(Approx::host));
        };
        let step = of.get("steps").words().map_or(0, |w| w[0]).saturating_add(1);
        let ([fresh1, fresh2], one) = (counter.lost(step), Approx::exact(1.0));
        (u64::from(step), [one.over(fresh1), one.over(fresh2.root()), Approx::host(inside).times(fresh2)])
    }

    pub fn rule(self, of: &Contents) -> impl Fn(&Element) -> [Approx; 4] + use<> {
        let (number, [correct1, correct2, inside]) = self.corrections(of);
        let eps = self.eps_place.split(self.eps);
        move |at| {
            let (Element { weight: w, grad: g, state: [m, v, before], .. }, descent) = (*at, at.descent());
            let reference::Descent { grad_scale, rate, coupled, decay, threshold, divisor } = descent;
            let Self { beta1, beta2, .. } = self;
            let step = number;
            let step = reference::AdamwStep { grad_scale, rate, beta1, beta2, eps, step, coupled, decay, threshold, divisor };
            let before = if self.amsgrad { before } else { f64::NEG_INFINITY };
            let (weight, m1, v1, most) = reference::adam(&step, w, g, m, v, before);
            // The same again as the kernel does it, for the error.
            let g = at.gradient();
            let am = Approx::sum([Approx::exact(m).scaled(beta1), g.scaled(1.0 - beta1)]);
            let av = Approx::sum([Approx::exact(v).scaled(beta2), g.times(g).scaled(1.0 - beta2)]);
            // A maximum is off by no more than the number that may be off.
            let largest = Approx { value: most, ..av };
            let root = Approx::sum([Approx::sum([largest, inside]).root().times(correct2), Approx::host(eps[1])]);
            let zero = Approx::exact(0.0);
            // The host's or the GPU's correction is right to 30 ulp, the root to 5: less than 1e-5 together.
            let least = LEAST_ROOT.max((inside.value.sqrt() * correct2.value).max(eps[1]) * (1.0 - 1e-5));
            let ratio = if root == zero { zero } else { am.times(correct1).over_at_least(root, least) };
            after([weight, m1, v1, most], [at.toward(ratio), am, av, largest])
        }
    }
}
