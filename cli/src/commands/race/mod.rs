//! `ridgepole race`: the same cases here and in other libraries, in turn.
mod cases;
mod entry;
mod peer;
mod table;

use crate::{Failure, Ui, adapter, files, timing};
use entry::Entry;
use ridgepole::{Session, bench::Options, wgpu};
use std::{path::PathBuf, time::Duration};

/// Options of `ridgepole race`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ridgepole race --peer 'python3 benches/peers/torch_ops.py'
  ridgepole race 'batch norm' --elements 4194304 --peer 'python3 benches/peers/torch_ops.py --variants eager'
  ridgepole race --list > cases.jsonl && ridgepole bench --cases cases.jsonl

`cargo xtask race --torch --burn` finds PyTorch, builds the peer for Burn, and calls this.

A peer is a program that reads the cases from stdin, one op per line as JSON, and writes lines of peer, variant, case, \
seconds, lower_quartile, upper_quartile, error to stdout, and host_floor if it times that: the same call on a few elements. \
It is passed --rounds, --sample and --working-set. In each turn ridgepole runs all cases, then each peer does; a ratio is the \
peer's time over ours in the same turn, so above 1 ours is faster. The table has the median of the turns' ratios and their \
range. A peer's time below 1.5 host floors may be its host's, so its ratio is not decided. Both sides check results first: a \
wrong one is not timed.")]
pub struct Args {
    /// Only cases whose name contains this
    #[arg(default_value = "", hide_default_value = true)]
    filter: String,
    /// A program to race against, with its arguments; can be repeated
    #[arg(long, value_name = "COMMAND")]
    peer: Vec<String>,
    /// Use the adapter whose name contains this, in any case (see `ridgepole devices`)
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Elements per tensor, as 4194304 or 4Mi, or several numbers, each of which is a race; a quarter of that for optimizers
    /// [default: 16Mi,64Mi on a graphics card, 16Mi on an integrated GPU, 4Mi on a software device]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = timing::size)]
    elements: Vec<usize>,
    /// Number of turns
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    turns: u32,
    /// Number of rounds per turn
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Duration of a sample in milliseconds; short runs are repeated to fill it
    #[arg(long, value_name = "MS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    sample: u64,
    /// MiB of buffers to cycle through: several times the cache
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(0..=65_536))]
    working_set: u64,
    /// Write the result to this file too, as CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Print the cases as JSON, one per line, and run nothing: those of the first size, or of 16Mi
    #[arg(long)]
    list: bool,
}

/// The sizes, if nobody says any. A peer's host takes tens of microseconds for a call: at 16 Mi elements that may hide a card's kernels,
/// at 64 Mi it does not. A software device takes milliseconds at a sixteenth of that.
fn standard(device: wgpu::DeviceType) -> &'static [usize] {
    match device {
        wgpu::DeviceType::DiscreteGpu | wgpu::DeviceType::VirtualGpu => &[16 << 20, 64 << 20],
        wgpu::DeviceType::IntegratedGpu | wgpu::DeviceType::Other => &[16 << 20],
        wgpu::DeviceType::Cpu => &[4 << 20],
    }
}

/// The cases of this size as JSON, one to a line, whose names contain the filter.
///
/// # Errors
/// [`Failure::Usage`] if there is none.
fn lines(elements: usize, filter: &str) -> Result<String, Failure> {
    let all = cases::cases(elements);
    let wanted = |v: &&serde_json::Value| v["case"].as_str().is_some_and(|name| name.contains(filter));
    let lines: String = all.iter().filter(wanted).map(|v| format!("{v}\n")).collect();
    if lines.is_empty() {
        let names: Vec<_> = all.iter().filter_map(|v| v["case"].as_str()).collect();
        return Err(Failure::usage(format!("no case contains {filter:?}; the cases are: {}", names.join("; "))));
    }
    Ok(lines)
}

/// Runs the race.
///
/// # Errors
/// [`Failure::Found`] if one of our results is wrong, [`Failure::Usage`] if a peer cannot run or there is no adapter.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let listed = lines(args.elements.first().copied().unwrap_or(16 << 20), &args.filter)?;
    if args.list {
        return ui.lines(&listed);
    }
    let held = args.csv.as_deref().map(|path| files::Held::file(path, "race")).transpose()?.flatten();
    held.iter().filter_map(files::Held::notice).for_each(|notice| ui.note(notice));
    let session = adapter::open(args.adapter.as_deref())?;
    let sizes = if args.elements.is_empty() { standard(session.info().device_type) } else { &args.elements };
    let (mut entries, mut failed) = (Vec::new(), None);
    for &elements in sizes {
        let before = entries.len();
        failed = failed.or(one_size(args, elements, &session, &mut entries, ui)?);
        table::print(&adapter::name(session.info()), &entries[before..], ui)?;
    }
    match entries.iter().filter(|e| e.error.is_some()).count() {
        0 => failed.map_or(Ok(()), Err),
        n => Err(Failure::found(format!("{n} of {} cases are wrong here", entries.len()))),
    }
}

/// Races at one size, behind the entries that there are, and gives what the first peer that failed died of.
fn one_size(
    args: &Args,
    elements: usize,
    session: &Session,
    entries: &mut Vec<Entry>,
    ui: &Ui,
) -> Result<Option<Failure>, Failure> {
    let lines = lines(elements, &args.filter)?;
    let jobs = timing::possible(timing::parse(&lines, "the list of cases")?, session, ui);
    let options = Options {
        rounds: args.rounds as usize,
        sample: Duration::from_millis(args.sample),
        working_set: args.working_set << 20,
        ..Options::default()
    };
    let before = entries.len();
    let verdicts = timing::verify(&jobs, session, ui);
    entries.extend(jobs.iter().zip(verdicts).map(|(job, v)| Entry::new(elements, &job.name, v.err())));
    let shared = [("--rounds", u64::from(args.rounds)), ("--sample", args.sample), ("--working-set", args.working_set)];
    let shared: Vec<String> = shared.into_iter().flat_map(|(k, v)| [k.to_string(), v.to_string()]).collect();
    let mut failed = None;
    for turn in 0..args.turns {
        let progress = ui.progress("ridgepole", jobs.len() as u64);
        timing::each(&jobs, session, |i, job, inputs| {
            progress.on(&job.name);
            entries[before + i].ours(session, job.op.as_ref(), inputs, &options);
            progress.done(1);
            Ok::<_, Failure>(())
        })?;
        drop(progress);
        keep(args, session, entries)?;
        for command in &args.peer {
            match peer::run(command, &shared, &lines, ui) {
                Ok(lines) => lines.into_iter().for_each(|line| {
                    if let Some(entry) = entries[before..].iter_mut().find(|e| e.case == line.case) {
                        entry.theirs(turn as usize, line);
                    }
                }),
                // The results of the others are reported all the same.
                Err(e) => {
                    ui.note(&e);
                    failed.get_or_insert(e);
                }
            }
            keep(args, session, entries)?;
        }
    }
    Ok(failed)
}

/// Writes the results so far, whole or not at all: a race that is stopped in its third turn leaves two.
fn keep(args: &Args, session: &Session, entries: &[Entry]) -> Result<(), Failure> {
    let Some(path) = &args.csv else { return Ok(()) };
    let text = table::csv(&adapter::name(session.info()), &timing::version(), entries);
    files::write(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_races_at_two_sizes_and_a_software_device_at_a_small_one() {
        assert_eq!(standard(wgpu::DeviceType::DiscreteGpu), [16 << 20, 64 << 20]);
        assert_eq!(standard(wgpu::DeviceType::Cpu), [4 << 20]);
    }
}
