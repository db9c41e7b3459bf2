//! Running error analysis: what is known about an f32 result, carried along with its value.
//!
//! An op whose error bound is no short formula repeats its kernel's arithmetic on [`Approx`] values; each operation adds
//! what it may round to what it inherits (Wilkinson; Higham, "Accuracy and Stability of Numerical Algorithms", 3.3).
use crate::types::DType;

const ULP: f64 = f32::EPSILON as f64;
const LEAST: f64 = f32::MIN_POSITIVE as f64;

/// A number that a kernel holds as `value`, give or take `error`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Approx {
    /// What exact arithmetic gives.
    pub value: f64,
    /// How far the kernel's number may be from it.
    pub error: f64,
}

impl Approx {
    /// An input of the kernel: known exactly.
    pub fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    /// A scalar that the host computes in f64 and passes as f32.
    pub fn host(value: f64) -> Self {
        Self { value, error: (f64::from(value as f32) - value).abs() }
    }

    /// What `lib/philox/normal` draws where `cpu::normals` says `value`: within 16 ulp.
    ///
    /// The logarithm's argument f is exact. s = f / (2 + f) is off by 3.5 ulp, the series by 1.2 and its product with s by one
    /// more, so ln(m) by 5.7. Without halvings that is all but one; with h of them, h·ln 2 is off by 1.5 and the difference by
    /// one of its own, which is least for h = 1 and m = √2: (1.5·0.693 + 5.7·0.347) / 0.347 + 1 = 9.7 ulp. The root halves
    /// that and adds 4.5. The angle is off by 1.5 ulp, which moves sine and cosine (at least √½ where it is used) no more; the
    /// cosine's series adds 3 with what it leaves out, the sine's 3 with its product. One more for the product: 14.9.
    pub fn normal(value: f64) -> Self {
        Self { value, error: 16.0 * ULP * value.abs() }
    }

    /// As an operand: a device may take what is below the least normal number for 0.
    fn operand(self) -> Self {
        let tiny = (self.value != 0.0 || self.error != 0.0) && self.value.abs() - self.error < LEAST;
        Self { error: self.error + if tiny { LEAST } else { 0.0 }, ..self }
    }

    /// A result may be off by `ulps` units in the last place, or flushed to 0. What is 0 for certain is neither.
    fn rounded(value: f64, error: f64, ulps: f64) -> Self {
        let largest = value.abs() + error;
        let flushed = if largest == 0.0 { 0.0 } else { LEAST };
        Self { value, error: known(error + ulps * ULP * largest + flushed) }
    }

    /// The product. One ulp: correctly rounded, in a direction that WGSL leaves open; so a factor of 1 changes nothing but what
    /// a device flushes.
    pub fn times(self, by: Self) -> Self {
        if by == Self::exact(1.0) {
            return self.operand();
        }
        let (a, b) = (self.operand(), by.operand());
        // Nothing times an unknown number is nothing, and no NaN.
        let product = |a: f64, b: f64| if a == 0.0 || b == 0.0 { 0.0 } else { a * b };
        let error = product(a.value.abs(), b.error) + product(b.value.abs(), a.error) + product(a.error, b.error);
        Self::rounded(a.value * b.value, error, 1.0)
    }

    /// The product with a scalar of the host; nothing at all if that is 0, as in the kernels.
    pub fn scaled(self, by: f64) -> Self {
        if by == 0.0 { Self::exact(0.0) } else { self.times(Self::host(by)) }
    }

    /// The sum of some terms in any order, since compilers may choose one: each partial sum is at most the sum of all
    /// magnitudes, and is off by an ulp of it.
    pub fn sum<const N: usize>(terms: [Self; N]) -> Self {
        let terms = terms.map(Self::operand);
        let (value, error) = terms.iter().fold((0.0, 0.0), |(v, e), t| (v + t.value, e + t.error));
        let magnitudes: f64 = terms.iter().map(|t| t.value.abs() + t.error).sum();
        let inexact = terms.iter().filter(|t| t.value != 0.0 || t.error != 0.0).count().saturating_sub(1) as f64;
        let flushed = if inexact == 0.0 { 0.0 } else { LEAST };
        // No term that is not 0: no rounding either, however large the rest may be.
        let rounding = if inexact == 0.0 { 0.0 } else { inexact * (ULP * magnitudes + flushed) };
        Self { value, error: known(error + rounding) }
    }

    /// The negative, exactly.
    pub fn negative(self) -> Self {
        Self { value: -self.value, error: self.error }
    }

    /// The quotient: 2.5 ulp in WGSL. The error is infinite where the divisor may be 0. Kernels leave a divisor of 1 out.
    pub fn over(self, by: Self) -> Self {
        if by == Self::exact(1.0) {
            return self;
        }
        let (a, b) = (self.operand(), by.operand());
        let (value, least) = (a.value / b.value, b.value.abs() - b.error);
        if least.is_nan() || least <= 0.0 {
            return Self { value, error: f64::INFINITY };
        }
        // |a'/b' - a/b| = |(a' - a) - a/b·(b' - b)| / |b'|
        Self::rounded(value, (a.error + value.abs() * b.error) / least, 2.5)
    }

    /// The quotient by what is not negative, and 0 where that is 0, when the kernel's divisor is known to be 0 or at least
    /// `least`: then the quotient lies between 0 and the number over that, however little is known about the divisor.
    pub fn over_at_least(self, by: Self, least: f64) -> Self {
        let quotient = if by.value == 0.0 { Self { value: 0.0, error: f64::INFINITY } } else { self.over(by) };
        let most = (self.value.abs() + self.error) / least * (1.0 + 4.0 * ULP) + LEAST;
        quotient.off_by_at_most(quotient.value.abs() + most)
    }

    /// The square root of what is not negative. WGSL derives it from 1 / inverseSqrt: 2.5 + 2 ulp.
    pub fn root(self) -> Self {
        let (a, value) = (self.operand(), self.value.sqrt());
        // Concave, so the way down is the longer one, unless 0 cuts it off.
        let down = value - (a.value - a.error).max(0.0).sqrt();
        let up = (a.value + a.error).sqrt() - value;
        Self::rounded(value, down.max(up), 4.5)
    }

    /// The soft threshold of the proximal L1 step. It moves no two numbers apart, so it hands errors on as they are;
    /// one subtraction rounds. Exactly 0 where the number is below the threshold for certain.
    pub fn soft(self, threshold: Self) -> Self {
        if self.value.abs() + self.error <= threshold.value - threshold.error {
            return Self::exact(0.0);
        }
        // Not `clamp`, which panics where a threshold of the caller's data is negative or NaN.
        let value = self.value - self.value.max(-threshold.value).min(threshold.value);
        let sum = Self::sum([self, threshold]);
        Self { value, error: sum.error }
    }

    /// The same, but what is below 0 counts as 0. It moves no two numbers apart.
    pub fn at_least_zero(self) -> Self {
        Self { value: self.value.max(0.0), ..self }
    }

    /// The same, where by other means it is known to be off by no more than `most`.
    pub fn off_by_at_most(self, most: f64) -> Self {
        Self { error: self.error.min(most), ..self }
    }

    /// The sign, by the bits. Where the number may be on the other side of 0, or 0, either of the other signs may come out.
    pub fn sign(self) -> Self {
        let value = if self.value == 0.0 { 0.0 } else { self.value.signum() };
        let certain = self == Self::exact(0.0) || self.value.abs() > self.error;
        Self { value, error: if certain { 0.0 } else { 1.0 + value.abs() } }
    }

    /// The least and the greatest number that a tensor of this type may hold then. Rounding to nearest exchanges no two numbers,
    /// so what it makes of the kernel's f32 lies between what it makes of the ends; and a device may flush what is below the
    /// least normal number. An end past the largest number, beyond a value that is not, stays as it is: that covers all finite
    /// numbers, and no bound excuses an infinity, in f32 as in halves.
    fn ends(self, dtype: DType) -> [f64; 2] {
        let held = dtype.nearest(self.value).is_finite();
        let ends = [self.value - self.error, self.value + self.error].map(|v| match dtype.nearest(v) {
            past if held && past.is_infinite() => v,
            end => end,
        });
        let tiny = self.value.abs() - self.error < dtype.least_normal();
        if tiny { [ends[0].min(0.0), ends[1].max(0.0)] } else { ends }
    }

    /// What a tensor of this type holds then: the nearest of its numbers. It is off by nothing, or where the kernel's number may
    /// be on either side of the middle of two, by their distance.
    pub fn rounded_to(self, dtype: DType) -> Self {
        if dtype == DType::F32 || self == Self::exact(0.0) {
            return self;
        }
        let ([least, most], value) = (self.ends(dtype), dtype.nearest(self.value));
        if value.is_finite() && self.error.is_finite() {
            Self { value, error: (most - value).max(value - least) }
        } else {
            Self { value, ..self }
        }
    }

    /// How far what a tensor of this type holds then may be from the value, which is not rounded. Nothing is added for f32, in
    /// which the kernel computes.
    pub fn stored(self, dtype: DType) -> f64 {
        if dtype == DType::F32 || self == Self::exact(0.0) || !(self.value.is_finite() && self.error.is_finite()) {
            return self.error;
        }
        let [least, most] = self.ends(dtype);
        (most - self.value).max(self.value - least)
    }

    /// The same, but in f32 storing counts as one more ulp: for bounds that are one formula.
    pub fn stored_with_ulp(self, dtype: DType) -> f64 {
        if dtype == DType::F32 { self.error + dtype.rounding(self.value.abs() + self.error) } else { self.stored(dtype) }
    }
}

/// An error about which nothing is known, infinity less infinity, is infinite and not NaN.
fn known(error: f64) -> f64 {
    if error.is_nan() { f64::INFINITY } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Rng;

    /// Each operation in f32 stays within the error that it claims, from inputs that are off by as much as they may be;
    /// and the claim is within a small factor of what happens.
    #[test]
    fn f32_stays_within_the_claim() {
        let mut rng = Rng::new(1);
        let mut worst = [0.0f64; 5];
        for _ in 0..20_000 {
            let mut draw = |lo: f64| {
                let exact = lo + (1.0 - lo) * rng.unit();
                (exact as f32, Approx::host(exact))
            };
            let ((a, x), (b, y), (c, z), (t, s)) = (draw(-1.0), draw(-1.0), draw(0.01), draw(0.0));
            let soft = a - a.clamp(-t, t);
            let pairs = [
                (a * b, x.times(y)),
                (a + b + c, Approx::sum([x, y, z])),
                (a / c, x.over(z)),
                (t.sqrt(), s.root()),
                (soft, x.soft(s)),
            ];
            for (w, (got, claim)) in worst.iter_mut().zip(pairs) {
                *w = w.max((f64::from(got) - claim.value).abs() / claim.error);
            }
        }
        assert!(worst.iter().all(|&w| w <= 1.0), "an error is larger than claimed: {worst:?}");
        // The host's root is right to half an ulp, of the 4.5 that WGSL allows: hence no more than a tenth.
        assert!(worst.iter().all(|&w| w > 0.1), "a claim is far larger than any error: {worst:?}");
    }

    #[test]
    fn what_is_zero_for_certain_is_exact_and_what_may_be_zero_divides_nothing() {
        let zero = Approx::exact(0.0);
        assert_eq!(Approx::exact(3.0).times(zero), zero);
        assert_eq!(Approx::sum([zero, Approx::exact(3.0)]).error, 0.0);
        assert_eq!(Approx::exact(1.0).over(Approx { value: 1e-9, error: 1e-9 }).error, f64::INFINITY);
        assert_eq!(Approx::exact(0.5).soft(Approx::exact(1.0)).error, 0.0);
    }

    /// From numbers at every size, known well or not at all.
    #[test]
    fn no_operation_makes_an_error_that_is_no_number() {
        let sizes = [0.0, 1e-45, 1e-38, 1e-19, 1.0, 1e19, 3e38, 1e300, f64::INFINITY];
        let all: Vec<Approx> =
            sizes.iter().flat_map(|&v| sizes.map(|error| [v, -v].map(|value| Approx { value, error }))).flatten().collect();
        for &a in &all {
            for &b in &all {
                let made = [
                    a.times(b),
                    Approx::sum([a, b]),
                    a.over(b),
                    a.over_at_least(b, 1e-30),
                    a.soft(Approx { value: b.value.abs(), ..b }),
                    b.scaled(a.value),
                    a.sign(),
                ];
                assert!(made.iter().all(|m| m.error >= 0.0), "{a:?}, {b:?}: {made:?}");
            }
            assert!(a.negative().at_least_zero().root().error >= 0.0, "{a:?}");
        }
    }

    /// A divisor of which nothing is known but that it is no less than a number, or 0.
    #[test]
    fn a_quotient_is_bounded_by_its_least_divisor() {
        let (g, root) = (Approx::exact(3.0), Approx { value: 1e-9, error: 1e-3 });
        let quotient = g.over_at_least(root, 0.25);
        for divisor in [0.25, 0.3, 1e-3 + 0.25] {
            assert!((3.0 / divisor - quotient.value).abs() <= quotient.error && quotient.value.abs() <= quotient.error);
        }
        assert!(quotient.error <= 3e9 + 13.0, "{quotient:?}");
        // Known well, it says no more than `over`.
        let root = Approx { value: 2.0, error: 1e-6 };
        assert_eq!(g.over_at_least(root, 0.25), g.over(root));
        let zero = g.over_at_least(Approx { value: 0.0, error: 1e-3 }, 0.25);
        assert!(zero.value == 0.0 && (12.0..13.0).contains(&zero.error), "{zero:?}");
    }

    #[test]
    fn a_stored_half_is_known_unless_the_number_may_be_on_either_side_of_a_middle() {
        // bf16 below and above 1 + 2^-8, the middle of 1 and 1 + 2^-7; in f16 the least normal number and a subnormal one.
        let (tie, ulp) = (1.0 + 2f64.powi(-8), 2f64.powi(-7));
        let of = |value: f64, error: f64| Approx { value, error };
        assert_eq!(of(tie + 1e-5, 1e-6).rounded_to(DType::Bf16), of(1.0 + ulp, 0.0));
        assert_eq!(of(tie - 1e-5, 1e-6).rounded_to(DType::Bf16), of(1.0, 0.0));
        assert_eq!(of(tie, 0.0).rounded_to(DType::Bf16), of(1.0, 0.0));
        assert_eq!(of(tie + 1e-5, 1e-4).rounded_to(DType::Bf16), of(1.0 + ulp, ulp));
        assert_eq!(of(tie, 1e-4).stored(DType::Bf16), ulp / 2.0);
        assert_eq!(of(1.001, 0.0).stored(DType::Bf16), 1.001 - 1.0);
        assert_eq!(of(tie, 1e-4).rounded_to(DType::F32), of(tie, 1e-4));
        // What may be flushed.
        assert_eq!(of(2f64.powi(-15), 0.0).rounded_to(DType::F16), of(2f64.powi(-15), 2f64.powi(-15)));
        assert_eq!(of(2f64.powi(-14), 0.0).stored(DType::F16), 0.0);
        // Infinite for certain, and perhaps.
        assert_eq!(of(65521.0, 0.5).rounded_to(DType::F16).value, f64::INFINITY);
        assert_eq!(of(65519.0, 2.0).stored(DType::F16), 65519.0 - 65504.0);
        assert_eq!(of(1.0, 1e5).stored(DType::F16), 1e5);
    }
}
