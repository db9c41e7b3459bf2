//! What a plan's kernels read beside arguments and scratch: parameters, and tables that its op made.
use crate::{device::scoped, op::Step, types::Error};
use std::ops::Range;

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
            (!bytes.is_empty()).then(|| upload(device, &label, bytes, usage | wgpu::BufferUsages::COPY_DST)).transpose()
        };
        let (start, len) = (bytes.len() as u64, tables.len() as u64);
        if tables.is_empty() || caps.pooled {
            let params = make("parameters", &bytes, uniform)?;
            return Ok(Self { params, tables: make("tables", tables, storage)?.map(|b| (b, 0, len)), places });
        }
        bytes.extend_from_slice(tables);
        let both = make("parameters and tables", &bytes, uniform | storage)?;
        Ok(Self { params: both.clone(), tables: both.map(|b| (b, start, len)), places })
    }

    /// Bytes that tables may have in an update.
    pub fn room(&self) -> u64 {
        self.tables.as_ref().map_or(0, |t| t.2)
    }

    /// Other values in the same places.
    pub fn write(&self, queue: &wgpu::Queue, caps: &crate::op::Caps, steps: &[Step], tables: &[u8]) {
        if let Some(buffer) = &self.params {
            queue.write_buffer(buffer, 0, &pack(steps, caps.alignment()).0);
        }
        if let Some((buffer, start, _)) = &self.tables {
            queue.write_buffer(buffer, *start, tables);
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

/// A new buffer with these contents, made without a queue.
fn upload(device: &wgpu::Device, what: &str, bytes: &[u8], usage: wgpu::BufferUsages) -> Result<wgpu::Buffer, Error> {
    let size = bytes.len() as u64;
    let descriptor = wgpu::BufferDescriptor { label: Some(what), size, usage, mapped_at_creation: true };
    let buffer = scoped(device, what, || device.create_buffer(&descriptor))?;
    // Fails on a lost device, where `wgpu::util::DeviceExt::create_buffer_init` would panic.
    let failed = |e: wgpu::MapRangeError| Error::Device { what: what.to_string(), message: e.to_string() };
    buffer.slice(..).get_mapped_range_mut().map_err(failed)?.copy_from_slice(bytes);
    buffer.unmap();
    Ok(buffer)
}
