//! Every case of every op, GPU against CPU, on the device as it is and on strained ones.
//! `OP='PenaltyGrad { dtype: F16' cargo test --test cross_check` re-runs the cases whose text contains that.
mod common;
use ridgepole::{Gpu, check, ops};

#[test]
fn every_case_of_every_op_in_every_mode() {
    let rig = common::rig();
    let filter = std::env::var("OP").unwrap_or_default();
    let modes: Vec<_> =
        check::modes(&rig.device).into_iter().map(|(name, caps)| (name, Gpu::with_caps(&rig.device, caps))).collect();
    let (mut ran, mut failed) = (0, Vec::new());
    for entry in ops::all() {
        let (before, start) = (ran, std::time::Instant::now());
        for (i, op) in (entry.cases)().iter().enumerate() {
            let name = format!("{op:?}");
            if !name.contains(&filter) {
                continue;
            }
            for pattern in op.patterns() {
                let case = check::Case::new(op.as_ref(), pattern, i as u64);
                for (mode, gpu) in &modes {
                    ran += 1;
                    if let Err(why) = case.run(gpu, &rig.queue) {
                        failed.push(format!("{name}, {pattern:?}, {mode}: {why}"));
                    }
                }
            }
        }
        eprintln!("{}: {} runs in {:.1} s", entry.name, ran - before, start.elapsed().as_secs_f64());
        assert!(!filter.is_empty() || ran > before, "`{}` has no cases", entry.name);
    }
    eprintln!("{}: {ran} runs", rig.name);
    assert!(ran > 0, "no case matched OP={filter:?}");
    let shown: Vec<String> = failed
        .iter()
        .take(12)
        .map(|f| if f.len() < 900 { f.clone() } else { format!("{} ... {}", &f[..400], &f[f.len() - 300..]) })
        .collect();
    assert!(failed.is_empty(), "{} of {ran} failed:\n{}", failed.len(), shown.join("\n"));
}
