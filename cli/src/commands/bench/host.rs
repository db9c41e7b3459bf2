//! `ridgepole bench --host`: what each op costs on the host.
use super::Args;
use crate::{
    Failure, Ui,
    number::significant,
    timing::{Job, csv_line, short, version},
};
use ridgepole::{
    Session,
    bench::{self, HostCost, Options},
};
use serde_json::json;

/// Times planning, binding, recording and submitting of each case.
///
/// # Errors
/// As [`super::run`].
pub(super) fn run(args: &Args, jobs: &[Job], session: &Session, device: &str, options: &Options, ui: &Ui) -> Result<(), Failure> {
    let as_text = !args.json && !args.csv;
    if as_text {
        ui.line(device)?;
        ui.line(format_args!(
            "{:<28}{:>11}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}  case (all in µs, the first in ms; lower is a part of plan)",
            "op", "compile", "plan", "lower", "bind", "record", "sum", "submit"
        ))?;
    }
    let progress = ui.progress("host", jobs.len() as u64);
    let mut all = Vec::new();
    for job in jobs {
        progress.on(job.op.name());
        let cost = bench::host(session.gpu(), session.queue(), job.op.as_ref(), options)?;
        let cost = HostCost { case: job.name.clone(), ..cost };
        if args.csv {
            ui.lines(&csv_line(&cost, all.is_empty()))?;
        } else if as_text {
            ui.line(text(&cost))?;
        }
        all.push(cost);
        progress.done(1);
    }
    drop(progress);
    if args.json {
        ui.json(&json!({ "version": version(), "device": device, "host": all }))?;
    }
    Ok(())
}

fn text(c: &HostCost) -> String {
    let us = |s: f64| format!("{:>9}", significant(s * 1e6, 3));
    let sum = c.plan + c.bind + c.record;
    format!(
        "{:<28}{:>11}{}{}{}{}{}{}  {}",
        c.op,
        significant(c.compile * 1e3, 3),
        us(c.plan),
        us(c.lower),
        us(c.bind),
        us(c.record),
        us(sum),
        us(c.submit),
        short(&c.case)
    )
}
