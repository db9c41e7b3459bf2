//! Measurements as comma-separated lines: what `--csv` writes, what is kept under `benches/record`, what `--compare` reads.
use crate::Failure;
use ridgepole::bench::{Clock, Timing};
use serde::{Deserialize, Serialize};
use std::{fs::File, path::Path};

/// One case on one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

impl Row {
    pub fn new(device: &str, version: &str, t: &Timing) -> Self {
        Self {
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
        }
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

/// All rows of a file.
///
/// # Errors
/// [`Failure::Usage`] names the file and the line that is no measurement.
pub(super) fn read(path: &Path) -> Result<Vec<Row>, Failure> {
    let file = File::open(path).map_err(|e| Failure::file("read", path, e))?;
    let rows: Vec<Row> =
        csv::Reader::from_reader(file).deserialize().collect::<Result<_, _>>().map_err(|e| Failure::file("read", path, e))?;
    if rows.is_empty() {
        return Err(Failure::file("use", path, "it has no measurement: write one with `ridgepole bench --csv > FILE`"));
    }
    Ok(rows)
}
