//! The buffers of an op, and how they are used.
use crate::types::{DType, Error};

/// How an op uses a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Only read. Read buffers may alias one another.
    Read,
    /// Every element is written; what was there before does not matter.
    Write,
    /// Read and written in place.
    Update,
}

/// One buffer an op works on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arg {
    /// Its name in errors, in JSON and in safetensors files.
    pub name: &'static str,
    /// How it is used.
    pub access: Access,
    /// How its elements are stored.
    pub dtype: DType,
    /// The number of elements.
    pub len: usize,
}

impl Arg {
    /// A buffer that is only read.
    pub fn read(name: &'static str, dtype: DType, len: usize) -> Self {
        Self { name, access: Access::Read, dtype, len }
    }

    /// A buffer that is overwritten.
    pub fn write(name: &'static str, dtype: DType, len: usize) -> Self {
        Self { name, access: Access::Write, dtype, len }
    }

    /// A buffer that is changed in place.
    pub fn update(name: &'static str, dtype: DType, len: usize) -> Self {
        Self { name, access: Access::Update, dtype, len }
    }

    /// Bytes of its elements.
    pub fn bytes(&self) -> u64 {
        (self.len as u64).saturating_mul(self.dtype.size())
    }

    /// Bytes that a binding needs: whole 32-bit words. The half word behind an odd number of halves is never changed.
    pub fn binding_bytes(&self) -> u64 {
        self.bytes().checked_next_multiple_of(4).unwrap_or(u64::MAX)
    }
}

/// Checks that a storage type is a float, for the ops that work on tensors.
///
/// # Errors
/// Names `dtype`.
pub fn check_float(op: &'static str, arg: &Arg) -> Result<(), Error> {
    if arg.dtype.is_float() {
        return Ok(());
    }
    Err(Error::argument(op, "dtype", format!("is {:?}, must be f32, f16 or bf16", arg.dtype)))
}
