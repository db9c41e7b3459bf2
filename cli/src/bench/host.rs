//! `ridgepole bench --host`: what each op costs on the host.
use super::{Args, nothing, record::line, short};
use crate::{Failure, Ui};
use ridgepole::{
    Session,
    bench::{self, HostCost, Options},
};
use serde_json::json;

/// Times planning, binding, recording and submitting of each case.
///
/// # Errors
/// As [`super::run`].
pub(super) fn run(args: &Args, session: &Session, device: &str, options: &Options, ui: &Ui) -> Result<(), Failure> {
    let cases = bench::cases(&args.filter, bench::ELEMENTS);
    if cases.is_empty() {
        return Err(nothing(&args.filter));
    }
    let as_text = !args.json && !args.csv;
    if as_text {
        ui.line(format_args!(
            "{device}\n{:<28}{:>11}{:>9}{:>9}{:>9}{:>9}{:>9}  case (all in µs, the first in ms)",
            "op", "compile", "plan", "bind", "record", "sum", "submit"
        ))?;
    }
    let progress = ui.progress("host", cases.len() as u64);
    let mut all = Vec::new();
    for op in &cases {
        progress.on(op.name());
        let cost = bench::host(session.gpu(), session.queue(), op.as_ref(), options)?;
        if args.csv {
            ui.write(&line(&cost, all.is_empty()))?;
        } else if as_text {
            ui.line(text(&cost))?;
        }
        all.push(cost);
        progress.done(1);
    }
    drop(progress);
    if args.json {
        let version = super::version();
        ui.line(format_args!("{:#}", json!({ "version": version, "device": device, "host": all })))?;
    }
    Ok(())
}

fn text(c: &HostCost) -> String {
    let us = |s: f64| format!("{:>9.1}", s * 1e6);
    let sum = c.plan + c.bind + c.record;
    format!(
        "{:<28}{:>11.1}{}{}{}{}{}  {}",
        c.op,
        c.compile * 1e3,
        us(c.plan),
        us(c.bind),
        us(c.record),
        us(sum),
        us(c.submit),
        short(&c.case)
    )
}
