//! `ridgepole bench --compare OLD NEW`: two records, case by case.
use super::record::{Row, read};
use crate::{
    Failure, Ui,
    number::{decimals, percent},
    text,
    timing::short,
};
use serde_json::json;
use std::path::PathBuf;

/// A difference within the overlap of both interquartile ranges is noise.
fn verdict(old: &Row, new: &Row) -> &'static str {
    match () {
        () if new.upper_quartile < old.lower_quartile => "faster",
        () if new.lower_quartile > old.upper_quartile => "slower",
        () => "",
    }
}

/// Prints the cases that both have, and counts those that only one has.
///
/// # Errors
/// [`Failure::Usage`] if a file cannot be read, or they have no case in common.
pub(super) fn run(files: &[PathBuf], filter: &str, as_json: bool, ui: &Ui) -> Result<(), Failure> {
    let wanted = |r: &Row| r.case.contains(filter) || r.op.contains(filter);
    let read = |path: &PathBuf| Ok::<_, Failure>(read(path, ui)?.into_iter().filter(wanted).collect::<Vec<_>>());
    let (old, new) = (read(&files[0])?, read(&files[1])?);
    let find = |all: &[Row], row: &Row| all.iter().position(|r| (&r.case, r.elements) == (&row.case, row.elements));
    let pairs: Vec<_> = new.iter().filter_map(|n| find(&old, n).map(|i| (&old[i], n))).collect();
    let (Some(first), Some(second)) = (old.first(), new.first()) else {
        return Err(Failure::no_case(filter));
    };
    if pairs.is_empty() {
        let [a, b] = [&files[0], &files[1]].map(|f| text::path(f));
        return Err(Failure::usage(format!("{a} and {b} have no case in common")));
    }
    if as_json {
        let all: Vec<_> = pairs
            .iter()
            .map(|(o, n)| json!({ "case": n.case, "ratio": o.seconds / n.seconds, "old": o, "new": n, "verdict": verdict(o, n) }))
            .collect();
        ui.json(&json!(all))?;
    } else {
        ui.line(format_args!("old: {} on {}", first.version, first.device))?;
        ui.line(format_args!("new: {} on {}", second.version, second.device))?;
        ui.line(format_args!("{:<28}{:>9}{:>11}{:>11}{:>8}  case", "op", "old/new", "old share", "new share", ""))?;
        for (o, n) in &pairs {
            let [a, b] = [o, n].map(|r| percent(r.share));
            let ratio = decimals(o.seconds / n.seconds, 2);
            ui.line(format_args!("{:<28}{ratio:>9}{a:>11}{b:>11}{:>8}  {}", n.op, verdict(o, n), short(&n.case)))?;
        }
    }
    for (only, (has, lacks)) in [("old", (&old, &new)), ("new", (&new, &old))] {
        let n = has.iter().filter(|r| find(lacks, r).is_none()).count();
        if n > 0 {
            let are = if n == 1 { "is" } else { "are" };
            ui.note(format_args!("{} {are} in the {only} record only", text::count(n, "case")));
        }
    }
    if first.device != second.device {
        ui.note("The records are from two devices: compare shares, not times.");
    }
    Ok(())
}
