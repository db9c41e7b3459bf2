//! Faults that wgpu reports elsewhere (by default with a panic) or not at all, as errors of the call that met them: mistakes of a call,
//! the loss of a device, a queue that is another device's.
use crate::types::Error;
use std::sync::{Arc, OnceLock};

/// Longer than any batch of work that a device's own watchdog would allow.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(600);

/// Runs `make`, and turns what wgpu would report elsewhere into an [`Error`]. On a lost device nothing that it made is good.
///
/// A browser answers later than this call returns; there, errors go to the device's own handler.
pub(crate) fn scoped<T>(device: &wgpu::Device, what: &str, make: impl FnOnce() -> T) -> Result<T, Error> {
    let made = reported(device, what, make);
    alive(device)?;
    made
}

/// As [`scoped`], where a lost device is seen by what `make` returns.
pub(crate) fn reported<T>(device: &wgpu::Device, what: &str, make: impl FnOnce() -> T) -> Result<T, Error> {
    match caught(device, make) {
        (made, None) => Ok(made),
        (_, Some(wgpu::Error::OutOfMemory { .. })) => Err(Error::OutOfMemory { what: what.to_string() }),
        (_, Some(e)) => Err(Error::Device { what: what.to_string(), message: e.to_string() }),
    }
}

/// Whether the device still works. wgpu passes silently over calls on one that does not.
///
/// # Errors
/// [`Error::Lost`].
pub(crate) fn alive(device: &wgpu::Device) -> Result<(), Error> {
    // Nothing else answers at once: the memory of a buffer that is made mapped is there, or is not.
    let descriptor = wgpu::BufferDescriptor {
        label: Some("is the device alive"),
        size: wgpu::COPY_BUFFER_ALIGNMENT,
        usage: wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: true,
    };
    if cfg!(target_arch = "wasm32") {
        return Ok(());
    }
    let mapped = || device.create_buffer(&descriptor).slice(..).get_mapped_range_mut().is_ok();
    if reported(device, "asking whether the device works", mapped)? {
        return Ok(());
    }
    Err(Error::Lost { reason: "it was destroyed, or reset by its driver".into() })
}

#[cfg(target_arch = "wasm32")]
fn caught<T>(_: &wgpu::Device, make: impl FnOnce() -> T) -> (T, Option<wgpu::Error>) {
    (make(), None)
}

/// What `make` made, and what wgpu said meanwhile: want of memory first, since other errors follow from it.
#[cfg(not(target_arch = "wasm32"))]
fn caught<T>(device: &wgpu::Device, make: impl FnOnce() -> T) -> (T, Option<wgpu::Error>) {
    let scopes = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::Internal]
        .map(|filter| device.push_error_scope(filter));
    let made = make();
    // Scopes close in the reverse of the order in which they opened.
    let errors = scopes.into_iter().rev().map(|scope| pollster::block_on(scope.pop()));
    (made, errors.fold(None, |later, error| error.or(later)))
}

/// `wgpu::Device::poll`, which panics where the driver says that the device is gone.
///
/// # Errors
/// [`Error::Lost`]; [`Error::Device`] if the wait took too long.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn poll(device: &wgpu::Device, what: &str, how: wgpu::PollType) -> Result<(), Error> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| device.poll(how))) {
        Ok(polled) => polled.map(drop).map_err(|e| Error::Device { what: what.to_string(), message: e.to_string() }),
        Err(panic) => {
            alive(device)?;
            // A callback of the caller's was called by the poll: this panic is its own.
            std::panic::resume_unwind(panic)
        }
    }
}

/// The queue of a device, once it is known. A device has one.
#[derive(Clone, Default)]
pub(crate) struct OwnQueue(Arc<OnceLock<wgpu::Queue>>);

impl OwnQueue {
    /// It is this one.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn known(queue: &wgpu::Queue) -> Self {
        Self(Arc::new(OnceLock::from(queue.clone())))
    }

    /// Whether it is this one. In a browser any is: there a stranger's queue is told of what is wrong.
    ///
    /// # Errors
    /// As [`owns`].
    pub fn is(&self, device: &wgpu::Device, queue: &wgpu::Queue) -> Result<bool, Error> {
        if let Some(known) = self.0.get() {
            return Ok(known == queue);
        }
        #[cfg(not(target_arch = "wasm32"))]
        if !owns(device, queue)? {
            return Ok(false);
        }
        let _ = device;
        self.0.get_or_init(|| queue.clone());
        Ok(true)
    }
}

/// Whether `queue` is the queue of `device`.
///
/// wgpu does not tell, and reports a stranger's work to the stranger. But what a queue calls back when its work is done, it calls when
/// its own device is polled: so one poll tells, after the work submitted so far.
///
/// # Errors
/// [`Error::Lost`], and what polling can report.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn owns(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<bool, Error> {
    use std::{sync::mpsc, time::Duration};
    let what = "asking whose queue it is";
    let wait = wgpu::PollType::Wait { submission_index: None, timeout: Some(PATIENCE) };
    let (mut silent, mut others) = (0, 0);
    loop {
        let (sender, receiver) = mpsc::channel();
        queue.on_submitted_work_done(move || {
            // Nobody listens any more if the answer was known before.
            let _ = sender.send(std::thread::current().id());
        });
        let here = |by| by == std::thread::current().id();
        // Most queues are idle, and then nothing need be waited for.
        poll(device, what, wgpu::PollType::Poll)?;
        if receiver.try_recv().is_ok_and(here) {
            return Ok(true);
        }
        poll(device, what, wait.clone())?;
        // Called by another thread, it says nothing: that may have polled either device. It may also be about to call.
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok(by) if here(by) => return Ok(true),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                alive(device)?;
                silent += 1;
                if silent == 3 {
                    return Ok(false);
                }
            }
            _ => others += 1,
        }
        // The queue's own device would have called here at some of the turns.
        if others == 300 {
            return Ok(false);
        }
    }
}
