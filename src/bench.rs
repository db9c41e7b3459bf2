//! Times an op against a copy of as many bytes on the same device, after checking that it computes the right thing.
//!
//! A time without a yardstick says little: clocks, drivers and neighbours differ from run to run. So each round times the
//! op and a plain copy ([`CopyOp`]) of [`Cost::bytes`](crate::Cost::bytes) in turn, and the result that travels is the
//! ratio. Median over the rounds, with the quartiles as spread.
//!
//! On a GPU with `TIMESTAMP_QUERY` the pass is timed by the GPU itself; else (and on software devices, where the
//! submission is part of the work) it is wall time from the submission to its end.
//!
//! What this leaves out: buffers no larger than a cache stay in it from one repetition to the next, for the op and the
//! copy alike; and an op that updates in place repeats on its own results (each sample starts from fresh ones).
mod copy;

pub use copy::CopyOp;

use crate::{Access, Bound, DType, Error, Gpu, HostData, Op, Pattern, Rng, check, gpu::scoped, readback};
use serde::Serialize;
use std::time::{Duration, Instant};
use wgpu::util::DeviceExt;

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How many times op and copy are timed in turn; at least 1.
    pub rounds: usize,
    /// A sample repeats its work until it takes about this long, so that the clock's grain and the submission do not count.
    pub sample: Duration,
}

impl Default for Options {
    /// 11 rounds of 20 ms samples: under a second an op.
    fn default() -> Self {
        Self { rounds: 11, sample: Duration::from_millis(20) }
    }
}

/// What was measured of one op. Times are of one run of the op, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// The op's name.
    pub op: String,
    /// The op in full, as its `Debug` text.
    pub case: String,
    /// [`Cost::bytes`](crate::Cost::bytes).
    pub bytes: u64,
    /// [`Cost::elements`](crate::Cost::elements).
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

/// The table's bench cases whose `Debug` text contains `filter`, in the table's order.
pub fn cases(filter: &str) -> Vec<Box<dyn Op>> {
    let all = crate::ops::all().flat_map(|e| (e.bench)());
    all.filter(|op| format!("{op:?}").contains(filter) || op.name().contains(filter)).collect()
}

/// Checks `op` on ordinary data, then times it.
///
/// # Errors
/// What is wrong with the result, or with the device. There is no time for a wrong result.
pub fn measure(gpu: &Gpu, queue: &wgpu::Queue, op: &dyn Op, options: &Options) -> Result<Timing, String> {
    check::Case::new(op, Pattern::Ordinary, 0).run(gpu, queue)?;
    time(gpu, queue, op, options).map_err(|e| e.to_string())
}

fn time(gpu: &Gpu, queue: &wgpu::Queue, op: &dyn Op, options: &Options) -> Result<Timing, Error> {
    let cost = op.cost();
    // Half of the bytes are read and half are written; at least as much as keeps a GPU busy for a moment.
    let most = gpu.caps().limits.max_buffer_size.min(u64::from(u32::MAX));
    let copy = CopyOp { len: ((cost.bytes / 2).clamp(1 << 16, most) / 16 * 4) as usize };
    let stopwatch = Stopwatch::new(gpu, queue)?;
    let (mine, yard) = (Ready::new(gpu, op)?, Ready::new(gpu, &copy)?);
    let mut repeats = [0; 2];
    for (ready, repeat) in [&mine, &yard].into_iter().zip(&mut repeats) {
        // The first run pays for compiling (software drivers do it at the first dispatch).
        stopwatch.sample(ready, 1)?;
        let once = stopwatch.sample(ready, 1)?.max(1e-7);
        *repeat = (options.sample.as_secs_f64() / once).ceil().clamp(1.0, 1000.0) as usize;
    }
    let (mut times, mut yards) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds.max(1) {
        times.push(stopwatch.sample(&mine, repeats[0])?);
        yards.push(stopwatch.sample(&yard, repeats[1])?);
    }
    let copy_bytes = 8 * copy.len as u64;
    let same = cost.bytes as f64 / copy_bytes as f64;
    let mut shares: Vec<f64> = times.iter().zip(&yards).map(|(t, y)| same * y / t).collect();
    Ok(Timing {
        op: op.name().to_string(),
        case: format!("{op:?}"),
        bytes: cost.bytes,
        elements: cost.elements,
        dispatches: mine.dispatches,
        seconds: quantile(&mut times, 0.5),
        quartiles: [quantile(&mut times, 0.25), quantile(&mut times, 0.75)],
        copy_seconds: quantile(&mut yards, 0.5),
        copy_bytes,
        share: quantile(&mut shares, 0.5),
        rounds: times.len(),
        clock: stopwatch.clock(),
    })
}

/// Between the two nearest values, linearly.
fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = q * (values.len() - 1) as f64;
    let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

/// An op bound to buffers of its own, and what its updated ones held at first.
struct Ready {
    bound: Bound,
    dispatches: usize,
    fresh: Vec<(wgpu::Buffer, wgpu::Buffer)>,
}

impl Ready {
    fn new(gpu: &Gpu, op: &dyn Op) -> Result<Self, Error> {
        let plan = gpu.plan(op)?;
        let mut rng = Rng::new(0);
        let what = format!("{}: buffers", op.name());
        let (mut buffers, mut fresh, mut reads) = (Vec::new(), Vec::new(), 0);
        for arg in plan.args() {
            let data = op.fill(arg, &mut rng, Pattern::Ordinary);
            buffers.push(scoped(gpu.device(), &what, || upload(gpu.device(), &data))?);
            match arg.access {
                Access::Read => reads += 1,
                Access::Update => {
                    let first = scoped(gpu.device(), &what, || upload(gpu.device(), &data))?;
                    fresh.push((first, buffers[buffers.len() - 1].clone()));
                }
                Access::Write => {}
            }
        }
        let words = HostData::from_bytes(DType::U32, &vec![0; plan.scratch_size().next_multiple_of(4) as usize]);
        let scratch = scoped(gpu.device(), &what, || upload(gpu.device(), &words))?;
        let slices: Vec<_> = buffers.iter().map(|b| b.slice(..)).collect();
        let bound = plan.bind(&slices[..reads], &slices[reads..], Some(scratch.slice(..)))?;
        Ok(Self { bound, dispatches: plan.dispatches(), fresh })
    }
}

fn upload(device: &wgpu::Device, data: &HostData) -> wgpu::Buffer {
    let mut bytes = data.bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(4).max(16), 0);
    device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: Some("bench"),
        contents: &bytes,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
    })
}

/// Longer than any sample takes on a device that still works.
const PATIENCE: Duration = Duration::from_secs(120);

struct Stopwatch<'a> {
    device: &'a wgpu::Device,
    queue: &'a wgpu::Queue,
    stamps: Option<(wgpu::QuerySet, wgpu::Buffer)>,
}

impl<'a> Stopwatch<'a> {
    fn new(gpu: &'a Gpu, queue: &'a wgpu::Queue) -> Result<Self, Error> {
        let device = gpu.device();
        let wanted = device.features().contains(wgpu::Features::TIMESTAMP_QUERY) && !gpu.caps().cpu;
        let make = || {
            let set = device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("bench"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            });
            let buffer = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("timestamps"),
                size: 16,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            (set, buffer)
        };
        let stamps = if wanted { Some(scoped(device, "timestamps", make)?) } else { None };
        Ok(Self { device, queue, stamps })
    }

    fn clock(&self) -> Clock {
        if self.stamps.is_some() { Clock::Timestamps } else { Clock::Wall }
    }

    /// Seconds that one run takes, as the mean of `repeats` in one pass.
    fn sample(&self, ready: &Ready, repeats: usize) -> Result<f64, Error> {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        for (from, to) in &ready.fresh {
            encoder.copy_buffer_to_buffer(from, 0, to, 0, from.size());
        }
        self.finish(encoder)?;
        let mut encoder = self.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("bench"),
            timestamp_writes: self.stamps.as_ref().map(|(query_set, _)| wgpu::ComputePassTimestampWrites {
                query_set,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            }),
        });
        for _ in 0..repeats {
            ready.bound.record(&mut pass);
        }
        drop(pass);
        if let Some((set, buffer)) = &self.stamps {
            encoder.resolve_query_set(set, 0..2, buffer, 0);
        }
        let wall = self.finish(encoder)?;
        let seconds = match &self.stamps {
            None => wall,
            Some((_, buffer)) => {
                let bytes = readback::read(self.device, self.queue, buffer, 16)?;
                let stamp = |i: usize| u64::from_le_bytes(bytes[8 * i..8 * i + 8].try_into().expect("eight bytes"));
                stamp(1).saturating_sub(stamp(0)) as f64 * f64::from(self.queue.get_timestamp_period()) * 1e-9
            }
        };
        Ok(seconds / repeats as f64)
    }

    /// Submits, waits, and gives the seconds that this took.
    fn finish(&self, encoder: wgpu::CommandEncoder) -> Result<f64, Error> {
        let commands = encoder.finish();
        let start = Instant::now();
        self.queue.submit([commands]);
        let waited = self.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(PATIENCE) });
        waited.map_err(|e| Error::Device { what: "waiting for the device".into(), message: e.to_string() })?;
        Ok(start.elapsed().as_secs_f64())
    }
}
