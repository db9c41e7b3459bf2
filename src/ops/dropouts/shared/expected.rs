//! What dropout must give, forward and backward.
use crate::{
    op::Expected,
    options::{Bits, Key, Share},
    types::{DType, HostData, Space},
    verify::{Approx, reference},
};

/// The number of the decision for element `e` of the larger whole, in logical order.
fn decision(share: Share, c: u64, s: u64, e: u64) -> u64 {
    let [sample, channel, position] = [e / (c * s), e / s % c, e % s];
    match share {
        Share::Element => e,
        Share::Channel => sample * c + channel,
        Share::Sample => sample,
        Share::Position => sample * s + position,
        Share::BatchElement => channel * s + position,
        Share::BatchChannel => channel,
        Share::BatchPosition => position,
        Share::Batch => 0,
    }
}

/// The number of each element's decision, in the order of memory.
pub(in crate::ops) fn numbers(space: &Space, key: &Key, share: Share) -> Vec<u64> {
    let mut out = vec![0; space.len()];
    if space.is_empty() {
        // One size is 0; the others may be too large to count through.
        return out;
    }
    for n in 0..space.n {
        for c in 0..space.c {
            for s in 0..space.s {
                let element = key.first_element + ((n * space.c + c) * space.s + s) as u64;
                out[space.offset(n, c, s)] = decision(share, space.c as u64, space.s as u64, element);
            }
        }
    }
    out
}

/// How many bits they are.
pub(in crate::ops) fn count(bits: Bits) -> u32 {
    if bits == Bits::Sixteen { 16 } else { 32 }
}

/// Which elements are kept, in the order of memory.
pub(in crate::ops) fn kept(space: &Space, p: f64, key: &Key, share: Share, bits: Bits) -> Vec<bool> {
    let keeps = |i| reference::keeps(p, count(bits), key.seed, key.stream, key.step, i);
    numbers(space, key, share).into_iter().map(keeps).collect()
}

/// A stored mask: a bit for each element in the order of memory.
pub(in crate::ops) fn packed(kept: &[bool]) -> Expected {
    let word = |bits: &[bool]| bits.iter().rev().fold(0, |w, &k| w << 1 | u32::from(k));
    Expected::Exact(HostData::U32(kept.chunks(32).map(word).collect()))
}

/// The elements that a stored mask keeps.
pub(in crate::ops) fn unpacked(mask: &HostData, len: usize) -> Vec<bool> {
    let words = mask.words().expect("masks are words");
    (0..len).map(|e| words[e / 32] >> (e % 32) & 1 == 1).collect()
}

/// What y must hold, of elements that are kept with probability `keep`. Exact where nothing is computed: copies, zeros, dropped elements, values that are not finite. Elsewhere
/// one product, so one ulp of f32; what a device may flush to 0 before or after it; the rounding of the storage.
pub(in crate::ops) fn expected(x: &HostData, kept: &[bool], keep: f64, factor: f64, one: fn(f64, bool, f64) -> f64) -> Expected {
    if keep == 1.0 {
        return Expected::Exact(x.clone());
    }
    if keep == 0.0 {
        return Expected::Exact(HostData::from_f64(x.dtype(), vec![0.0; kept.len()]));
    }
    // By definition the factor is rounded to f32 before it multiplies.
    let factor = f64::from(factor as f32);
    let value: Vec<f64> = x.to_f64().iter().zip(kept).map(|(&x, &k)| one(x, k, factor)).collect();
    let bound = value.iter().zip(kept).map(|(v, &k)| {
        if !k || !v.is_finite() {
            return 0.0;
        }
        let product = DType::F32.epsilon() * v.abs() + DType::F32.least_normal() * factor.max(1.0);
        Approx { value: *v, error: product }.stored_with_ulp(x.dtype())
    });
    Expected::Within { bound: bound.collect(), value }
}

/// What must become of x under normal numbers of this deviation; `item` gives it for an element, its number, and that times the
/// deviation.
pub(in crate::ops) fn noise(
    x: &HostData,
    deviation: f64,
    space: &Space,
    key: &Key,
    share: Share,
    item: impl Fn(f64, f64, Approx) -> Approx,
) -> Vec<Expected> {
    if deviation == 0.0 {
        return vec![Expected::Exact(x.clone())];
    }
    let one = |(x, i): (f64, u64)| {
        let z = reference::normal(key.seed, key.stream, key.step, i);
        item(x, z, Approx::normal(z).times(Approx::host(deviation)))
    };
    vec![within(x.dtype(), x.to_f64().into_iter().zip(numbers(space, key, share)).map(one))]
}

/// Expectations from running analysis. What is not finite must be so exactly.
pub(in crate::ops) fn within(dtype: DType, items: impl Iterator<Item = Approx>) -> Expected {
    let (value, bound) = items.map(|v| (v.value, if v.value.is_finite() { v.stored(dtype) } else { 0.0 })).unzip();
    Expected::Within { value, bound }
}
