//! Weighted residuals of a batch of linear models. Kernel: `shaders/linear/linear_residual.wgsl` in `lib/matmul/product`.
//! Reference: `cpu::linear_residual`.
#[cfg(feature = "verify")]
use crate::kernels::linear_models::fill;
use crate::{
    kernel,
    kernels::{
        linear_models::{Draw, GlmBatch, items},
        matmul::{Product, ProductShape, chain},
    },
    op::{Arg, ByName, Caps, Lowered, Op},
    options::LinearModel,
    types::{DType, Error, HostData},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The residuals r = w·(y - μ(X·b)) of a batch of linear or logistic models that share a design matrix: minus the derivative
/// of each model's weighted loss Σ w·loss with respect to its linear predictor.
///
/// Reads `x` f32\[rows, features], `target` y f32\[rows], `weight` w f32\[sets, rows] and `coef` b f32\[features, models], writes
/// `residual` f32\[rows, models]. There are sets·per_set models; model m has the row weights of set m / per_set, so that the folds of
/// a cross-validation, or bootstrap samples, need no copy of X. With weights 1/n the loss is a mean over n rows. A row of weight 0
/// has residual 0, whatever is in it. An intercept is a column of ones. For logistic models y is 0 or 1, or a share in between.
/// NaN in a row or a model's coefficients makes its residuals NaN. Deterministic. One dispatch without scratch; fastest where features
/// and per_set are multiples of 4. A device must be able to bind each buffer whole.
///
/// Error: that of a sum of `features` products, through μ.
///
/// Friedman, Hastie and Tibshirani, "Regularization Paths for Generalized Linear Models via Coordinate Descent", 2010.
#[op(
    name = "linear_residual",
    summary = "weighted residuals of a batch of linear or logistic models that share a design matrix",
    formula = "r = w·(y - μ(X·b)), μ(z) = z or 1/(1 + exp(-z))"
)]
pub struct LinearResidual {
    /// The kind of model.
    pub model: LinearModel,
    /// Rows of X. May be 0.
    pub rows: usize,
    /// Columns of X; an intercept is a column of ones.
    #[field(min = 1, max = 4096)]
    pub features: usize,
    /// Sets of row weights, such as folds. May be 0.
    pub sets: usize,
    /// Models of each set, neighbours in the batch. May be 0.
    pub per_set: usize,
}

impl LinearResidual {
    fn batch(&self) -> GlmBatch {
        let Self { rows, features, sets, per_set, .. } = *self;
        GlmBatch { op: NAME, rows, features, sets, per_set }
    }
}

impl Op for LinearResidual {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let b = self.batch();
        vec![
            b.x(),
            Arg::read("target", DType::F32, self.rows),
            b.weight(),
            Arg::read("coef", DType::F32, b.matrix(self.features)),
            Arg::write("residual", DType::F32, b.matrix(self.rows)),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, b, mut out) = (self.args(), self.batch(), Lowered::default());
        b.check(caps, None, &args)?;
        if args.arg("residual").len == 0 {
            return Ok(out);
        }
        let (written, store) = b.out();
        let mut bindings = b.factors();
        bindings.extend([items("target_of", false), items("weight", false), written]);
        let slots = ["x", "coef", "target", "weight", "residual"].map(|name| args.whole(name)).to_vec();
        let parts = vec![
            kernel!("linear/linear_residual"),
            self.model.of(parts::linear::MEAN_LINEAR, parts::linear::MEAN_LOGISTIC),
            store,
        ];
        let of = ProductShape {
            height: self.rows as u32,
            width: self.features as u32,
            // What is past the end of the smaller of both is read as anything, and is of no consequence.
            end: args.arg("x").len.max(args.arg("coef").len) as u32,
            per_set: self.per_set as u32,
            ..ProductShape::default()
        };
        let product = Product::whole([self.rows, b.models(), self.features].map(|n| n as u64));
        out.steps.push(product.step(caps, parts, (bindings, slots), &[], of));
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for LinearResidual {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let how = match (arg.name, self.model) {
            ("weight", _) => Draw::Weights,
            ("target", LinearModel::Logistic) => Draw::Classes,
            _ => Draw::Any,
        };
        fill(arg, rng, pattern, &how)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let [x, target, weight, coef] = ["x", "target", "weight", "coef"].map(|name| of.f64(name));
        let (models, d) = (self.batch().models(), self.features);
        let (mut value, mut bound) = (Vec::new(), Vec::new());
        for i in 0..self.rows {
            let row = &x[i * d..][..d];
            for m in 0..models {
                let b: Vec<f64> = (0..d).map(|j| coef[j * models + m]).collect();
                let w = weight[m / self.per_set * self.rows + i];
                value.push(reference::linear_residual(self.model, row, target[i], w, &b));
                bound.push(if w == 0.0 { 0.0 } else { self.error(row, target[i], w, &b) });
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

impl LinearResidual {
    #[cfg(feature = "verify")]
    fn error(&self, x: &[f64], y: f64, w: f64, coef: &[f64]) -> f64 {
        let (e, least) = (DType::F32.epsilon(), DType::F32.least_normal());
        let (sum, size) = x.iter().zip(coef).map(|(x, b)| x * b).fold((0.0, 0.0), |(s, m), t: f64| (s + t, m + t.abs()));
        let widest = x.iter().chain(coef).fold(1.0, |a: f64, v| a.max(v.abs()));
        // A product and its additions; factors or products may be flushed.
        let error = e * (chain(x.len()) + 1.0) * size + 4.0 * x.len() as f64 * widest * least;
        let z = Approx { value: sum, error };
        let mean = match self.model {
            LinearModel::Linear => z,
            LinearModel::Logistic => sigmoid(z),
        };
        Approx::sum([Approx::exact(y), mean.negative()]).times(Approx::exact(w)).error
    }
}

/// σ of what is known to an error: exp is good to 3 + 2|z| ulp, of the sum it is the share 1 - σ; the sum and the quotient round.
/// Beyond ±87 it is cut off, which moves it by e^-87, 141 times the least normal number.
#[cfg(feature = "verify")]
fn sigmoid(z: Approx) -> Approx {
    let value = 1.0 / (1.0 + (-z.value).exp());
    if !z.value.is_finite() {
        return Approx { value, error: 4.0 * DType::F32.epsilon() };
    }
    let share = 1.0 - value;
    let inherited = (3.0 + 2.0 * z.value.abs().min(88.0)) * DType::F32.epsilon() + z.error.exp_m1();
    // Where z is far from 0 for certain, σ is 0 or 1 whatever its error.
    let relative = if value * share == 0.0 && z.value.abs() - z.error > 700.0 { 0.0 } else { inherited * share * 1.01 };
    let error = value * (relative + 4.0 * DType::F32.epsilon()) + 142.0 * DType::F32.least_normal();
    Approx { value, error }.off_by_at_most(1.0 + 4.0 * DType::F32.epsilon())
}

/// Rows, features, sets, models of a set: nothing; tiles that are whole and not; models of different sets in one quad; more tiles
/// than a workgroup holds.
const SHAPES: [[usize; 4]; 12] = [
    [1, 1, 1, 1],
    [0, 3, 2, 2],
    [5, 3, 0, 4],
    [4, 4, 1, 4],
    [7, 5, 3, 1],
    [21, 6, 3, 3],
    [33, 12, 3, 8],
    [34, 13, 5, 3],
    [90, 8, 11, 12],
    [70, 1, 7, 10],
    [9, 300, 3, 5],
    [130, 16, 2, 40],
];

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let mut out: Vec<Box<dyn Verify>> = Vec::new();
    for [rows, features, sets, per_set] in SHAPES {
        for model in [LinearModel::Linear, LinearModel::Logistic] {
            out.push(Box::new(LinearResidual { model, rows, features, sets, per_set }));
        }
    }
    out
}

#[cfg(feature = "verify")]
/// Eleven sets as of ten folds and all rows, of 64 columns; the rows grow.
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let per_set = if elements < 1 << 14 { 4 } else { 20 };
    let rows = (elements / (11 * per_set)).max(1);
    let case = |model| Box::new(LinearResidual { model, rows, features: 32, sets: 11, per_set }) as Box<dyn Verify>;
    vec![case(LinearModel::Linear), case(LinearModel::Logistic)]
}
