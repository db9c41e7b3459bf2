//! `ridgepole check`: the cross-check, on this machine.
use crate::{Failure, Ui, adapter, shell::Command, text};
use ridgepole::{
    Session, Verify,
    check::{self, Rig, Verdict},
    ops::{self, Entry},
};
use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// Options of `ridgepole check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ridgepole check
  ridgepole check batch_norm                     every op whose name contains it
  ridgepole check 'PenaltyGrad { dtype: F16'     every case whose text contains it
  ridgepole check --adapter llvmpipe
  ridgepole check --all-adapters

Every case runs on hostile data (zeros, subnormal numbers, NaN, large offsets), twice, in every mode: as is, wrapped \
grid, reversed lanes, without subgroups, without 64-bit integers, at WebGPU's default limits, in pooled buffers, in \
small windows. Outputs and scratch start as NaN; memory around the buffers must stay unchanged.")]
pub struct Args {
    /// Only ops whose name, and cases whose text, contains this
    #[arg(default_value = "", hide_default_value = true)]
    filter: String,
    /// Use the adapter whose name contains this, in any case (see `ridgepole devices`)
    #[arg(long, value_name = "NAME", conflicts_with = "all_adapters")]
    adapter: Option<String>,
    /// Check every adapter, one after another
    #[arg(long)]
    all_adapters: bool,
}

/// How many failures of an op are shown in full.
const SHOWN: usize = 12;

/// More devices than this bring no speedup on one adapter.
const MOST_THREADS: usize = 16;

/// An op of the table and those of its cases that were asked for, with the numbers that seed their data.
type Chosen = (&'static Entry, Vec<(usize, Box<dyn Verify>)>);

/// Runs the checks.
///
/// # Errors
/// [`Failure::Found`] if any fails, [`Failure::Usage`] if there is nothing to check or no adapter to check it on.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let chosen = choose(&args.filter)?;
    let sessions = adapter::sessions(args.adapter.as_deref(), args.all_adapters)?;
    let mut failed = 0;
    for session in sessions {
        failed += on(session, &chosen, ui)?;
    }
    match failed {
        0 => Ok(()),
        n => Err(Failure::found(format!("{} failed", text::count(n, "run")))),
    }
}

fn choose(filter: &str) -> Result<Vec<Chosen>, Failure> {
    let of = |e: &'static Entry| {
        let all = (e.cases)().into_iter().enumerate();
        let cases: Vec<_> = all.filter(|(_, op)| e.name.contains(filter) || format!("{op:?}").contains(filter)).collect();
        (!cases.is_empty()).then_some((e, cases))
    };
    let chosen: Vec<_> = ops::all().filter_map(of).collect();
    if chosen.is_empty() {
        return Err(Failure::no_case(filter));
    }
    Ok(chosen)
}

/// Checks on one adapter, with a device per thread; gives the number of failed runs.
fn on(first: Session, chosen: &[Chosen], ui: &Ui) -> Result<usize, Failure> {
    let threads = threads(first.info().backend);
    ui.line(adapter::name(first.info()))?;
    let mut sessions = vec![first];
    for _ in 1..threads {
        sessions.push(sessions[0].again()?);
    }
    let lost = Arc::new(Mutex::new(None));
    for session in &sessions {
        let lost = lost.clone();
        session.device().set_device_lost_callback(move |_, reason| {
            lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        });
    }
    let rigs: Vec<Rig> = sessions.iter().map(|s| Rig::new(s.device(), s.queue())).collect();
    let list: Vec<(u64, &dyn Verify)> =
        chosen.iter().flat_map(|(_, cases)| cases).map(|(seed, op)| (*seed as u64, op.as_ref())).collect();
    let mut verdicts: Vec<Option<Verdict>> = list.iter().map(|_| None).collect();
    let (mut shown, mut totals, mut closed, start) = (0, (0, 0), Ok(()), Instant::now());
    let progress = ui.progress("check", list.len() as u64);
    // Rows come in the table's order: an op's row waits for those before it.
    let mut report = |verdict: Verdict| -> Result<(), Failure> {
        progress.done(1);
        if let Some(reason) = lost.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(Failure::found(format!("the device was lost near {:?}: {reason}", list[verdict.index].1)));
        }
        let index = verdict.index;
        verdicts[index] = Some(verdict);
        while let Some((entry, cases)) = chosen.get(shown) {
            let first: usize = chosen[..shown].iter().map(|(_, cases)| cases.len()).sum();
            let Some(here) = verdicts[first..first + cases.len()].iter().map(Option::as_ref).collect::<Option<Vec<_>>>() else {
                break;
            };
            let (runs, failed) = row(entry, &here, &list, chosen, rigs[0].modes(), ui)?;
            totals = (totals.0 + runs, totals.1 + failed);
            shown += 1;
            progress.on(chosen.get(shown).map_or("", |(e, _)| e.name));
        }
        Ok(())
    };
    check::sweep(&rigs, &list, |verdict| {
        closed = report(verdict);
        if closed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    closed?;
    drop(progress);
    let seconds = start.elapsed().as_secs_f64();
    ui.line(format_args!("ops: {}, runs: {}, failed: {}, {seconds:.1} s", chosen.len(), totals.0, totals.1))?;
    Ok(totals.1)
}

/// Devices to check on. All devices of an OpenGL adapter share its context, so that a second one only waits; and where it waits for six
/// seconds, as on a busy machine while the first one compiles, wgpu panics.
fn threads(backend: ridgepole::wgpu::Backend) -> usize {
    let most = if backend == ridgepole::wgpu::Backend::Gl { 1 } else { MOST_THREADS };
    std::thread::available_parallelism().map_or(1, usize::from).min(most)
}

/// The row of an op whose cases have all been run; gives the runs and how many of them failed.
fn row(
    entry: &Entry,
    verdicts: &[&Verdict],
    list: &[(u64, &dyn Verify)],
    chosen: &[Chosen],
    modes: usize,
    ui: &Ui,
) -> Result<(usize, usize), Failure> {
    let (runs, seconds) = verdicts.iter().fold((0, 0.0), |(r, s), v| (r + v.runs, s + v.seconds));
    let failed: usize = verdicts.iter().map(|v| v.failed.len()).sum();
    let verdict = if failed == 0 { "ok".to_string() } else { format!("FAILED ({failed} runs)") };
    let cases = verdicts.len();
    ui.line(format_args!("{:<28}{cases:>5} cases {modes:>3} modes {runs:>7} runs {seconds:>8.1} s  {verdict}", entry.name))?;
    let mut left = SHOWN;
    for v in verdicts.iter().filter(|v| !v.failed.is_empty()) {
        if left == 0 {
            break;
        }
        let mut again = Command::new("ridgepole check");
        again.argument(handle(list[v.index].1, chosen));
        ui.line(format_args!("  {}", again.line()))?;
        for (pattern, mode, why) in v.failed.iter().take(left) {
            ui.line(format_args!("    {pattern:?} data, {mode}: {why}"))?;
        }
        left -= left.min(v.failed.len());
    }
    if failed > SHOWN {
        ui.line(format_args!("    and {} more", failed - SHOWN))?;
    }
    Ok((runs, failed))
}

/// The least part of the case's text that no other case contains: an arena's full text can fill pages.
fn handle(op: &dyn Verify, chosen: &[Chosen]) -> String {
    let text = format!("{op:?}");
    let all: Vec<String> = chosen.iter().flat_map(|(_, cases)| cases).map(|(_, op)| format!("{op:?}")).collect();
    let alone = |part: &str| all.iter().filter(|other| other.contains(part)).count() == 1;
    let ends: Vec<usize> = text.char_indices().map(|(i, c)| i + c.len_utf8()).collect();
    let shortest = ends.partition_point(|&end| !alone(&text[..end]));
    // Where another case's text contains this one's whole, so does the filter.
    ends.get(shortest).map_or(text.clone(), |&end| text[..end].to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ridgepole::Op;

    /// A copy that claims to have made zeros.
    #[derive(Debug)]
    struct Wrong(ridgepole::bench::CopyOp);

    impl Op for Wrong {
        fn name(&self) -> &'static str {
            "wrong"
        }
        fn args(&self) -> Vec<ridgepole::Arg> {
            self.0.args()
        }
        fn lower(&self, caps: &ridgepole::Caps) -> Result<ridgepole::Lowered, ridgepole::Error> {
            self.0.lower(caps)
        }
    }

    impl Verify for Wrong {
        fn reference(&self, args: &[ridgepole::HostData]) -> Vec<ridgepole::Expected> {
            vec![ridgepole::Expected::Exact(vec![0.0; args[0].len()].into())]
        }
    }

    #[test]
    fn a_wrong_op_fails_in_every_mode_and_an_empty_one_in_none() {
        static ENTRY: Entry = Entry {
            name: "wrong",
            summary: "",
            formula: "",
            fields: &[],
            cases: || [0, 5].map(|len| Box::new(Wrong(ridgepole::bench::CopyOp { len })) as Box<dyn Verify>).into(),
            bench: |_| Vec::new(),
            parse: |_| unreachable!("never read from JSON"),
            parse_verify: |_| unreachable!("never read from JSON"),
        };
        let session = Session::new().unwrap();
        let modes = check::modes(session.device()).len();
        let chosen = vec![(&ENTRY, (ENTRY.cases)().into_iter().enumerate().collect())];
        assert_eq!(on(session, &chosen, &Ui::new()).unwrap(), modes);
    }

    #[test]
    fn devices_that_share_a_context_do_not_run_at_once() {
        use ridgepole::wgpu::Backend;
        assert_eq!(threads(Backend::Gl), 1);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(threads(Backend::Vulkan), processors.min(MOST_THREADS));
    }

    #[test]
    fn a_handle_finds_its_case_and_no_other() {
        let all = choose("").unwrap();
        let (mut unique, mut seen) = (0, 0);
        for (_, op) in all.iter().flat_map(|(_, cases)| cases).step_by(7) {
            let found = choose(&handle(op.as_ref(), &all)).unwrap();
            let texts: Vec<String> = found.iter().flat_map(|(_, c)| c).map(|(_, op)| format!("{op:?}")).collect();
            assert!(texts.contains(&format!("{op:?}")));
            seen += 1;
            unique += usize::from(texts.len() == 1);
        }
        assert!(unique * 10 > seen * 9, "{unique} of {seen} cases have a handle of their own");
    }
}
