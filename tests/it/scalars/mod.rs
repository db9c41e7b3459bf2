//! Scalar fields at the ends of f32: each number is refused by name, or means the same on the GPU and in the reference. And the
//! bounds themselves, which are numbers whatever the scalars and the data are.
pub mod bounds;
pub mod specimens;

use crate::common::{plain_cpu, plain_gpu, rig};
use ridgepole::{Access, Error, Expected, Gpu, Op, Pattern, Verify, check};

const LEAST: f64 = f32::MIN_POSITIVE as f64;

/// Below the least normal number, down to below f32 and below f64's; at it; at 1, as f32 and f64 round it; beyond f32.
const TRIED: [f64; 12] =
    [1e-39, 1e-46, 1e-300, 5e-324, -1e-40, -1e-300, LEAST, 3.5e38, -3.5e38, 1.0 - 1e-9, 1.0 - 1e-17, 1.0 - 1e-12];

/// Whether a field may never hold it: some devices flush it, or f32 has no such number.
fn never(v: f64) -> bool {
    v != 0.0 && !(v as f32).is_normal()
}

/// The parameters that are floats are what every device holds.
fn held_by_every_device(op: &dyn Verify) {
    for caps in [plain_gpu(), plain_cpu()] {
        for step in op.lower(&caps).expect("lowered before").steps() {
            for (word, (name, kind)) in step.params.bytes.chunks(4).zip(step.params.fields) {
                let v = f32::from_le_bytes(word.try_into().expect("four bytes"));
                // An end that is not there is infinite.
                let open = ["low", "high"].contains(name) && v.is_infinite();
                assert!(*kind != "f32" || v == 0.0 || v.is_normal() || open, "{op:?}: `{name}` is {v:e}");
            }
        }
    }
}

/// Whether a result is past f32 (or near it): no device has to give that.
fn overflows(op: &dyn Verify, data: &[ridgepole::HostData]) -> bool {
    let past = |e: &Expected| match e {
        Expected::Within { value, .. } => value.iter().any(|v| v.is_finite() && v.abs() > 1e37),
        Expected::Exact(_) => false,
    };
    op.reference(data).iter().any(past)
}

#[test]
fn each_number_is_refused_by_name_or_means_the_same_everywhere() {
    let rig = rig();
    let gpu = Gpu::new(&rig.device);
    let (mut failed, mut refused, mut ran, mut fields) = (vec![], 0, 0, 0);
    for (entry, base) in specimens::all() {
        let op = specimens::made(entry, &base).unwrap_or_else(|e| panic!("{}: {e}", entry.name));
        op.lower(&plain_gpu()).unwrap_or_else(|e| panic!("{base}: {e}"));
        for place in specimens::scalars(entry, &base) {
            fields += 1;
            for v in TRIED {
                let Ok(op) = specimens::made(entry, &specimens::with(&base, &place, v)) else {
                    panic!("{}: {v:e} at {place} is no number to it", entry.name)
                };
                let what = format!("{} {place} = {v:e}", entry.name);
                match op.lower(&plain_gpu()) {
                    Err(Error::Argument { arg, why, .. }) => {
                        refused += 1;
                        // Where it stands: the field, or the number within it that makes what is named.
                        let named = |part: &str| part == arg || part.len() > 1 && why.contains(part);
                        // The value itself, or what is made of it.
                        let shown =
                            [format!("{v}"), format!("{v:?}"), " = ".into(), " is ".into()].iter().any(|s| why.contains(s));
                        let range = why.contains("must ") || why.contains("past the range of f32");
                        if !(place.split('/').any(named) && shown && range) {
                            failed.push(format!("{what}: `{arg}` {why}"));
                        }
                    }
                    Err(e) => failed.push(format!("{what}: {e:?}")),
                    Ok(_) if never(v) => failed.push(format!("{what}: is taken")),
                    Ok(_) => {
                        held_by_every_device(op.as_ref());
                        for pattern in op.patterns().into_iter().filter(|p| *p != Pattern::NonFinite) {
                            let mut rng = ridgepole::Rng::new(7);
                            let data: Vec<_> = op.args().iter().map(|a| op.fill(a, &mut rng, pattern)).collect();
                            if overflows(op.as_ref(), &data) {
                                continue;
                            }
                            ran += 1;
                            let case = check::Case::with_data(op.as_ref(), data);
                            let result = case.run(&gpu, &rig.queue);
                            failed.extend(result.err().map(|e| format!("{what}, {pattern:?}: {e}")));
                        }
                    }
                }
            }
        }
    }
    eprintln!("{fields} numbers of fields: {refused} refusals, {ran} runs");
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
    assert!(fields > 150 && refused > 1000 && ran > 300, "{fields} fields, {refused} refusals, {ran} runs: too few");
}

/// Zero variance, the smallest ε that is taken, and the largest that is not.
#[test]
fn an_epsilon_below_the_least_normal_number_is_refused_and_the_least_one_counts() {
    use ridgepole::{DType, HostData, Session, ops::LayerNorm};
    let of = |eps| LayerNorm { eps, weight: false, bias: false, ..LayerNorm::new(DType::F32, 2, 4) };
    let session = Session::new().expect("a GPU");
    let constant = [HostData::F32(vec![1.0, 1.0, 1.0, 1.0, -2.0, -2.0, -2.0, -2.0])];
    let error = session.run(&of(1e-38), &constant).expect_err("below the least normal number").to_string();
    let want = "layer_norm: `eps` is 1e-38, must be 0 or at least 1.1754944e-38: f32's least normal number, below which devices \
                flush to 0";
    assert_eq!(error, want);
    let out = session.run(&of(LEAST), &constant).expect("the least normal number");
    let rstd = out.last().expect("rstd").to_f64();
    // 2^63.
    assert!(rstd.iter().all(|r| (r / 2f64.powi(63) - 1.0).abs() < 1e-5), "{rstd:?}");
    assert!(of(LEAST).args().iter().all(|a| a.access != Access::Update));
}
