//! Times an op against a copy of as many bytes on the same device, after checking that it computes the right thing.
//!
//! A time without a yardstick says little: clocks, drivers and neighbours differ from run to run. So each round times the
//! op and a plain copy ([`CopyOp`]) of [`Cost::bytes`](crate::op::Cost::bytes) in turn, and the result that travels is the
//! ratio. Median over the rounds, with the quartiles as spread.
//!
//! On a GPU with `TIMESTAMP_QUERY` the pass is timed by the GPU itself; else (and on software devices, where the
//! submission is part of the work) it is wall time from the submission to its end.
//!
//! Each run in a sample works on the next of several sets of buffers, a few times the cache together, so that data come from
//! memory, as they do between the ops of a training step. What this leaves out: an op that updates in place repeats on its
//! own results (each sample starts from fresh ones); and tensors so small that 64 sets fit into a cache stay there.
mod copy;
mod host;
mod ready;
mod stopwatch;

pub use copy::CopyOp;
pub use host::{HostCost, host};

use crate::{
    check,
    device::Gpu,
    op::{Op, Pattern, Rng},
    types::{Error, HostData},
};
use ready::Ready;
use serde::Serialize;
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use stopwatch::{Sample, Stopwatch};

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

/// What was measured of one op. Times are of one run of the op, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// The op's name.
    pub op: String,
    /// The op in full, as its `Debug` text.
    pub case: String,
    /// [`Cost::bytes`](crate::op::Cost::bytes).
    pub bytes: u64,
    /// [`Cost::elements`](crate::op::Cost::elements).
    pub elements: u64,
    /// Dispatches of one run.
    pub dispatches: usize,
    /// The median.
    pub seconds: f64,
    /// The lower and the upper quartile.
    pub quartiles: [f64; 2],
    /// The median of the copy that ran in turn with it.
    pub copy_seconds: f64,
    /// Bytes that this copy moved: read and written ones.
    pub copy_bytes: u64,
    /// The op's bandwidth as a part of the copy's, 1 being a copy: the median over the rounds, so that whatever slows the
    /// machine down for a while slows both.
    pub share: f64,
    /// The median of the processor time, all threads together; `None` on a GPU or without [`Options::cpu_clock`].
    pub cpu_seconds: Option<f64>,
    /// As `share`, of processor time.
    pub cpu_share: Option<f64>,
    /// Rounds.
    pub rounds: usize,
    /// What timed it.
    pub clock: Clock,
}

/// What a time was taken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The GPU's own timestamps around the pass.
    Timestamps,
    /// Wall time from submission to completion.
    Wall,
}

impl Timing {
    /// 10^9 bytes that the op moves a second.
    pub fn gb_per_s(&self) -> f64 {
        self.bytes as f64 / self.seconds / 1e9
    }

    /// 10^9 bytes that the copy moved a second.
    pub fn copy_gb_per_s(&self) -> f64 {
        self.copy_bytes as f64 / self.copy_seconds / 1e9
    }

    /// The distance of the quartiles, as a part of the median.
    pub fn spread(&self) -> f64 {
        (self.quartiles[1] - self.quartiles[0]) / self.seconds
    }
}

/// Elements of a bench case where nothing else is asked for: in f32, 16 MiB to a tensor.
pub const ELEMENTS: usize = 1 << 22;

/// The fewest elements of a bench case. Smaller ones would not be what they are named for: a layer has 64 channels, and an arena
/// 300 tensors.
pub const LEAST: usize = 1 << 10;

/// The table's bench cases whose `Debug` text, or whose op's name, contains `filter`, in the table's order: each of about
/// `elements` elements, or of [`LEAST`] if that is more. Some sizes make two shapes of an op one; then there is one case.
pub fn cases(filter: &str, elements: usize) -> Vec<Box<dyn Op>> {
    let mut seen = HashSet::new();
    let all = crate::ops::all().flat_map(|e| (e.bench)(elements.max(LEAST)));
    all.filter(|op| {
        let text = format!("{op:?}");
        (text.contains(filter) || op.name().contains(filter)) && seen.insert(text)
    })
    .collect()
}

/// Checks `op` on ordinary data, then times it.
///
/// # Errors
/// What is wrong with the result, or with the device. There is no time for a wrong result.
pub fn measure(gpu: &Gpu, queue: &wgpu::Queue, op: &dyn Op, options: &Options) -> Result<Timing, String> {
    verify(gpu, queue, op)?;
    time(gpu, queue, op, &Inputs::draw(op), options).map_err(|e| e.to_string())
}

/// Checks `op` on ordinary data: the first half of [`measure`].
///
/// # Errors
/// What is wrong with the result, or with the device.
pub fn verify(gpu: &Gpu, queue: &wgpu::Queue, op: &dyn Op) -> Result<(), String> {
    check::Case::new(op, Pattern::Ordinary, 0).run(gpu, queue)
}

/// What an op's arguments hold while it is timed. Drawing it takes the host longer than the GPU works, so it can be done ahead.
pub struct Inputs(Vec<HostData>);

impl Inputs {
    /// For each argument.
    pub fn draw(op: &dyn Op) -> Self {
        let mut rng = Rng::new(0);
        Self(op.args().iter().map(|a| op.fill(a, &mut rng, Pattern::Ordinary)).collect())
    }
}

/// Times `op`, which is known to be right: the second half of [`measure`].
///
/// # Errors
/// What is wrong with the description or with the device.
pub fn time(gpu: &Gpu, queue: &wgpu::Queue, op: &dyn Op, inputs: &Inputs, options: &Options) -> Result<Timing, Error> {
    let cost = op.cost();
    // Half of the bytes are read and half are written; at least as much as keeps a GPU busy for a moment.
    let most = gpu.caps().limits.max_buffer_size.min(u64::from(u32::MAX));
    let copy = CopyOp { len: ((cost.bytes / 2).clamp(1 << 16, most) / 16 * 4) as usize };
    let stopwatch = Stopwatch::new(gpu, queue, options.cpu_clock)?;
    let mine = Ready::new(gpu, op, inputs, options.working_set)?;
    let yard = Ready::new(gpu, &copy, &Inputs::draw(&copy), options.working_set)?;
    let mut repeats = [0; 2];
    for (ready, repeat) in [&mine, &yard].into_iter().zip(&mut repeats) {
        // The first run pays for compiling (software drivers do it at the first dispatch).
        stopwatch.sample(ready, 1)?;
        let once = stopwatch.sample(ready, 1)?.seconds.max(1e-7);
        *repeat = (options.sample.as_secs_f64() / once).ceil().clamp(1.0, 1000.0) as usize;
    }
    let start = Instant::now();
    while !gpu.caps().cpu && start.elapsed() < options.warm_up {
        stopwatch.sample(&mine, repeats[0])?;
        stopwatch.sample(&yard, repeats[1])?;
    }
    let mut rounds = Vec::new();
    for _ in 0..options.rounds.max(1) {
        rounds.push([stopwatch.sample(&mine, repeats[0])?, stopwatch.sample(&yard, repeats[1])?]);
    }
    let copy_bytes = 8 * copy.len as u64;
    let same = cost.bytes as f64 / copy_bytes as f64;
    let all = |of: &dyn Fn(&[Sample; 2]) -> Option<f64>| sorted(rounds.iter().filter_map(of).collect());
    let times = all(&|[op, _]| Some(op.seconds));
    let cpu = all(&|[op, _]| op.cpu);
    let cpu_shares = all(&|[op, copy]| Some(same * copy.cpu? / op.cpu?));
    Ok(Timing {
        op: op.name().to_string(),
        case: format!("{op:?}"),
        bytes: cost.bytes,
        elements: cost.elements,
        dispatches: mine.dispatches,
        seconds: quantile(&times, 0.5),
        quartiles: [quantile(&times, 0.25), quantile(&times, 0.75)],
        copy_seconds: quantile(&all(&|[_, copy]| Some(copy.seconds)), 0.5),
        copy_bytes,
        share: quantile(&all(&|[op, copy]| Some(same * copy.seconds / op.seconds)), 0.5),
        cpu_seconds: (!cpu.is_empty()).then(|| quantile(&cpu, 0.5)),
        cpu_share: (!cpu_shares.is_empty()).then(|| quantile(&cpu_shares, 0.5)),
        rounds: rounds.len(),
        clock: stopwatch.clock(),
    })
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// Of values in rising order, at least one: between the two nearest, linearly.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}
