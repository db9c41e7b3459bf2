//! Times a pass, by the GPU's own clock where it has one, else by the clock on the wall.
use super::{Clock, CpuClock, ready::Ready};
use crate::{
    device::{Gpu, poll, readback, scoped},
    types::Error,
};
use std::time::{Duration, Instant};

/// Longer than any sample takes on a device that still works.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) struct Stopwatch<'a> {
    device: &'a wgpu::Device,
    queue: &'a wgpu::Queue,
    stamps: Option<(wgpu::QuerySet, wgpu::Buffer)>,
    cpu: Option<CpuClock>,
}

/// Seconds of one run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    pub seconds: f64,
    /// Of the whole process, all threads together.
    pub cpu: Option<f64>,
}

impl<'a> Stopwatch<'a> {
    pub fn new(gpu: &'a Gpu, queue: &'a wgpu::Queue, cpu: Option<CpuClock>) -> Result<Self, Error> {
        let device = gpu.device();
        gpu.own("bench", queue)?;
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
        // Beside a GPU's work, the host's processors only wait.
        Ok(Self { device, queue, stamps, cpu: cpu.filter(|_| gpu.caps().cpu) })
    }

    pub fn clock(&self) -> Clock {
        if self.stamps.is_some() { Clock::Timestamps } else { Clock::Wall }
    }

    /// What one run takes, as the mean of `repeats` in one pass.
    pub fn sample(&self, ready: &Ready, repeats: usize) -> Result<Sample, Error> {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        ready.restore(&mut encoder);
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
        ready.record(&mut pass, repeats);
        drop(pass);
        if let Some((set, buffer)) = &self.stamps {
            encoder.resolve_query_set(set, 0..2, buffer, 0);
        }
        let mut sample = self.finish(encoder)?;
        if let Some((_, buffer)) = &self.stamps {
            let bytes = readback::copied(self.device, self.queue, buffer, 16, |bytes| Ok(bytes.to_vec()))?;
            let stamp = |i: usize| u64::from_le_bytes(bytes[8 * i..8 * i + 8].try_into().expect("eight bytes"));
            sample.seconds = stamp(1).saturating_sub(stamp(0)) as f64 * f64::from(self.queue.get_timestamp_period()) * 1e-9;
        }
        let n = repeats as f64;
        Ok(Sample { seconds: sample.seconds / n, cpu: sample.cpu.map(|s| s / n) })
    }

    /// Submits, waits, and gives the seconds that this took.
    fn finish(&self, encoder: wgpu::CommandEncoder) -> Result<Sample, Error> {
        let commands = encoder.finish();
        let (start, busy) = (Instant::now(), self.cpu.map(|now| now()));
        self.queue.submit([commands]);
        wait(self.device)?;
        let seconds = start.elapsed().as_secs_f64();
        let cpu = self.cpu.zip(busy).map(|(now, before)| now().saturating_sub(before).as_secs_f64());
        Ok(Sample { seconds, cpu })
    }
}

/// Waits for all that was submitted.
pub(super) fn wait(device: &wgpu::Device) -> Result<(), Error> {
    poll(device, "waiting for the device", wgpu::PollType::Wait { submission_index: None, timeout: Some(PATIENCE) })
}
