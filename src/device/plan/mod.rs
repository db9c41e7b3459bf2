//! The only code that makes buffers and bind groups, and records. Ops never touch wgpu.
mod uploads;

use crate::{
    device::{
        Gpu,
        gpu::Kernel,
        health::{OwnQueue, alive},
        scoped,
    },
    op::{Access, Arg, Lowered, Op, Slot, Step},
    types::{Error, excerpt},
};
use std::{ops::Range, sync::Arc};
use uploads::Uploads;
use wgpu::BufferSlice;

/// An op made ready for one device: fields checked, pipelines found, parameters uploaded, scratch sized.
pub struct Plan {
    op: &'static str,
    device: wgpu::Device,
    queue: OwnQueue,
    args: Vec<Arg>,
    scratch: u64,
    align: u64,
    caps: crate::op::Caps,
    foreign: bool,
    uploads: Uploads,
    steps: Vec<(Step, Arc<Kernel>, [u32; 3])>,
}

/// A plan and the buffers it works on. Recording it allocates nothing and submits nothing.
pub struct Bound {
    steps: Vec<(Arc<Kernel>, wgpu::BindGroup, [u32; 3])>,
}

impl Gpu {
    /// Checks `op`, compiles what it needs (or finds it compiled) and uploads its parameters.
    ///
    /// # Errors
    /// Everything that can be wrong with the op's fields on this device, before anything is recorded.
    pub fn plan(&self, op: &dyn Op) -> Result<Plan, Error> {
        Plan::new(self, op)
    }
}

impl Plan {
    pub(crate) fn new(gpu: &Gpu, op: &dyn Op) -> Result<Self, Error> {
        let (args, caps, device) = (op.args(), gpu.caps.clone(), gpu.device.clone());
        let lowered = op.lower(&caps)?;
        lowered.check(op.name(), &caps)?;
        let (Lowered { steps, scratch, tables, foreign, .. }, align) = (lowered, caps.alignment());
        if steps.is_empty() {
            // Nothing else would find out.
            alive(&device)?;
        }
        let uploads = Uploads::new(&device, op.name(), &caps, &steps, &tables)?;
        let steps = steps
            .into_iter()
            .map(|s| {
                let grid = s.dispatched(op.name(), &caps)?;
                let kernel = gpu.kernel(&s, &args, foreign)?;
                Ok((s, kernel, grid))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { op: op.name(), device, queue: gpu.queue.clone(), args, scratch, align, caps, foreign, uploads, steps })
    }

    /// The buffers to bind: those read first, then those written or updated.
    pub fn args(&self) -> &[Arg] {
        &self.args
    }

    /// Bytes of scratch that [`Plan::bind`] needs. The caller owns it and may share it between plans that run in turn.
    pub fn scratch_size(&self) -> u64 {
        self.scratch
    }

    /// How many dispatches [`Bound::record`] makes.
    pub fn dispatches(&self) -> usize {
        self.steps.len()
    }

    /// Changes scalar parameters only (a learning rate, a step number, λ): same buffers, same dispatches, so every
    /// [`Bound`] made from this plan stays good. Takes effect at the next submission of `queue`, which is the queue of this plan's
    /// device. A queue that is new to the [`Gpu`] is asked whose it is, which waits for the work that it has.
    ///
    /// # Errors
    /// If `op` is invalid, or differs in more than scalars; if `queue` is another device's; [`Error::Lost`]. Nothing is changed then.
    pub fn update(&self, queue: &wgpu::Queue, op: &dyn Op) -> Result<(), Error> {
        let lowered = op.lower(&self.caps)?;
        let Lowered { steps, tables, .. } = &lowered;
        let same = op.name() == self.op
            && lowered.foreign == self.foreign
            && steps.len() == self.steps.len()
            && tables.len() as u64 <= self.uploads.room()
            && steps.iter().zip(&self.steps).all(|(a, (b, ..))| same_but_for_params(a, b));
        if !same {
            return Err(Error::argument(self.op, "update", "changes more than scalar parameters: make a new plan"));
        }
        // Parameters may lengthen a loop.
        lowered.check(self.op, &self.caps)?;
        if !self.queue.is(&self.device, queue)? {
            return Err(Error::argument(
                self.op,
                "update",
                "has the queue of another device: use that of the device of `Gpu::new`",
            ));
        }
        self.uploads.write(&self.device, queue, self.op, &self.caps, steps, tables)
    }

    /// Fixes the buffers, in the order of the op's arguments. Read buffers may alias one another; written ones and
    /// scratch may alias nothing. Slices may be longer than needed; what is behind the need is never touched. Buffers are of this
    /// plan's device; those of another instance are not seen, see [`Gpu::new`].
    ///
    /// # Errors
    /// [`Error::Argument`] names the argument that is too short, misaligned, of the wrong usage or aliased; [`Error::Device`] if a
    /// buffer is of another device; [`Error::Lost`].
    pub fn bind(&self, reads: &[BufferSlice], writes: &[BufferSlice], scratch: Option<BufferSlice>) -> Result<Bound, Error> {
        let all = self.check(reads, writes, scratch)?;
        let make = || {
            self.steps
                .iter()
                .enumerate()
                .map(|(i, (step, kernel, grid))| {
                    let (buffer, range) = self.uploads.params(i);
                    let mut entries = vec![entry(0, buffer, range)];
                    for (n, slot) in step.slots.iter().enumerate() {
                        let (buffer, range) = match slot {
                            Slot::Arg(i, r) => entry_slice(all[*i].2, r),
                            Slot::Scratch(r) => entry_slice(scratch.expect("checked above"), r),
                            Slot::Table(r) => self.uploads.table(r),
                        };
                        entries.push(entry(n as u32 + 1, buffer, range));
                    }
                    let bind_group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                        label: Some(self.op),
                        layout: &kernel.layout,
                        entries: &entries,
                    });
                    (kernel.clone(), bind_group, *grid)
                })
                .collect()
        };
        Ok(Bound { steps: scoped(&self.device, &format!("{}: bind", self.op), make)? })
    }

    /// As [`Plan::bind`], with each buffer by the name of its argument, in any order.
    ///
    /// # Errors
    /// As [`Plan::bind`]; also for a name that is missing, unknown or given twice.
    pub fn bind_named(&self, buffers: &[(&str, BufferSlice)], scratch: Option<BufferSlice>) -> Result<Bound, Error> {
        let bad = |arg, why: String| Err(Error::Argument { op: self.op, arg, why });
        let names = || self.args.iter().map(|a| a.name).collect::<Vec<_>>().join(", ");
        if let Some((name, _)) = buffers.iter().find(|(name, _)| self.args.iter().all(|a| a.name != *name)) {
            return bad("bind_named", format!("has no argument `{}`; there are {}", excerpt(name), names()));
        }
        let mut found = Vec::new();
        for arg in &self.args {
            let mut given = buffers.iter().filter(|(name, _)| *name == arg.name);
            match (given.next(), given.next()) {
                (Some((_, slice)), None) => found.push(*slice),
                (None, _) => return bad(arg.name, format!("is missing; the arguments are {}", names())),
                (Some(_), Some(_)) => return bad(arg.name, "is given twice".into()),
            }
        }
        let reads = self.args.iter().filter(|a| a.access == Access::Read).count();
        self.bind(&found[..reads], &found[reads..], scratch)
    }

    /// Every buffer with its name and need, once all are known to be right.
    fn check<'a>(
        &self,
        reads: &[BufferSlice<'a>],
        writes: &[BufferSlice<'a>],
        scratch: Option<BufferSlice<'a>>,
    ) -> Result<Vec<(&'static str, u64, BufferSlice<'a>)>, Error> {
        let bad = |arg, why: String| Err(Error::Argument { op: self.op, arg, why });
        let n_reads = self.args.iter().filter(|a| a.access == Access::Read).count();
        let n_writes = self.args.len() - n_reads;
        if reads.len() != n_reads || writes.len() != n_writes {
            let names = |from: &[Arg]| from.iter().map(|a| a.name).collect::<Vec<_>>().join(", ");
            return bad(
                "bind",
                format!(
                    "wants {n_reads} read ({}) and {n_writes} written buffers ({}), got {} and {}",
                    names(&self.args[..n_reads]),
                    names(&self.args[n_reads..]),
                    reads.len(),
                    writes.len()
                ),
            );
        }
        if scratch.is_none() && self.scratch > 0 {
            return bad("scratch", format!("needs {} bytes, has none: see Plan::scratch_size", self.scratch));
        }
        let all: Vec<_> = self
            .args
            .iter()
            .zip(reads.iter().chain(writes))
            .map(|(a, s)| (a.name, a.binding_bytes(), *s))
            .chain(scratch.map(|s| ("scratch", self.scratch, s)))
            .collect();
        for &(name, need, s) in &all {
            if need == 0 {
                continue;
            }
            if s.size() < need {
                return bad(name, format!("needs {need} bytes, has {}", s.size()));
            }
            if s.offset() % self.align != 0 {
                return bad(name, format!("starts at byte {}, not at a multiple of {}", s.offset(), self.align));
            }
            if !s.buffer().usage().contains(wgpu::BufferUsages::STORAGE) {
                return bad(name, format!("has usage {:?}, without STORAGE", s.buffer().usage()));
            }
        }
        for (i, &(name, need, a)) in all.iter().enumerate().skip(n_reads) {
            for (j, &(other, other_need, b)) in all.iter().enumerate() {
                if i == j || a.buffer() != b.buffer() || need == 0 || other_need == 0 {
                    continue;
                }
                if j < n_reads && !self.caps.pooled {
                    return bad(
                        name,
                        format!(
                            "shares a wgpu::Buffer with `{other}`, which is read: use two buffers, or a Gpu with Caps {{ pooled: true }}"
                        ),
                    );
                }
                if a.offset() < b.offset() + other_need && b.offset() < a.offset() + need {
                    return bad(name, format!("overlaps `{other}`"));
                }
            }
        }
        Ok(all)
    }
}

impl Bound {
    /// Records the op into the caller's pass. No allocation, no submission.
    ///
    /// A pass cannot be asked whose it is: wgpu refuses a pass of another device when the caller finishes its encoder, and passes
    /// over one of a device that is lost. What is read afterwards, by [`readback::read`](crate::readback::read), says so.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        for (kernel, bind_group, [x, y, z]) in &self.steps {
            pass.set_pipeline(&kernel.pipeline);
            pass.set_bind_group(0, bind_group, &[]);
            pass.dispatch_workgroups(*x, *y, *z);
        }
    }
}

fn same_but_for_params(a: &Step, b: &Step) -> bool {
    a.spec == b.spec && a.params.fields == b.params.fields && a.slots == b.slots && a.workgroups == b.workgroups
}

fn entry_slice<'a>(slice: BufferSlice<'a>, range: &Range<u64>) -> (&'a wgpu::Buffer, Range<u64>) {
    (slice.buffer(), slice.offset() + range.start..slice.offset() + range.end)
}

fn entry(binding: u32, buffer: &wgpu::Buffer, range: Range<u64>) -> wgpu::BindGroupEntry<'_> {
    wgpu::BindGroupEntry {
        binding,
        resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer,
            offset: range.start,
            size: std::num::NonZeroU64::new(range.end - range.start),
        }),
    }
}
