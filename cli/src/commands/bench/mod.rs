//! `ridgepole bench`: the table's bench cases, checked, then timed.
mod cases;
mod compare;
mod host;
mod page;
mod record;

use crate::{
    Failure, Ui, adapter, files,
    number::{percent, significant},
    text,
    timing::{csv_line, each, possible, short, time, verify, version},
};
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

Each op is checked first; a wrong one is not timed. Then op and copy alternate, round by round: the copy moves as many \
bytes as the op must, so `share`, relative to the copy's bandwidth, tells how near the op is to the memory limit at this size. Times are \
medians; `spread` is the interquartile range as a fraction of the median. GPUs are timed by their own timestamps, software \
devices by wall time; `cpu` is the share in processor time, which depends less on the load of the machine.

--cases, --compare and --draw read text in UTF-8 or UTF-16, gzip-compressed or not: ops of at most 64 MiB, records of at most \
256 MiB.")]
pub struct Args {
    /// Only cases whose text, and ops whose name, contains this
    #[arg(default_value = "", hide_default_value = true)]
    filter: String,
    /// Use the adapter whose name contains this, in any case (see `ridgepole devices`)
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Number of rounds
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Duration of a sample in milliseconds; short runs are repeated to fill it
    #[arg(long, value_name = "MS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    sample: u64,
    /// MiB of buffers that op and copy each cycle through: several times the cache
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(0..=65_536))]
    working_set: u64,
    /// Approximate number of elements of a case: one or several, such as 4Mi or 1Ki,64Ki,4Mi,64Mi
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "4Mi", value_parser = crate::timing::size)]
    elements: Vec<usize>,
    /// File with ops to time instead of the table's: one per line, as JSON for `ridgepole run`, named by "case"; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "elements")]
    cases: Option<PathBuf>,
    /// Lanes per workgroup of streaming kernels, a power of two, to tune for this device
    #[arg(long, value_name = "N", value_parser = lanes)]
    lanes: Option<u32>,
    /// Quads (of four elements) per lane of streaming kernels
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    quads: Option<u32>,
    /// Time the host side instead: plan, bind, record, submit
    #[arg(long)]
    host: bool,
    /// Compare two records that `--csv` wrote; runs nothing
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["csv", "host", "adapter", "rounds", "sample", "working_set", "elements", "cases", "lanes", "quads"])]
    compare: Option<Vec<PathBuf>>,
    /// Draw the plots of --html from a record that --csv wrote; runs nothing
    #[arg(long, value_name = "RECORD", requires = "html", conflicts_with_all = ["compare", "host", "json", "csv"])]
    draw: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Write plots to this file too: bandwidth relative to the copy, and over size if there are several --elements
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "compare"])]
    html: Option<PathBuf>,
    /// Print CSV with a header line
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
        let rows = record::read(record, ui)?;
        let wanted = |r: &&Row| r.case.contains(&args.filter) || r.op.contains(&args.filter);
        let timings: Vec<Timing> = rows.iter().filter(wanted).map(Row::timing).collect();
        if timings.is_empty() {
            return Err(Failure::no_case(&args.filter));
        }
        return files::write(html, page::page(&rows[0].device, &rows[0].version, &timings).as_bytes());
    }
    let jobs = cases::cases(args, ui)?;
    let held = args.html.as_deref().map(|path| files::Held::file(path, "bench")).transpose()?.flatten();
    held.iter().filter_map(files::Held::notice).for_each(|notice| ui.note(notice));
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
        ui.line(&device)?;
        ui.line(format_args!(
            "{:<28}{:>12}{:>8}{:>9}{:>9}{:>8}{:>8}  case",
            "op", "time", "spread", "GB/s", "copy", "share", "cpu"
        ))?;
    }
    let (mut timings, mut wrong, mut told) = (Vec::new(), Vec::new(), Ok(()));
    let progress = ui.progress("bench", jobs.len() as u64);
    each(&jobs, &session, |i, job, inputs| {
        let op = job.op.as_ref();
        progress.on(op.name());
        let time = || bench::time(session.gpu(), session.queue(), op, inputs, &options).map_err(|e| e.to_string());
        let timing = verdicts[i].clone().and_then(|()| time());
        match timing {
            Ok(t) => {
                let t = Timing { case: job.name.clone(), ..t };
                if told.is_ok() {
                    told = match (args.csv, args.json) {
                        (true, _) => ui.lines(&csv_line(&Row::new(&device, &version(), &t), timings.is_empty())),
                        (_, true) => Ok(()),
                        _ => ui.line(line(&t)),
                    };
                }
                timings.push(t);
                // With a page to write, the work goes on though nobody reads the lines.
                if told.is_err() && args.html.is_none() {
                    return std::mem::replace(&mut told, Ok(()));
                }
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
    told?;
    let bad = wrong.len();
    if args.json {
        let timings: Vec<_> = timings.iter().map(value).collect();
        let all = json!({ "version": version(), "device": device, "timings": timings, "wrong": wrong });
        ui.json(&all)?;
    }
    match bad {
        0 => Ok(()),
        n => Err(Failure::found(format!("{n} of {} wrong", text::count(jobs.len(), "case")))),
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

/// Of `--lanes`: a power of two, because the kernels' reduction trees halve.
fn lanes(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(n) if (4..=1024).contains(&n) && n.is_power_of_two() => Ok(n),
        _ => Err("must be a power of two from 4 to 1024".to_string()),
    }
}

fn line(t: &Timing) -> String {
    let time = time(t.seconds);
    format!(
        "{:<28}{time:>12}{:>8}{:>9}{:>9}{:>8}{:>8}  {}",
        t.op,
        percent(t.spread()),
        significant(t.gb_per_s(), 3),
        significant(t.copy_gb_per_s(), 3),
        percent(t.share),
        t.cpu_share.map_or("-".to_string(), percent),
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

/// Processor time of this process so far.
fn processor_time() -> Duration {
    cpu_time::ProcessTime::now().as_duration()
}
