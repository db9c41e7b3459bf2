//! How to measure.
use std::time::Duration;

/// The processor time that this process has used so far, all its threads together.
pub type CpuClock = fn() -> Duration;

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many times op and copy are timed in turn; at least 1.
    pub rounds: usize,
    /// A sample repeats its work until it takes about this long, so that the clock's grain and the submission do not count.
    pub sample: Duration,
    /// Bytes that op and copy each go through before they come to the same buffers again: several times the largest cache.
    /// 0 stays on one set of buffers.
    pub working_set: u64,
    /// A GPU that was idle needs a moment of work until its clocks have risen; a software device needs none.
    pub warm_up: Duration,
    /// If there is one, and the device is software: it tells the work done from the wait for a core that others use.
    pub cpu_clock: Option<CpuClock>,
}

impl Default for Options {
    /// 11 rounds of 20 ms samples over 256 MiB: about a second an op.
    fn default() -> Self {
        let (sample, warm_up) = (Duration::from_millis(20), Duration::from_millis(300));
        Self { rounds: 11, sample, working_set: 256 << 20, warm_up, cpu_clock: None }
    }
}
