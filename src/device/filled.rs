//! Buffers made with their contents, without a queue.
use crate::{
    device::{health::reported, scoped},
    types::Error,
};

/// A new buffer with these contents, whole 32-bit words. As `wgpu::util::DeviceExt::create_buffer_init`, which panics where this fails.
///
/// # Errors
/// [`Error::OutOfMemory`], [`Error::Lost`], or [`Error::Device`] if it is larger than the device allows.
pub(crate) fn filled(device: &wgpu::Device, what: &str, bytes: &[u8], usage: wgpu::BufferUsages) -> Result<wgpu::Buffer, Error> {
    let size = bytes.len() as u64;
    let descriptor = wgpu::BufferDescriptor { label: Some(what), size, usage, mapped_at_creation: size > 0 };
    let buffer = scoped(device, what, || device.create_buffer(&descriptor))?;
    if size > 0 {
        let failed = |e: wgpu::MapRangeError| Error::Device { what: what.to_string(), message: e.to_string() };
        buffer.slice(..).get_mapped_range_mut().map_err(failed)?.copy_from_slice(bytes);
        reported(device, what, || buffer.unmap())?;
    }
    Ok(buffer)
}
