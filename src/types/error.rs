//! What a caller, a device or a driver can do wrong, as one type.

/// Every way in which a call of this crate can fail.
///
/// A mistake of the crate itself (an invalid shader, say) panics instead, and the tests make it unreachable.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field, buffer or scalar is outside what the op allows. Nothing was recorded.
    #[error("{op}: `{arg}` {why}")]
    Argument {
        /// The op, by its name in the ops table.
        op: &'static str,
        /// The field or buffer at fault.
        arg: &'static str,
        /// Its value, the allowed range, and what to do.
        why: String,
    },
    /// The op is well formed, but this device's limits or features do not allow it. Nothing was recorded.
    #[error("{op}: not possible on this device: {why}")]
    Unsupported {
        /// The op, by its name in the ops table.
        op: &'static str,
        /// The limit or feature that is missing, its value and the value needed.
        why: String,
    },
    /// The device has no memory left. What was allocated before stays valid.
    #[error("{what}: the device is out of memory; free buffers, or work on smaller pieces")]
    OutOfMemory {
        /// What was being made.
        what: String,
    },
    /// The host has no memory left. Nothing was computed.
    #[error("{what}: the host has no memory for {bytes} bytes; work on smaller pieces")]
    HostMemory {
        /// What needed it.
        what: String,
        /// How much at once.
        bytes: u64,
    },
    /// wgpu or the driver refused a call.
    #[error("{what}: {message}")]
    Device {
        /// What was being done.
        what: String,
        /// The text of the driver or of wgpu.
        message: String,
    },
    /// The device is gone: unplugged, reset by a watchdog, or destroyed. Make a new one.
    #[error("the device is lost: {reason}")]
    Lost {
        /// The reason given by wgpu.
        reason: String,
    },
    /// No adapter answers to what was asked for.
    #[error("no GPU adapter: {why}")]
    NoAdapter {
        /// What was asked for, what there is, and what to install.
        why: String,
    },
    /// A description of an op (JSON) that cannot be read.
    #[error("{what}: {why}")]
    Json {
        /// Which op or file.
        what: String,
        /// Where and why.
        why: String,
    },
}

impl Error {
    /// An [`Error::Argument`], for the `lower` of an op.
    pub fn argument(op: &'static str, arg: &'static str, why: impl Into<String>) -> Self {
        Self::Argument { op, arg, why: why.into() }
    }

    /// An [`Error::Unsupported`], for the `lower` of an op.
    pub fn unsupported(op: &'static str, why: impl Into<String>) -> Self {
        Self::Unsupported { op, why: why.into() }
    }
}
