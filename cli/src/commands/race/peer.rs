//! A peer: a program that reads the cases from stdin and writes its times to stdout. `benches/peers` has some.
use crate::{
    Failure, Ui,
    input::{self, Limit},
};
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
    /// Seconds of the same call on a few elements, which is what the host does for a call; a peer need not time it.
    #[serde(default)]
    pub host_floor: Option<f64>,
}

/// Bytes of times at most.
const LIMIT: Limit = Limit(64 << 20);

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
    let written = input::stream(child.stdout.take().expect("piped"), LIMIT);
    if written.is_err() {
        // It may write on. If it has ended there is nothing to end.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|e| failed(format!("was lost: {e}")))?;
    let written = written.map_err(|what| failed(format!("wrote {what}")))?;
    if !status.success() {
        return Err(failed(format!("ended with {status}; its own messages are above")));
    }
    parse(&written).map_err(|e| failed(format!("wrote what is no line of times: {e}")))
}

fn parse(written: &[u8]) -> Result<Vec<Line>, csv::Error> {
    csv::Reader::from_reader(written).deserialize().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_may_have_no_host_floors() {
        let floors = |text: &str| parse(text.as_bytes()).map(|lines| lines.iter().map(|l| l.host_floor).collect::<Vec<_>>());
        let header = "peer,variant,case,seconds,lower_quartile,upper_quartile,error";
        assert_eq!(floors(&format!("{header}\nburn,fusion,a,2,1,3,\n")).unwrap(), [None]);
        let two = format!("{header},host_floor\ntorch,eager,a,2,1,3,,0.5\ntorch,eager,b,,,,off by 3,\n");
        assert_eq!(floors(&two).unwrap(), [Some(0.5), None]);
        assert!(floors(&format!("{header},host_floor\ntorch,eager,a,2,1,3,,soon\n")).is_err());
    }
}
