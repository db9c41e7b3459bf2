//! Sizes that are multiplied, added and cut to 32 bits.
use crate::common::descriptions::{numbers, usual};
use ridgepole::{Caps, Error, Lowered, Slot, ops, wgpu};
use serde_json::{Value, json};
use std::{
    hint::black_box,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// The tests rely on it: a size that wraps panics in them. `fuzz` is built likewise.
#[test]
fn overflow_checks_are_on() {
    let most = black_box(u64::MAX);
    assert!(catch_unwind(|| black_box(most + black_box(1))).is_err(), "build the tests with overflow-checks");
}

fn caps(limit: u64, cpu: bool) -> Caps {
    let limits = wgpu::Limits { max_buffer_size: limit, max_storage_buffer_binding_size: limit, ..wgpu::Limits::default() };
    Caps::new(limits, wgpu::Features::empty(), cpu)
}

fn with(base: &Value, places: &[(&String, u64)]) -> Value {
    let mut d = base.clone();
    for (place, number) in places {
        *d.pointer_mut(place).expect("it is there") = json!(number);
    }
    d
}

/// Any two sizes of an op may be anything: it is lowered, or refused by a typed error, and its arguments can be counted.
#[test]
fn no_pair_of_sizes_panics() {
    const SIZES: [u64; 9] = [0, 1, (1 << 20) + 4, (1 << 32) - 4, (1 << 32) + 4, (1 << 34) - 4, 1 << 34, (1 << 62) + 4, u64::MAX];
    let (devices, mut panicked) = ([caps(128 << 20, false), caps(1 << 32, true)], Vec::new());
    for entry in ops::all() {
        let base = usual(entry);
        let leaves = numbers(&base);
        for (i, a) in leaves.iter().enumerate() {
            for (b, first, second) in leaves[i..].iter().flat_map(|b| SIZES.map(|x| SIZES.map(|y| (b, x, y)))).flatten() {
                let d = with(&base, &[(a, first), (b, second)]);
                let Ok(op) = ops::verify_from_json(&d.to_string()) else { continue };
                let all = || {
                    op.args().iter().for_each(|a| _ = black_box(a.binding_bytes()));
                    devices.iter().for_each(|caps| _ = black_box(op.lower(caps)));
                    black_box(op.reference_bytes());
                };
                if catch_unwind(AssertUnwindSafe(all)).is_err() {
                    panicked.push(d);
                }
            }
        }
    }
    assert!(panicked.is_empty(), "{panicked:#?}");
}

/// Whether a plan would be made of it: what it binds fits.
fn plannable(lowered: &Lowered, limit: u64) -> bool {
    let fits = |slot: &Slot| {
        let (Slot::Arg(_, r) | Slot::Scratch(r) | Slot::Table(r)) = slot;
        r.end - r.start <= limit
    };
    lowered.steps().iter().flat_map(|s| &s.slots).all(fits)
}

/// A size past 32 bits does not come to a kernel as its lower half.
#[test]
fn no_size_is_cut_to_its_lower_half() {
    const REST: u64 = 12_344;
    let (mut cut, mut lowered) = (Vec::new(), 0);
    for entry in ops::all() {
        let base = usual(entry);
        for place in numbers(&base) {
            // No plan has a device that binds more at once.
            for (limit, cpu) in [(u32::MAX.into(), false), (u32::MAX.into(), true)] {
                let d = with(&base, &[(&place, (1 << 32) + REST)]);
                let Ok(op) = ops::verify_from_json(&d.to_string()) else { continue };
                let got = match op.lower(&caps(limit, cpu)) {
                    Ok(got) if plannable(&got, limit) => got,
                    Ok(_) | Err(Error::Argument { .. } | Error::Unsupported { .. }) => continue,
                    Err(e) => panic!("{d}: {e}"),
                };
                lowered += 1;
                for step in got.steps() {
                    for (i, (name, ty)) in step.params.fields.iter().enumerate() {
                        let word = u32::from_le_bytes(step.params.bytes[4 * i..4 * i + 4].try_into().expect("four bytes"));
                        // Windows end where they end, and the last may hold as many elements.
                        let bound = |slot: &Slot| {
                            let (Slot::Arg(_, r) | Slot::Scratch(r) | Slot::Table(r)) = slot;
                            [2, 4].contains(&((r.end - r.start) / u64::from(word).max(1)))
                        };
                        let window = *name == "end" && step.slots.iter().all(bound);
                        // The size itself, or a few times it; halves of 64-bit numbers have their names.
                        if *ty == "u32" && (1..=6).any(|k| u64::from(word) == k * REST) && !window && !name.ends_with("_lo") {
                            cut.push(format!("`{name}` of {} is {word}: {d}", step.spec.entry));
                        }
                    }
                }
            }
        }
    }
    assert!(lowered > 100, "only {lowered} were lowered");
    assert!(cut.is_empty(), "{cut:#?}");
}

/// Builders of arenas give sizes that an op refuses, and none that wrapped.
#[test]
fn arenas_of_any_sizes() {
    use ridgepole::{DType, ElasticNet, Matrix, Op, Segment, Unit, ops::*};
    let segments = Segment::pack(&[5, usize::MAX - 7, 5, usize::MAX], 4);
    let op = PenaltyGrad::new(DType::F32, segments, vec![ElasticNet::l1(0.5)]);
    assert!(matches!(op.lower(&caps(1 << 32, false)), Err(Error::Argument { arg: "segments", .. })));
    let matrices = Matrix::pack(&[(3, 3, Unit::Rows), (usize::MAX, usize::MAX, Unit::Rows), (1, 1, Unit::Rows)], 4);
    let op = Centralize { dtype: DType::F32, matrices };
    assert!(matches!(op.lower(&caps(1 << 32, false)), Err(Error::Argument { arg: "matrices", .. })));
}
