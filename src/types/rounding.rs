//! Rounding f64 to halves. `half`'s own conversions lose what decides: one leaves out the low 32 bits of the f64, the other goes by
//! way of f32 where the processor converts that. Either takes what lies just above the middle of two neighbors for the middle.
use half::{bf16, f16};

/// The f16 nearest to `v`, of two equally near ones the even one. From 65520 on it is infinite; a NaN stays a NaN.
pub(crate) fn to_f16(v: f64) -> f16 {
    f16::from_bits(nearest(v, 10, -14))
}

/// The bf16 nearest to `v`, of two equally near ones the even one. From 2^128 - 2^119 on it is infinite; a NaN stays a NaN.
pub(crate) fn to_bf16(v: f64) -> bf16 {
    bf16::from_bits(nearest(v, 7, -126))
}

/// The bits of the nearest number of a 16-bit format: `stored` bits of its significand are stored, 2^`least` is its least normal
/// number. A NaN keeps its sign and the upper bits of its payload, and is quiet.
fn nearest(v: f64, stored: u32, least: i32) -> u16 {
    let sign = ((v.to_bits() >> 63) as u16) << 15;
    let magnitude = v.to_bits() & (u64::MAX >> 1);
    let infinity = (0x7fffu16 >> stored) << stored;
    let fraction = magnitude & ((1 << 52) - 1);
    if v.is_nan() {
        return sign | infinity | 1 << (stored - 1) | (fraction >> (52 - stored)) as u16;
    }
    // v = significand · 2^(exponent - 52), but for what f64 holds as subnormal: that is 0 in either format.
    let exponent = (magnitude >> 52) as i32 - 1023;
    let significand = fraction | 1 << 52;
    // Below the least normal number a format has as many places fewer.
    let dropped = 52 - stored + least.saturating_sub(exponent).clamp(0, 60) as u32;
    if dropped > 53 {
        return sign;
    }
    let (kept, rest, half) = (significand >> dropped, significand & ((1 << dropped) - 1), 1 << (dropped - 1));
    let up = rest > half || rest == half && kept & 1 == 1;
    // The stored exponent begins at 1 and `kept` has the leading bit, so their sum is right, also where rounding carries.
    let binade = (exponent.max(least) - least) as u64;
    let bits = (binade << stored) + kept + u64::from(up);
    sign | bits.min(u64::from(infinity)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    type Round = fn(f64) -> u16;

    /// A rounding to halves, and its numbers from 0 to the largest and to what would follow, in place of infinity: by definition.
    fn formats() -> [(Round, Vec<f64>); 2] {
        let all = |stored: u32, least: i32| {
            let value = move |bits: u32| {
                let (field, fraction) = ((bits >> stored) as i32, bits & ((1 << stored) - 1));
                let significand = if field == 0 { fraction } else { fraction | 1 << stored };
                f64::from(significand) * 2f64.powi(field.max(1) - 1 + least - stored as i32)
            };
            (0..=(0x7fff >> stored) << stored).map(value).collect()
        };
        [(|v| to_f16(v).to_bits(), all(10, -14)), (|v| to_bf16(v).to_bits(), all(7, -126))]
    }

    /// What `v`, at least 0, must become: no arithmetic but the middle of two neighbors, which f64 holds.
    fn definition(numbers: &[f64], v: f64) -> u16 {
        let above = numbers.partition_point(|n| *n <= v);
        if above == numbers.len() {
            return above as u16 - 1;
        }
        let (below, middle) = (above - 1, (numbers[above - 1] + numbers[above]) / 2.0);
        let up = if v == middle { above.is_multiple_of(2) } else { v > middle };
        (if up { above } else { below }) as u16
    }

    #[test]
    fn every_number_and_every_middle_and_what_lies_beside_them() {
        for (round, numbers) in formats() {
            let mut tried = 0;
            let mut check = |v: f64| {
                let want = definition(&numbers, v);
                assert_eq!(round(v), want, "{v:e}");
                assert_eq!(round(-v), want | 0x8000, "-{v:e}");
                tried += 2;
            };
            for pair in numbers.windows(2) {
                let middle = (pair[0] + pair[1]) / 2.0;
                for at in [pair[0], middle] {
                    check(at);
                    check(f64::from_bits(at.to_bits() + 1));
                    if at > 0.0 {
                        check(f64::from_bits(at.to_bits() - 1));
                    }
                    // What f32 can and cannot tell from it, and what the upper 32 bits of an f64 can and cannot.
                    for p in [13, 20, 21, 22, 23, 24, 25, 30, 33, 45, 52] {
                        check(at * (1.0 + 2f64.powi(-p)));
                        check(at * (1.0 - 2f64.powi(-p)));
                    }
                }
            }
            let last = numbers[numbers.len() - 1];
            for v in [last, last * 1.5, 1e300, f64::MAX, f64::INFINITY, f64::MIN_POSITIVE, 5e-324, 1e-310, 0.0] {
                check(v);
            }
            assert!(tried > 3_000_000, "{tried} numbers only");
        }
    }

    #[test]
    fn known_numbers() {
        let above = 1.0 + 2f64.powi(-8) + 2f64.powi(-21);
        assert_eq!(to_bf16(above).to_f64(), 1.0078125);
        assert_eq!(to_bf16(1.0 + 2f64.powi(-8)).to_f64(), 1.0);
        assert_eq!(to_f16(1.0 + 2f64.powi(-11) + 2f64.powi(-40)).to_f64(), 1.0009765625);
        assert_eq!([65519.99, 65520.0 - 2f64.powi(-30), 65520.0].map(|v| to_f16(v).to_f64()), [65504.0, 65504.0, f64::INFINITY]);
        assert_eq!(to_bf16(f64::from(f32::MAX)).to_f64(), f64::INFINITY);
        let end = 2f64.powi(128) - 2f64.powi(119);
        assert_eq!([end, f64::from_bits(end.to_bits() - 1)].map(|v| to_bf16(v).to_bits()), [0x7f80, 0x7f7f]);
    }

    #[test]
    fn a_nan_stays_one_whatever_its_payload() {
        for (infinity, quiet, round) in
            [(0x7c00, 0x0200, (|v| to_f16(v).to_bits()) as Round), (0x7f80, 0x0040, |v| to_bf16(v).to_bits())]
        {
            for payload in [1u64, 1 << 31, 1 << 32, 1 << 51, (1 << 52) - 1] {
                for sign in [0u64, 1] {
                    let got = round(f64::from_bits(sign << 63 | 0x7ff << 52 | payload));
                    assert_eq!(got & (infinity | quiet), infinity | quiet, "payload {payload:#x}");
                    assert_eq!(u64::from(got >> 15), sign);
                }
            }
        }
    }
}
