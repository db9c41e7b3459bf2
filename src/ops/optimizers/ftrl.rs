//! One FTRL-proximal step. Kernel: `shaders/optimizers/ftrl.wgsl`. Reference: `cpu::ftrl`.
#[cfg(feature = "verify")]
use crate::kernels::optimizer::coupled;
use crate::{
    kernel,
    kernels::optimizer::{
        Optimizer, adaptive,
        json::parse_optimizer,
        macros::{optimizer, optimizer_params, optimizer_words},
    },
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{ElasticNet, Group, NonFinite, check_derived, check_scalar},
    types::{DType, Error, HostData, Segment},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::{arena::arena_cases, optimizer::cases},
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

optimizer_params! {
    FtrlParams {
        beta: f32,
    }
}

optimizer! {
    /// One step of FTRL-proximal (follow the regularized leader), for one tensor or a whole model in one dispatch. With α =
    /// `lr` · `lr_scale`, and λ1 and λ2 (as a slope) of the group's `prox`:
    ///
    /// 1. g = `grad_scale` · scale · grad + gradient of the coupled penalty
    /// 2. σ = (√(n + g²) - √n) / α; z = z + g - σ·w; n = n + g²
    /// 3. w = 0 where |z| ≤ λ1, else -(z - sign(z)·λ1) / ((`beta` + √n) / α + λ2)
    ///
    /// The proximal penalty applies to the weight as a whole, not times lr at each step: zeros are exact and stay until the
    /// sum of the gradients exceeds λ1. L2 of the half form is the paper's λ2. Without penalty this is Adagrad with eps =
    /// `beta`, if z = -w·(`beta` + √n) / α before the first step.
    ///
    /// Reads `grad` and, with `gpu_scale`, `scale` (f32\[1\], on the GPU: a clip factor, the inverse of a loss scale).
    /// Updates `weight`, `z` and `n` (f32; n not negative; all three zeros before the first step), with `master` and with
    /// `ema` f32 buffers of these names, with [`NonFinite::Skip`] `skipped` (u32\[1\], + 1 for a step that was left out). All
    /// but `scale` and `skipped` hold the arena's elements. The weight in step 2 is the stored one, so z accounts for the
    /// rounding of f16 and bf16.
    ///
    /// A decoupled decay is an error, because the weight is recomputed from z and n; so is α = 0. Where the divisor is 0
    /// (possible only with `beta` = 0), the weight is 0. No step number is needed. Deterministic. Scratch: 16 bytes if steps
    /// may be skipped. An empty arena is left alone and counts no step.
    ///
    /// Error: running analysis of the kernel's own operations, each at WGSL's accuracy ([`Approx`]). The difference of the
    /// roots is computed as g² / (√(n + g²) + √n), which cancels nothing and is at most |g|. McMahan et al., "Ad click
    /// prediction: a view from the trenches", 2013.
    #[op(
        name = "ftrl",
        summary = "FTRL-proximal step (sparse weights stay sparse), over one tensor or an arena",
        formula = "g += coupled; z += g - (√(n+g²) - √n)/lr·w; n += g²; w = -soft(z, λ1)/((beta + √n)/lr + λ2)",
        parse = |value| parse_optimizer::<Ftrl>(NAME, None, value)
    )]
    pub struct Ftrl {
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

impl Ftrl {
    /// The paper's β = 1 on one tensor of `len` elements: no penalty.
    pub fn new(dtype: DType, len: usize, lr: f64) -> Self {
        Self::from_required(dtype, Segment::one(len), vec![Group::default()], lr, 1.0)
    }

    fn optimizer(&self) -> Optimizer<'_> {
        self.common(NAME, &["z", "n"], self.lr, 1)
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
}

impl Op for Ftrl {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.optimizer().args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check()?;
        self.optimizer().lower(caps, kernel!("optimizers/ftrl"), &[], |words| {
            optimizer_words!(FtrlParams, words;
                beta: self.beta as f32,
            )
        })
    }

    /// f32: 28 bytes an element, f16 and bf16: 22; the gradients once more if a step may be skipped.
    fn cost(&self) -> Cost {
        self.optimizer().cost()
    }
}

#[cfg(feature = "verify")]
impl Verify for Ftrl {
    fn patterns(&self) -> Vec<Pattern> {
        let mut all = vec![Pattern::Ordinary, Pattern::Zeros, Pattern::NonFinite];
        // With beta = 0, what a device flushes to 0 decides whether the divisor is 0: nothing is promised there.
        all.extend((self.beta > 0.0).then_some(Pattern::Tiny));
        all
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        match arg.name {
            "scale" => [0.5, 2.0],
            "n" => [0.0, 1.0],
            _ => [-1.0, 1.0],
        }
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.optimizer().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.optimizer().reference(args, |factor, rates, [g, w, z, n, _]| {
            let ([l1, l2], zero) = (rates.prox, Approx::exact(0.0));
            let step = reference::FtrlStep { descent: rates.descent(factor), beta: self.beta, l1, l2 };
            let (weight, z1, n1) = reference::ftrl(&step, w, g, z, n);
            // The same again as the kernel does it, for the error.
            let g = coupled(factor, rates, g, w);
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
            let least = (adaptive::LEAST_ROOT.max(self.beta) / rates.rate + l2) * (1.0 - 1e-5);
            let moved = if soft == zero || divisor == zero { zero } else { soft.over_at_least(divisor, least) };
            [Approx { value: weight, ..moved }, Approx { value: z1, ..z }, Approx { value: n1, ..sum }, zero]
        })
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let group = |lr_scale, prox| Group { lr_scale, prox, ..Group::default() };
    let groups = [
        Group::default(),
        group(2.0, ElasticNet::l1(0.5)),
        group(10.0, ElasticNet::weight_decay(0.3)),
        Group { coupled: ElasticNet::new(1e-2, 0.3), ..group(0.5, ElasticNet::new(0.2, 0.7)) },
    ];
    arena_cases(groups.len(), |dtype, segments, n| {
        // Tensors take groups by turns of four as well: each kind is to meet all of them.
        let kind = (n + n / 4) % 4;
        let (ema, master, rounding) = cases::keeping(dtype, kind, n);
        let plain = Ftrl { segments, groups: groups.to_vec(), ema, master, rounding, ..Ftrl::new(dtype, 0, 0.1) };
        let skip = NonFinite::Skip;
        // Distinct pipelines cost compile time, so each half type takes its own part of what f32 takes whole.
        Box::new(match (kind, dtype) {
            (0, DType::F32 | DType::F16) => plain,
            (1, DType::F32 | DType::F16) => Ftrl { beta: 0.125, grad_scale: -0.25, ..plain },
            (2, DType::F32) => Ftrl { gpu_scale: true, non_finite: skip, ..plain },
            (_, DType::F32 | DType::F16) => Ftrl { beta: 0.0, ..plain },
            _ => Ftrl { gpu_scale: true, non_finite: skip, grad_scale: 0.5, ..plain },
        })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    // No decay, which FTRL refuses.
    cases::bench(elements, |dtype, segments, groups| {
        let groups = groups.into_iter().map(|g| Group { decay: 0.0, ..g }).collect();
        Box::new(Ftrl { segments, groups, ..Ftrl::new(dtype, 0, 0.1) })
    })
}
