//! Gradients of a batch of linear models. Kernels: `shaders/linear/linear_gradient.wgsl` in `lib/matmul/product`, then `lib/reduce/level`
//! where rows are many. Reference: `cpu::linear_gradient`.
#[cfg(feature = "verify")]
use crate::kernels::linear_models::fill;
use crate::{
    kernel,
    kernels::{
        linear_models::{Draw, GlmBatch},
        matmul::{Product, ProductShape, chain},
        reduce::{Monoid, Partials},
    },
    op::{Arg, ByName, Caps, Lowered, MAX_TRIPS, Op},
    types::{DType, Error, HostData},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::reference,
};
use ridgepole_derive::op;

/// The negative loss gradients Xᵀ·R of a batch of models with residuals R: for each model, minus the gradient of its weighted
/// loss with respect to its coefficients.
///
/// Reads `x` f32\[rows, features] and `residual` f32\[rows, models], as [`LinearResidual`](super::LinearResidual) writes it;
/// writes `grad` f32\[features, models]. With row weights in place of residuals it gives the weighted means of X's columns.
/// Sums are formed in a fixed order: deterministic. A NaN in a residual reaches its model, one in X all models. One dispatch;
/// where rows are many, a second one or more that add up to 1024 chunks of them, and scratch of 4·features·models bytes for
/// each. Fastest where features and models are multiples of 4. A device must be able to bind each buffer whole.
///
/// Error: that of a sum of `rows` products, relative to their magnitudes.
#[op(
    name = "linear_gradient",
    summary = "negative loss gradients of a batch of linear models that share a design matrix, from their residuals",
    formula = "g = Xᵀ·r"
)]
pub struct LinearGradient {
    /// Rows of X. May be 0.
    pub rows: usize,
    /// Columns of X.
    #[field(min = 1, max = 4096)]
    pub features: usize,
    /// Models, the columns of the residual. May be 0.
    pub models: usize,
}

impl LinearGradient {
    fn batch(&self) -> GlmBatch {
        GlmBatch { op: NAME, rows: self.rows, features: self.features, sets: 1, per_set: self.models }
    }
}

impl Op for LinearGradient {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let b = self.batch();
        vec![
            b.x(),
            Arg::read("residual", DType::F32, b.matrix(self.rows)),
            Arg::write("grad", DType::F32, b.matrix(self.features)),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        let (args, b, mut out) = (self.args(), self.batch(), Lowered::default());
        b.check(caps, None, &args)?;
        if self.models == 0 {
            return Ok(out);
        }
        let most = caps.limits.max_storage_buffer_binding_size / args.arg("grad").bytes().next_multiple_of(16);
        let product = Product::cut(caps, [self.features, self.models, self.rows].map(|n| n as u64), most);
        if product.trips() > MAX_TRIPS {
            let why = format!("sums over {} rows are too long, {} trips of a loop", self.rows, product.trips());
            return Err(Error::unsupported(NAME, why));
        }
        let partials = (product.chunks != 1)
            .then(|| Partials::interleaved(NAME, &mut out, caps, Monoid::SUM, args.arg("grad").len as u64, product.chunks))
            .transpose()?;
        if self.rows > 0 {
            let (written, store) = b.out();
            let mut bindings = b.factors();
            bindings.push(written);
            let to = partials.as_ref().map_or_else(|| args.whole("grad"), Partials::slot);
            let of = ProductShape {
                height: self.rows as u32,
                width: self.features as u32,
                end: args.arg("x").len.max(args.arg("residual").len) as u32,
                ..ProductShape::default()
            };
            let buffers = (bindings, vec![args.whole("x"), args.whole("residual"), to]);
            out.steps.push(product.step(caps, vec![kernel!("linear/linear_gradient"), store], buffers, &[], of));
        }
        if let Some(partials) = partials {
            let (place, grad) = args.at("grad");
            partials.into_arg(&mut out, caps, place, grad);
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for LinearGradient {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        fill(arg, rng, pattern, &Draw::Any)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (e, least) = (DType::F32.epsilon(), DType::F32.least_normal());
        let of = Contents::new(self.args(), args);
        let columns = |name, n: usize| -> Vec<Vec<f64>> {
            let all = of.f64(name);
            (0..n).map(|c| (0..self.rows).map(|r| all[r * n + c]).collect()).collect()
        };
        let (x, residual) = (columns("x", self.features), columns("residual", self.models));
        let (mut value, mut bound) = (Vec::new(), Vec::new());
        for column in &x {
            for r in &residual {
                let size: f64 = column.iter().zip(r).map(|(x, r)| (x * r).abs()).sum();
                let widest = column.iter().chain(r).fold(1.0, |a: f64, v| a.max(v.abs()));
                value.push(reference::linear_gradient(column, r));
                // A product, the additions; factors or products may be flushed.
                bound.push(e * (chain(self.rows) + 1.0) * size + 4.0 * self.rows as f64 * widest * least);
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

/// Rows, features, models: nothing; tiles that are whole and not; rows enough for chunks, and for partials that fill no quad.
const SHAPES: [[usize; 3]; 11] = [
    [1, 1, 1],
    [0, 3, 5],
    [5, 3, 0],
    [4, 4, 4],
    [7, 5, 3],
    [33, 12, 24],
    [90, 13, 132],
    [61, 40, 100],
    [1030, 12, 8],
    [1500, 5, 7],
    [3001, 4, 5],
];

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    SHAPES.map(|[rows, features, models]| Box::new(LinearGradient { rows, features, models }) as Box<dyn Verify>).into()
}

#[cfg(feature = "verify")]
/// As those of `linear_residual`; rows grow.
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let models = if elements < 1 << 14 { 44 } else { 220 };
    vec![Box::new(LinearGradient { rows: (elements / models).max(1), features: 32, models })]
}
