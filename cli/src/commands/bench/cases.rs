//! What `ridgepole bench` times: the table's bench cases, or those of a file.
use super::Args;
use crate::{
    Failure, text,
    timing::{Job, parse},
};
use ridgepole::bench;
use std::{io::Read, path::Path};

/// The cases that were asked for.
///
/// # Errors
/// [`Failure::Usage`] names the file and the line that is not an op, or says that the filter matches nothing.
pub(super) fn cases(args: &Args) -> Result<Vec<Job>, Failure> {
    let all: Vec<Job> = match &args.cases {
        None => {
            let of = |size: &usize| bench::cases("", *size);
            args.elements.iter().flat_map(of).map(|op| Job { name: format!("{op:?}"), op }).collect()
        }
        Some(path) => read(path)?,
    };
    let wanted = |j: &Job| j.name.contains(&args.filter) || j.op.name().contains(&args.filter);
    let jobs: Vec<Job> = all.into_iter().filter(wanted).collect();
    if !jobs.is_empty() {
        return Ok(jobs);
    }
    Err(match &args.cases {
        None => Failure::no_case(&args.filter),
        Some(path) => Failure::usage(format!("{}: no case contains {:?}", text::path(path), args.filter)),
    })
}

fn read(path: &Path) -> Result<Vec<Job>, Failure> {
    let failed = |e| Failure::file("read", path, e);
    let mut content = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut content).map_err(failed)?;
    } else {
        content = std::fs::read_to_string(path).map_err(failed)?;
    }
    parse(&content, &text::path(path))
}
