//! Ops with their buffers, in the order in which they run. Some change from step to step (the dropout key, the number of the optimizer
//! step) and are functions of the step.
use ridgepole::{Bound, DType, Error, HostData, Op, Plan, Session, wgpu};
use wgpu::BufferSlice;

/// The op at a step.
type AtStep = Box<dyn Fn(u64) -> Box<dyn Op>>;

/// Ops in order, each planned and bound.
pub struct Chain<'a> {
    session: &'a Session,
    stages: Vec<(Plan, Bound, Option<AtStep>)>,
}

impl<'a> Chain<'a> {
    /// An empty one.
    pub fn new(session: &'a Session) -> Self {
        Self { session, stages: Vec::new() }
    }

    /// A new buffer of `len` f32 zeros.
    pub fn floats(&self, len: usize) -> Result<wgpu::Buffer, Error> {
        self.session.empty(DType::F32, len)
    }

    /// A new buffer with these values.
    pub fn upload(&self, values: &[f32]) -> Result<wgpu::Buffer, Error> {
        self.session.upload(&HostData::F32(values.to_vec()))
    }

    /// Adds an op that is the same at every step.
    pub fn push(&mut self, op: &dyn Op, reads: &[BufferSlice], writes: &[BufferSlice]) -> Result<(), Error> {
        let (plan, bound) = self.bind(op, reads, writes)?;
        self.stages.push((plan, bound, None));
        Ok(())
    }

    /// Adds an op whose scalars change with the step.
    pub fn push_at(
        &mut self,
        op: impl Fn(u64) -> Box<dyn Op> + 'static,
        reads: &[BufferSlice],
        writes: &[BufferSlice],
    ) -> Result<(), Error> {
        let (plan, bound) = self.bind(op(1).as_ref(), reads, writes)?;
        self.stages.push((plan, bound, Some(Box::new(op))));
        Ok(())
    }

    fn bind(&self, op: &dyn Op, reads: &[BufferSlice], writes: &[BufferSlice]) -> Result<(Plan, Bound), Error> {
        let plan = self.session.gpu().plan(op)?;
        let scratch = self.session.empty(DType::U32, plan.scratch_size().div_ceil(4) as usize)?;
        let bound = plan.bind(reads, writes, Some(scratch.slice(..)))?;
        Ok((plan, bound))
    }

    /// Sets the scalars that change. Takes effect at the queue's next submission.
    pub fn at(&self, step: u64) -> Result<(), Error> {
        for (plan, _, op) in &self.stages {
            if let Some(op) = op {
                plan.update(self.session.queue(), op(step).as_ref())?;
            }
        }
        Ok(())
    }

    /// Records all ops, in order.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        self.stages.iter().for_each(|(_, bound, _)| bound.record(pass));
    }
}

/// Part of a buffer of f32, in elements.
pub fn part(buffer: &wgpu::Buffer, start: usize, len: usize) -> BufferSlice<'_> {
    buffer.slice(4 * start as u64..4 * (start + len) as u64)
}
