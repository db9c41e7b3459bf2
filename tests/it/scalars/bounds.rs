//! Where the value is a number, so is its bound: a bound that is NaN calls right results wrong, one that is infinite checks nothing.
use super::{LEAST, specimens};
use crate::common::plain_gpu;
use ridgepole::{Access, DType, Expected, HostData, Op, Pattern, Rng, ops};
use std::collections::BTreeMap;

const EXTREME: [f64; 12] = [0.0, LEAST, 1e-30, 1e-6, 0.5, 0.9999999, 1.0 - 1e-9, 1.0, 1e6, 1e30, 3.4e38, -1.0];
/// What data are multiplied by: f32 at its smallest, where squares vanish, and where they overflow.
const SCALES: [f64; 6] = [1e-40, 1e-30, 1e-19, 1e18, 1e30, 3e38];

#[derive(Default)]
struct Seen {
    checked: u64,
    nan: BTreeMap<String, usize>,
    infinite: BTreeMap<String, usize>,
}

impl Seen {
    fn look(&mut self, op: &dyn Op, data: &[HostData], what: &str) {
        let written = op.args().into_iter().filter(|a| a.access != Access::Read);
        for (expected, arg) in op.reference(data).iter().zip(written) {
            let Expected::Within { value, bound } = expected else { continue };
            for (v, b) in value.iter().zip(bound).filter(|(v, _)| v.is_finite()) {
                self.checked += 1;
                let key = || format!("{} `{}`: {v:e} ± {b}", what, arg.name);
                if b.is_nan() || *b < 0.0 {
                    *self.nan.entry(key()).or_default() += 1;
                } else if b.is_infinite() {
                    *self.infinite.entry(key()).or_default() += 1;
                }
            }
        }
    }

    /// Data of each kind, and ordinary data at every size.
    fn all(&mut self, op: &dyn Op, what: &str) {
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
        let floats = |d: &HostData| d.dtype() == DType::F32;
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

    fn report(self, least: u64) {
        for (what, n) in self.infinite.iter().take(400) {
            eprintln!("infinite: {n} of {what}");
        }
        let nan: Vec<String> = self.nan.iter().map(|(what, n)| format!("{n} of {what}")).collect();
        eprintln!("{} checked, {} kinds NaN, {} infinite", self.checked, nan.len(), self.infinite.len());
        assert!(nan.is_empty(), "{} kinds:\n{}", nan.len(), nan.join("\n"));
        assert!(self.infinite.is_empty(), "{} kinds", self.infinite.len());
        assert!(self.checked > least, "only {} checked", self.checked);
    }
}

#[test]
fn bounds_are_numbers_for_every_case() {
    let mut seen = Seen::default();
    for entry in ops::all() {
        for (i, op) in (entry.cases)().iter().enumerate() {
            if op.args().iter().map(|a| a.len).sum::<usize>() <= 2000 && i % 3 == 0 {
                seen.all(op.as_ref(), &format!("{} case {i}", entry.name));
            }
        }
    }
    seen.report(100_000);
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
    seen.report(100_000);
}
