//! What dropout must give, forward and backward.
use crate::{Bits, DType, Expected, HostData, Key, Share, Space, cpu};

/// Which elements are kept, in the order of memory.
pub(in crate::ops) fn kept(space: &Space, p: f64, key: &Key, share: Share, bits: Bits) -> Vec<bool> {
    let mut out = vec![false; space.len()];
    let bits = if bits == Bits::Sixteen { 16 } else { 32 };
    if space.is_empty() {
        // One size is 0; the others may be too large to count through.
        return out;
    }
    for n in 0..space.n {
        for c in 0..space.c {
            for s in 0..space.s {
                let element = key.first_element + ((n * space.c + c) * space.s + s) as u64;
                let decision = element / share.extent(space);
                out[space.offset(n, c, s)] = cpu::keeps(p, bits, key.seed, key.stream, key.step, decision);
            }
        }
    }
    out
}

/// What y must hold. Exact where nothing is computed: copies, zeros, dropped elements, values that are not finite. Elsewhere
/// one product, so one ulp of f32; what a device may flush to 0 before or after it; the rounding of the storage.
pub(in crate::ops) fn expected(
    x: &HostData,
    kept: &[bool],
    keep: f64,
    copies: bool,
    factor: f64,
    one: fn(f64, bool, f64) -> f64,
) -> Expected {
    if copies {
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
        product + x.dtype().rounding(v.abs() + product)
    });
    Expected::Within { bound: bound.collect(), value }
}
