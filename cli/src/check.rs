//! `ridgepole check`: the cross-check, on this machine.
use crate::{Failure, Ui, adapter};
use ridgepole::{
    Gpu, Op, Session,
    check::{self, Case},
    ops::{self, Entry},
};
use std::{
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

Every case runs on hostile data (zeros, subnormal numbers, NaN, large offsets), twice, in every mode: as is, folded \
grid, reversed lanes, without subgroups, without 64-bit integers, at WebGPU's default limits, in pooled buffers, in \
small windows. Outputs and scratch start as NaN; what lies around the buffers must stay as it was.")]
pub struct Args {
    /// Only ops whose name, and cases whose text, contains this
    #[arg(default_value = "", hide_default_value = true)]
    filter: String,
    /// The adapter whose name contains this, in any case
    #[arg(long, value_name = "NAME", conflicts_with = "all_adapters")]
    adapter: Option<String>,
    /// Every adapter, one after another
    #[arg(long)]
    all_adapters: bool,
}

/// How many failures of an op are shown in full.
const SHOWN: usize = 12;

/// An op of the table and those of its cases that were asked for, with the numbers that seed their data.
type Chosen = (&'static Entry, Vec<(usize, Box<dyn Op>)>);

/// Runs the checks.
///
/// # Errors
/// [`Failure::Found`] if any fails, [`Failure::Usage`] if there is nothing to check or no adapter to check it on.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let chosen = choose(&args.filter)?;
    let sessions = adapter::sessions(args.adapter.as_deref(), args.all_adapters)?;
    let mut failed = 0;
    for session in &sessions {
        failed += on(session, &chosen, ui)?;
    }
    match failed {
        0 => Ok(()),
        n => Err(Failure::found(format!("{n} runs failed"))),
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
        return Err(nothing(filter));
    }
    Ok(chosen)
}

/// What to say when a filter leaves nothing.
pub(crate) fn nothing(filter: &str) -> Failure {
    let names: Vec<&str> = ops::all().map(|e| e.name).collect();
    Failure::usage(format!("no op and no case contains {filter:?}; the ops are: {}", names.join(", ")))
}

/// What the device reports outside the calls that caused it.
#[derive(Clone, Default)]
struct Trouble(Arc<Mutex<[Option<String>; 2]>>);

impl Trouble {
    const ERROR: usize = 0;
    const LOST: usize = 1;

    fn watch(device: &ridgepole::wgpu::Device) -> Self {
        let trouble = Self::default();
        let (a, b) = (trouble.clone(), trouble.clone());
        device.on_uncaptured_error(Arc::new(move |e: ridgepole::wgpu::Error| a.put(Self::ERROR, e.to_string())));
        device.set_device_lost_callback(move |_, reason| b.put(Self::LOST, reason));
        trouble
    }

    fn put(&self, kind: usize, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[kind].get_or_insert(text);
    }

    fn take(&self, kind: usize) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[kind].take()
    }
}

/// Checks on one device; gives the number of failed runs.
fn on(session: &Session, chosen: &[Chosen], ui: &Ui) -> Result<usize, Failure> {
    let trouble = Trouble::watch(session.device());
    let modes: Vec<_> =
        check::modes(session.device()).into_iter().map(|(name, caps)| (name, Gpu::with_caps(session.device(), caps))).collect();
    ui.line(adapter::name(session.info()))?;
    let (mut runs, mut failures, start) = (0, 0, Instant::now());
    let progress = ui.progress("check", chosen.iter().map(|(_, cases)| cases.len() as u64).sum());
    for (entry, cases) in chosen {
        let (before, began, mut failed) = (runs, Instant::now(), Vec::new());
        for (seed, op) in cases {
            progress.on(entry.name);
            for pattern in op.patterns() {
                let case = Case::new(op.as_ref(), pattern, *seed as u64);
                for (mode, gpu) in &modes {
                    runs += 1;
                    let result = case.run(gpu, session.queue());
                    let result = trouble.take(Trouble::ERROR).map_or(result, Err);
                    if let Err(why) = result {
                        failed.push((*seed, op, format!("{pattern:?} data, {mode}: {why}")));
                    }
                }
            }
            if let Some(reason) = trouble.take(Trouble::LOST) {
                return Err(Failure::found(format!("the device was lost in {op:?}: {reason}")));
            }
            progress.done(1);
        }
        let verdict = if failed.is_empty() { "ok".to_string() } else { format!("FAILED ({} runs)", failed.len()) };
        let seconds = began.elapsed().as_secs_f64();
        let (cases, here) = (cases.len(), runs - before);
        let modes = modes.len();
        ui.line(format_args!("{:<28}{cases:>5} cases {modes:>3} modes {here:>7} runs {seconds:>8.1} s  {verdict}", entry.name))?;
        let mut last = None;
        for (seed, op, why) in failed.iter().take(SHOWN) {
            // The modes of a case follow one another.
            if last.replace(seed) != Some(seed) {
                ui.line(format_args!("  ridgepole check {}", quoted(&handle(op.as_ref(), chosen))))?;
            }
            ui.line(format_args!("    {why}"))?;
        }
        if failed.len() > SHOWN {
            ui.line(format_args!("    and {} more", failed.len() - SHOWN))?;
        }
        failures += failed.len();
    }
    drop(progress);
    let seconds = start.elapsed().as_secs_f64();
    ui.line(format_args!("ops: {}, runs: {runs}, failed: {failures}, {seconds:.1} s", chosen.len()))?;
    Ok(failures)
}

/// The least part of the case's text that no other case contains: an arena's full text can fill pages.
fn handle(op: &dyn Op, chosen: &[Chosen]) -> String {
    let text = format!("{op:?}");
    let all: Vec<String> = chosen.iter().flat_map(|(_, cases)| cases).map(|(_, op)| format!("{op:?}")).collect();
    let alone = |part: &str| all.iter().filter(|other| other.contains(part)).count() == 1;
    let ends: Vec<usize> = text.char_indices().map(|(i, c)| i + c.len_utf8()).collect();
    let shortest = ends.partition_point(|&end| !alone(&text[..end]));
    // Where another case's text contains this one's whole, so does the filter.
    ends.get(shortest).map_or(text.clone(), |&end| text[..end].to_string())
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            cases: || [0, 5].map(|len| Box::new(Wrong(ridgepole::bench::CopyOp { len })) as Box<dyn Op>).into(),
            bench: Vec::new,
            parse: |_| unreachable!("never read from JSON"),
        };
        let session = Session::new().unwrap();
        let modes = check::modes(session.device()).len();
        let chosen = vec![(&ENTRY, (ENTRY.cases)().into_iter().enumerate().collect())];
        assert_eq!(on(&session, &chosen, &Ui::new()).unwrap(), modes);
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
        assert_eq!(quoted("a'b"), r"'a'\''b'");
    }
}
