//! Ops bound to buffers of their own, several sets of them, so that a sample does not find its data in the cache.
use super::Inputs;
use crate::{
    device::{Bound, Gpu, Plan, filled},
    op::{Access, Op},
    types::{DType, Error, HostData, memory},
};

/// More sets than this would cost more memory and time to fill than they tell.
const MOST_SETS: u64 = 64;

/// An op bound to sets of buffers, and what its updated ones held at first.
pub(super) struct Ready {
    sets: Vec<Set>,
    pub dispatches: usize,
    fresh: Vec<(wgpu::Buffer, wgpu::Buffer)>,
}

/// The buffers of one run, in the order of the op's arguments, and scratch.
pub(super) struct Set {
    pub bound: Bound,
    buffers: Vec<wgpu::Buffer>,
    reads: usize,
    scratch: wgpu::Buffer,
}

impl Set {
    /// Binds `plan` to these buffers.
    pub fn bind(&self, plan: &Plan) -> Result<Bound, Error> {
        let slices: Vec<_> = self.buffers.iter().map(|b| b.slice(..)).collect();
        plan.bind(&slices[..self.reads], &slices[self.reads..], Some(self.scratch.slice(..)))
    }
}

impl Ready {
    /// As many sets of buffers as come to `working_set` bytes, one at least.
    pub fn new(gpu: &Gpu, op: &dyn Op, inputs: &Inputs, working_set: u64) -> Result<Self, Error> {
        let (plan, data) = (gpu.plan(op)?, inputs.data()?);
        let each: u64 = plan.args().iter().map(|a| a.bytes()).sum();
        let mut ready = Self { sets: Vec::new(), dispatches: plan.dispatches(), fresh: Vec::new() };
        // The same data in each set: what they hold does not matter to the clock, and drawing it takes time.
        for _ in 0..working_set.div_ceil(each.max(1)).clamp(1, MOST_SETS) {
            let set = ready.set(gpu, &plan, data)?;
            ready.sets.push(set);
        }
        Ok(ready)
    }

    fn set(&mut self, gpu: &Gpu, plan: &Plan, data: &[HostData]) -> Result<Set, Error> {
        let (mut buffers, mut reads) = (Vec::new(), 0);
        for (arg, data) in plan.args().iter().zip(data) {
            buffers.push(upload(gpu.device(), data)?);
            match arg.access {
                Access::Read => reads += 1,
                Access::Update => {
                    let first = upload(gpu.device(), data)?;
                    self.fresh.push((first, buffers[buffers.len() - 1].clone()));
                }
                Access::Write => {}
            }
        }
        let words = HostData::try_zeros(DType::U32, plan.scratch_size().div_ceil(4) as usize)?;
        let scratch = upload(gpu.device(), &words)?;
        let slices: Vec<_> = buffers.iter().map(|b| b.slice(..)).collect();
        let bound = plan.bind(&slices[..reads], &slices[reads..], Some(scratch.slice(..)))?;
        Ok(Set { bound, buffers, reads, scratch })
    }

    /// The first set.
    pub fn first(&self) -> &Set {
        &self.sets[0]
    }

    /// Records `repeats` runs, each on the next set.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, repeats: usize) {
        for set in self.sets.iter().cycle().take(repeats) {
            set.bound.record(pass);
        }
    }

    /// Gives the updated buffers what they held at first.
    pub fn restore(&self, encoder: &mut wgpu::CommandEncoder) {
        for (from, to) in &self.fresh {
            encoder.copy_buffer_to_buffer(from, 0, to, 0, from.size());
        }
    }
}

fn upload(device: &wgpu::Device, data: &HostData) -> Result<wgpu::Buffer, Error> {
    let mut bytes = memory::room("buffers of a benchmark", data.bytes().len() + 16)?;
    bytes.extend_from_slice(data.bytes());
    bytes.resize(bytes.len().next_multiple_of(4).max(16), 0);
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    filled(device, "buffers of a benchmark", &bytes, usage)
}
