//! An op as dispatches.
use super::{Caps, Params};
use crate::{
    types::{Error, memory},
    wgsl::Spec,
};
use std::ops::Range;

/// What one dispatch binds.
#[derive(Clone, Debug, PartialEq)]
pub enum Slot {
    /// These bytes of the argument with this index. The start is a multiple of the device's offset alignment.
    Arg(usize, Range<u64>),
    /// These bytes of the scratch buffer (start aligned likewise).
    Scratch(Range<u64>),
    /// These bytes of [`Lowered::tables`] (start aligned likewise).
    Table(Range<u64>),
}

/// One dispatch, as data.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The pipeline.
    pub spec: Spec,
    /// Its parameters, binding 0.
    pub params: Params,
    /// Bindings 1, 2, ... in the order of `spec.bindings`.
    pub slots: Vec<Slot>,
    /// How many workgroups, before long rows are wrapped.
    pub workgroups: u64,
    /// The largest number of loop trips that one invocation makes. Some drivers drop what comes after 65,535.
    pub trips: u64,
}

/// The longest loop that an invocation may make, summed over all its loops.
pub const MAX_TRIPS: u64 = 8192;

impl Step {
    /// Wraps a long row of workgroups into rows and layers, as `shaders/lib/partition/grid.wgsl` undoes it.
    /// `None` when not even wrapping makes it fit.
    pub fn grid(&self, caps: &Caps) -> Option<[u32; 3]> {
        let (fold, limit) = (u64::from(caps.fold), u64::from(caps.limits.max_compute_workgroups_per_dimension));
        let x = self.workgroups.min(fold);
        let rows = self.workgroups.div_ceil(x.max(1));
        let y = rows.min(limit);
        let z = rows.div_ceil(y.max(1));
        (z <= limit).then_some([x as u32, y as u32, z as u32])
    }

    /// The grid, [`Step::grid`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is too large for the device.
    pub(crate) fn dispatched(&self, op: &'static str, caps: &Caps) -> Result<[u32; 3], Error> {
        self.grid(caps).ok_or_else(|| {
            let limit = caps.limits.max_compute_workgroups_per_dimension;
            Error::unsupported(op, format!("{} workgroups are too many for a grid of {limit} cubed", self.workgroups))
        })
    }
}

/// An op as the GPU sees it: dispatches in order, and what they share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lowered {
    pub(crate) steps: Vec<Step>,
    pub(crate) scratch: u64,
    pub(crate) tables: Vec<u8>,
    /// Whether a step came from outside this crate. The loops of the crate's own steps are known to end, see `Gpu::compile`;
    /// nobody else can add a step, or change one, without leaving a mark here.
    pub(crate) foreign: bool,
    /// Bytes of a table that the device could not bind, or the host had no memory for: it is left out, and no plan comes of this.
    pub(crate) absent: Option<u64>,
}

impl Lowered {
    /// Appends a dispatch.
    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
        self.foreign = true;
    }

    /// The dispatches, in order. None for an empty tensor.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The dispatches themselves.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// Bytes of scratch that the caller provides.
    pub fn scratch_bytes(&self) -> u64 {
        self.scratch
    }

    /// Constant tables that the plan uploads once (segments of an arena, parameter groups).
    pub fn tables(&self) -> &[u8] {
        &self.tables
    }

    /// Reserves aligned scratch and returns its bytes.
    pub fn scratch(&mut self, bytes: u64, caps: &Caps) -> Range<u64> {
        let start = self.scratch.next_multiple_of(caps.alignment());
        self.scratch = start + bytes.next_multiple_of(16);
        start..self.scratch
    }

    /// Adds an aligned table of so many times the same number and returns its bytes. What is too large to be bound is not made.
    pub(crate) fn constant_table(&mut self, value: f32, count: u64, caps: &Caps) -> Range<u64> {
        let bytes = count.saturating_mul(4);
        let numbers = usize::try_from(count).ok().filter(|_| bytes <= caps.limits.max_storage_buffer_binding_size);
        // Once as numbers, once behind the other tables.
        let room = numbers.and_then(|n| memory::room::<f32>("a table", n).ok()).filter(|_| {
            let more = usize::try_from(bytes).unwrap_or(usize::MAX).saturating_add(caps.alignment() as usize + 16);
            self.tables.try_reserve(more).is_ok()
        });
        let Some(mut numbers) = room else {
            self.absent = self.absent.max(Some(bytes));
            let start = (self.tables.len() as u64).next_multiple_of(caps.alignment());
            return start..start.saturating_add(bytes);
        };
        numbers.resize(count as usize, value);
        self.table(bytemuck::cast_slice(&numbers), caps)
    }

    /// Whether such a device can run it: what its API would refuse later, or (workgroup memory apart, which kernels keep under 16 KiB)
    /// not at all.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names the limit; [`Error::Argument`] a kernel from outside this crate that declares what is written
    /// for it; [`Error::HostMemory`] if a table could not be made.
    pub(crate) fn check(&self, op: &'static str, caps: &Caps) -> Result<(), Error> {
        let l = &caps.limits;
        for step in &self.steps {
            if self.foreign {
                step.spec.check(op)?;
            }
            if step.trips > MAX_TRIPS {
                let entry = step.spec.entry;
                let why = format!(
                    "a lane of `{entry}` makes {} loop trips, must be at most {MAX_TRIPS}: some drivers drop the rest",
                    step.trips
                );
                return Err(Error::unsupported(op, why));
            }
            let (need, have) = (step.slots.len(), l.max_storage_buffers_per_shader_stage);
            if need > have as usize {
                let why = format!("needs {need} storage buffers in a shader, max_storage_buffers_per_shader_stage is {have}");
                return Err(Error::unsupported(op, why));
            }
            for slot in &step.slots {
                let (Slot::Arg(_, r) | Slot::Scratch(r) | Slot::Table(r)) = slot;
                let (size, limit) = (r.end - r.start, l.max_storage_buffer_binding_size);
                if size > limit {
                    let why = format!("needs to bind {size} bytes at once, max_storage_buffer_binding_size is {limit}");
                    return Err(Error::unsupported(op, why));
                }
            }
        }
        match self.absent {
            Some(bytes) => Err(Error::HostMemory { what: format!("{op}: a table"), bytes }),
            None => Ok(()),
        }
    }

    /// Adds an aligned table and returns its bytes.
    pub fn table(&mut self, bytes: &[u8], caps: &Caps) -> Range<u64> {
        let start = (self.tables.len() as u64).next_multiple_of(caps.alignment());
        self.tables.resize(start as usize, 0);
        self.tables.extend_from_slice(bytes);
        self.tables.resize(self.tables.len().next_multiple_of(16), 0);
        start..self.tables.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        op::{Features, Limits, Op},
        types::{DType, Segment},
    };

    #[test]
    fn a_step_from_elsewhere_leaves_a_mark() {
        let op = crate::ops::ClipByValue { dtype: DType::F32, segments: Segment::one(64), min: None, max: Some(1.0) };
        let own = op.lower(&Caps::new(Limits::default(), Features::default(), true)).expect("valid");
        let mut lowered = own.clone();
        assert!(!own.foreign && lowered == own);
        own.into_steps().into_iter().for_each(|step| lowered.push(step));
        assert!(lowered.foreign);
    }
}
