//! Draws on the host, as the module's text describes them.

use crate::{
    kernels::philox,
    options::{Erasing, Key, Partners, Rect},
};
use std::f64::consts::TAU;

const LAMBDA: u64 = 1;
const SHUFFLE: u64 = 2;
const CENTRE: u64 = 3;
const ERASE: u64 = 4;

fn words(key: &Key, purpose: u64, number: u64, attempt: u64) -> [[u32; 2]; 2] {
    let call = (purpose << 60) + (number << 8) + attempt;
    let counter = [call as u32, (call >> 32) as u32, key.step, key.stream];
    let [a, b, c, d] = philox::call(counter, [key.seed as u32, (key.seed >> 32) as u32]);
    [[a, b], [c, d]]
}

fn wide([low, high]: [u32; 2]) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// In (0, 1].
fn uniform(words: [u32; 2]) -> f64 {
    ((wide(words) >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// Below `n`, or 0. Off from uniform by n/2^64 at most.
fn below(n: u64, words: [u32; 2]) -> u64 {
    ((u128::from(wide(words)) * u128::from(n)) >> 64) as u64
}

/// λ from Beta(α, α).
pub(crate) fn beta(key: &Key, number: u64, alpha: f64) -> f64 {
    let draw = |attempt| words(key, LAMBDA, number, attempt).map(uniform);
    let lambda = if alpha >= 0.5 {
        let [u, v] = draw(0);
        // Where U is 1 the power is, also if the exponent is infinite.
        let power = if u == 1.0 { 0.0 } else { u.ln() * (2.0 / (2.0 * alpha - 1.0)) };
        (0.5 + 0.5 * (-power.exp_m1()).sqrt() * (TAU * v).cos()).clamp(0.0, 1.0)
    } else {
        let tries = (0..256).map(draw).find(|uv| {
            let [x, y] = uv.map(|u| (u.ln() / alpha).exp());
            x + y <= 1.0
        });
        // X/(X + Y), also where both are too small for f64. An attempt fails once in five times at most.
        tries.map_or(0.5, |[u, v]| 1.0 / (1.0 + ((v.ln() - u.ln()) / alpha).exp()))
    };
    if lambda < f64::from(f32::MIN_POSITIVE) { 0.0 } else { lambda }
}

/// A random permutation of `n` samples of which the first has the number `first`.
pub(crate) fn shuffled(key: &Key, first: u64, n: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        let [word, _] = words(key, SHUFFLE, first + i as u64, 0);
        all.swap(i, below(i as u64 + 1, word) as usize);
    }
    all
}

/// A place in an image of this height and width.
pub(crate) fn centre(key: &Key, number: u64, [height, width]: [u64; 2]) -> [u64; 2] {
    let [row, column] = words(key, CENTRE, number, 0);
    [below(height, row), below(width, column)]
}

/// What random erasing takes from an image of this height and width.
pub(crate) fn erased(key: &Key, number: u64, of: &Erasing, [height, width]: [u64; 2]) -> Rect {
    let draw = |attempt| words(key, ERASE, number, attempt);
    if uniform(draw(255)[0]) > of.p {
        return Rect::default();
    }
    let between = |[low, high]: [f64; 2], u: f64| low + u * (high - low);
    for t in 0..10 {
        let [area, ratio] = draw(2 * t).map(uniform);
        let area = (height * width) as f64 * between(of.scale, area);
        let ratio = between(of.ratio.map(f64::ln), ratio).exp();
        let [rows, columns] = [area * ratio, area / ratio].map(|v| v.sqrt().round_ties_even() as u64);
        if rows < height && columns < width {
            let [row, column] = draw(2 * t + 1);
            let (top, left) = (below(height - rows + 1, row), below(width - columns + 1, column));
            return Rect { top: top as usize, left: left as usize, height: rows as usize, width: columns as usize };
        }
    }
    Rect::default()
}

/// The partner of each of `n` samples.
pub(crate) fn partners(of: &Partners, n: usize, key: &Key, first: u64) -> Vec<usize> {
    match of {
        Partners::Shuffle => shuffled(key, first, n),
        Partners::Roll => (0..n).map(|i| (i + n - 1) % n).collect(),
        Partners::Flip => (0..n).rev().collect(),
        Partners::Given(all) => all.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(step: u32) -> Key {
        Key { seed: 7, stream: 3, step, first_element: 0 }
    }

    /// Mean ½, variance 1/(4(2α+1)), and the share below 0.1, which for α = 1, ½, 3/2 is known in closed form.
    #[test]
    fn beta_has_its_moments() {
        let n = 40_000;
        for (alpha, low) in [
            (0.01, None),
            (0.2, None),
            (0.49, None),
            (0.5, Some(2.0 / std::f64::consts::PI * 0.1f64.sqrt().asin())),
            (1.0, Some(0.1)),
            (1.5, Some(0.052_044_019)),
            (2.0, Some(0.028)),
            (400.0, None),
        ] {
            let all: Vec<f64> = (0..n).map(|i| beta(&key(1), i, alpha)).collect();
            let (mean, size) = (all.iter().sum::<f64>() / n as f64, n as f64);
            let variance = all.iter().map(|v| (v - 0.5).powi(2)).sum::<f64>() / size;
            let want = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            // Five standard errors. The fourth moment of what lies within ½ of its mean is at most a quarter of the variance.
            assert!((mean - 0.5).abs() < 5.0 * (want / size).sqrt(), "α {alpha}: mean {mean}");
            assert!((variance - want).abs() < 5.0 * (want / 4.0 / size).sqrt(), "α {alpha}: variance {variance}, not {want}");
            if let Some(p) = low {
                let share = all.iter().filter(|v| **v < 0.1).count() as f64 / size;
                assert!((share - p).abs() < 5.0 * (p * (1.0 - p) / size).sqrt(), "α {alpha}: {share} below 0.1, not {p}");
            }
        }
    }

    #[test]
    fn beta_has_no_nan_at_the_ends() {
        for alpha in [5e-324, 1e-300, 1e-3, 0.5, 1e6, 1e300] {
            for i in 0..200 {
                let v = beta(&key(2), i, alpha);
                assert!((0.0..=1.0).contains(&v) && (v == 0.0 || v >= f64::from(f32::MIN_POSITIVE)), "α {alpha}: {v}");
            }
        }
    }

    /// Each of the 24 orders of four comes up as often as another: χ² of 23 degrees stays below 60 but once in 10^5 times.
    #[test]
    fn every_order_is_as_likely() {
        let mut seen = std::collections::HashMap::<Vec<usize>, f64>::new();
        let n = 12_000;
        (0..n).for_each(|step| *seen.entry(shuffled(&key(step), 5, 4)).or_default() += 1.0);
        let want = f64::from(n) / 24.0;
        let chi: f64 = seen.values().map(|v| (v - want).powi(2) / want).sum();
        assert!(seen.len() == 24 && chi < 60.0, "{} orders, χ² {chi}", seen.len());
    }

    #[test]
    fn centres_and_rectangles_reach_every_border() {
        let (mut corners, mut touched) = ([false; 4], [false; 4]);
        let of = Erasing { p: 1.0, ..Erasing::default() };
        for i in 0..2000 {
            let [r, c] = centre(&key(3), i, [5, 7]);
            assert!(r < 5 && c < 7);
            [(r, 0), (r, 4), (c, 0), (c, 6)].iter().zip(&mut corners).for_each(|((at, end), seen)| *seen |= at == end);
            let b = erased(&key(4), i, &of, [12, 9]);
            let share = b.area() as f64 / 108.0;
            assert!(b.top + b.height <= 12 && b.left + b.width <= 9 && b.height < 12 && b.width < 9);
            assert!(b.area() == 0 || share < 0.5, "{b:?}");
            let ends = [b.top == 0, b.left == 0, b.top + b.height == 12, b.left + b.width == 9];
            touched.iter_mut().zip(ends).for_each(|(seen, now)| *seen |= now);
        }
        assert_eq!((corners, touched), ([true; 4], [true; 4]));
        assert_eq!(erased(&key(5), 0, &Erasing { p: 0.0, ..of }, [12, 9]), Rect::default());
    }
}
