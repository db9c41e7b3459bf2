//! What `ridgepole bench` times: the table's bench cases, or those of a file.
use super::Args;
use crate::{
    Failure, Ui,
    input::{self, Limit},
    text,
    timing::{Job, parse},
};
use ridgepole::bench;
use std::path::Path;

/// The cases that were asked for.
///
/// # Errors
/// [`Failure::Usage`] names the file and the line that is not an op, or says that the filter matches nothing.
pub(super) fn cases(args: &Args, ui: &Ui) -> Result<Vec<Job>, Failure> {
    let all: Vec<Job> = match &args.cases {
        None => {
            let of = |size: &usize| bench::cases("", *size);
            args.elements.iter().flat_map(of).map(|op| Job { name: format!("{op:?}"), op }).collect()
        }
        Some(path) => read(path, ui)?,
    };
    let wanted = |j: &Job| j.name.contains(&args.filter) || j.op.name().contains(&args.filter);
    let jobs: Vec<Job> = all.into_iter().filter(wanted).collect();
    if !jobs.is_empty() {
        return Ok(jobs);
    }
    Err(match &args.cases {
        None => Failure::no_case(&args.filter),
        Some(path) => Failure::usage(format!("{}: no case contains {:?}", text::path(input::shown(path)), args.filter)),
    })
}

fn read(path: &Path, ui: &Ui) -> Result<Vec<Job>, Failure> {
    let (content, notice) = input::text(path, Limit::OPS, "descriptions of ops")?;
    notice.into_iter().for_each(|notice| ui.note(notice));
    parse(&content, &text::path(input::shown(path)))
}
