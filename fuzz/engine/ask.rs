//! What `cargo xtask fuzz` asks for.
use std::{path::PathBuf, time::Duration};

pub struct Ask {
    /// Whether the program runs for one target alone, so that it may limit memory and take panics over.
    pub alone: bool,
    /// Where to put what is found.
    pub out: Option<PathBuf>,
    /// One input to run, and no other.
    pub file: Option<PathBuf>,
    pub seed: u64,
    inputs: Option<u64>,
    time: Option<Duration>,
}

impl Ask {
    /// From `RIDGEPOLE_FUZZ_OUT`, a folder, `_FILE`, `_SEED`, `_INPUTS` and `_MINUTES`.
    pub fn read(target: &str) -> Self {
        let text = |name: &str| std::env::var(format!("RIDGEPOLE_FUZZ_{name}")).ok();
        let number =
            |name: &str| text(name).map(|t| t.parse::<f64>().unwrap_or_else(|e| panic!("RIDGEPOLE_FUZZ_{name} is {t:?}: {e}")));
        let out = text("OUT").map(|t| PathBuf::from(t).join(target));
        Self {
            alone: out.is_some(),
            file: text("FILE").map(PathBuf::from),
            seed: number("SEED").unwrap_or(0.0) as u64,
            inputs: number("INPUTS").map(|n| n as u64),
            time: number("MINUTES").map(|m| Duration::from_secs_f64(m * 60.0)),
            out,
        }
    }

    /// Whether so many inputs in so much time are enough.
    pub fn over(&self, inputs: u64, time: Duration) -> bool {
        match (self.inputs, self.time) {
            (None, None) => inputs >= super::run::IN_A_TEST,
            (most, limit) => most.is_some_and(|n| inputs >= n) || limit.is_some_and(|t| time >= t),
        }
    }
}
