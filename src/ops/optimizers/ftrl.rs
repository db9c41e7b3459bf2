//! One FTRL-proximal step. Kernel: `shaders/optimizers/ftrl.wgsl`. Reference: `cpu::ftrl`.
use crate::kernels::optimizer::prelude::*;

optimizer! {
    /// One step of FTRL-proximal (follow the regularized leader). With α = `lr` · `lr_scale`, and λ1 and λ2 (as a slope) of the group's
    /// `prox`:
    ///
    /// 1. σ = (√(n + g²) - √n) / α; z = z + g - σ·w; n = n + g²
    /// 2. w = 0 where |z| ≤ λ1, else -(z - sign(z)·λ1) / ((`beta` + √n) / α + λ2)
    ///
    /// The proximal penalty applies to the weight as a whole, not times lr at each step: zeros are exact and stay until the
    /// sum of the gradients exceeds λ1. L2 of the half form is the paper's λ2. Without penalty this is Adagrad with eps =
    /// `beta`, if z = -w·(`beta` + √n) / α before the first step.
    ///
    /// State: `z` and `n` (n not negative; these and the weight are zeros before the first step). The weight in step 1 is the stored
    /// one, so z accounts for the rounding of f16 and bf16.
    ///
    /// A decoupled decay is an error, because the weight is recomputed from z and n; so is α = 0. Where the divisor is 0
    /// (possible only with `beta` = 0), the weight is 0. No step number is needed.
    ///
    /// The difference of the roots is computed as g² / (√(n + g²) + √n), which cancels nothing and is at most |g|. McMahan et al., "Ad
    /// click prediction: a view from the trenches", 2013.
    #[op(
        name = "ftrl",
        summary = "FTRL-proximal step (sparse weights stay sparse), over one tensor or an arena",
        formula = "g += coupled; z += g - (√(n+g²) - √n)/lr·w; n += g²; w = -soft(z, λ1)/((beta + √n)/lr + λ2)"
    )]
    pub struct Ftrl {
        /// The paper's β = 1 on one tensor of `len` elements: no penalty.
        new(1.0);
        groups: #[doc = " Their `decay` must be 0."];
        /// The learning rate, α of the paper.
        #[field(above = 0)]
        pub lr: f64,
        /// β of the paper, added to the root of n: it keeps early steps small. The paper's is 1; Keras' is 0 by default, so JSON
        /// must say it.
        #[field(min = 0)]
        pub beta: f64,
    }
}

impl Rule for Ftrl {
    const STATE: &'static [State] = &[("z", [-1.0, 1.0]), ("n", [0.0, 1.0])];

    fn rate(&self) -> (f64, u64) {
        (self.lr, 1)
    }

    fn check(&self) -> Result<(), Error> {
        check_scalar(NAME, "lr", self.lr, [0.0, f64::INFINITY])?;
        check_scalar(NAME, "beta", self.beta, [0.0, f64::INFINITY])?;
        for (i, group) in self.groups.iter().enumerate() {
            group.check(NAME, i)?;
            if group.decay != 0.0 {
                let why = format!("[{i}] has decay = {}, must be 0: the weight is made anew; use prox or coupled", group.decay);
                return Err(Error::argument(NAME, "groups", why));
            }
            // Below the least normal number a device may see 0.
            let rate = group.rates(self.lr).rate;
            if (rate as f32) < f32::MIN_POSITIVE {
                let why = format!("[{i}]: lr · lr_scale is {rate}, must be at least 1.2e-38: it is divided by");
                return Err(Error::argument(NAME, "groups", why));
            }
            check_derived(NAME, "groups", &format!("[{i}]: 1 / (lr · lr_scale)"), 1.0 / rate)?;
        }
        Ok(())
    }

    fn params(&self, words: Words) -> Params {
        optimizer_words!(words, beta: f32 = self.beta)
    }
}

#[cfg(feature = "verify")]
impl VerifyRule for Ftrl {
    const KINDS: usize = 4;

    /// With beta = 0 it decides whether the divisor is 0.
    fn tiny(&self) -> bool {
        self.beta > 0.0
    }

    fn rule(&self, _: &Contents) -> impl Fn(&Element) -> [Approx; 4] {
        |at| {
            let (Element { weight: w, grad: g, state: [z, n, _], rates, .. }, zero) = (*at, Approx::exact(0.0));
            let [l1, l2] = rates.prox;
            let step = reference::FtrlStep { descent: at.descent(), beta: self.beta, l1, l2 };
            let (weight, z1, n1) = reference::ftrl(&step, w, g, z, n);
            // The same again as the kernel does it, for the error.
            let g = at.gradient();
            let slower = Approx::exact(1.0).over(Approx::host(rates.rate));
            let (square, old) = (g.times(g), Approx::exact(n));
            let sum = Approx::sum([old, square]);
            let both = Approx::sum([sum.root(), old.root()]);
            // From 0 to |g| whatever n is, in f32 too: the divisor is no less than the root of what is divided, but for 8 ulp.
            let most = (g.value.abs() + g.error) * (1.0 + 8.0 * f64::from(f32::EPSILON)) + f64::from(f32::MIN_POSITIVE);
            let difference = if both == zero { zero } else { square.over(both).off_by_at_most(most) };
            let sigma = difference.times(slower);
            let z = Approx::sum([Approx::exact(z), g, sigma.times(Approx::exact(w)).negative()]);
            let divisor = Approx::sum([Approx::sum([Approx::host(self.beta), sum.root()]).times(slower), Approx::host(l2)]);
            let soft = z.negative().soft(Approx::host(l1));
            // A root that is not 0 comes to no less, on any device.
            let least = (LEAST_ROOT.max(self.beta) / rates.rate + l2) * (1.0 - 1e-5);
            let moved = over_or_zero(soft, divisor, least);
            after([weight, z1, n1], [moved, z, sum])
        }
    }

    fn groups() -> Vec<Group> {
        let group = |lr_scale, prox| Group { lr_scale, prox, ..Group::default() };
        vec![
            Group::default(),
            group(2.0, ElasticNet::l1(0.5)),
            group(10.0, ElasticNet::weight_decay(0.3)),
            Group { coupled: ElasticNet::new(1e-2, 0.3), ..group(0.5, ElasticNet::new(0.2, 0.7)) },
        ]
    }

    fn case(self, kind: usize, _: usize) -> Self {
        let skip = NonFinite::Skip;
        match (kind, self.dtype) {
            (0, DType::F32 | DType::F16) => self,
            (1, DType::F32 | DType::F16) => Self { beta: 0.125, grad_scale: -0.25, ..self },
            (2, DType::F32) => Self { gpu_scale: true, non_finite: skip, ..self },
            (_, DType::F32 | DType::F16) => Self { beta: 0.0, ..self },
            _ => Self { gpu_scale: true, non_finite: skip, grad_scale: 0.5, ..self },
        }
    }

    /// Without decay, which FTRL refuses.
    fn timed(self) -> Self {
        Self { groups: self.groups.iter().map(|g| Group { decay: 0.0, ..*g }).collect(), ..self }
    }
}
