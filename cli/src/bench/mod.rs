//! `ridgepole bench`: the table's bench cases, checked, then timed.
mod compare;
mod host;
mod jobs;
mod page;
mod record;

use crate::{Failure, Ui, adapter, check::nothing, files};
pub(crate) use jobs::{each, parse, possible, size, verify};
pub(crate) use record::line;

use record::Row;
use ridgepole::{
    Session,
    bench::{self, Options, Timing},
};
use serde_json::json;
use std::{path::PathBuf, time::Duration};

/// Options of `ridgepole bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ridgepole bench
  ridgepole bench dropout --rounds 31
  ridgepole bench layer_norm --elements 1Ki,16Ki,256Ki,4Mi,64Mi --html growth.html
  ridgepole bench --csv > here.csv
  ridgepole bench --compare before.csv here.csv
  ridgepole bench --draw here.csv --html here.html
  ridgepole bench --host adamw
  ridgepole bench --json | jq '.timings[] | {case, share}'

Each op is checked first; a wrong one gets no time. Then op and copy run in turn, round by round: the copy moves as \
many bytes as the op must, so `share` says how near the op comes to the best that this device can do at this size. \
Times are medians; `spread` is the distance of the quartiles as a part of the median. GPUs time themselves; software \
devices are timed by the clock on the wall, and `cpu` is the share in processor time, which others on the machine disturb less.")]
pub struct Args {
    /// Only cases whose text, and ops whose name, contains this
    #[arg(default_value = "", hide_default_value = true)]
    filter: String,
    /// The adapter whose name contains this, in any case
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// How many rounds
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// How long a sample takes; short runs are repeated until then
    #[arg(long, value_name = "MS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    sample: u64,
    /// MiB of buffers that op and copy each go through before they come back to the first: several times the cache
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(0..=65_536))]
    working_set: u64,
    /// Elements of a case, about: one size or several, as 4Mi or 1Ki,64Ki,4Mi,64Mi
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "4Mi", value_parser = jobs::size)]
    elements: Vec<usize>,
    /// Ops to time instead of the table's: one as JSON to a line, as for `ridgepole run`, with a name as "case"; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "elements")]
    cases: Option<PathBuf>,
    /// Lanes of a workgroup of streaming kernels, a power of two: to look for a better shape than the one of this device
    #[arg(long, value_name = "N", value_parser = lanes)]
    lanes: Option<u32>,
    /// Quads, of four elements each, that a lane of a streaming kernel handles
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    quads: Option<u32>,
    /// Time the host's part instead: plan, bind, record, submit
    #[arg(long)]
    host: bool,
    /// Compare two records that `--csv` wrote; runs nothing
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["csv", "host", "adapter", "rounds", "sample", "working_set", "elements", "cases", "lanes", "quads"])]
    compare: Option<Vec<PathBuf>>,
    /// Draw the pictures of --html from a record that --csv wrote; runs nothing
    #[arg(long, value_name = "RECORD", requires = "html", conflicts_with_all = ["compare", "host", "json", "csv"])]
    draw: Option<PathBuf>,
    /// One JSON object, for programs
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Write pictures to this file too: shares of the copy, and growth if there are several --elements
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "compare"])]
    html: Option<PathBuf>,
    /// Comma-separated, with a header line
    #[arg(long)]
    csv: bool,
}

/// Runs the benches.
///
/// # Errors
/// [`Failure::Found`] if an op is wrong, [`Failure::Usage`] if there is nothing to time or no adapter.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    if let Some(records) = &args.compare {
        return compare::run(records, &args.filter, args.json, ui);
    }
    if let (Some(record), Some(html)) = (&args.draw, &args.html) {
        let rows = record::read(record)?;
        let wanted = |r: &&Row| r.case.contains(&args.filter) || r.op.contains(&args.filter);
        let timings: Vec<Timing> = rows.iter().filter(wanted).map(Row::timing).collect();
        if timings.is_empty() {
            return Err(nothing(&args.filter));
        }
        return files::write(html, page::page(&rows[0].device, &rows[0].version, &timings).as_bytes());
    }
    let jobs = jobs::jobs(args)?;
    let session = shaped(adapter::open(args.adapter.as_deref())?, args)?;
    let jobs = possible(jobs, &session, ui);
    let device = adapter::name(session.info());
    let options = Options {
        rounds: args.rounds as usize,
        sample: Duration::from_millis(args.sample),
        working_set: args.working_set << 20,
        cpu_clock: Some(processor_time),
        ..Options::default()
    };
    if args.host {
        return host::run(args, &jobs, &session, &device, &options, ui);
    }
    let verdicts = verify(&jobs, &session, ui);
    if !args.csv && !args.json {
        ui.line(format_args!(
            "{device}\n{:<28}{:>12}{:>8}{:>9}{:>9}{:>8}{:>8}  case",
            "op", "time", "spread", "GB/s", "copy", "share", "cpu"
        ))?;
    }
    let (mut timings, mut wrong) = (Vec::new(), Vec::new());
    let progress = ui.progress("bench", jobs.len() as u64);
    each(&jobs, &session, |i, job, inputs| {
        let op = job.op.as_ref();
        progress.on(op.name());
        let time = || bench::time(session.gpu(), session.queue(), op, inputs, &options).map_err(|e| e.to_string());
        let timing = verdicts[i].clone().and_then(|()| time());
        match timing {
            Ok(t) => {
                let t = Timing { case: job.name.clone(), ..t };
                if args.csv {
                    ui.write(&line(&Row::new(&device, &version(), &t), timings.is_empty()))?;
                } else if !args.json {
                    ui.line(text(&t))?;
                }
                timings.push(t);
            }
            Err(why) => {
                ui.note(format_args!("{}: WRONG, so not timed: {why}\n  {}", op.name(), short(&job.name)));
                wrong.push(json!({ "op": op.name(), "case": job.name, "why": why }));
            }
        }
        progress.done(1);
        Ok::<_, Failure>(())
    })?;
    drop(progress);
    if let Some(path) = &args.html {
        let page = page::page(&device, &version(), &timings);
        files::write(path, page.as_bytes())?;
    }
    let bad = wrong.len();
    if args.json {
        let timings: Vec<_> = timings.iter().map(value).collect();
        let all = json!({ "version": version(), "device": device, "timings": timings, "wrong": wrong });
        ui.line(format_args!("{all:#}"))?;
    }
    match bad {
        0 => Ok(()),
        n => Err(Failure::found(format!("{n} of {} cases are wrong", jobs.len()))),
    }
}

/// The session, with the shape of workgroups that was asked for.
fn shaped(session: Session, args: &Args) -> Result<Session, Failure> {
    let mut caps = session.gpu().caps().clone();
    let most = caps.limits.max_compute_invocations_per_workgroup.min(caps.limits.max_compute_workgroup_size_x);
    match args.lanes {
        Some(n) if n > most => {
            return Err(Failure::usage(format!("--lanes is {n}, a workgroup of this device has at most {most}")));
        }
        n => caps.lanes = n.unwrap_or(caps.lanes),
    }
    caps.quads = args.quads.unwrap_or(caps.quads);
    Ok(session.with_caps(caps))
}

/// Of `--lanes`: the trees of the kernels halve.
fn lanes(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(n) if (4..=1024).contains(&n) && n.is_power_of_two() => Ok(n),
        _ => Err("must be a power of two from 4 to 1024".to_string()),
    }
}

fn text(t: &Timing) -> String {
    let time = time(t.seconds);
    format!(
        "{:<28}{time:>12}{:>7.1}%{:>9.2}{:>9.2}{:>7.1}%{:>8}  {}",
        t.op,
        t.spread() * 100.0,
        t.gb_per_s(),
        t.copy_gb_per_s(),
        t.share * 100.0,
        t.cpu_share.map_or("-".to_string(), |s| format!("{:.1}%", 100.0 * s)),
        short(&t.case)
    )
}

fn value(t: &Timing) -> serde_json::Value {
    let mut v = json!(t);
    v["gb_per_s"] = t.gb_per_s().into();
    v["copy_gb_per_s"] = t.copy_gb_per_s().into();
    v["spread"] = t.spread().into();
    v
}

/// All that the threads of this process have worked so far.
fn processor_time() -> Duration {
    cpu_time::ProcessTime::now().as_duration()
}

/// "0.1.0", or "0.1.0 (abc1234)" where RIDGEPOLE_COMMIT named a commit when the program was built.
pub(crate) fn version() -> String {
    match option_env!("RIDGEPOLE_COMMIT") {
        Some(commit) => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
        None => env!("CARGO_PKG_VERSION").to_string(),
    }
}

/// "12.34 µs".
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.2} µs", s * 1e6),
        s => format!("{:.3} ms", s * 1e3),
    }
}

/// A case's text on one line of a table.
fn short(case: &str) -> String {
    const MOST: usize = 120;
    if case.chars().count() <= MOST { case.to_string() } else { case.chars().take(MOST - 3).chain("...".chars()).collect() }
}
