//! Copies a buffer to the host, waiting for the device.
use crate::{
    device::{
        health::{PATIENCE, alive, owns, poll},
        scoped,
    },
    types::{Error, memory},
};
use std::sync::mpsc;

const WHAT: &str = "reading a buffer back";

/// The first `size` bytes of `buffer`, after everything submitted so far. The buffer's usage must include `COPY_SRC`. `queue` is the
/// queue of `device`, and `buffer` is one of its buffers.
///
/// # Errors
/// [`Error::Lost`]; [`Error::OutOfMemory`] or [`Error::HostMemory`] if there is none for the copy; [`Error::Device`] if the buffer is
/// too short, not to be copied from or of another device, if the queue is another device's, and if the driver fails or does not finish
/// within ten minutes.
pub fn read(device: &wgpu::Device, queue: &wgpu::Queue, buffer: &wgpu::Buffer, size: u64) -> Result<Vec<u8>, Error> {
    if size == 0 {
        return Ok(Vec::new());
    }
    if !owns(device, queue)? {
        return Err(failed("the queue is another device's".into()));
    }
    copied(device, queue, buffer, size, |bytes| {
        let mut copy = memory::room(WHAT, bytes.len())?;
        copy.extend_from_slice(bytes);
        Ok(copy)
    })
}

/// What `take` makes of the first `size` bytes, at least one, of a buffer. The queue is known to be the device's.
pub(crate) fn copied<T>(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    buffer: &wgpu::Buffer,
    size: u64,
    take: impl FnOnce(&[u8]) -> Result<T, Error>,
) -> Result<T, Error> {
    let whole = size.checked_next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT).filter(|whole| *whole <= buffer.size());
    let whole = whole.ok_or_else(|| failed(format!("{size} bytes are more than it has, {}", buffer.size())))?;
    let staging = scoped(device, WHAT, || {
        let staging = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size: whole,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, whole);
        queue.submit([encoder.finish()]);
        staging
    })?;
    // Not more than `whole`, which is the size of memory that exists.
    mapped(device, &staging, |bytes| take(&bytes[..size as usize]))
}

/// What `take` makes of the contents of a buffer that can be mapped, after everything submitted so far.
pub(crate) fn mapped<T>(
    device: &wgpu::Device,
    staging: &wgpu::Buffer,
    take: impl FnOnce(&[u8]) -> Result<T, Error>,
) -> Result<T, Error> {
    let (sender, receiver) = mpsc::channel();
    scoped(device, WHAT, || {
        staging.slice(..).map_async(wgpu::MapMode::Read, move |r| {
            // The receiver is gone only if the wait below failed, which is reported there.
            let _ = sender.send(r);
        });
    })?;
    poll(device, WHAT, wgpu::PollType::Wait { submission_index: None, timeout: Some(PATIENCE) })?;
    let lost = |message: String| alive(device).and(Err(failed(message)));
    // Another thread that polls may be the one that calls back, a moment later.
    match receiver.recv_timeout(PATIENCE) {
        Ok(Ok(())) => {}
        Ok(Err(e)) => return lost(e.to_string()),
        Err(e) => return lost(e.to_string()),
    }
    let taken = match staging.slice(..).get_mapped_range() {
        Ok(view) => take(&view),
        Err(e) => lost(e.to_string()),
    };
    scoped(device, WHAT, || staging.unmap()).and(taken)
}

fn failed(message: String) -> Error {
    Error::Device { what: WHAT.into(), message }
}
