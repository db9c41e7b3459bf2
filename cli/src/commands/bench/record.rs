//! Measurements as comma-separated lines: what `--csv` writes, what is kept under `benches/record`, what `--compare` reads.
use crate::{
    Failure, Ui,
    input::{self, Limit},
    seal, text,
    timing::csv_line,
};
use ridgepole::bench::{Clock, Timing};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One case on one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub device: String,
    /// The version of ridgepole, and the commit that it was built from, where that is known.
    pub version: String,
    pub op: String,
    pub case: String,
    pub bytes: u64,
    pub elements: u64,
    pub dispatches: usize,
    pub seconds: f64,
    pub lower_quartile: f64,
    pub upper_quartile: f64,
    pub gb_per_s: f64,
    pub copy_gb_per_s: f64,
    pub share: f64,
    /// Empty where the device is no software.
    pub cpu_seconds: Option<f64>,
    pub cpu_share: Option<f64>,
    pub rounds: usize,
    pub clock: String,
    /// A hash of the other cells, so that a damaged line is found; none in records of earlier versions.
    #[serde(default)]
    pub check: Option<String>,
}

/// Bytes at most: hundreds of thousands of lines.
const LIMIT: Limit = Limit(256 << 20);

impl Row {
    pub fn new(device: &str, version: &str, t: &Timing) -> Self {
        let new = Self {
            device: device.to_string(),
            version: version.to_string(),
            op: t.op.clone(),
            case: t.case.clone(),
            bytes: t.bytes,
            elements: t.elements,
            dispatches: t.dispatches,
            seconds: t.seconds,
            lower_quartile: t.quartiles[0],
            upper_quartile: t.quartiles[1],
            gb_per_s: t.gb_per_s(),
            copy_gb_per_s: t.copy_gb_per_s(),
            share: t.share,
            cpu_seconds: t.cpu_seconds,
            cpu_share: t.cpu_share,
            rounds: t.rounds,
            clock: match t.clock {
                Clock::Timestamps => "timestamps".to_string(),
                Clock::Wall => "wall".to_string(),
            },
            check: None,
        };
        // As it will be read: without what is not to be seen.
        let shown = |text: &String| text::visible(text).into_owned();
        let [device, version, op, case] = [&new.device, &new.version, &new.op, &new.case].map(shown);
        let new = Self { device, version, op, case, ..new };
        Self { check: Some(new.hash()), ..new }
    }

    /// Of all cells but the hash.
    fn hash(&self) -> String {
        seal::short(csv_line(&Self { check: None, ..self.clone() }, false).as_bytes())
    }

    /// The measurement again, as far as it was kept.
    pub fn timing(&self) -> Timing {
        Timing {
            op: self.op.clone(),
            case: self.case.clone(),
            bytes: self.bytes,
            elements: self.elements,
            dispatches: self.dispatches,
            seconds: self.seconds,
            quartiles: [self.lower_quartile, self.upper_quartile],
            copy_seconds: self.bytes as f64 / (1e9 * self.copy_gb_per_s),
            copy_bytes: self.bytes,
            share: self.share,
            cpu_seconds: self.cpu_seconds,
            cpu_share: self.cpu_share,
            rounds: self.rounds,
            clock: if self.clock == "wall" { Clock::Wall } else { Clock::Timestamps },
        }
    }
}

/// All rows of a file, or of a pipe. A note says it if they have no hashes.
///
/// # Errors
/// [`Failure::Usage`] names the file and the line that is no measurement, or that was changed since it was written.
pub(super) fn read(path: &Path, ui: &Ui) -> Result<Vec<Row>, Failure> {
    let (content, notice) = input::text(path, LIMIT, "records")?;
    notice.into_iter().for_each(|notice| ui.note(notice));
    let path = input::shown(path);
    let rows = parse(content.as_bytes()).map_err(|why| Failure::file("read", path, why))?;
    if rows.is_empty() {
        return Err(Failure::file("use", path, "it has no measurement: write one with `ridgepole bench --csv > FILE`"));
    }
    let unchecked = rows.iter().filter(|r| r.check.is_none()).count();
    if unchecked > 0 {
        let (lines, path) = (text::count(unchecked, "line"), text::path(path));
        ui.note(format_args!("note: {lines} of {path} have no hash, as those of earlier versions: taken as they are"));
    }
    Ok(rows)
}

fn parse(bytes: &[u8]) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut reader = csv::Reader::from_reader(bytes);
    let headers = reader.headers().map_err(|e| e.to_string())?.clone();
    let hashed = headers.iter().any(|name| name == "check");
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let row: Row = record.deserialize(Some(&headers)).map_err(|e| e.to_string())?;
        let kept = match &row.check {
            Some(check) => *check == row.hash(),
            None => !hashed,
        };
        if !kept {
            return Err(format!(
                "line {line} is not as it was written: its cells do not have the hash that the last one should be; measure it again"
            ));
        }
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing() -> Timing {
        Timing {
            op: "x".into(),
            case: "X { a: 1, b: \u{1b}[31m\"\n }".into(),
            bytes: 8,
            elements: 2,
            dispatches: 1,
            seconds: 1.5e-6,
            quartiles: [1.25e-6, 1.75e-6],
            copy_seconds: 1e-6,
            copy_bytes: 8,
            share: 0.6,
            cpu_seconds: None,
            cpu_share: Some(0.1),
            rounds: 11,
            clock: Clock::Wall,
        }
    }

    #[test]
    fn a_record_with_a_bit_changed_is_refused_or_says_the_same() {
        let row = Row::new("card", "1", &timing());
        let good = csv_line(&row, true) + &csv_line(&row, false);
        let rows = parse(good.as_bytes()).unwrap();
        assert_eq!(rows, [row.clone(), row]);
        assert!(text::tests::harmless(&good), "{good:?}");
        let mut bytes = good.clone().into_bytes();
        let mut same = 0;
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            // A carriage return ends a line as a newline does.
            same += usize::from(parse(&bytes).is_ok_and(|read| {
                assert_eq!(read, rows, "bit {bit}");
                true
            }));
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(same < 10, "{same} changes are taken");
        for end in 0..good.len() - 1 {
            // What is left of a record that was cut between two lines is whole lines.
            if let Ok(read) = parse(&good.as_bytes()[..end]) {
                assert!(rows.starts_with(&read), "cut at {end}: {read:?}");
            }
        }
    }
}
