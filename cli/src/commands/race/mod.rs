//! `ridgepole race`: the same cases here and in other libraries, in turn.
mod cases;
mod peer;
mod table;

use crate::{Failure, Ui, adapter, files, timing};
use ridgepole::bench::Options;
use std::{io::IsTerminal, path::PathBuf, time::Duration};
use table::Entry;

/// Options of `ridgepole race`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ridgepole race --peer 'python3 benches/peers/torch_ops.py'
  ridgepole race 'batch norm' --elements 4194304 --peer 'python3 benches/peers/torch_ops.py --variants eager'
  ridgepole race --list > cases.jsonl && ridgepole bench --cases cases.jsonl

`cargo xtask race --torch --burn` finds PyTorch, builds the peer for Burn, and calls this.

A peer is a program that reads the cases from stdin, one op per line as JSON, and writes lines of peer, variant, case, \
seconds, lower_quartile, upper_quartile, error to stdout. It is passed --rounds, --sample and --working-set. In each turn \
ridgepole runs all cases, then each peer does; a ratio is the peer's time over ours in the same turn, so above 1 ours \
is faster. The table has the median of the turns' ratios and their range. Both sides check results first: a wrong one is \
not timed.")]
pub struct Args {
    /// Only cases whose name contains this
    #[arg(default_value = "", hide_default_value = true)]
    filter: String,
    /// A program to race against, with its arguments; can be repeated
    #[arg(long, value_name = "COMMAND")]
    peer: Vec<String>,
    /// The adapter whose name contains this, in any case
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Elements per tensor; a quarter of that for optimizers
    #[arg(long, value_name = "N", default_value_t = 1 << 24, value_parser = clap::value_parser!(u64).range(1024..=1 << 30))]
    elements: u64,
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
    /// Print the cases as JSON, one per line, and run nothing
    #[arg(long)]
    list: bool,
}

/// Runs the race.
///
/// # Errors
/// [`Failure::Found`] if one of our results is wrong, [`Failure::Usage`] if a peer cannot run or there is no adapter.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let all = cases::cases(args.elements as usize);
    let wanted = |v: &&serde_json::Value| v["case"].as_str().is_some_and(|name| name.contains(&args.filter));
    let lines: String = all.iter().filter(wanted).map(|v| format!("{v}\n")).collect();
    if lines.is_empty() {
        let names: Vec<_> = all.iter().filter_map(|v| v["case"].as_str()).collect();
        return Err(Failure::usage(format!("no case contains {:?}; the cases are: {}", args.filter, names.join("; "))));
    }
    if args.list {
        return ui.write(lines.as_bytes());
    }
    let jobs = timing::parse(&lines, "the list of cases")?;
    let session = adapter::open(args.adapter.as_deref())?;
    let jobs = timing::possible(jobs, &session, ui);
    let device = adapter::name(session.info());
    let options = Options {
        rounds: args.rounds as usize,
        sample: Duration::from_millis(args.sample),
        working_set: args.working_set << 20,
        ..Options::default()
    };
    let verdicts = timing::verify(&jobs, &session, ui);
    let mut entries: Vec<Entry> = jobs.iter().zip(verdicts).map(|(job, v)| Entry::new(&job.name, v.err())).collect();
    let shared = [("--rounds", u64::from(args.rounds)), ("--sample", args.sample), ("--working-set", args.working_set)];
    let shared: Vec<String> = shared.into_iter().flat_map(|(k, v)| [k.to_string(), v.to_string()]).collect();
    let mut failed = None;
    for turn in 0..args.turns {
        let progress = ui.progress("ridgepole", jobs.len() as u64);
        timing::each(&jobs, &session, |i, job, inputs| {
            progress.on(&job.name);
            entries[i].ours(&session, job.op.as_ref(), inputs, &options);
            progress.done(1);
            Ok::<_, Failure>(())
        })?;
        drop(progress);
        keep(args, &device, &entries)?;
        for command in &args.peer {
            match peer::run(command, &shared, &lines, ui) {
                Ok(lines) => lines.into_iter().for_each(|line| {
                    if let Some(entry) = entries.iter_mut().find(|e| e.case == line.case) {
                        entry.theirs(turn as usize, line);
                    }
                }),
                // The results of the others are reported all the same.
                Err(e) => {
                    ui.note(&e);
                    failed.get_or_insert(e);
                }
            }
            keep(args, &device, &entries)?;
        }
    }
    table::print(&device, &entries, std::io::stdout().is_terminal(), ui)?;
    match entries.iter().filter(|e| e.error.is_some()).count() {
        0 => failed.map_or(Ok(()), Err),
        n => Err(Failure::found(format!("{n} of {} cases are wrong here", entries.len()))),
    }
}

/// Writes the results so far, whole or not at all: a race that is stopped in its third turn leaves two.
fn keep(args: &Args, device: &str, entries: &[Entry]) -> Result<(), Failure> {
    let Some(path) = &args.csv else { return Ok(()) };
    let text = table::csv(device, &timing::version(), args.elements, entries);
    files::write(path, &text)
}
