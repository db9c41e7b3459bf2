//! Statistics of masks: how many are kept, and what they have in common.
use super::{KEY, dropout, mask};
use crate::common::session;
use ridgepole::{ops::*, *};

fn count(kept: &[bool]) -> f64 {
    kept.iter().filter(|k| **k).count() as f64
}

#[test]
fn the_keep_rate_is_the_binomial_one() {
    let (session, n) = (session(), 10_000_000);
    for (p, bits) in [(0.1, Bits::Sixteen), (0.5, Bits::Sixteen), (0.9, Bits::ThirtyTwo)] {
        let op = Dropout { bits, ..dropout(Space::flat(n), p, KEY) };
        let (got, keep) = (count(&mask(&session, &op)), cpu::keep(p, if bits == Bits::Sixteen { 16 } else { 32 }));
        let sigma = (n as f64 * keep * (1.0 - keep)).sqrt();
        let off = (got - n as f64 * keep) / sigma;
        assert!(off.abs() < 5.0, "{op:?}: kept {got}, {off:.1} sigma from the expectation");
    }
}

#[test]
fn masks_of_neighbouring_keys_do_not_correlate() {
    let (session, n) = (session(), 1_000_000);
    let draw = |key| mask(&session, &dropout(Space::flat(n), 0.3, key));
    let base = draw(KEY);
    let flipped = |bit: u32| (format!("seed bit {bit}"), Key { seed: KEY.seed ^ 1 << bit, ..KEY });
    let mut keys: Vec<(String, Key)> = [0, 1, 31, 32, 63].map(flipped).into();
    keys.push(("next stream".into(), Key { stream: 1, ..KEY }));
    keys.push(("next step".into(), Key { step: 8, ..KEY }));
    keys.push(("stream and step swapped".into(), Key { stream: 7, step: 0, ..KEY }));
    keys.push(("next element".into(), Key { first_element: 1, ..KEY }));
    keys.push(("next block".into(), Key { first_element: 8, ..KEY }));
    for (what, key) in keys {
        let other = draw(key);
        let (a, b) = (count(&base) / n as f64, count(&other) / n as f64);
        let both = base.iter().zip(&other).filter(|(a, b)| **a && **b).count() as f64 / n as f64;
        let phi = (both - a * b) / (a * (1.0 - a) * b * (1.0 - b)).sqrt();
        assert!(phi.abs() * (n as f64).sqrt() < 5.0, "{what}: phi = {phi}");
    }
}
