//! What ops on channels have in common: fields and their checks, data and shapes for the checks.
use crate::{Arg, DType, Error, HostData, Op, Pattern, Rng, Space};

pub(crate) fn eps() -> f64 {
    1e-5
}

pub(crate) fn yes() -> bool {
    true
}

pub(crate) fn check_eps(op: &'static str, eps: f64) -> Result<(), Error> {
    if (0.0..=f64::from(f32::MAX)).contains(&eps) {
        return Ok(());
    }
    Err(Error::argument(op, "eps", format!("is {eps}, must be at least 0 and finite in f32; 1e-5 is usual")))
}

/// The arguments of a backward op whose statistics have these names.
pub(crate) fn backward_args(dtype: DType, space: &Space, statistics: [&'static str; 2], weight: bool, bias: bool) -> Vec<Arg> {
    let (len, c) = (space.len(), space.c);
    let mut args = ["x", "dy"].map(|name| Arg::read(name, dtype, len)).to_vec();
    args.extend(statistics.map(|name| Arg::read(name, DType::F32, c)));
    args.extend(weight.then(|| Arg::read("weight", DType::F32, c)));
    args.push(Arg::write("dx", dtype, len));
    args.extend(weight.then(|| Arg::write("dweight", DType::F32, c)));
    args.extend(bias.then(|| Arg::write("dbias", DType::F32, c)));
    args
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

/// The pattern is for the tensors; vectors stay ordinary, but for means, which go with the tensor.
pub(crate) fn fill(space: &Space, dtype: DType, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    let domain = domain(arg);
    let tensor = arg.len == space.len() && ["x", "dy"].contains(&arg.name);
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
            for c in (0..space.c).step_by(3) {
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
/// than lanes, planes shorter and longer than a chunk, enough partials for levels of the fold. `make` gets a number that
/// differs from case to case.
pub(crate) fn cases(make: impl Fn(usize, DType, Space) -> Box<dyn Op>) -> Vec<Box<dyn Op>> {
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

/// A layer of a residual network at batch 32, 56 by 56.
pub(crate) fn benches(make: impl Fn(DType, Space) -> Box<dyn Op>) -> Vec<Box<dyn Op>> {
    let [first, last] = [Space::channels_first(32, 64, 56 * 56), Space::channels_last(32, 64, 56 * 56)];
    [(DType::F32, first), (DType::F32, last), (DType::F16, first), (DType::F16, last)].map(|(d, s)| make(d, s)).into()
}
