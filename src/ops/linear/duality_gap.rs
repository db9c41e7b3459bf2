//! How far models are from their minimum, at most. Kernels: `linear/parts/spreads`, `shaders/linear/duality_gap.wgsl`. Reference:
//! `cpu::duality_gap`.
#[cfg(feature = "verify")]
use crate::kernels::linear_models::fill;
use crate::{
    kernel,
    kernels::linear_models::{Draw, GlmBatch, items},
    op::{Arg, ByName, Caps, Lowered, MAX_TRIPS, Op, Slot, Step},
    options::{LinearModel, check_held},
    params,
    types::{DType, Error, HostData},
    wgsl::{Spec, parts},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { GapParams { blocks: u32, models: u32, features: u32, penalized: u32, chunks: u32, reach: f32 } }
params! { SpreadParams { blocks: u32, total: u32, rows: u32, chunk: u32, models: u32, per_set: u32 } }

/// The duality gap of each model of a batch: an upper bound on how far its objective, Σ w·loss + λ1·Σ|b| + ½·λ2·Σb², is above
/// its minimum. A stopping criterion.
///
/// Reads `weight` f32\[sets, rows], `residual` f32\[rows, models] and `grad` f32\[features, models], as
/// [`LinearResidual`](super::LinearResidual) and [`LinearGradient`](super::LinearGradient) make them from `coef`
/// f32\[features, models]; and `settings` f32\[4, models], of which the first two rows are λ1 and λ2. Writes `gap` f32\[models].
///
/// The dual point is the residuals; without λ2 they are scaled down until no gradient is past λ1, at the price of the rows'
/// share of the gap. For logistic models that share is bounded from above, by χ² in place of Kullback and Leibler's
/// divergence. Every term is computed without cancellation and is at least 0, so gaps are accurate well below the precision
/// of the objective. Columns from `penalized` on have no penalty, an intercept: their best coefficients are taken to be no
/// further than `reach` from the present ones. Without λ1 and λ2 the gap is meaningless. A NaN or infinity in what a model's
/// gap depends on makes it NaN or infinite. Deterministic. Two dispatches, and scratch of 4 bytes for each model and up to
/// 1024 rows. A device must be able to bind each buffer whole.
///
/// Error: by running analysis of positive terms.
///
/// Friedman, Hastie and Tibshirani, 2010; Fercoq, Gramfort and Salmon, "Mind the duality gap: safer rules for the Lasso", 2015.
#[op(
    name = "duality_gap",
    summary = "upper bound on each model's suboptimality (duality gap); a stopping criterion",
    formula = "Σ w·loss + λ1·Σ|b| + ½·λ2·Σb² - min ≤ gap"
)]
pub struct DualityGap {
    /// The kind of model.
    pub model: LinearModel,
    /// Rows of X. May be 0.
    pub rows: usize,
    /// Columns of X.
    #[field(min = 1, max = 4096)]
    pub features: usize,
    /// How many of them, counted from the first, are penalized.
    pub penalized: usize,
    /// Sets of row weights, such as folds. May be 0.
    pub sets: usize,
    /// Models of each set, neighbours in the batch. May be 0.
    pub per_set: usize,
    /// How far the coefficients without a penalty may be from the best ones.
    #[field(default = 1.0, min = 0, max = 1e6)]
    pub reach: f64,
}

impl DualityGap {
    fn batch(&self) -> GlmBatch {
        let Self { rows, features, sets, per_set, .. } = *self;
        GlmBatch { op: NAME, rows, features, sets, per_set }
    }
}

impl Op for DualityGap {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let b = self.batch();
        vec![
            b.weight(),
            Arg::read("residual", DType::F32, b.matrix(self.rows)),
            Arg::read("grad", DType::F32, b.matrix(self.features)),
            Arg::read("coef", DType::F32, b.matrix(self.features)),
            Arg::read("settings", DType::F32, b.matrix(4)),
            Arg::write("gap", DType::F32, b.models()),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, b, mut out) = (self.args(), self.batch(), Lowered::default());
        b.check(caps, Some(self.penalized), &args)?;
        if !(0.0..=1e6).contains(&self.reach) {
            return Err(Error::argument(NAME, "reach", format!("is {}, must be at least 0 and at most 1e6", self.reach)));
        }
        check_held(NAME, "reach", "is", self.reach)?;
        let models = b.models() as u64;
        if models == 0 {
            return Ok(out);
        }
        // A GPU has lanes to spare; a CPU adds up faster in one go.
        let rows = self.rows as u64;
        let chunk = if caps.cpu { 1024 } else { 64.max(rows.div_ceil(1024)) };
        let chunks = rows.div_ceil(chunk);
        let room = models * 4 * chunks.max(1);
        let (trips, limit) = (self.penalized as u64 + self.features as u64 + chunks, caps.limits.max_storage_buffer_binding_size);
        if room.next_multiple_of(16) > limit || trips.max(chunk) > MAX_TRIPS {
            let why = format!("{} rows of {models} models are too many: {room} bytes of sums, loops of {trips} trips", self.rows);
            return Err(Error::unsupported(NAME, why));
        }
        let partials = Slot::Scratch(out.scratch(room, caps));
        let lanes = u64::from(caps.lanes);
        if rows > 0 {
            let (total, blocks) = (models * chunks, (models * chunks).div_ceil(lanes));
            out.steps.push(Step {
                spec: Spec {
                    shader: parts::linear::SPREADS,
                    entry: "model_spreads",
                    parts: vec![self.model.of(parts::linear::SPREAD_LINEAR, parts::linear::SPREAD_LOGISTIC)],
                    bindings: vec![items("weight", false), items("residual", false), items("partials", true)],
                    consts: vec![("WG", caps.lanes)],
                },
                params: SpreadParams {
                    blocks: blocks as u32,
                    total: total as u32,
                    rows: rows as u32,
                    chunk: chunk as u32,
                    models: models as u32,
                    per_set: self.per_set as u32,
                }
                .into(),
                slots: vec![args.whole("weight"), args.whole("residual"), partials.clone()],
                workgroups: blocks,
                trips: chunk,
            });
        }
        let blocks = models.div_ceil(lanes);
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("linear/duality_gap"),
                entry: "duality_gap",
                parts: vec![],
                bindings: [("grad", false), ("coef", false), ("settings", false), ("partials", false), ("gap", true)]
                    .map(|(name, writes)| items(name, writes))
                    .into(),
                consts: vec![("WG", caps.lanes)],
            },
            params: GapParams {
                blocks: blocks as u32,
                models: models as u32,
                features: self.features as u32,
                penalized: self.penalized as u32,
                chunks: chunks as u32,
                reach: self.reach as f32,
            }
            .into(),
            slots: vec![args.whole("grad"), args.whole("coef"), args.whole("settings"), partials, args.whole("gap")],
            workgroups: blocks,
            trips,
        });
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for DualityGap {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match arg.name {
            "weight" => fill(arg, rng, pattern, &Draw::Weights),
            // Below the least weight, as those of logistic models are.
            "residual" => fill(arg, rng, pattern, &Draw::Within([-0.45, 0.45])),
            "settings" => {
                let HostData::F32(mut v) = fill(arg, rng, pattern, &Draw::Within([0.05, 1.2])) else {
                    unreachable!("drawn as f32")
                };
                v.iter_mut().take(2 * self.batch().models()).filter(|_| rng.word().is_multiple_of(3)).for_each(|l| *l = 0.0);
                HostData::F32(v)
            }
            "coef" => fill(arg, rng, pattern, &Draw::Numbers),
            _ => fill(arg, rng, pattern, &Draw::Any),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let [weight, residual, grad, coef, settings] =
            ["weight", "residual", "grad", "coef", "settings"].map(|name| of.f64(name));
        let models = self.batch().models();
        let (mut value, mut bound) = (Vec::new(), Vec::new());
        for m in 0..models {
            let rows: Vec<_> =
                (0..self.rows).map(|i| (weight[m / self.per_set * self.rows + i], residual[i * models + m])).collect();
            let columns: Vec<_> = (0..self.features).map(|j| (grad[j * models + m], coef[j * models + m])).collect();
            let by = [settings[m], settings[models + m], f64::from(self.reach as f32)];
            value.push(reference::duality_gap(self.model, &rows, &columns, self.penalized, by));
            bound.push(self.error(&rows, &columns, by));
        }
        vec![Expected::Within { value, bound }]
    }
}

/// A sum of many terms in any order: each addition is off by an ulp of the sum of all magnitudes.
#[cfg(feature = "verify")]
fn total(terms: &[Approx]) -> Approx {
    let (value, error) = terms.iter().fold((0.0, 0.0), |(v, e), t| (v + t.value, e + t.error));
    let size: f64 = terms.iter().map(|t| t.value.abs() + t.error).sum();
    let rounded = terms.len() as f64 * (DType::F32.epsilon() * size + DType::F32.least_normal());
    Approx { value, error: error + rounded }
}

impl DualityGap {
    #[cfg(feature = "verify")]
    fn error(&self, rows: &[(f64, f64)], columns: &[(f64, f64)], [l1, l2, reach]: [f64; 3]) -> f64 {
        let exact = Approx::exact;
        let largest = columns[..self.penalized].iter().fold(0.0, |m: f64, (g, _)| m.max(g.abs()));
        let shrinks = l2 == 0.0 && largest > l1.max(DType::F32.least_normal());
        let (l1, l2, most, half) = (exact(l1), exact(l2), exact(largest), exact(0.5));
        let scale = if shrinks { l1.over(most) } else { exact(1.0) };
        let mut terms = Vec::new();
        if shrinks {
            let rest = Approx::sum([most, l1.negative()]).over(most);
            let spread = |&(w, r): &(f64, f64)| match self.model {
                LinearModel::Linear => half.times(exact(r).over(exact(w))).times(exact(r)),
                LinearModel::Logistic => {
                    let q = exact(r.abs()).over(exact(w));
                    exact(r.abs()).over(Approx::sum([exact(1.0), q.negative()]))
                }
            };
            let spreads: Vec<Approx> = rows.iter().filter(|(w, _)| *w != 0.0).map(spread).collect();
            terms.push(rest.times(rest).times(total(&spreads)));
        }
        for (j, &(g, b)) in columns.iter().enumerate() {
            let v = if shrinks { scale.times(exact(g)) } else { exact(g) };
            if j >= self.penalized {
                let size = Approx { value: v.value.abs(), ..v };
                terms.push(exact(reach).times(size));
                continue;
            }
            // To hold a number to a range moves no two numbers apart.
            let held = Approx { value: v.value.max(-l1.value).min(l1.value), ..v };
            let against = if b < 0.0 { held.negative() } else { held };
            terms.push(exact(b.abs()).times(Approx::sum([l1, against.negative()])));
            if l2.value != 0.0 {
                let past = Approx::sum([v, held.negative()]);
                let miss = Approx::sum([l2.times(exact(b)), past.negative()]);
                terms.push(miss.times(miss).over(exact(2.0).times(l2)));
            }
        }
        total(&terms).error
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let shapes = [
        [1, 1, 1, 1, 1],
        [0, 3, 2, 2, 2],
        [5, 3, 3, 0, 4],
        [7, 5, 0, 3, 1],
        [33, 12, 11, 3, 8],
        [130, 5, 4, 11, 7],
        [1500, 3, 2, 1, 9],
        [9, 300, 299, 3, 5],
        [2, 4, 3, 5, 200],
    ];
    let mut out: Vec<Box<dyn Verify>> = Vec::new();
    for (i, [rows, features, penalized, sets, per_set]) in shapes.into_iter().enumerate() {
        for model in [LinearModel::Linear, LinearModel::Logistic] {
            let reach = [1.0, 2.5, 0.0][i % 3];
            out.push(Box::new(DualityGap { model, rows, features, penalized, sets, per_set, reach }));
        }
    }
    out
}

#[cfg(feature = "verify")]
/// As those of `linear_residual`.
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let per_set = if elements < 1 << 14 { 4 } else { 20 };
    let rows = (elements / (11 * per_set)).max(1);
    let case = |model| {
        Box::new(DualityGap { model, rows, features: 32, penalized: 31, sets: 11, per_set, reach: 1.0 }) as Box<dyn Verify>
    };
    vec![case(LinearModel::Linear), case(LinearModel::Logistic)]
}
