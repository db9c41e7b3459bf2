//! How far the vectors and σ may be off: running analysis in the Euclidean norm, so that an error grows in a product with W by
//! no more than its norm.
use crate::{
    kernels::channels::{SumErrors, norm_of},
    types::{DType, Rows},
    verify::{Approx, reference},
};

const E: f64 = DType::F32.epsilon();
const LEAST: f64 = DType::F32.least_normal();

/// A vector, and how far, as a vector, the kernel's may be from it.
struct Kept {
    value: Vec<f64>,
    error: f64,
}

fn norm(v: impl IntoIterator<Item = f64>) -> f64 {
    v.into_iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// How far the entry of a product of this line of W with a vector is off beside what the vector's error does to it.
fn rounded(line: &[f64], with: &Kept) -> f64 {
    let largest: Vec<f64> = with.value.iter().map(|v| v.abs() + with.error).collect();
    SumErrors::of(line, &largest, 0.0, 1.0, 0.0).dweight
}

/// A norm of what is off by `error`, itself a sum of squares and a root.
fn norm_error(z: &[f64], error: f64) -> Approx {
    let (value, flushed) = (norm(z.iter().copied()), (z.len() as f64).sqrt() * LEAST);
    // The squares are summed in three scales, so that none vanishes beside others; what that is off by is relative.
    let sum = norm_of(z).error;
    let rounded = sum * (1.0 + error / value.max(LEAST)) + 10.0 * E * (value + error);
    Approx { value, error: error + rounded + 4.0 * flushed }
}

/// One half of an iteration: z = lines·from, its norm, and z / max(norm, ε).
fn half(lines: &[Vec<f64>], largest: f64, from: &Kept, eps: f64) -> (Approx, Kept) {
    let z: Vec<f64> = lines.iter().map(|l| l.iter().zip(&from.value).map(|(w, v)| w * v).sum()).collect();
    let error = largest * from.error + norm(lines.iter().map(|l| rounded(l, from)));
    let length = norm_error(&z, error);
    let divisor = Approx { value: length.value.max(eps), error: length.error + E * eps };
    let least = divisor.value - divisor.error;
    let value: Vec<f64> = z.iter().map(|z| z / divisor.value).collect();
    // |z'/d' - z/d| is at most (|z' - z| + |z/d|·|d' - d|) / d'; the quotients round.
    let moved = (error + norm(value.iter().copied()) * divisor.error) / least;
    let moved = if least > 0.0 { moved } else { f64::INFINITY };
    let error = moved + 2.5 * E * (norm(value.iter().copied()) + moved) + (value.len() as f64).sqrt() * LEAST;
    // Iterations multiply what is not known, but the kernel's vector is no longer than a divided one can be.
    let error = error.min(norm(value.iter().copied()) + longest(value.len()));
    (length, Kept { value, error })
}

/// How long a vector of `n` numbers may be that the kernel has divided by its norm, or by more. The share by which that norm is
/// too short depends on no data: it is summed from what is not negative, in scales where nothing vanishes, or ε is greater.
fn longest(n: usize) -> f64 {
    let ones = norm_error(&vec![1.0; n], 0.0);
    let short = (ones.error / ones.value.max(1.0)).min(0.5);
    (1.0 + 2.5 * E) / (1.0 - short) + (n as f64).sqrt() * LEAST
}

/// Entries of u and of v, and σ.
pub(crate) struct Expectations {
    pub u: (Vec<f64>, Vec<f64>),
    pub v: (Vec<f64>, Vec<f64>),
    pub sigma: Approx,
}

/// What u, v and σ must be after `iterations`, from given u and v.
pub(crate) fn expected(of: Rows, w: &[f64], u: &[f64], v: &[f64], iterations: usize, eps: f64) -> Expectations {
    let rows: Vec<Vec<f64>> = (0..of.rows).map(|r| of.row(w, r).to_vec()).collect();
    let columns: Vec<Vec<f64>> = (0..of.cols).map(|c| rows.iter().map(|r| r[c]).collect()).collect();
    let (exact_u, exact_v, exact) = reference::spectral_norm(&rows, u, v, iterations, eps);
    if exact.is_nan() || w.iter().any(|w| !w.is_finite()) {
        let nan = |n: usize, kept: &[f64]| if iterations == 0 { kept.to_vec() } else { vec![f64::NAN; n] };
        let (u, v) = (nan(of.rows, u), nan(of.cols, v));
        let none = |v: Vec<f64>| (v.clone(), vec![0.0; v.len()]);
        return Expectations { u: none(u), v: none(v), sigma: Approx { value: f64::NAN, error: 0.0 } };
    }
    // The largest singular value is at most the Frobenius norm, and the root of the largest sums of a row and of a column.
    let widest = |lines: &[Vec<f64>]| lines.iter().map(|l| l.iter().map(|w| w.abs()).sum::<f64>()).fold(0.0, f64::max);
    let largest = norm(w.iter().copied()).min((widest(&rows) * widest(&columns)).sqrt());
    let mut kept = [u, v].map(|v| Kept { value: v.to_vec(), error: 0.0 });
    let mut length = Approx::exact(0.0);
    for _ in 0..iterations {
        kept[0] = half(&rows, largest, &kept[1], eps).1;
        (length, kept[1]) = half(&columns, largest, &kept[0], eps);
    }
    let error = if iterations == 0 {
        // The product with u of Wv: what each entry is off by, and a sum of products.
        let z: Vec<f64> = rows.iter().map(|r| r.iter().zip(v).map(|(w, v)| w * v).sum()).collect();
        let off: Vec<f64> = rows.iter().map(|r| rounded(r, &kept[1])).collect();
        let reach: Vec<f64> = z.iter().zip(&off).map(|(z, off)| z.abs() + off).collect();
        u.iter().zip(&off).map(|(u, off)| u.abs() * off).sum::<f64>() + SumErrors::of(u, &reach, 0.0, 1.0, 0.0).dweight
    } else if length.value - length.error >= eps * (1.0 + E) {
        length.error
    } else {
        // n·n/max(n, ε) has a slope of at most 2. ε rounds, and so do the quotient and the product.
        length.error * 2.0 + 5.0 * E * (length.value + length.error) + 4.0 * LEAST
    };
    let [a, b] = kept.map(|k| k.error);
    Expectations {
        u: (exact_u, vec![a; of.rows]),
        v: (exact_v, vec![b; of.cols]),
        sigma: Approx { value: exact, error: error + 2.0 * E * exact.abs() },
    }
}

/// The quotient of a number and σ: 0 where σ is 0 for certain.
pub(crate) fn quotient(x: Approx, sigma: Approx) -> Approx {
    if sigma.value == 0.0 { Approx::exact(0.0) } else { x.over(sigma) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Rng;

    /// However many iterations there are, and whether W has one singular value, several of a size, or none.
    #[test]
    fn what_is_not_known_does_not_grow_past_what_a_vector_can_be() {
        let mut rng = Rng::new(1);
        for (rows, cols) in [(1, 1), (5, 1), (1, 5), (4, 4), (9, 7), (0, 3), (3, 0)] {
            let of = Rows::new(rows, cols);
            for scale in [1.0, 1e-3, 1e3, 0.0] {
                let w: Vec<f64> = (0..of.len()).map(|_| scale * (1.5 * rng.unit() - 0.5)).collect();
                let [u, v] = [rows, cols].map(|n| (0..n).map(|_| 0.1 + 0.4 * rng.unit()).collect::<Vec<_>>());
                for iterations in [1, 2, 10, 64, 100] {
                    let all = expected(of, &w, &u, &v, iterations, 1e-12);
                    let vectors = all.u.1.iter().chain(&all.v.1);
                    assert!(vectors.clone().all(|e| (0.0..2.01).contains(e)), "{rows} x {cols}, {iterations}: {:?}", all.u.1);
                    // A vector off by 2, and twice that where the norm may be below ε.
                    let most = 4.1 * norm(w.iter().copied()) + 1e-10;
                    assert!(all.sigma.error >= 0.0 && all.sigma.error <= most, "{rows} x {cols}, {iterations}: {:?}", all.sigma);
                }
            }
        }
    }
}
