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
mod inputs;
mod options;
mod ready;
mod stopwatch;
mod timing;

pub use copy::CopyOp;
pub use host::{HostCost, host};
pub use inputs::Inputs;
pub use options::{CpuClock, Options};
pub use timing::{Clock, Timing, quantile};

use crate::{
    check,
    device::Gpu,
    op::{Op, Pattern, Verify},
    types::Error,
};
use ready::Ready;
use std::{collections::HashSet, time::Instant};
use stopwatch::{Sample, Stopwatch};
use timing::sorted;

/// Elements of a bench case where nothing else is asked for: in f32, 16 MiB to a tensor.
pub const ELEMENTS: usize = 1 << 22;

/// The fewest elements of a bench case. Smaller ones would not be what they are named for: a layer has 64 channels, and an arena
/// 300 tensors.
pub const LEAST: usize = 1 << 10;

/// The ops table's bench cases whose `Debug` text, or whose op's name, contains `filter`, in its order: each of about
/// `elements` elements, or of [`LEAST`] if that is more. Some sizes make two shapes of an op one; then there is one case.
pub fn cases(filter: &str, elements: usize) -> Vec<Box<dyn Verify>> {
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
pub fn measure(gpu: &Gpu, queue: &wgpu::Queue, op: &dyn Verify, options: &Options) -> Result<Timing, String> {
    verify(gpu, queue, op)?;
    time(gpu, queue, op, &Inputs::draw(op), options).map_err(|e| e.to_string())
}

/// Checks `op` on ordinary data: the first half of [`measure`].
///
/// # Errors
/// What is wrong with the result, or with the device.
pub fn verify(gpu: &Gpu, queue: &wgpu::Queue, op: &dyn Verify) -> Result<(), String> {
    check::Case::new(op, Pattern::Ordinary, 0).run(gpu, queue)
}

/// Times `op`, which is known to be right: the second half of [`measure`].
///
/// # Errors
/// What is wrong with the description or with the device.
pub fn time(gpu: &Gpu, queue: &wgpu::Queue, op: &dyn Op, inputs: &Inputs, options: &Options) -> Result<Timing, Error> {
    let cost = op.cost();
    // Half of the bytes are read and half are written; at least as much as keeps a GPU busy for a moment.
    let most = gpu.device().limits().max_buffer_size.min(u64::from(u32::MAX));
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
