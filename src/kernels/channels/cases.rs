//! Shapes and data of ops on channels, for the checks and to time.
use super::masking::fill_mask;
use crate::{
    op::{Arg, Pattern, Rng, Verify, bench_shapes},
    options::Activation,
    types::{DType, HostData, Space},
};

/// An activation and whether there is a residual, for every fourth case: each is a pipeline, whose compilation takes its time.
/// The first six are those that find v in different places; a short list of cases has no more.
pub(crate) fn fusion(i: usize) -> (Activation, bool) {
    if i % 4 != 2 {
        return (Activation::None, false);
    }
    match i / 4 % 9 {
        0 => (Activation::Relu, false),
        1 => (Activation::LeakyRelu { slope: 0.2 }, true),
        2 => (Activation::Gelu, true),
        3 => (Activation::Silu, false),
        4 => (Activation::None, true),
        5 => (Activation::Silu, true),
        6 => (Activation::LeakyRelu { slope: 0.2 }, false),
        7 => (Activation::GeluTanh, false),
        _ => (Activation::Relu, true),
    }
}

/// Where the values of a channel lie in memory.
pub(crate) fn places(space: &Space, c: usize) -> Vec<usize> {
    // An empty tensor may have very many samples.
    let samples = if space.is_empty() { 0 } else { space.n };
    (0..samples).flat_map(|n| (0..space.s).map(move |s| space.offset(n, c, s))).collect()
}

/// Large tensors take the patterns that can show something which small ones do not, and so do halves, which take other
/// loads and stores but the same arithmetic.
pub(crate) fn patterns(dtype: DType, space: &Space) -> Vec<Pattern> {
    if dtype != DType::F32 && space.len() <= 50_000 {
        return vec![Pattern::Ordinary, Pattern::Offset, Pattern::NonFinite];
    }
    if space.len() > 50_000 {
        return vec![Pattern::Ordinary, Pattern::Offset];
    }
    vec![Pattern::Ordinary, Pattern::Offset, Pattern::Constant, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
}

pub(crate) fn domain(arg: &Arg) -> [f64; 2] {
    match arg.name {
        "running_var" => [0.1, 2.0],
        "rstd" => [0.7, 3.0],
        _ => [-1.0, 1.0],
    }
}

/// The items of an op's `impl Verify` that draw what it is checked with, as for all ops on channels: of a tensor of this space, with the
/// patterns of its family or with these, by [`fill`] or by this method.
macro_rules! draws {
    ($op:ident, $space:expr) => {
        crate::kernels::channels::draws! { $op, $space => crate::kernels::channels::patterns($op.dtype, &$space),
        |arg, rng, pattern| crate::kernels::channels::fill(&$space, $op.dtype, arg, rng, pattern) }
    };
    // Of an op that holds another.
    ($op:ident.$held:ident, $space:expr) => {
        crate::kernels::channels::draws! { $op, $space => crate::kernels::channels::patterns($op.$held.dtype, &$space),
        |arg, rng, pattern| crate::kernels::channels::fill(&$space, $op.$held.dtype, arg, rng, pattern) }
    };
    ($op:ident, $space:expr, [$($pattern:ident),*]) => {
        crate::kernels::channels::draws! { $op, $space => vec![$(crate::op::Pattern::$pattern),*],
        |arg, rng, pattern| crate::kernels::channels::fill(&$space, $op.dtype, arg, rng, pattern) }
    };
    ($op:ident, $space:expr, $($fill:tt)*) => {
        crate::kernels::channels::draws! { $op, $space => crate::kernels::channels::patterns($op.dtype, &$space),
        |arg, rng, pattern| $($fill)*($op.dtype, arg, rng, pattern) }
    };
    ($op:ident, $space:expr => $patterns:expr, |$arg:ident, $rng:ident, $pattern:ident| $fill:expr) => {
        fn patterns(&$op) -> Vec<crate::op::Pattern> {
            $patterns
        }

        fn domain(&self, arg: &crate::op::Arg) -> [f64; 2] {
            crate::kernels::channels::domain(arg)
        }

        fn fill(
            &$op,
            $arg: &crate::op::Arg,
            $rng: &mut crate::op::Rng,
            $pattern: crate::op::Pattern,
        ) -> crate::types::HostData {
            $fill
        }
    };
}
pub(crate) use draws;

/// The pattern is for the tensors; vectors stay ordinary, but for means, which go with the tensor.
pub(crate) fn fill(space: &Space, dtype: DType, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    if arg.name == "mask" {
        return fill_mask(space, arg, rng, pattern);
    }
    let domain = domain(arg);
    let tensor = arg.len == space.len() && ["x", "dy", "y", "residual"].contains(&arg.name);
    // An output of ReLU is 0 in many places, where the derivative is that from below.
    if tensor && arg.name == "y" && pattern != Pattern::NonFinite {
        let values = rng.fill(arg, domain, Pattern::Ordinary).to_f64();
        return HostData::from_f64(arg.dtype, values.into_iter().map(|v| if v < -0.2 { 0.0 } else { v }));
    }
    match pattern {
        // A mean 10^6 times the deviation, as far as the accuracy is promised; halves can hold no such values.
        Pattern::Offset if ["x", "mean", "running_mean"].contains(&arg.name) => {
            let mean = if dtype == DType::F32 { 6e5 } else { 100.0 };
            HostData::from_f64(arg.dtype, (0..arg.len).map(|_| mean + 2.0 * rng.unit() - 1.0))
        }
        _ if !tensor || pattern == Pattern::Offset => rng.fill(arg, domain, Pattern::Ordinary),
        // Every third channel gets one; the others must not notice.
        Pattern::NonFinite => {
            let mut values = rng.fill(arg, domain, Pattern::Ordinary).to_f64();
            // A residual's elsewhere: in a channel whose x has one, it would not be seen.
            let first = usize::from(arg.name == "residual");
            for c in (first..space.c).step_by(3) {
                let places = places(space, c);
                if let Some(&i) = places.get((rng.unit() * places.len() as f64) as usize) {
                    values[i] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][c / 3 % 3];
                }
            }
            HostData::from_f64(arg.dtype, values)
        }
        _ => rng.fill(arg, domain, pattern),
    }
}

/// Shapes for the checks: one value per channel and none, channels and planes that are whole quads and not, more channels
/// than lanes, planes shorter and longer than a chunk, enough partials for reduction levels. `make` gets a number that
/// differs from case to case.
pub(crate) fn cases(make: impl Fn(usize, DType, Space) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let small = [
        (1, 5, 1),
        (1, 1, 5),
        (2, 1, 1),
        (0, 3, 4),
        (3, 0, 2),
        (5, 3, 4),
        (3, 17, 1),
        (17, 8, 1),
        (2, 5, 7),
        (9, 3, 2),
        (3, 4, 64),
        (33, 64, 1),
        (6, 12, 49),
        (17, 3, 16),
        (3, 100, 9),
        (2, 2, 2501),
    ];
    let mut out = Vec::new();
    for (n, c, s) in small {
        for dtype in DType::FLOATS {
            for space in [Space::channels_first(n, c, s), Space::channels_last(n, c, s)] {
                // The same tensor, twice.
                if (c > 1 && s > 1) || space.layout == Default::default() {
                    out.push(make(out.len(), dtype, space));
                }
            }
        }
    }
    for (n, c, s) in [(1, 1, 300_001), (1, 2, 65_541), (130, 300, 1), (40, 8, 196)] {
        for (dtype, last) in [(DType::F32, false), (DType::F32, true), (DType::Bf16, c % 4 == 0)] {
            let space = if last { Space::channels_last(n, c, s) } else { Space::channels_first(n, c, s) };
            out.push(make(out.len(), dtype, space));
        }
    }
    out
}

/// A batch of a layer of a residual network, 64 channels of 56 by 56, or of smaller images where the size is less. It is as near
/// to the size as a multiple of `n` samples comes: a layer's shape decides which kernels run and how chunks are cut, so that stays.
fn layer(elements: usize, n: usize) -> [Space; 2] {
    bench_shapes::batch(elements, [n, 64, 56 * 56], 4)
}

fn each(spaces: [Space; 2], make: impl Fn(DType, Space) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    [DType::F32, DType::F16].into_iter().flat_map(|dtype| spaces.map(|space| make(dtype, space))).collect()
}

pub(crate) fn benches(elements: usize, make: impl Fn(DType, Space) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    each(layer(elements, 1), make)
}

/// With virtual batches of 8 samples, which `make` gets too.
pub(crate) fn ghost_benches(elements: usize, make: impl Fn(DType, Space, usize) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    each(layer(elements, 8), |dtype, space| make(dtype, space, 8))
}

/// In all types.
pub(crate) fn group_benches(elements: usize, make: impl Fn(DType, Space) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    DType::FLOATS.into_iter().flat_map(|dtype| layer(elements, 1).map(|space| make(dtype, space))).collect()
}

/// The end of a residual block: with ReLU, and with the sum before it.
pub(crate) fn fused_benches(
    elements: usize,
    make: impl Fn(DType, Space, Activation, bool) -> Box<dyn Verify>,
) -> Vec<Box<dyn Verify>> {
    let [first, last] = layer(elements, 1);
    [(DType::F32, first, false), (DType::F16, last, true)].map(|(d, s, r)| make(d, s, Activation::Relu, r)).into()
}

/// A few of the shapes of [`cases`], for ops that share their kernels with others: those that differ for the cut of a tensor.
pub(crate) fn few(make: impl Fn(usize, DType, Space) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let all = [
        (2, 1, 5),
        (0, 3, 4),
        (3, 0, 2),
        (5, 3, 4),
        (3, 17, 1),
        (17, 8, 1),
        (2, 5, 7),
        (33, 64, 1),
        (6, 12, 49),
        (3, 100, 9),
        (2, 2, 2501),
        (130, 60, 3),
    ];
    let mut out = Vec::new();
    for (n, c, s) in all {
        for space in [Space::channels_first(n, c, s), Space::channels_last(n, c, s)] {
            // The same tensor, twice.
            if (c > 1 && s > 1) || space.layout == Default::default() {
                out.push(make(out.len(), DType::FLOATS[(out.len() + n) % 3], space));
            }
        }
    }
    for (dtype, space) in [(DType::F32, Space::channels_first(1, 2, 65_541)), (DType::F32, Space::channels_last(40, 8, 196))] {
        out.push(make(out.len(), dtype, space));
    }
    out
}

/// Sequences: 256 features, up to 512 steps.
pub(crate) fn sequence_benches(elements: usize, make: impl Fn(DType, Space) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let [first, last] = bench_shapes::batch(elements, [1, 256, 512], 4);
    [(DType::F32, first), (DType::F32, last), (DType::F16, last)].map(|(d, s)| make(d, s)).into()
}

/// Shapes and virtual batches: of one value, of one sample, of the whole batch; chunks that would straddle two of them.
pub(crate) fn ghosts(make: impl Fn(usize, DType, Space, usize) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let all = [
        ((2, 5, 1), 1),
        ((6, 1, 5), 2),
        ((0, 3, 4), 2),
        ((4, 0, 2), 2),
        ((4, 3, 0), 2),
        ((6, 3, 4), 3),
        ((24, 8, 1), 4),
        ((6, 5, 7), 2),
        ((5, 3, 16), 5),
        ((12, 12, 49), 3),
        ((6, 20, 9), 1),
        ((84, 17, 1), 42),
        ((4, 2, 2501), 2),
        ((36, 64, 4), 12),
    ];
    let mut out = Vec::new();
    for ((n, c, s), size) in all {
        for space in [Space::channels_first(n, c, s), Space::channels_last(n, c, s)] {
            out.push(make(out.len(), DType::FLOATS[(out.len() + n) % 3], space, size));
        }
    }
    out.push(make(out.len(), DType::F32, Space::channels_first(4, 2, 20_001), 2));
    out
}
