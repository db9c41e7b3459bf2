//! What an op costs on the host, whatever the size of its tensors.
use super::{
    Inputs, Options,
    ready::Ready,
    stopwatch::wait,
    timing::{quantile, sorted},
};
use crate::{device::Gpu, op::Verify, types::Error};
use serde::Serialize;
use std::time::Instant;

/// Seconds that the host spends on an op. Medians, but for `compile`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostCost {
    /// The op's name.
    pub op: String,
    /// The op in full, as its `Debug` text.
    pub case: String,
    /// Dispatches of one run.
    pub dispatches: usize,
    /// [`Gpu::plan`] on a `Gpu` that has none of its pipelines. (A driver may still keep them, or compile at the first dispatch.)
    pub compile: f64,
    /// [`Gpu::plan`] with the pipelines at hand: checks, lowers, and makes the buffers of parameters and tables.
    pub plan: f64,
    /// The part of it that is [`Op::lower`](crate::Op::lower): the rest looks pipelines up and makes buffers.
    pub lower: f64,
    /// [`Plan::bind`](crate::device::Plan::bind).
    pub bind: f64,
    /// [`Bound::record`](crate::device::Bound::record).
    pub record: f64,
    /// Finishing the encoder and submitting it, without the wait for its end.
    pub submit: f64,
}

/// Times what the host does for `op`, `10·rounds` times over. The work itself is not timed, and is done `rounds` times only.
///
/// # Errors
/// Whatever planning the op or the device may report.
pub fn host(gpu: &Gpu, queue: &wgpu::Queue, op: &dyn Verify, options: &Options) -> Result<HostCost, Error> {
    let clock = |start: Instant| start.elapsed().as_secs_f64();
    gpu.own("bench", queue)?;
    let bare = Gpu::with_caps(gpu.device(), gpu.caps().clone());
    let start = Instant::now();
    bare.plan(op)?;
    let compile = clock(start);
    let ready = Ready::new(gpu, op, &Inputs::draw(op), 0)?;
    let mut times = [const { Vec::new() }; 5];
    let mut dispatches = 0;
    for i in 0..10 * options.rounds.max(1) {
        let start = Instant::now();
        let plan = gpu.plan(op)?;
        times[0].push(clock(start));
        dispatches = plan.dispatches();
        let start = Instant::now();
        std::hint::black_box(op.lower(gpu.caps())?);
        times[4].push(clock(start));
        let start = Instant::now();
        let bound = ready.first().bind(&plan)?;
        times[1].push(clock(start));
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        let start = Instant::now();
        bound.record(&mut pass);
        times[2].push(clock(start));
        drop(pass);
        if i % 10 > 0 {
            continue;
        }
        let start = Instant::now();
        queue.submit([encoder.finish()]);
        times[3].push(clock(start));
        wait(gpu.device())?;
    }
    let [plan, bind, record, submit, lower] = times.map(|t| quantile(&sorted(t), 0.5));
    Ok(HostCost { op: op.name().to_string(), case: format!("{op:?}"), dispatches, compile, plan, lower, bind, record, submit })
}
