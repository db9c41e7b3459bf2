//! Spectral normalisation. Kernels: `norms/parts/vector_sums`, `norms/parts/vector_normalize`, `norms/parts/sigma`, `shaders/norms/spectral_norm.wgsl`.
//! Reference: `cpu::spectral_norm`.
use crate::{
    kernel,
    kernels::{channels::vector, partition},
    op::{Arg, ByName, Caps, Lowered, Op, Step, check_float},
    ops::norms::shared::power_iteration::{self, Power},
    types::{DType, Error, HostData, Rows},
    wgsl::{Decl, Spec},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify, bench_shapes},
    verify::Approx,
};
use ridgepole_derive::op;

/// Spectral norm: y = W/σ with σ = uᵀWv, the largest singular value of W, estimated by power iteration: in each of
/// `iterations` rounds u = Wv/max(‖Wv‖, ε), then v = Wᵀu/max(‖Wᵀu‖, ε).
///
/// Reads `weight` W (rows·cols elements, row after row; for a convolution rows are its filters and cols the rest). `v` (cols,
/// f32) is kept from step to step and updated in place, `u` (rows, f32) is overwritten; with 0 iterations, as in evaluation,
/// both are only read. Start from standard normal v and about 15 iterations. Writes `y` (as W) and `sigma`, f32\[1\], which
/// is also the value of a spectral-norm penalty. Sums are formed in chunks of fixed size and merged in a fixed order: results
/// are the same bit for bit from run to run on a device. W is read twice for each iteration and once for y. Six dispatches
/// for an iteration and two more; more for long sums and for tensors beyond the binding limit. A device must be able to bind
/// some 16 bytes for each row, and for each column, for every 2^24 elements.
///
/// Where σ is 0 (a W of zeros), y is 0. If W holds a NaN or an infinity, or its products with u or v overflow f32, all
/// results are NaN. Error: running analysis in the Euclidean norm; entries of u and v share one bound.
///
/// Miyato, Kataoka, Koyama and Yoshida, "Spectral Normalization for Generative Adversarial Networks", 2018. Order and ε are those
/// of PyTorch's `parametrizations.spectral_norm`; Flax's `SpectralNorm` keeps v alone and calls it u.
#[op(
    name = "spectral_norm",
    summary = "spectral norm: divides a weight by its largest singular value, from power iteration with persistent vectors",
    formula = "y = W/σ, σ = uᵀWv"
)]
pub struct SpectralNorm {
    /// How `weight` and `y`, and their gradients, are stored.
    pub dtype: DType,
    /// Rows. May be 0.
    pub rows: usize,
    /// Columns. May be 0; rows·cols is at most 2^34 - 4.
    pub cols: usize,
    /// Power iterations: 1 is usual in training, 0 keeps u and v.
    #[field(default = 1, max = 100)]
    pub iterations: usize,
    /// ε, what a norm counts for at least.
    #[field(default = 1e-12, min = 1e-30, max = 1)]
    pub eps: f64,
}

impl SpectralNorm {
    /// With one iteration and ε = 1e-12.
    pub fn new(dtype: DType, rows: usize, cols: usize) -> Self {
        Self::from_required(dtype, rows, cols)
    }

    pub(super) fn shape(&self) -> Rows {
        Rows::new(self.rows, self.cols)
    }
}

impl Op for SpectralNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (weight, len) = (Arg::read("weight", self.dtype, self.shape().len()), self.shape().len());
        let kept = match self.iterations {
            0 => [Arg::read("u", DType::F32, self.rows), Arg::read("v", DType::F32, self.cols)],
            _ => [Arg::write("u", DType::F32, self.rows), Arg::update("v", DType::F32, self.cols)],
        };
        let [u, v] = kept;
        vec![weight, u, v, Arg::write("y", self.dtype, len), Arg::write("sigma", DType::F32, 1)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        check_float(NAME, args.arg("weight"))?;
        self.shape().check(NAME)?;
        if self.iterations > 100 {
            let why = format!("is {}, must be at most 100: run the op again to go on", self.iterations);
            return Err(Error::argument(NAME, "iterations", why));
        }
        if !(1e-30..=1.0).contains(&self.eps) {
            return Err(Error::argument(NAME, "eps", format!("is {}, must be from 1e-30 to 1; 1e-12 is usual", self.eps)));
        }
        let power = Power { op: NAME, of: self.shape(), eps: self.eps, args: &args };
        power.append(&mut out, caps, self.iterations)?;
        let block = u64::from(caps.lanes) * u64::from(caps.quads);
        for piece in partition::flat(NAME, caps, self.shape().len() as u64, self.dtype.size(), block)? {
            let tensor = |name, writes| Decl { name, dtype: self.dtype, view: piece.view(), writes };
            out.steps.push(Step {
                spec: Spec {
                    shader: kernel!("norms/spectral_norm"),
                    entry: NAME,
                    parts: vec![],
                    bindings: vec![tensor("weight", false), tensor("y", true), vector("sigma", false)],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: piece.window().into(),
                slots: vec![piece.of(&args, "weight"), piece.of(&args, "y"), args.whole("sigma")],
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads),
            });
        }
        Ok(out)
    }

    /// W once for y and twice for each iteration: the vector of a product must be whole before the next begins.
    fn cost(&self) -> crate::op::Cost {
        let len = self.shape().len() as u64;
        let reads = if self.iterations == 0 { 2 } else { 1 + 2 * self.iterations as u64 };
        crate::op::Cost { bytes: self.dtype.size() * len * (reads + 1), elements: len }
    }
}

#[cfg(feature = "verify")]
impl Verify for SpectralNorm {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Constant, Pattern::Zeros, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match (arg.name, pattern) {
            // A start that is far from orthogonal to the first singular vector: the bound grows with each iteration, by as much
            // as the products may be shorter than W allows.
            ("weight", Pattern::Zeros) => HostData::from_f64(arg.dtype, vec![0.0; arg.len]),
            ("weight", Pattern::NonFinite) => {
                let mut values = rng.fill(arg, [-0.5, 1.0], Pattern::Ordinary).to_f64();
                if let Some(last) = values.last_mut() {
                    *last = [f64::NAN, f64::INFINITY][rng.word() as usize % 2];
                }
                HostData::from_f64(arg.dtype, values)
            }
            ("weight", _) => rng.fill(arg, [-0.5, 1.0], pattern),
            _ => rng.fill(arg, [0.1, 0.5], Pattern::Ordinary),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let data = Contents::new(self.args(), args);
        let [w, u, v] = ["weight", "u", "v"].map(|name| data.f64(name));
        // What u holds at first is read by no iteration, and may be anything.
        let u = if self.iterations == 0 { u } else { vec![0.0; self.rows] };
        let all = power_iteration::expected(self.shape(), &w, &u, &v, self.iterations, self.eps);
        let nan = all.sigma.value.is_nan();
        let y: Vec<Approx> = w.iter().map(|w| power_iteration::quotient(Approx::exact(*w), all.sigma)).collect();
        let value = y.iter().map(|y| if nan { f64::NAN } else { y.value }).collect();
        let bound = y.iter().map(|y| if nan { 0.0 } else { y.stored(self.dtype) }).collect();
        let mut out = Vec::new();
        if self.iterations > 0 {
            out.extend([all.u, all.v].map(|(value, bound)| Expected::Within { value, bound }));
        }
        out.push(Expected::Within { value, bound });
        out.push(Expected::Within { value: vec![all.sigma.value], bound: vec![all.sigma.error] });
        out
    }
}

/// Shapes of matrices, for this op and its gradient.
pub(super) const SHAPES: [(usize, usize); 12] =
    [(1, 1), (1, 5), (5, 1), (0, 4), (3, 0), (3, 4), (4, 7), (33, 64), (9, 49), (300, 12), (7, 257), (2, 2501)];

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let mut out: Vec<Box<dyn Verify>> = Vec::new();
    for (i, (rows, cols)) in SHAPES.into_iter().enumerate() {
        for iterations in [i % 2, 1 + i % 3] {
            let eps = if i % 5 == 3 { 1e-3 } else { 1e-12 };
            let dtype = DType::FLOATS[(i + iterations) % 3];
            out.push(Box::new(SpectralNorm { dtype, rows, cols, iterations, eps }));
        }
    }
    // More than the vectors of a workgroup, a tensor in windows.
    out.push(Box::new(SpectralNorm::new(DType::F32, 1500, 30)));
    // Norms below eps.
    out.push(Box::new(SpectralNorm { eps: 1.0, ..SpectralNorm::new(DType::F32, 1, 1) }));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let one = |(dtype, sides)| {
        let Rows { rows, cols } = bench_shapes::matrix(elements, sides);
        Box::new(SpectralNorm::new(dtype, rows, cols)) as Box<dyn Verify>
    };
    [(DType::F32, [1, 1]), (DType::F32, [1, 9]), (DType::F16, [1, 1])].map(one).into()
}
