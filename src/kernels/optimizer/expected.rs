//! The optimizers' references: the loop over an arena, and the error analysis of what the kernels do to a weight.
use super::Optimizer;
use crate::{
    kernels::arena::poison_gaps,
    op::{Arg, Expected, Pattern, Rng},
    options::Rates,
    types::HostData,
    verify::{Approx, reference},
};

impl Optimizer<'_> {
    /// Runs `each` over the live elements: from the factor of the gradients, the group's scalars, and the element's
    /// (gradient, weight, state) to its new (weight, state). What is in f32 alone needs no further rounding.
    pub fn reference(&self, args: &[HostData], each: impl Fn(Approx, &Rates, [f64; 5]) -> [Approx; 4]) -> Vec<Expected> {
        let reads = 1 + usize::from(self.gpu_scale);
        let grad = args[0].to_f64();
        let gpu = if self.gpu_scale { args[1].to_f64()[0] } else { 1.0 };
        let live = || self.segments.iter().flat_map(|s| (s.start..s.start + s.len).map(|i| (i, s.group)));
        let skip = self.skips() && live().next().is_some() && !(gpu.is_finite() && live().all(|(i, _)| grad[i].is_finite()));
        let mut out: Vec<Expected>;
        if skip {
            out = args[reads..].iter().cloned().map(Expected::Exact).collect();
        } else {
            let buffers = 1 + self.kept().count();
            let old: Vec<Vec<f64>> = args[reads..reads + buffers].iter().map(HostData::to_f64).collect();
            let mut new: Vec<(Vec<f64>, Vec<f64>)> = old.iter().map(|o| (o.clone(), vec![0.0; o.len()])).collect();
            let factor = Approx::host(self.grad_scale);
            let factor = if self.gpu_scale { factor.times(Approx::exact(gpu)) } else { factor };
            let rates: Vec<Rates> = self.groups.iter().map(|g| g.rates(self.lr)).collect();
            // The weight, the rule's state, the master, the average.
            let (rule, master) = (self.state.len(), 1 + self.state.len());
            for (i, group) in live() {
                let at = |k: usize| if k <= rule { old[k][i] } else { 0.0 };
                let w = if self.master { old[master][i] } else { old[0][i] };
                let results = each(factor, &rates[group], [grad[i], w, at(1), at(2), at(3)]);
                let mut put = |k: usize, got: Approx| {
                    // NaN and infinities come out as they are, or not at all.
                    let bound = if got.value.is_finite() { got.error } else { 0.0 };
                    (new[k].0[i], new[k].1[i]) = (got.value, bound);
                };
                let stored = self.stored(results[0], i);
                put(0, stored);
                (1..=rule).for_each(|k| put(k, results[k]));
                if self.master {
                    put(master, results[0]);
                }
                if let Some(average) = self.ema {
                    let w = if self.master { results[0] } else { stored };
                    put(buffers - 1, average.reference(old[buffers - 1][i], w));
                }
            }
            out = new.into_iter().map(|(value, bound)| Expected::Within { value, bound }).collect();
        }
        out.truncate(1 + self.kept().count());
        let word = |name| args[self.place(name)].words().map_or(0, |w| w[0]);
        if self.counter.is_some() {
            let made = !skip && live().next().is_some();
            out.push(Expected::Exact(HostData::U32(vec![word("steps").saturating_add(u32::from(made))])));
        }
        if self.skips() {
            out.push(Expected::Exact(HostData::U32(vec![word("skipped").wrapping_add(u32::from(skip))])));
        }
        out
    }

    /// Contents for an argument: NaN between the tensors' gradients, which nothing may notice; infinities only in gradients
    /// and in the scale, since an infinite weight or moment may become a NaN in one order of the sum and not in another.
    pub fn fill(&self, arg: &Arg, domain: [f64; 2], rng: &mut Rng, pattern: Pattern) -> HostData {
        // The scale alone must be able to stop a step: every second step number draws it NaN, and finite gradients.
        let scale_only = pattern == Pattern::NonFinite && self.gpu_scale && self.step.is_multiple_of(2);
        if scale_only && arg.name == "scale" {
            return HostData::F32(vec![f32::NAN]);
        }
        let pattern = if scale_only && arg.name == "grad" { Pattern::Ordinary } else { pattern };
        // The first average of most warm-ups does not look at what was there.
        if arg.name == "ema" && self.ema.is_some_and(|a| a.fresh() == 1.0) {
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
        let data = rng.fill(arg, domain, pattern);
        match arg.name {
            "grad" => poison_gaps(self.segments, data),
            "scale" | "skipped" => data,
            _ => {
                let finite = |x: f64| if x.is_infinite() { f64::NAN } else { x };
                HostData::from_f64(arg.dtype, data.to_f64().into_iter().map(finite))
            }
        }
    }
}

/// The new weight as the kernels compute it: off with `decay` of the old one, `rate` against the direction, then the
/// proximal step.
pub(crate) fn regularised(rates: &Rates, w: f64, direction: Approx) -> Approx {
    let old = Approx::exact(w);
    let moved = Approx::sum([old, old.scaled(rates.decay).negative(), direction.scaled(rates.rate).negative()]);
    moved.soft(Approx::host(rates.threshold)).over(Approx::host(rates.divisor))
}

impl Rates {
    /// What the references call the same.
    pub(crate) fn descent(&self, factor: Approx) -> reference::Descent {
        let Self { coupled, decay, rate, threshold, divisor, .. } = *self;
        reference::Descent { grad_scale: factor.value, rate, coupled, decay, threshold, divisor }
    }
}

/// The gradient with its factor and the coupled penalty's gradient.
pub(crate) fn coupled(factor: Approx, rates: &Rates, g: f64, w: f64) -> Approx {
    let [l1, slope] = rates.coupled;
    let sign = if w > 0.0 {
        1.0
    } else if w < 0.0 {
        -1.0
    } else {
        0.0
    };
    Approx::sum([factor.times(Approx::exact(g)), Approx::exact(sign).scaled(l1), Approx::exact(w).scaled(slope)])
}
