//! Every case of every op, GPU against CPU, on the device as it is and on strained ones.
//! `OP='PenaltyGrad { dtype: F16' cargo test --test cross_check` re-runs the cases whose text contains that.
mod common;
use ridgepole::{Verify, check, ops};
use std::{collections::BTreeMap, ops::ControlFlow};

#[test]
fn every_case_of_every_op_in_every_mode() {
    let filter = std::env::var("OP").unwrap_or_default();
    let all: Vec<(&str, u64, Box<dyn Verify>)> = ops::all()
        .flat_map(|e| (e.cases)().into_iter().enumerate().map(|(i, op)| (e.name, i as u64, op)))
        .filter(|(.., op)| format!("{op:?}").contains(&filter))
        .collect();
    for entry in ops::all() {
        assert!(!filter.is_empty() || all.iter().any(|c| c.0 == entry.name), "`{}` has no cases", entry.name);
    }
    assert!(!all.is_empty(), "no case matched OP={filter:?}");
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let devices: Vec<_> = (0..threads).map(|_| common::rig()).collect();
    let rigs: Vec<_> = devices.iter().map(|d| check::Rig::new(&d.device, &d.queue)).collect();
    let list: Vec<(u64, &dyn Verify)> = all.iter().map(|(_, seed, op)| (*seed, op.as_ref())).collect();
    let (mut tally, mut failed, mut came) = (BTreeMap::<&str, (usize, f64)>::new(), Vec::new(), vec![0; list.len()]);
    check::sweep(&rigs, &list, |v| {
        came[v.index] += 1;
        let sum = tally.entry(all[v.index].0).or_default();
        *sum = (sum.0 + v.runs, sum.1 + v.seconds);
        let name = |(pattern, mode, why)| format!("{:?}, {pattern:?}, {mode}: {why}", list[v.index].1);
        failed.extend(v.failed.into_iter().map(name));
        ControlFlow::Continue(())
    });
    for (name, (runs, seconds)) in &tally {
        eprintln!("{name}: {runs} runs in {seconds:.1} s");
    }
    assert!(came.iter().all(|&n| n == 1), "every case once: {came:?}");
    let ran: usize = tally.values().map(|t| t.0).sum();
    eprintln!("{}: {ran} runs on {threads} threads", devices[0].name);
    let shown: Vec<String> = failed
        .iter()
        .take(12)
        .map(|f| if f.len() < 900 { f.clone() } else { format!("{} ... {}", &f[..400], &f[f.len() - 300..]) })
        .collect();
    assert!(failed.is_empty(), "{} of {ran} failed:\n{}", failed.len(), shown.join("\n"));
}
