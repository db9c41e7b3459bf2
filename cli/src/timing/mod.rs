//! What commands that time ops have in common: the ops themselves, and how a measurement is written.
mod jobs;

pub(crate) use jobs::{Job, each, parse, possible, size, verify};

use serde::Serialize;

/// A row of a table as a line, the first one below a header of its fields' names.
pub(crate) fn csv_line(row: &impl Serialize, header: bool) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().has_headers(header).from_writer(Vec::new());
    writer.serialize(row).expect("a Vec takes all");
    writer.into_inner().expect("a Vec takes all")
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
pub(crate) fn short(case: &str) -> String {
    const MOST: usize = 120;
    if case.chars().count() <= MOST { case.to_string() } else { case.chars().take(MOST - 3).chain("...".chars()).collect() }
}
