//! One element of an optimizer's step, and the error analysis of what the kernels do to it around a rule.
use crate::{
    options::Rates,
    verify::{Approx, reference},
};

/// An element before the step.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    /// What multiplies the gradient.
    pub factor: Approx,
    /// The scalars of its group.
    pub rates: &'a Rates,
    pub grad: f64,
    pub weight: f64,
    /// In the order of the rule's `STATE`.
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
