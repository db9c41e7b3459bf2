//! What the mixing ops share towards the checks: shapes, data, bounds, the texts of their fields.
use super::Images;
use crate::{
    op::{Arg, Expected, Field, Op, Pattern, Rng, bench_shapes},
    options::Rect,
    types::{DType, HostData, Space},
    verify::{Approx, reference},
};

/// Shapes (space, width) for the checks: no sample and one, samples of one element, whole quads and not, rows and channels
/// that are whole quads and not, tensors beyond small windows. `make` gets a number that differs from case to case.
pub(crate) fn image_cases(make: impl Fn(usize, DType, Space, usize) -> Box<dyn Op>) -> Vec<Box<dyn Op>> {
    let shapes = [
        (0, 3, 4, 4),
        (2, 0, 4, 4),
        (1, 1, 1, 1),
        (5, 1, 1, 1),
        (7, 3, 1, 2),
        (5, 3, 4, 4),
        (4, 3, 5, 7),
        (3, 8, 14, 14),
        (6, 4, 6, 8),
        (3, 5, 9, 16),
        (33, 4, 5, 5),
        (6, 3, 64, 64),
        (9, 3, 37, 59),
    ];
    let mut out = Vec::new();
    for (i, (n, c, h, w)) in shapes.into_iter().enumerate() {
        for (k, dtype) in DType::FLOATS.into_iter().enumerate() {
            let long = n * c * h * w > 50_000;
            if long && k == 2 {
                continue;
            }
            let last = (i + k) % 2 == 1;
            let space = if last { Space::channels_last(n, c, h * w) } else { Space::channels_first(n, c, h * w) };
            out.push(make(out.len(), dtype, space, w));
        }
    }
    out
}

/// A batch of ImageNet's images, or of smaller ones: at least 2, as each is mixed with another. `make` gets the type, the space
/// and the width.
pub(crate) fn image_benches(elements: usize, make: impl Fn(DType, Space, usize) -> Box<dyn Op>) -> Vec<Box<dyn Op>> {
    let ([first, last], width) = bench_shapes::images(elements, [2, 3, 224], 16);
    [(DType::F32, first), (DType::F32, last), (DType::F16, first)].map(|(d, s)| make(d, s, width)).into()
}

pub(crate) fn image_patterns(space: &Space) -> Vec<Pattern> {
    if space.len() > 50_000 {
        return vec![Pattern::Ordinary];
    }
    vec![Pattern::Ordinary, Pattern::Tiny, Pattern::NonFinite]
}

/// Labels stay probabilities, whatever the pattern.
pub(crate) fn image_fill(arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    let labels = arg.name == "labels";
    rng.fill(arg, if labels { [0.0, 1.0] } else { [-1.0, 1.0] }, if labels { Pattern::Ordinary } else { pattern })
}

/// The soft labels of a batch, if there are any.
pub(crate) fn labels_arg(name: &'static str, n: usize, classes: usize) -> Option<Arg> {
    (classes > 0).then(|| Arg { name, ..Arg::read(name, DType::F32, n.saturating_mul(classes)) })
}

/// A copy: exact, but what is below the least normal number may be flushed.
pub(crate) fn copied(dtype: DType, v: f64) -> f64 {
    if v.abs() < dtype.least_normal() { v.abs() } else { 0.0 }
}

/// λ·x + (1 - λ)·z, with its bound.
pub(crate) fn mixture(dtype: DType, (x, own): (f64, f64), (z, rest): (f64, f64)) -> (f64, f64) {
    let sum = Approx::sum([Approx::exact(x).scaled(own), Approx::exact(z).scaled(rest)]);
    (reference::mixup(x, own, z, rest), sum.stored(dtype))
}

/// What becomes of labels under the shares `lambda`.
pub(crate) fn soft_labels(labels: &[f64], classes: usize, partners: &[usize], lambda: &[f64]) -> Expected {
    let one = |e: usize| {
        let (i, k) = (e / classes, e % classes);
        mixture(DType::F32, (labels[e], lambda[i]), (labels[partners[i] * classes + k], 1.0 - lambda[i]))
    };
    let (value, bound) = (0..labels.len()).map(one).unzip();
    Expected::Within { value, bound }
}

/// Every element of a batch: its sample, and where it lies in the sample; both as places in memory.
pub(crate) fn elements(space: &Space) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (n, length) = (space.n, space.c * space.s);
    (0..if length == 0 { 0 } else { n }).flat_map(move |i| (0..length).map(move |e| (i, e)))
}

impl Images {
    /// Whether the place `e` of a sample lies in a box, as the reference counts.
    pub fn inside(&self, b: &Rect, e: usize) -> bool {
        let s = if self.space.layout == crate::types::Layout::ChannelsLast { e / self.space.c } else { e % self.space.s };
        reference::inside([b.top, b.left, b.height, b.width], s / self.width, s % self.width)
    }
}

pub(crate) const DTYPE: Field =
    Field { name: "dtype", default: "", about: "storage of the tensors: f32, f16 or bf16; labels are f32" };
pub(crate) const SPACE: Field =
    Field { name: "space", default: "", about: "the batch: n samples, c channels, s = H·W positions, layout" };
pub(crate) const WIDTH: Field = Field { name: "width", default: "", about: "W, the columns of an image; s is a multiple" };
pub(crate) const CLASSES: Field =
    Field { name: "classes", default: "0", about: "K of the soft or one-hot labels, n x K; 0: there are none" };
pub(crate) const PARTNERS: Field = Field {
    name: "partners",
    default: "\"shuffle\"",
    about: "with whom: \"shuffle\", \"roll\" (torchvision), \"flip\" (timm), or {\"given\": [...]}, a permutation",
};
pub(crate) const KEY: Field =
    Field { name: "key", default: "", about: "what is drawn from: seed, stream, step, first_element (a multiple of c·s)" };
pub(crate) const LAMBDA: Field = Field {
    name: "lambda",
    default: "",
    about: "{\"per_batch\": alpha} or {\"per_sample\": alpha} from Beta(alpha, alpha), or {\"given\": [...]}, 1 or n of them",
};
pub(crate) const CUT: Field = Field {
    name: "cut",
    default: "",
    about: "{\"per_batch\": alpha}, {\"per_sample\": alpha}, {\"lambda\": [...]} or {\"boxes\": [{top, left, height, width}, ...]}",
};
pub(crate) const HOLES: Field = Field {
    name: "holes",
    default: "",
    about: "{\"square\": side}, {\"erasing\": {p, scale, ratio}} or {\"boxes\": [{top, left, height, width}, ...]}",
};
