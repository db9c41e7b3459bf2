//! The optimizers' references: the loop over an arena, and the error analysis of what the kernels do to a weight.
use super::{Optimizer, VerifyRule};
use crate::{
    kernels::arena::poison_gaps,
    op::{Arg, Contents, Expected, Pattern, Rng},
    options::Rates,
    types::HostData,
    verify::{Approx, reference},
};

/// An element before the step.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    /// What multiplies the gradient.
    factor: Approx,
    /// The scalars of its group.
    pub rates: &'a Rates,
    pub grad: f64,
    pub weight: f64,
    /// In the order of [`Rule::STATE`](super::Rule::STATE).
    pub state: [f64; 3],
}

/// What the references say of the weight and of the state, and how far the kernel's are from its own analysis.
pub(crate) fn after<const N: usize>(values: [f64; N], kernel: [Approx; N]) -> [Approx; 4] {
    let mut all = [Approx::exact(0.0); 4];
    for (to, (value, kernel)) in all.iter_mut().zip(values.into_iter().zip(kernel)) {
        *to = Approx { value, ..kernel };
    }
    all
}

impl Element<'_> {
    /// What the references do around a rule.
    pub fn descent(&self) -> reference::Descent {
        let Rates { coupled, decay, rate, threshold, divisor, .. } = *self.rates;
        reference::Descent { grad_scale: self.factor.value, rate, coupled, decay, threshold, divisor }
    }

    /// The gradient with its factor and the coupled penalty's gradient.
    pub fn gradient(&self) -> Approx {
        let ([l1, slope], w) = (self.rates.coupled, self.weight);
        let sign = if w > 0.0 {
            1.0
        } else if w < 0.0 {
            -1.0
        } else {
            0.0
        };
        let grad = self.factor.times(Approx::exact(self.grad));
        Approx::sum([grad, Approx::exact(sign).scaled(l1), Approx::exact(w).scaled(slope)])
    }

    /// The new weight as the kernels compute it: off with `decay` of the old one, `rate` against the direction, then the
    /// proximal step.
    pub fn toward(&self, direction: Approx) -> Approx {
        let (old, rates) = (Approx::exact(self.weight), self.rates);
        let moved = Approx::sum([old, old.scaled(rates.decay).negative(), direction.scaled(rates.rate).negative()]);
        moved.soft(Approx::host(rates.threshold)).over(Approx::host(rates.divisor))
    }
}

/// What the updated arguments must hold.
pub(crate) fn reference<R: VerifyRule>(rule: &R, of: &Optimizer, args: &[HostData]) -> Vec<Expected> {
    let old = Contents::new(of.args(), args);
    let each = rule.rule(&old);
    let grad = old.f64("grad");
    let gpu = old.f64_or("scale", 1.0, 1)[0];
    let live = || of.segments.iter().flat_map(|s| (s.start..s.start + s.len).map(|i| (i, s.group)));
    let some = live().next().is_some();
    let skip = of.skips() && some && !(gpu.is_finite() && live().all(|(i, _)| grad[i].is_finite()));
    let names: Vec<&str> = std::iter::once("weight").chain(of.kept()).collect();
    let mut out: Vec<Expected>;
    if skip {
        out = names.iter().map(|name| Expected::Exact(old.get(name).clone())).collect();
    } else {
        let factor = Approx::host(of.grad_scale);
        let factor = if of.gpu_scale { factor.times(Approx::exact(gpu)) } else { factor };
        let rates: Vec<Rates> = of.groups.iter().map(|g| g.rates(of.lr)).collect();
        let at = |name: &str| names.iter().position(|n| *n == name);
        let state: Vec<Option<usize>> = R::STATE.iter().map(|(name, _)| at(name)).collect();
        let (master, ema) = (at("master"), at("ema"));
        let mut new: Vec<(Vec<f64>, Vec<f64>)> = names.iter().map(|n| (old.f64(n), vec![0.0; grad.len()])).collect();
        for (i, group) in live() {
            let held = |k: usize| new[k].0[i];
            let before = |k: usize| state.get(k).copied().flatten().map_or(0.0, held);
            let (weight, average) = (held(master.unwrap_or(0)), ema.map(held));
            let state_before = [before(0), before(1), before(2)];
            let results = each(&Element { factor, rates: &rates[group], grad: grad[i], weight, state: state_before });
            let mut put = |k: usize, got: Approx| {
                // NaN and infinities come out as they are, or not at all.
                let bound = if got.value.is_finite() { got.error } else { 0.0 };
                (new[k].0[i], new[k].1[i]) = (got.value, bound);
            };
            let stored = of.stored(results[0], i);
            put(0, stored);
            state.iter().zip(&results[1..]).for_each(|(k, got)| k.iter().for_each(|k| put(*k, *got)));
            master.iter().for_each(|k| put(*k, results[0]));
            if let (Some(average), Some(old), Some(k)) = (of.ema, average, ema) {
                put(k, average.reference(old, if of.master { results[0] } else { stored }));
            }
        }
        out = new.into_iter().map(|(value, bound)| Expected::Within { value, bound }).collect();
    }
    let word = |name| old.find(name).and_then(HostData::words).map(|w| w[0]);
    let counts = [
        word("steps").map(|n| n.saturating_add(u32::from(!skip && some))),
        word("skipped").map(|n| n.wrapping_add(u32::from(skip))),
    ];
    out.extend(counts.into_iter().flatten().map(|n| Expected::Exact(HostData::U32(vec![n]))));
    out
}

/// The kinds of data that are tried.
pub(crate) fn patterns(rule: &impl VerifyRule) -> Vec<Pattern> {
    let mut all = vec![Pattern::Ordinary, Pattern::Zeros, Pattern::NonFinite];
    all.extend(rule.tiny().then_some(Pattern::Tiny));
    all
}

/// The range that an argument is drawn from.
pub(crate) fn domain<R: VerifyRule>(_: &R, arg: &Arg) -> [f64; 2] {
    let all = [("scale", [0.5, 2.0])];
    all.iter().chain(R::STATE).find(|(name, _)| *name == arg.name).map_or([-1.0, 1.0], |(_, range)| *range)
}

/// Contents for an argument: NaN between the tensors' gradients, which nothing may notice; infinities only in gradients
/// and in the scale, since an infinite weight or moment may become a NaN in one order of the sum and not in another.
pub(crate) fn fill<R: VerifyRule>(rule: &R, of: &Optimizer, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    // The scale alone must be able to stop a step: every second step number draws it NaN, and finite gradients.
    let scale_only = pattern == Pattern::NonFinite && of.gpu_scale && of.step.is_multiple_of(2);
    if scale_only && arg.name == "scale" {
        return HostData::F32(vec![f32::NAN]);
    }
    let pattern = if scale_only && arg.name == "grad" { Pattern::Ordinary } else { pattern };
    // The first average of most warm-ups does not look at what was there.
    let unread = arg.name == "ema" && of.ema.is_some_and(|a| a.fresh() == 1.0);
    if unread || R::STATE.iter().any(|(name, _)| *name == arg.name) && rule.overwrites(arg.name) {
        return HostData::F32(vec![f32::NAN; arg.len]);
    }
    // Steps made so far: few, so that the corrections matter; none; as many as the counter takes; or of any magnitude.
    if arg.name == "steps" {
        return HostData::U32(vec![match pattern {
            Pattern::Ordinary => rng.word() % 64,
            Pattern::Zeros => 0,
            Pattern::Tiny => u32::MAX,
            _ => rng.word() >> (rng.word() % 32),
        }]);
    }
    let data = rng.fill(arg, domain(rule, arg), pattern);
    match arg.name {
        "grad" => poison_gaps(of.segments, data),
        "scale" | "skipped" => data,
        _ => {
            let finite = |x: f64| if x.is_infinite() { f64::NAN } else { x };
            HostData::from_f64(arg.dtype, data.to_f64().into_iter().map(finite))
        }
    }
}
