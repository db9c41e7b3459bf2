//! Statistics of Monte-Carlo dropout. Kernel: `shaders/dropouts/monte_carlo_accumulate.wgsl`. Reference:
//! `cpu::monte_carlo_accumulate`.
use crate::{
    kernel,
    kernels::{
        arena::lengths,
        copy::windows,
        partition::{self, Window},
        samples::copied,
    },
    op::{Arg, Caps, Contents, Expected, Lowered, Op, Pattern, Rng, Step, Verify, check_float},
    options::RunningVariance,
    params,
    types::{DType, Error, HostData, Space},
    verify::{Approx, reference},
    wgsl::{Decl, Spec, parts},
};
use ridgepole_derive::op;

/// Mean and variance over the passes of Monte Carlo dropout, updated by one pass, the n-th with n = seen + 1: mean += (x -
/// mean)/n, m2 += (x - mean)²·seen/n with the old mean.
///
/// Reads `x`, the outputs of a network whose dropout is on, of any shape; updates `mean` and `m2`, f32 whatever x is stored
/// as. With `seen` = 0 their previous contents do not matter; they become x and 0. With `variance`, usually in the last pass,
/// also writes `variance`, m2 over n - 1 or n. Elements are independent: a NaN or an infinity affects only its own. No
/// scratch. Deterministic. One dispatch, one more for an end that is no whole quad, one for each window beyond the binding
/// limit.
///
/// Meant for prediction and not differentiated: there is no backward op.
///
/// Error: running analysis of one pass from the state as it is stored, in f32; x, once, as it is stored.
/// [`Plan::update`](crate::device::Plan::update) takes the next `seen`.
///
/// ```
/// use ridgepole::{DType, HostData, Key, RunningVariance, Session, Space, ops::{Dropout, MonteCarloAccumulate}};
///
/// let (session, len, passes) = (Session::new()?, 1000, 8);
/// let (mut state, mut variance) = ([vec![0.0; len].into(), vec![0.0; len].into()], None);
/// for step in 0..passes {
///     // The network: dropout with `training` left on, a mask of its own for each pass.
///     let key = Key { seed: 42, stream: 3, step, first_element: 0 };
///     let dropout = Dropout::new(DType::F32, Space::flat(len), 0.5, key);
///     let [y]: [HostData; 1] = session.run(&dropout, &[vec![1.0; len].into()])?.try_into().unwrap();
///     let last = (step + 1 == passes).then_some(RunningVariance::Unbiased);
///     let op = MonteCarloAccumulate { variance: last, ..MonteCarloAccumulate::new(DType::F32, len, step.into()) };
///     let mut out = session.run(&op, &[&[y][..], &state[..]].concat())?;
///     variance = last.and_then(|_| out.pop());
///     state = out.try_into().unwrap();
/// }
/// let mean = state[0].to_f64().iter().sum::<f64>() / len as f64;
/// let variance = variance.unwrap().to_f64().iter().sum::<f64>() / len as f64;
/// // Factors of 0 and 2, equally often: mean 1, variance 1.
/// assert!((mean - 1.0).abs() < 0.1 && (variance - 1.0).abs() < 0.1);
/// # Ok::<(), ridgepole::Error>(())
/// ```
///
/// Gal and Ghahramani, "Dropout as a Bayesian approximation: representing model uncertainty in deep learning", 2016; Welford,
/// "Note on a method for calculating corrected sums of squares and products", 1962.
#[op(
    name = "monte_carlo_accumulate",
    summary = "mean and variance of outputs over Monte Carlo dropout passes, one pass per call",
    formula = "n = seen + 1, d = x - mean; mean += d/n; m2 += d²·seen/n; variance = m2/(n-1) (biased: m2/n)"
)]
pub struct MonteCarloAccumulate {
    /// How x is stored.
    pub dtype: DType,
    /// Its elements.
    #[field(max = 2^34 - 4)]
    pub len: usize,
    /// Passes before this one; 0 initializes `mean` and `m2`.
    #[field(below = 2^32)]
    pub seen: u64,
    /// Whether the variance is written, and its divisor: that of `Unbiased` is `seen`, which must not be 0 then.
    #[field(default)]
    pub variance: Option<RunningVariance>,
}

params! { PassParams { window: Window, seen: u32, share: f32, weight: f32, inverse: f32 } }

impl MonteCarloAccumulate {
    /// A pass that writes no variance.
    pub fn new(dtype: DType, len: usize, seen: u64) -> Self {
        Self::from_required(dtype, len, seen)
    }

    /// 1/n, seen/n and the inverse of the variance's divisor.
    fn scalars(&self) -> [f64; 3] {
        let (seen, n) = (self.seen as f64, self.seen as f64 + 1.0);
        [1.0 / n, seen / n, if self.variance == Some(RunningVariance::Unbiased) { 1.0 / seen } else { 1.0 / n }]
    }

    fn check(&self) -> Result<(), Error> {
        let Self { dtype, len, seen, variance } = *self;
        check_float(NAME, &Arg::read("x", dtype, 0))?;
        if len as u64 > Space::MAX_LEN {
            return Err(Error::argument(NAME, "len", format!("is {len}, must be at most 2^34 - 4: split it")));
        }
        if seen > u64::from(u32::MAX) {
            return Err(Error::argument(NAME, "seen", format!("is {seen}, must be below 2^32")));
        }
        if seen == 0 && variance == Some(RunningVariance::Unbiased) {
            let why = "is Unbiased with seen = 0: one pass has no unbiased variance, 0/0".to_string();
            return Err(Error::argument(NAME, "variance", why));
        }
        Ok(())
    }
}

impl Op for MonteCarloAccumulate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let update = |name| Arg::update(name, DType::F32, self.len);
        let mut args = vec![Arg::read("x", self.dtype, self.len), update("mean"), update("m2")];
        args.extend(self.variance.map(|_| Arg::write("variance", DType::F32, self.len)));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check()?;
        let (args, caps, mut out) = (self.args(), &windows(caps), Lowered::default());
        let block_quads = u64::from(caps.lanes) * u64::from(caps.quads);
        let [share, weight, inverse] = self.scalars().map(|v| v as f32);
        let report = if self.variance.is_some() { parts::dropouts::VARIANCE_GIVEN } else { parts::dropouts::VARIANCE_NONE };
        for piece in partition::flat(NAME, caps, self.len as u64, DType::F32.size(), block_quads)? {
            let decl = |a: &Arg| Decl { name: a.name, dtype: a.dtype, view: piece.view(), writes: a.name != "x" };
            out.steps.push(Step {
                spec: Spec {
                    shader: kernel!("dropouts/monte_carlo_accumulate"),
                    entry: NAME,
                    parts: vec![report],
                    bindings: args.iter().map(decl).collect(),
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: PassParams { window: piece.window(), seen: self.seen as u32, share, weight, inverse }.into(),
                slots: args.iter().enumerate().map(|(i, a)| piece.slot(i, a)).collect(),
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads),
            });
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for MonteCarloAccumulate {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::Offset, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match (arg.name, self.seen) {
            // What nobody has written yet.
            ("mean" | "m2", 0) => HostData::from_f64(arg.dtype, vec![f64::NAN; arg.len]),
            ("m2", _) => rng.fill(arg, [0.0, 2.0], pattern),
            _ => rng.fill(arg, [-1.0, 1.0], pattern),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let ([share, weight, inverse], fresh) = (self.scalars(), self.seen == 0);
        let of = Contents::new(self.args(), args);
        let [x, mean, m2] = ["x", "mean", "m2"].map(|name| of.f64(name));
        let mut out = vec![(Vec::new(), Vec::new()); args.len() - 1];
        for ((x, mean), m2) in x.into_iter().zip(mean).zip(m2) {
            let values = reference::monte_carlo_accumulate(x, mean, m2, self.seen);
            let [x, mean, m2] = [x, mean, m2].map(Approx::exact);
            let delta = Approx::sum([x, mean.negative()]);
            let moved = Approx::sum([mean, delta.times(Approx::host(share))]);
            let squares = Approx::sum([m2, delta.times(delta).times(Approx::host(weight))]);
            let errors = if fresh { [copied(DType::F32, x.value), 0.0] } else { [moved.error, squares.error] };
            // m2 reaches the variance as it was computed.
            let variance = Approx { value: values[1], error: errors[1] }.times(Approx::host(inverse));
            let all = [(values[0], errors[0]), (values[1], errors[1]), (values[1] * inverse, variance.error)];
            for (out, (value, error)) in out.iter_mut().zip(all) {
                out.0.push(value);
                out.1.push(if value.is_finite() { error } else { 0.0 });
            }
        }
        out.into_iter().map(|(value, bound)| Expected::Within { value, bound }).collect()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let mut out: Vec<Box<dyn Verify>> = Vec::new();
    for (i, (dtype, len)) in DType::FLOATS.into_iter().flat_map(|d| lengths(256).into_iter().map(move |l| (d, l))).enumerate() {
        let variance = [None, Some(RunningVariance::Biased), Some(RunningVariance::Unbiased)][i % 3];
        let seen = [1, 0, 7, 99, 3_000_000_000][i % 5];
        let variance = if seen == 0 { variance.map(|_| RunningVariance::Biased) } else { variance };
        out.push(Box::new(MonteCarloAccumulate { dtype, len, seen, variance }));
    }
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    DType::FLOATS.into_iter().map(|dtype| Box::new(MonteCarloAccumulate::new(dtype, elements, 10)) as Box<dyn Verify>).collect()
}
