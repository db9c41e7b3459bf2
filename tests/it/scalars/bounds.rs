//! Where the value is a number, so is its bound: a bound that is NaN calls right results wrong, one that is infinite checks nothing.
use super::{LEAST, specimens};
use crate::common::plain_gpu;
use ridgepole::{
    Access, DType, Expected, Gpu, HostData, Op, Pattern, Rng, Verify,
    check::{Case, compare},
    ops::{self, RmsProp},
};
use std::collections::BTreeMap;

const EXTREME: [f64; 12] = [0.0, LEAST, 1e-30, 1e-6, 0.5, 0.9999999, 1.0 - 1e-9, 1.0, 1e6, 1e30, 3.4e38, -1.0];
/// What data are multiplied by: f32 at its smallest, where squares vanish, and where they overflow.
const SCALES: [f64; 6] = [1e-40, 1e-30, 1e-19, 1e18, 1e30, 3e38];

#[derive(Default)]
struct Seen {
    checked: u64,
    /// By op, kind of data and argument, the first one of each.
    nan: BTreeMap<String, String>,
    infinite: BTreeMap<String, String>,
}

impl Seen {
    fn look(&mut self, op: &dyn Verify, data: &[HostData], what: &str) {
        let written = op.args().into_iter().filter(|a| a.access != Access::Read);
        for (expected, arg) in op.reference(data).iter().zip(written) {
            let Expected::Within { value, bound } = expected else { continue };
            // What the type cannot hold is infinite once it is stored, or may be.
            for (v, b) in value.iter().zip(bound).filter(|(v, _)| arg.dtype.nearest(**v).is_finite()) {
                self.checked += 1;
                let (made, kind) = what.split_once(", ").unwrap_or((what, ""));
                let key = || format!("{}, {kind}, `{}`", op.name(), arg.name);
                let first = || format!("{made}: {v:e} ± {b}");
                if b.is_nan() || *b < 0.0 {
                    self.nan.entry(key()).or_insert_with(first);
                } else if b.is_infinite() {
                    self.infinite.entry(key()).or_insert_with(first);
                }
            }
        }
    }

    /// Data of each kind, and ordinary data at every size.
    fn all(&mut self, op: &dyn Verify, what: &str) {
        let fill = |pattern| -> Vec<HostData> {
            let mut rng = Rng::new(3);
            op.args().iter().map(|a| op.fill(a, &mut rng, pattern)).collect()
        };
        let mut kinds = op.patterns();
        kinds.push(Pattern::Zeros);
        for pattern in kinds {
            self.look(op, &fill(pattern), &format!("{what}, {pattern:?}"));
        }
        let ordinary = fill(Pattern::Ordinary);
        let floats = |d: &HostData| d.dtype().is_float();
        let times = |d: &HostData, by: f64| HostData::from_f64(d.dtype(), d.to_f64().into_iter().map(|v| v * by));
        for by in SCALES {
            let all: Vec<_> = ordinary.iter().map(|d| if floats(d) { times(d, by) } else { d.clone() }).collect();
            self.look(op, &all, &format!("{what}, all times {by:e}"));
            for i in (0..ordinary.len()).filter(|&i| floats(&ordinary[i])) {
                let mut one = ordinary.clone();
                one[i] = times(&one[i], by);
                self.look(op, &one, &format!("{what}, `{}` times {by:e}", op.args()[i].name));
            }
        }
    }

    /// No bound is NaN, and none infinite but of the ops in `open`.
    fn report(self, open: &[(&str, &str)], least: u64) {
        let infinite = self
            .infinite
            .iter()
            .filter(|(what, _)| !open.iter().any(|(op, kind)| what.starts_with(&format!("{op},")) && what.contains(kind)));
        let wrong: Vec<String> = self.nan.iter().chain(infinite).map(|(what, first)| format!("{what}: {first}")).collect();
        eprintln!("{} checked, {} kinds infinite", self.checked, self.infinite.len());
        assert!(wrong.is_empty(), "{} kinds:\n{}", wrong.len(), wrong[..wrong.len().min(200)].join("\n"));
        assert!(self.checked > least, "only {} checked", self.checked);
    }
}

/// Where nothing can be promised: the divisor is data, and so small that a device may take it for 0. A case with such data fails, and
/// says why. By op, and the kind of data.
pub const OPEN: [(&str, &str); 8] = [
    // The number of values.
    ("batch_norm_backward_apply", "times 1e-40"),
    ("batch_norm_merge", "times 1e-40"),
    // The weights of classes: the mean is over their sum.
    ("cross_entropy", "times 1e-40"),
    // The ridge's λ.
    ("duality_gap", "times 1e-40"),
    // The loss scale.
    ("unscale", "times 1e-40"),
    // σ, of vectors or of a weight that small: products of both are below the normal numbers, or that is the kernel's largest.
    ("spectral_norm", "times 1e-"),
    ("spectral_norm_backward", "times 1e-40"),
    // Statistics and data whose products are past f64.
    ("batch_norm_backward", "all times 1e30"),
];

#[test]
fn bounds_are_numbers_for_every_case() {
    let mut seen = Seen::default();
    for entry in ops::all() {
        for (i, op) in (entry.cases)().iter().enumerate() {
            if op.args().iter().map(|a| a.len).sum::<usize>() <= 2000 {
                seen.all(op.as_ref(), &format!("{} case {i}", entry.name));
            }
        }
    }
    seen.report(&OPEN, 1_000_000);
}

#[test]
fn bounds_are_numbers_for_extreme_scalars() {
    let mut seen = Seen::default();
    for (entry, base) in specimens::all() {
        for place in specimens::scalars(entry, &base) {
            for v in EXTREME {
                let op = specimens::made(entry, &specimens::with(&base, &place, v)).expect("a number");
                if op.lower(&plain_gpu()).is_ok() {
                    seen.all(op.as_ref(), &format!("{} {place} = {v:e}", entry.name));
                }
            }
        }
    }
    seen.report(&OPEN, 1_000_000);
}

#[test]
fn a_bound_that_is_none_fails_whatever_was_got() {
    let got = HostData::F32(vec![2.0, 3.0]);
    let verdict = |value: f64, bound: f64| compare(&got, &Expected::Within { value: vec![2.0, value], bound: vec![0.0, bound] });
    assert_eq!(verdict(3.0, 0.0), Ok(()));
    for (bound, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (-1.0, "-1e0")] {
        let want =
            format!("element 1: the reference says 3e0 ± {shown}: that is no bound, so it is the reference that fails (got 3e0)");
        assert_eq!(verdict(3.0, bound), Err(want));
    }
    // What is no number has no bound.
    let nan = |got: f32| compare(&HostData::F32(vec![got]), &Expected::Within { value: vec![f64::NAN], bound: vec![f64::NAN] });
    assert!(nan(f32::NAN).is_ok() && nan(1.0).is_err());
}

/// What the kernel writes for tiny data is right, and what is wrong by a half is seen.
#[test]
fn tiny_data_of_rmsprop_are_checked() {
    let rig = crate::common::rig();
    let gpu = Gpu::new(&rig.device);
    for (centered, momentum) in [(false, 0.0), (true, 0.0), (false, 0.9), (true, 0.9)] {
        for size in [1e-40f32, 1e-30, 1e-20, 1e-12] {
            let op = RmsProp { centered, momentum, ..RmsProp::new(DType::F32, 4, 0.1) };
            let data: Vec<HostData> = op
                .args()
                .iter()
                .map(|a| {
                    HostData::from_f64(
                        a.dtype,
                        (1..=a.len).map(|i| {
                            // As in any run, the mean's square is below the mean square.
                            let v = f64::from(size) * i as f64;
                            if a.name == "square_avg" {
                                v * v
                            } else if a.name == "grad_avg" {
                                0.5 * v
                            } else {
                                v
                            }
                        }),
                    )
                })
                .collect();
            let case = Case::with_data(&op, data.clone());
            case.run(&gpu, &rig.queue).unwrap_or_else(|e| panic!("{op:?}, {size:e}: {e}"));
            let Expected::Within { value, bound } = &op.reference(&data)[0] else { panic!("a bound") };
            // The quotient is between 0 and g/eps: no bound is much wider than that.
            // What a device flushes of g on its way comes to a few least numbers.
            let most = |i: usize| 0.1 * (f64::from(size) * (i + 1) as f64 + 8.0 * LEAST) / 1e-8 * 2.1 * (1.0 + momentum);
            for (i, b) in bound.iter().enumerate() {
                assert!(*b <= most(i), "{op:?}, {size:e}: {} ± {b:e}", value[i]);
            }
        }
    }
}
