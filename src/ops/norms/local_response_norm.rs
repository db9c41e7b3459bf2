//! Local response normalisation. Kernel: `shaders/norms/local_response_norm.wgsl`. Reference: `cpu::local_response_norm`.
use crate::{
    kernel,
    kernels::channels,
    op::{Arg, ByName, Caps, Lowered, Op},
    ops::norms::shared::local_response::Response,
    options::AlphaForm,
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify, bench_shapes},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// Local response norm: y = x·(k + α/size·Σx²)^-β, with the sum over a neighbourhood of neighbouring channels at the same position;
/// or with α in place of α/size.
///
/// Reads `x` (n·c·s elements). Writes `y` (as `x`). A neighbourhood is cut off at the first and last channel; α is still divided by
/// `size`. Deterministic: each sum is formed in the order of its channels. One dispatch, a second for lengths that are no
/// multiple of four, more for tensors beyond the binding limit; a device must be able to bind a neighbourhood's channels of one
/// sample at once, 4·size·s bytes for f32 with channels first. A β of 0.5, 0.75 or 1 is computed with roots and quotients,
/// others with a logarithm.
///
/// Where k + α/size·Σx² is 0 or below the least normal number, y is 0. A NaN, an infinity, or squares that overflow f32 (|x| about
/// 10^19) make the whole neighbourhood NaN, and nothing else.
///
/// Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012; PyTorch's
/// `local_response_norm`, TensorFlow's `lrn` ([`AlphaForm`]).
#[op(
    name = "local_response_norm",
    summary = "local response norm: divides each value by a power of the squares of neighbouring channels",
    formula = "y = x·(k + α/size·Σx²)^-β over a neighbourhood of channels"
)]
pub struct LocalResponseNorm {
    /// How `x` and `y`, and their gradients, are stored.
    pub dtype: DType,
    /// Their shape; c·s below 2^31.
    pub space: Space,
    /// Channels of a neighbourhood: size/2 (rounded down) before the middle, (size - 1)/2 after it.
    #[field(min = 1, max = 63)]
    pub size: usize,
    /// k, added before the power is taken.
    #[field(default = 1.0, min = 0)]
    pub k: f64,
    /// α, which multiplies the squares.
    #[field(default = 0.0001, min = 0)]
    pub alpha: f64,
    /// β, the power.
    #[field(default = 0.75, min = 0, max = 100)]
    pub beta: f64,
    /// What α multiplies.
    #[field(default)]
    pub alpha_form: AlphaForm,
}

impl LocalResponseNorm {
    /// With PyTorch's usual values: k = 1, α = 1e-4, β = 0.75, the mean of the squares.
    pub fn new(dtype: DType, space: Space, size: usize) -> Self {
        Self::from_required(dtype, space, size)
    }

    pub(super) fn response(&self) -> Response {
        let Self { space, size, k, alpha, beta, alpha_form: form, .. } = *self;
        Response { op: NAME, space, size, k, alpha, beta, form }
    }
}

impl Op for LocalResponseNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        vec![Arg::read("x", self.dtype, len), Arg::write("y", self.dtype, len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, of) = (self.args(), self.response());
        of.check(args.arg("x"), 0.0)?;
        of.lower(caps, &args, kernel!("norms/local_response_norm"), (&["x"], "y"), (1, self.size as u64))
    }
}

#[cfg(feature = "verify")]
impl Verify for LocalResponseNorm {
    fn patterns(&self) -> Vec<Pattern> {
        channels::patterns(self.dtype, &self.space)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        fill(&self.space, arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, x) = (self.response(), Contents::new(self.args(), args).f64("x"));
        let (mut value, mut bound) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        for places in positions(&self.space) {
            let here: Vec<f64> = places.iter().map(|&i| x[i]).collect();
            let exact = reference::local_response_norm(&here, of.sides(), self.k, of.factor(), self.beta);
            for (((&i, v), exact), [_, power]) in places.iter().zip(&here).zip(exact).zip(of.powers(&here)) {
                let y = Approx::exact(*v).times(power);
                // What the kernel takes for NaN, or for 0.
                let exact = if y.value.is_nan() || power.value == 0.0 { y.value } else { exact };
                (value[i], bound[i]) = known(Approx { value: exact, ..y }, self.dtype);
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

/// A value and its bound; what is not finite must be so exactly.
#[cfg(feature = "verify")]
pub(super) fn known(v: Approx, dtype: DType) -> (f64, f64) {
    (v.value, if v.value.is_finite() { v.stored(dtype) } else { 0.0 })
}

/// The places of the channels of each position.
pub(super) fn positions(space: &Space) -> impl Iterator<Item = Vec<usize>> {
    let space = *space;
    let samples = if space.is_empty() { 0 } else { space.n };
    (0..samples).flat_map(move |n| (0..space.s).map(move |s| (0..space.c).map(|c| space.offset(n, c, s)).collect()))
}

/// A pattern everywhere, but for NaN and infinities: few, so that most neighbourhoods hold none.
#[cfg(feature = "verify")]
pub(super) fn fill(space: &Space, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    match pattern {
        Pattern::NonFinite => {
            let mut values = rng.fill(arg, [-1.0, 1.0], Pattern::Ordinary).to_f64();
            for places in positions(space).step_by(5) {
                let c = rng.word() as usize % places.len();
                values[places[c]] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][rng.word() as usize % 3];
            }
            HostData::from_f64(arg.dtype, values)
        }
        // Large values, where the sum is most of the denominator; their squares are in f32.
        Pattern::Offset => rng.fill(arg, [-100.0, 100.0], Pattern::Ordinary),
        _ => rng.fill(arg, [-1.0, 1.0], pattern),
    }
}

/// What differs from case to case: neighbourhoods from one channel to more than there are, of even size too; each power; both forms.
pub(super) type Choice = (usize, f64, f64, f64, AlphaForm);

#[cfg(feature = "verify")]
pub(super) fn cases_of(make: impl Fn(DType, Space, Choice) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let all = [
        (2, 1, 5),
        (0, 3, 4),
        (3, 0, 2),
        (5, 3, 4),
        (3, 17, 1),
        (17, 8, 1),
        (2, 5, 7),
        (3, 6, 12),
        (5, 64, 5),
        (2, 3, 2501),
        (3, 7, 1200),
    ];
    let mut out = Vec::new();
    for (i, (n, c, s)) in all.into_iter().enumerate() {
        for space in [Space::channels_first(n, c, s), Space::channels_last(n, c, s)] {
            for dtype in [DType::F32, DType::FLOATS[1 + i % 2]] {
                let k = out.len();
                let size = [5, 1, 2, 3, 4, 9][(k + i) % 6];
                let beta = [0.75, 0.5, 1.0, 0.6, 1.5][(k / 2 + i) % 5];
                let form = if k % 3 == 1 { AlphaForm::Sum } else { AlphaForm::Mean };
                // Without a k, a neighbourhood of zeros has no power; large α, where a wrong neighbourhood shows.
                let start = if k % 7 == 3 && dtype == DType::F32 && beta <= 1.0 { 0.0 } else { [1.0, 2.0][k % 2] };
                out.push(make(dtype, space, (size, start, [1e-4, 0.5, 2.0][k % 3], beta, form)));
            }
        }
    }
    out.push(make(DType::F32, Space::channels_last(1, 80, 9), (63, 1.0, 0.5, 0.75, AlphaForm::Mean)));
    out.push(make(DType::F32, Space::channels_first(1, 40, 12), (31, 1.0, 0.5, 0.9, AlphaForm::Sum)));
    out.push(make(DType::F32, Space::channels_last(3, 23, 900), (5, 1.0, 0.5, 0.75, AlphaForm::Mean)));
    out
}

#[cfg(feature = "verify")]
/// A layer of the paper's network.
pub(super) fn benches_of(elements: usize, make: impl Fn(DType, Space) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let [first, last] = bench_shapes::batch(elements, [1, 96, 56 * 56], 4);
    [(DType::F32, first), (DType::F32, last), (DType::F16, first)].map(|(d, s)| make(d, s)).into()
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    cases_of(|dtype, space, (size, k, alpha, beta, alpha_form)| {
        Box::new(LocalResponseNorm { dtype, space, size, k, alpha, beta, alpha_form })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    benches_of(elements, |dtype, space| Box::new(LocalResponseNorm::new(dtype, space, 5)))
}
