//! Mixup. Kernel: `shaders/lib/samples/map.wgsl` with `shaders/mixing/mixup.wgsl`. Reference: `cpu::mixup`.
#[cfg(feature = "verify")]
use crate::op::{Expected, Pattern, Rng, Verify};
use crate::{
    kernel,
    kernels::samples::{self, Images, Map},
    op::{Arg, Caps, Lowered, Op, check_float},
    options::{Blend, Key, Lambda, Partners},
    types::{DType, Error, HostData, Space},
};
use ridgepole_derive::op;

/// Mixup: y = λ·x + (1 - λ)·(the partner's x), and the same for labels.
///
/// Reads `x` (the batch), with `classes` also `labels` (f32, n x classes: one-hot or soft). Writes `y` and `mixed`. λ and
/// partners are drawn on the host as [`mixing`](crate::mixing) describes and passed in a table, so
/// [`Plan::update`](crate::Plan::update) may change them from step to step; [`Mixup::draw`] returns them. A sample with a
/// share of exactly 0 is ignored, even if it is NaN. Deterministic. No scratch; one dispatch for x and one for the labels,
/// one more each for an end that is no whole quad, more beyond the binding limit.
///
/// Error: λ and 1 - λ are rounded to f32; two products, a sum, the store.
///
/// Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", 2018.
#[op(
    name = "mixup",
    summary = "mixup: blends each sample and its label with those of a partner",
    formula = "y = λ·x + (1 - λ)·x[partner], labels likewise"
)]
pub struct Mixup {
    /// How x and y are stored.
    pub dtype: DType,
    /// The batch: at most 2^20 samples of at most 2^30 elements. The layout does not matter.
    pub space: Space,
    /// Classes of the labels, which are soft or one-hot, n × classes; 0 without labels.
    #[field(default)]
    pub classes: usize,
    /// The share of each sample.
    pub lambda: Lambda,
    /// The partner of each sample.
    #[field(default)]
    pub partners: Partners,
    /// What is drawn from; `first_element` is a multiple of c·s.
    pub key: Key,
}

impl Mixup {
    /// As in the paper: one λ from Beta(α, α), shuffled partners; without labels.
    pub fn new(dtype: DType, space: Space, alpha: f64, key: Key) -> Self {
        Self::from_required(dtype, space, Lambda::PerBatch(alpha), key)
    }

    /// Which samples are mixed, and in what shares.
    ///
    /// # Errors
    /// As planning the op.
    pub fn draw(&self) -> Result<Blend, Error> {
        self.blend(NAME)
    }

    pub(super) fn blend(&self, op: &'static str) -> Result<Blend, Error> {
        let of = Images::flat(self.space);
        of.check(op)?;
        let lambda = of.lambdas(op, "lambda", &self.lambda, &self.key)?;
        Ok(Blend { partners: of.partners(op, &self.partners, &self.key)?, lambda, boxes: vec![] })
    }
}

/// Checks labels, and gives the batch that they are.
pub(super) fn labels(op: &'static str, n: usize, classes: usize) -> Result<Images, Error> {
    let of = Images::flat(Space::channels_first(n, classes, 1));
    match of.check(op) {
        Ok(()) => Ok(of),
        Err(_) => Err(Error::argument(op, "classes", format!("is {classes} for {n} samples, must make at most 2^34 - 4 labels"))),
    }
}

/// A share as f32, and what is left to the partner. Shares were drawn so that neither becomes 0 by rounding.
pub(super) fn row(partner: usize, lambda: f64) -> [u32; 4] {
    [partner as u32, (lambda as f32).to_bits(), ((1.0 - lambda) as f32).to_bits(), 0]
}

impl Op for Mixup {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = vec![Arg::read("x", self.dtype, self.space.len())];
        args.extend(samples::labels_arg("labels", self.space.n, self.classes));
        args.push(Arg::write("y", self.dtype, self.space.len()));
        args.extend(samples::labels_arg("mixed", self.space.n, self.classes).map(|a| Arg::write("mixed", a.dtype, a.len)));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        check_float(NAME, &args[0])?;
        let Blend { partners, lambda, .. } = self.blend(NAME)?;
        let of_labels = labels(NAME, self.space.n, self.classes)?;
        let rows = partners.iter().zip(&lambda).map(|(p, l)| row(*p, *l));
        let table = out.table(&samples::table_bytes(rows), caps);
        let map = |x, y| Map { source: kernel!("mixing/mixup"), x, y, partner: true, table: table.clone(), value: 0.0 };
        let y = args.len() / 2;
        Images::flat(self.space).map(NAME, &mut out, caps, &args, &map(0, y))?;
        if self.classes > 0 {
            of_labels.map(NAME, &mut out, caps, &args, &map(1, y + 1))?;
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for Mixup {
    fn patterns(&self) -> Vec<Pattern> {
        samples::image_patterns(&self.space)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        samples::image_fill(arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let Blend { partners, lambda, .. } = self.draw().expect("lowered before");
        let (x, length) = (args[0].to_f64(), self.space.c * self.space.s);
        let one = |(i, e): (usize, usize)| {
            let (x, z) = (x[i * length + e], x[partners[i] * length + e]);
            samples::mixture(self.dtype, (x, lambda[i]), (z, 1.0 - lambda[i]))
        };
        let (value, bound) = samples::elements(&self.space).map(one).unzip();
        let mut out = vec![Expected::Within { value, bound }];
        if self.classes > 0 {
            out.push(samples::soft_labels(&args[1].to_f64(), self.classes, &partners, &lambda));
        }
        out
    }
}

/// Every kind of share and partner in turn.
pub(super) fn variant(i: usize, n: usize) -> (Lambda, Partners, Key) {
    let ends = |i: usize| [0.3, 1.0, 0.0, 0.999][i % 4];
    let lambda = match i % 5 {
        0 => Lambda::PerBatch(1.0),
        1 => Lambda::PerSample(0.2),
        2 => Lambda::Given((0..n).map(ends).collect()),
        3 => Lambda::Given(vec![0.25]),
        _ => Lambda::PerSample(2.5),
    };
    let partners = match i % 4 {
        0 | 1 => Partners::Shuffle,
        2 if i.is_multiple_of(3) => Partners::Flip,
        2 => Partners::Given((0..n).map(|j| (j + 2) % n.max(1)).collect()),
        _ => Partners::Roll,
    };
    (lambda, partners, Key { seed: 5, stream: 1, step: i as u32, first_element: 0 })
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    samples::image_cases(|i, dtype, space, _| {
        let (lambda, partners, key) = variant(i, space.n);
        let key = Key { first_element: (i % 3 * space.c * space.s) as u64, ..key };
        Box::new(Mixup { dtype, space, classes: [0, 10, 1, 3][i % 4], lambda, partners, key })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    samples::image_benches(elements, |dtype, space, _| {
        // Of small images, no more classes than elements: labels are to be the lesser part.
        let classes = 1000.min(space.c * space.s);
        Box::new(Mixup { classes, ..Mixup::new(dtype, space, 0.2, Key::default()) })
    })
}
