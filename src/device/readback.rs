//! Copies a buffer to the host, waiting for the device.
use crate::types::Error;
use std::time::Duration;

/// Longer than any batch of work that a device's own watchdog would allow.
const PATIENCE: Duration = Duration::from_secs(600);

/// The first `size` bytes of `buffer`, after everything submitted so far. The buffer's usage must include `COPY_SRC`.
///
/// # Errors
/// [`Error::Device`] if the driver fails, or does not finish within ten minutes.
pub fn read(device: &wgpu::Device, queue: &wgpu::Queue, buffer: &wgpu::Buffer, size: u64) -> Result<Vec<u8>, Error> {
    if size == 0 {
        return Ok(Vec::new());
    }
    let staging = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("readback"),
        size: size.next_multiple_of(4),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, staging.size());
    queue.submit([encoder.finish()]);
    let mut bytes = mapped(device, &staging)?;
    bytes.truncate(size as usize);
    Ok(bytes)
}

/// The contents of a buffer that can be mapped, after everything submitted so far.
pub(crate) fn mapped(device: &wgpu::Device, staging: &wgpu::Buffer) -> Result<Vec<u8>, Error> {
    let (sender, receiver) = std::sync::mpsc::channel();
    staging.slice(..).map_async(wgpu::MapMode::Read, move |r| {
        // The receiver is gone only if the wait below failed, which is reported there.
        let _ = sender.send(r);
    });
    let wait = wgpu::PollType::Wait { submission_index: None, timeout: Some(PATIENCE) };
    device.poll(wait).map_err(|e| failed(e.to_string()))?;
    receiver.recv().map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))?;
    let bytes = staging.slice(..).get_mapped_range().map_err(|e| failed(e.to_string()))?.to_vec();
    staging.unmap();
    Ok(bytes)
}

fn failed(message: String) -> Error {
    Error::Device { what: "reading a buffer back".into(), message }
}
