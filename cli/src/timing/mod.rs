//! What commands that time ops have in common: the ops themselves, and how a measurement is written.
mod jobs;

pub(crate) use jobs::{Job, each, parse, possible, size, verify};

use crate::{number::significant, text};
use serde::Serialize;

/// A row of a table as a line, the first one below a header of its fields' names.
pub(crate) fn csv_line(row: &impl Serialize, header: bool) -> String {
    let mut writer = csv::WriterBuilder::new().has_headers(header).from_writer(Vec::new());
    writer.serialize(row).expect("a Vec takes all");
    let line = String::from_utf8(writer.into_inner().expect("a Vec takes all")).expect("CSV of texts is text");
    // No newline is within a cell: a line is a row.
    let (head, row) = if header { line.split_at(line.find('\n').map_or(0, |end| end + 1)) } else { ("", line.as_str()) };
    format!("{head}{}\n", text::visible(row.strip_suffix('\n').unwrap_or(row)))
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
        s if s < 1e-3 => format!("{} µs", significant(s * 1e6, 4)),
        s => format!("{} ms", significant(s * 1e3, 4)),
    }
}

/// A case's text on one line of a table.
pub(crate) fn short(case: &str) -> String {
    const MOST: usize = 120;
    let case = text::visible(case);
    if case.chars().count() <= MOST { case.into_owned() } else { case.chars().take(MOST - 3).chain("...".chars()).collect() }
}
