//! What the references take of the host's memory is known before it is taken.
use crate::common::descriptions::{numbers, usual, valid};
use ridgepole::{Access, DType, Error, HostData, Op, Pattern, Rng, Verify, check, ops};
use serde_json::json;

fn len(op: &dyn Verify) -> u64 {
    op.args().iter().map(|a| a.len as u64).sum()
}

/// The most memory that the reference took at once.
fn measured(op: &dyn Verify, data: &[HostData]) -> u64 {
    allocation_counter::measure(|| drop(std::hint::black_box(op.reference(data)))).bytes_max
}

#[test]
fn no_reference_takes_more_than_it_says() {
    let mut wrong = Vec::new();
    for entry in ops::all() {
        for op in (entry.cases)().iter().filter(|op| len(op.as_ref()) < 300_000) {
            for pattern in op.patterns() {
                let mut rng = Rng::new(1);
                let data: Vec<HostData> = op.args().iter().map(|a| op.fill(a, &mut rng, pattern)).collect();
                let (need, said) = (measured(op.as_ref(), &data), op.reference_bytes());
                if need > said {
                    wrong.push(format!("{need} > {said}: {op:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// One size at a time is large, or one large and another 0: tables that grow with a side, and not with the elements, show themselves;
/// and loops without an end in sight.
#[test]
fn nor_where_one_size_is_large_and_another_is_nothing() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for entry in ops::all() {
        let base = usual(entry);
        let leaves = numbers(&base);
        let pairs = leaves.iter().flat_map(|big| leaves.iter().map(move |nothing| (big, nothing)));
        for (big, nothing) in pairs {
            for size in [1u64 << 14, 1 << 20, 1 << 33, (1 << 34) - 4] {
                let mut d = base.clone();
                // Of the same leaf nothing is set to 0.
                *d.pointer_mut(nothing).expect("it is there") = json!(0);
                *d.pointer_mut(big).expect("it is there") = json!(size);
                let Ok(op) = ops::verify_from_json(&d.to_string()) else { continue };
                if !valid(op.as_ref()) {
                    continue;
                }
                let said = op.reference_bytes();
                if said > 64 << 20 {
                    // Too much for a test. What it returns is counted at least.
                    let written = op.args().iter().filter(|a| a.access != Access::Read).map(|a| a.bytes()).sum::<u64>();
                    assert!(said >= written, "{d}: {said}");
                    continue;
                }
                tried += 1;
                let data: Vec<_> = op.args().iter().map(|a| HostData::try_zeros(a.dtype, a.len).expect("small")).collect();
                let mut results = Ok(Vec::new());
                let info = allocation_counter::measure(|| results = check::reference(op.as_ref(), &data));
                let written: Vec<_> = op.args().into_iter().filter(|a| a.access != Access::Read).collect();
                assert_eq!(results.map(|r| r.len()), Ok(written.len()), "{d}");
                // What is computed in f64 is stored; and all of that is asked for at once, beside a list of the arguments.
                let most = said + written.iter().map(|a| a.bytes()).sum::<u64>() + 1024;
                if info.bytes_max > most {
                    wrong.push(format!("{} > {most}: {d}", info.bytes_max));
                }
            }
        }
    }
    assert!(tried > 500, "only {tried} were tried");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A case whose data or reference no host has memory for is an error, in a check and in the convenient form.
#[test]
fn want_of_memory_is_an_error() {
    let op = ops::OrthogonalPenaltyGrad::new(DType::F32, 1 << 33, 1, 0.5);
    assert!(op.reference_bytes() > 1 << 60, "pairs of rows count");
    let rig = crate::common::rig();
    let case = check::Case::new(&op, Pattern::Ordinary, 1);
    let got = case.run(&ridgepole::Gpu::new(&rig.device), &rig.queue).expect_err("nobody has so much memory");
    assert!(got.starts_with("orthogonal_penalty_grad: data and reference: the host has no memory for "), "{got}");
    let got = check::reference(&op, &[]).expect_err("nobody has so much memory");
    assert!(matches!(&got, Error::HostMemory { what, .. } if what == "orthogonal_penalty_grad: the reference"), "{got:?}");
    // Without values there is nothing to keep: the Gram matrix is 0, and I has as many ones as there are vectors.
    let op = ops::OrthogonalPenalty::new(DType::F32, (1 << 34) - 4, 0, 0.5);
    let got = check::reference(&op, &[HostData::F32(vec![]), HostData::F32(vec![0.0])]).expect("small");
    assert_eq!(got, [HostData::F32(vec![8_589_934_590.0])]);
    assert!(op.lower(&crate::common::plain_gpu()).is_err(), "a device would form the matrix");
    let op = ops::OrthogonalPenalty::new(DType::F32, 1 << 34, 0, 0.5);
    assert!(matches!(op.lower(&crate::common::plain_gpu()), Err(Error::Argument { .. })));
}
