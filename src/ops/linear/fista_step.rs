//! One step of FISTA. Kernel: `shaders/linear/fista_step.wgsl`. Reference: `cpu::fista_step`.
#[cfg(feature = "verify")]
use crate::kernels::linear_models::fill;
use crate::{
    kernel,
    kernels::linear_models::{Draw, GlmBatch, all, items},
    op::{Access, Arg, Caps, Lowered, Op, Step},
    params,
    types::{DType, Error, HostData},
    wgsl::Spec,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { FistaParams { blocks: u32, models: u32, features: u32, penalized: u32 } }

/// One accelerated proximal gradient (FISTA) step of each model of a batch, with its own λ1, λ2 and step size. It minimises
/// f(b) + λ1·Σ|b| + ½·λ2·Σb² for a smooth f.
///
/// Reads `grad` f32\[features, models]: minus the gradient of f at `point`; `settings` f32\[4, models]: λ1, λ2, step size and
/// tolerance of each model, at least 0 and finite; and `gap` f32\[models]. Updates `coef` and `point`, f32\[features,
/// models], and `momentum` f32\[models], t, at least 1: to begin, `point` is `coef`, and t is 1. Then b' = prox(point +
/// step·grad), point' = b' + (t - 1)/t'·(b' - b) and t' = (1 + √(1 + 4·t²))/2; but where Σ (point - b')·(b' - b) is positive,
/// the momentum no longer points downhill, and is reset: point' = b', t' = 1. A step size up to 1/L, L being the largest
/// curvature of f, converges. Columns from `penalized` on have no penalty: intercepts. A model whose gap, as
/// [`DualityGap`](super::DualityGap) writes it, is at most its tolerance is left unchanged; a NaN gap does not stop a model,
/// nor does a NaN cause a restart. Zeros are exact. Deterministic. One dispatch without scratch, a lane for each model. A
/// device must be able to bind each buffer whole.
///
/// Error: by running analysis; where the sign that decides on a restart is not certain in f32, either outcome is right.
///
/// Beck and Teboulle, "A Fast Iterative Shrinkage-Thresholding Algorithm for Linear Inverse Problems", 2009; O'Donoghue and Candès,
/// "Adaptive Restart for Accelerated Gradient Schemes", 2015 (the gradient scheme).
#[op(
    name = "fista_step",
    summary = "FISTA step with adaptive restart for a batch of elastic-net models; converged models stay unchanged",
    formula = "b' = prox(p + t·g), p' = b' + (k-1)/k'·(b' - b), k' = (1 + √(1 + 4k²))/2"
)]
pub struct FistaStep {
    /// Coefficients of a model.
    #[field(min = 1, max = 4096)]
    pub features: usize,
    /// How many of them, counted from the first, are penalized.
    pub penalized: usize,
    /// Models. May be 0.
    pub models: usize,
}

impl FistaStep {
    fn batch(&self) -> GlmBatch {
        GlmBatch { op: NAME, rows: 0, features: self.features, sets: 1, per_set: self.models }
    }
}

impl Op for FistaStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let b = self.batch();
        vec![
            Arg::read("grad", DType::F32, b.matrix(self.features)),
            Arg::read("settings", DType::F32, b.matrix(4)),
            Arg::read("gap", DType::F32, self.models),
            Arg::update("coef", DType::F32, b.matrix(self.features)),
            Arg::update("point", DType::F32, b.matrix(self.features)),
            Arg::update("momentum", DType::F32, self.models),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        self.batch().check(caps, Some(self.penalized), &args)?;
        if self.models == 0 {
            return Ok(out);
        }
        let blocks = (self.models as u64).div_ceil(u64::from(caps.lanes));
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("linear/fista_step"),
                entry: "fista_step",
                parts: vec![],
                bindings: args.iter().map(|a| items(a.name, a.access != Access::Read)).collect(),
                consts: vec![("WG", caps.lanes)],
            },
            params: FistaParams {
                blocks: blocks as u32,
                models: self.models as u32,
                features: self.features as u32,
                penalized: self.penalized as u32,
            }
            .into(),
            slots: all(&args),
            workgroups: blocks,
            trips: 2 * self.features as u64,
        });
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for FistaStep {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match arg.name {
            "settings" => {
                let HostData::F32(mut v) = fill(arg, rng, pattern, &Draw::Within([0.05, 0.6])) else {
                    unreachable!("drawn as f32")
                };
                // Each λ is absent from some models.
                v.iter_mut().take(2 * self.models).filter(|_| rng.word().is_multiple_of(4)).for_each(|l| *l = 0.0);
                // Some tolerances are a gap that is drawn below.
                v.iter_mut().skip(3 * self.models).filter(|_| rng.word().is_multiple_of(2)).for_each(|t| *t = 0.04);
                HostData::F32(v)
            }
            // Some have arrived, exactly or by a little; some have not, some cannot tell.
            "gap" => {
                let each = |_| [0.0, 0.04, 0.7, f32::MAX, f32::NAN][rng.word() as usize % 5];
                HostData::F32((0..arg.len).map(each).collect())
            }
            "momentum" => {
                let mut data = fill(arg, rng, pattern, &Draw::Within([1.0, 40.0]));
                if let HostData::F32(v) = &mut data {
                    v.iter_mut().filter(|_| rng.word().is_multiple_of(4)).for_each(|t| *t = 1.0);
                }
                data
            }
            _ => fill(arg, rng, pattern, &Draw::Any),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let [grad, settings, gap] = ["grad", "settings", "gap"].map(|name| of.f64(name));
        let before = ["coef", "point", "momentum"].map(|name| of.f64(name));
        let mut values = before.clone();
        let mut bounds = values.each_ref().map(|v| vec![0.0; v.len()]);
        for m in 0..self.models {
            let column = |of: &[f64]| -> Vec<f64> { (0..self.features).map(|j| of[j * self.models + m]).collect() };
            let [l1, l2, step, tolerance] = [0, 1, 2, 3].map(|k| settings[k * self.models + m]);
            if gap[m] <= tolerance {
                continue;
            }
            let (grad, old, place, momentum) = (column(&grad), column(&before[0]), column(&before[1]), before[2][m]);
            let (mut coef, mut point, mut t) = (old.clone(), place.clone(), momentum);
            let along = reference::fista_step([l1, l2, step], self.penalized, &grad, &mut coef, &mut point, &mut t);
            let errors = self.errors([l1, l2, step], &grad, &old, &place, momentum, along);
            for j in 0..self.features {
                let at = j * self.models + m;
                (values[0][at], values[1][at]) = (coef[j], point[j]);
                (bounds[0][at], bounds[1][at]) = errors.columns[j];
            }
            (values[2][m], bounds[2][m]) = (t, errors.momentum);
        }
        let [c, p, t] = values;
        let [cb, pb, tb] = bounds;
        [(c, cb), (p, pb), (t, tb)].map(|(value, bound)| Expected::Within { value, bound }).into()
    }
}

/// How far the kernel may be from the reference, for one model.
struct Errors {
    /// Of coefficient and point.
    columns: Vec<(f64, f64)>,
    momentum: f64,
}

impl FistaStep {
    #[cfg(feature = "verify")]
    fn errors(&self, [l1, l2, step]: [f64; 3], grad: &[f64], before: &[f64], place: &[f64], t: f64, along: f64) -> Errors {
        let one = Approx::exact(1.0);
        let [l1, l2, step, t] = [l1, l2, step, t].map(Approx::exact);
        let (threshold, divisor) = (step.times(l1), Approx::sum([one, step.times(l2)]));
        let root = Approx::sum([one, Approx::exact(4.0).times(t.times(t))]).root();
        let grown = Approx::exact(0.5).times(Approx::sum([one, root]));
        let carry = Approx::sum([t, Approx::exact(-1.0)]).over(grown);
        let moved: Vec<Approx> = (0..self.features)
            .map(|j| {
                let v = Approx::sum([Approx::exact(place[j]), step.times(Approx::exact(grad[j]))]);
                if j < self.penalized { v.soft(threshold).over(divisor) } else { v }
            })
            .collect();
        let less = |a: Approx, b: f64| Approx::sum([a, Approx::exact(-b)]);
        let products = moved.iter().enumerate().map(|(j, &b)| less(b.negative(), -place[j]).times(less(b, before[j])));
        let (size, moves) = products.fold((0.0, 0.0), |(s, m), p| (s + p.value.abs() + p.error, m + p.error));
        let unsure = moves + self.features as f64 * (DType::F32.epsilon() * size + DType::F32.least_normal());
        // A NaN is no restart for certain, and an infinity has its sign.
        let certain = !along.is_finite() || along.abs() > unsure;
        let column = |j: usize| {
            let go_on = Approx::sum([moved[j], carry.times(less(moved[j], before[j]))]);
            let point = match (certain, along > 0.0) {
                (true, true) => moved[j].error,
                (true, false) => go_on.error,
                (false, _) => go_on.error.max(moved[j].error) + (go_on.value - moved[j].value).abs(),
            };
            (moved[j].error, point)
        };
        let momentum = match (certain, along > 0.0) {
            (true, true) => 0.0,
            (true, false) => grown.error,
            (false, _) => grown.error + (grown.value - 1.0),
        };
        Errors { columns: (0..self.features).map(column).collect(), momentum }
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let shapes =
        [[1, 1, 1], [3, 2, 0], [4, 0, 5], [5, 4, 3], [12, 11, 8], [12, 12, 257], [200, 199, 9], [7, 3, 1030], [1, 0, 64]];
    shapes.map(|[features, penalized, models]| Box::new(FistaStep { features, penalized, models }) as Box<dyn Verify>).into()
}

#[cfg(feature = "verify")]
/// Models of 64 coefficients.
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    vec![Box::new(FistaStep { features: 64, penalized: 63, models: (elements / 64).max(1) })]
}
