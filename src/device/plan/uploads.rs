//! What a plan's kernels read beside arguments and scratch: parameters, and tables that its op made.
use crate::{
    device::{
        filled,
        health::{alive, reported},
    },
    op::Step,
    types::Error,
};
use std::{num::NonZeroU64, ops::Range};

/// Parameters of all steps, each at an offset where a uniform binding may start; behind them the tables. One buffer, for making one
/// is the largest part of planning; two where every storage binding is `read_write`, which no uniform may be beside.
pub(super) struct Uploads {
    params: Option<wgpu::Buffer>,
    /// The buffer, where in it the tables start, and their bytes.
    tables: Option<(wgpu::Buffer, u64, u64)>,
    /// Where each step's parameters are.
    places: Vec<Range<u64>>,
}

impl Uploads {
    pub fn new(device: &wgpu::Device, op: &str, caps: &crate::op::Caps, steps: &[Step], tables: &[u8]) -> Result<Self, Error> {
        let (mut bytes, places) = pack(steps, caps.alignment());
        let (uniform, storage) = (wgpu::BufferUsages::UNIFORM, wgpu::BufferUsages::STORAGE);
        let make = |what: &str, bytes: &[u8], usage| {
            let label = format!("{op}: {what}");
            (!bytes.is_empty()).then(|| filled(device, &label, bytes, usage | wgpu::BufferUsages::COPY_DST)).transpose()
        };
        let (start, len) = (bytes.len() as u64, tables.len() as u64);
        if tables.is_empty() || caps.pooled {
            let params = make("parameters", &bytes, uniform)?;
            return Ok(Self { params, tables: make("tables", tables, storage)?.map(|b| (b, 0, len)), places });
        }
        let failed = |_| Error::HostMemory { what: format!("{op}: tables"), bytes: len };
        bytes.try_reserve_exact(tables.len()).map_err(failed)?;
        bytes.extend_from_slice(tables);
        let both = make("parameters and tables", &bytes, uniform | storage)?;
        Ok(Self { params: both.clone(), tables: both.map(|b| (b, start, len)), places })
    }

    /// Bytes that tables may have in an update.
    pub fn room(&self) -> u64 {
        self.tables.as_ref().map_or(0, |t| t.2)
    }

    /// Other values in the same places: all of them, or none.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::OutOfMemory`].
    pub fn write(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        op: &str,
        caps: &crate::op::Caps,
        steps: &[Step],
        tables: &[u8],
    ) -> Result<(), Error> {
        let packed = pack(steps, caps.alignment()).0;
        let params = self.params.as_ref().map(|buffer| (buffer, 0, packed.as_slice()));
        let tables = self.tables.as_ref().map(|(buffer, start, _)| (buffer, *start, tables));
        let writes = [params, tables].into_iter().flatten().filter(|(.., bytes)| !bytes.is_empty());
        // A view is written when it is dropped, so all are made before any is. Unlike a write it tells that the device is lost.
        let write = || {
            let mut views = Vec::new();
            for (buffer, at, bytes) in writes {
                let size = NonZeroU64::new(bytes.len() as u64)?;
                let Some(view) = queue.write_buffer_with(buffer, at, size) else {
                    // They must not be written: nothing is in them.
                    views.into_iter().for_each(|(view, _)| std::mem::forget(view));
                    return None;
                };
                views.push((view, bytes));
            }
            for (view, bytes) in &mut views {
                view.copy_from_slice(bytes);
            }
            Some(())
        };
        let what = format!("{op}: update");
        match reported(device, &what, write)? {
            Some(()) => Ok(()),
            None => alive(device).and(Err(Error::OutOfMemory { what })),
        }
    }

    /// The parameters of step `i`.
    pub fn params(&self, i: usize) -> (&wgpu::Buffer, Range<u64>) {
        (self.params.as_ref().expect("steps have parameters"), self.places[i].clone())
    }

    /// A range of the tables.
    pub fn table(&self, range: &Range<u64>) -> (&wgpu::Buffer, Range<u64>) {
        let (buffer, start, _) = self.tables.as_ref().expect("lowered with tables");
        (buffer, start + range.start..start + range.end)
    }
}

fn pack(steps: &[Step], align: u64) -> (Vec<u8>, Vec<Range<u64>>) {
    let (mut bytes, mut places) = (Vec::new(), Vec::with_capacity(steps.len()));
    for step in steps {
        let start = bytes.len() as u64;
        bytes.extend_from_slice(&step.params.bytes);
        places.push(start..bytes.len() as u64);
        bytes.resize(bytes.len().next_multiple_of(align as usize), 0);
    }
    (bytes, places)
}
