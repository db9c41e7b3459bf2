//! A peer: a program that reads the cases from stdin and writes its times to stdout. `benches/peers` has some.
use crate::{Failure, Ui};
use serde::Deserialize;
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// A line of what a peer writes.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Line {
    pub peer: String,
    pub variant: String,
    pub case: String,
    pub seconds: Option<f64>,
    pub lower_quartile: Option<f64>,
    pub upper_quartile: Option<f64>,
    /// Why there is no time.
    pub error: String,
}

/// Runs `command`, split at blanks, and gives what it wrote.
///
/// # Errors
/// [`Failure::Usage`] if it cannot be started or ends badly, or if a line is not a time.
pub(super) fn run(command: &str, options: &[String], cases: &str, ui: &Ui) -> Result<Vec<Line>, Failure> {
    let failed = |why: String| Failure::usage(format!("the peer `{command}` {why}"));
    let mut words = command.split_whitespace();
    let program = words.next().ok_or_else(|| failed("is not a command".to_string()))?;
    ui.note(format_args!("{command} ..."));
    let mut child = Command::new(program)
        .args(words)
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| failed(format!("cannot be started: {e}")))?;
    // It reads everything before it writes, so there is no deadlock. One that ends early reports why itself.
    let _ = child.stdin.take().expect("piped").write_all(cases.as_bytes());
    let done = child.wait_with_output().map_err(|e| failed(format!("was lost: {e}")))?;
    if !done.status.success() {
        return Err(failed(format!("ended with {}; its own messages are above", done.status)));
    }
    let lines = csv::Reader::from_reader(&done.stdout[..]).deserialize().collect::<Result<Vec<Line>, _>>();
    lines.map_err(|e| failed(format!("wrote no line of times: {e}")))
}
