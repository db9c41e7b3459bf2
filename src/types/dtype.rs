//! How numbers are stored: [`DType`] on the device, [`HostData`] on the host.
use super::{
    Error, memory,
    rounding::{to_bf16, to_f16},
};
use half::{bf16, f16};
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// How the elements of a buffer are stored. Arithmetic is f32 whatever the storage.
///
/// `F16` and `Bf16` travel as two values to a 32-bit word, so they need no device feature.
#[value]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DType {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16: 11 bits of precision, up to 65504.
    F16,
    /// bfloat16: 8 bits of precision, the range of f32.
    Bf16,
    /// Unsigned 32-bit words: counts, bit masks, random words.
    #[field(hidden)]
    U32,
}

impl DType {
    /// The three types a tensor may be stored in.
    pub const FLOATS: [DType; 3] = [DType::F32, DType::F16, DType::Bf16];

    /// Bytes of one element.
    pub const fn size(self) -> u64 {
        match self {
            DType::F16 | DType::Bf16 => 2,
            _ => 4,
        }
    }

    /// Whether it is one of [`DType::FLOATS`].
    pub const fn is_float(self) -> bool {
        !matches!(self, DType::U32)
    }

    /// One ulp of 1.0: WGSL may round a result to either neighbour. 0 for integers.
    pub const fn epsilon(self) -> f64 {
        match self {
            DType::F32 => f32::EPSILON as f64,
            DType::F16 => 1.0 / 1024.0,
            DType::Bf16 => 1.0 / 128.0,
            DType::U32 => 0.0,
        }
    }

    /// The least positive normal number; below it a device may flush to zero.
    pub const fn least_normal(self) -> f64 {
        match self {
            DType::F32 | DType::Bf16 => f32::MIN_POSITIVE as f64,
            DType::F16 => 6.103515625e-5,
            DType::U32 => 0.0,
        }
    }

    /// How far storing `v` may move it: one ulp, and all of it below the least normal number.
    pub fn rounding(self, v: f64) -> f64 {
        let (v, least) = (v.abs(), self.least_normal());
        if v < least { v.max(least * self.epsilon()) } else { v * self.epsilon() }
    }

    /// The nearest value that this type can hold: of two equally near ones the even one, infinity past the largest, a NaN for
    /// a NaN. It is rounded once, whatever bits of the f64 decide.
    pub fn nearest(self, v: f64) -> f64 {
        match self {
            DType::F32 => f64::from(v as f32),
            DType::F16 => to_f16(v).to_f64(),
            DType::Bf16 => to_bf16(v).to_f64(),
            DType::U32 => v,
        }
    }
}

/// The contents of one buffer on the host.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum HostData {
    /// [`DType::F32`].
    F32(Vec<f32>),
    /// [`DType::F16`].
    F16(Vec<f16>),
    /// [`DType::Bf16`].
    Bf16(Vec<bf16>),
    /// [`DType::U32`].
    U32(Vec<u32>),
}

impl HostData {
    /// The storage type.
    pub fn dtype(&self) -> DType {
        match self {
            HostData::F32(_) => DType::F32,
            HostData::F16(_) => DType::F16,
            HostData::Bf16(_) => DType::Bf16,
            HostData::U32(_) => DType::U32,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            HostData::F32(v) => v.len(),
            HostData::F16(v) => v.len(),
            HostData::Bf16(v) => v.len(),
            HostData::U32(v) => v.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements as the device stores them (little-endian).
    pub fn bytes(&self) -> &[u8] {
        match self {
            HostData::F32(v) => bytemuck::cast_slice(v),
            HostData::F16(v) => bytemuck::cast_slice(v),
            HostData::Bf16(v) => bytemuck::cast_slice(v),
            HostData::U32(v) => bytemuck::cast_slice(v),
        }
    }

    /// The inverse of [`HostData::bytes`]; a last incomplete element is an error of the caller and panics.
    pub fn from_bytes(dtype: DType, bytes: &[u8]) -> Self {
        whole(dtype, bytes);
        match dtype {
            DType::F32 => HostData::F32(bytemuck::pod_collect_to_vec(bytes)),
            DType::F16 => HostData::F16(bytemuck::pod_collect_to_vec(bytes)),
            DType::Bf16 => HostData::Bf16(bytemuck::pod_collect_to_vec(bytes)),
            DType::U32 => HostData::U32(bytemuck::pod_collect_to_vec(bytes)),
        }
    }

    /// As [`HostData::from_bytes`], where the host may not have the memory.
    ///
    /// # Errors
    /// [`Error::HostMemory`].
    pub fn try_from_bytes(dtype: DType, bytes: &[u8]) -> Result<Self, Error> {
        fn copy<T: bytemuck::Pod>(bytes: &[u8]) -> Result<Vec<T>, Error> {
            let mut elements = zeros(bytes.len() / size_of::<T>())?;
            bytemuck::cast_slice_mut(&mut elements).copy_from_slice(bytes);
            Ok(elements)
        }
        whole(dtype, bytes);
        Ok(match dtype {
            DType::F32 => HostData::F32(copy(bytes)?),
            DType::F16 => HostData::F16(copy(bytes)?),
            DType::Bf16 => HostData::Bf16(copy(bytes)?),
            DType::U32 => HostData::U32(copy(bytes)?),
        })
    }

    /// So many elements of 0.
    ///
    /// # Errors
    /// [`Error::HostMemory`].
    pub fn try_zeros(dtype: DType, len: usize) -> Result<Self, Error> {
        Ok(match dtype {
            DType::F32 => HostData::F32(zeros(len)?),
            DType::F16 => HostData::F16(zeros(len)?),
            DType::Bf16 => HostData::Bf16(zeros(len)?),
            DType::U32 => HostData::U32(zeros(len)?),
        })
    }

    /// The elements in f64, exactly.
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            HostData::F32(v) => v.iter().map(|&x| f64::from(x)).collect(),
            HostData::F16(v) => v.iter().map(|x| x.to_f64()).collect(),
            HostData::Bf16(v) => v.iter().map(|x| x.to_f64()).collect(),
            HostData::U32(v) => v.iter().map(|&x| f64::from(x)).collect(),
        }
    }

    /// Rounds f64 values to `dtype` (ties to even; `U32` by `as`).
    pub fn from_f64(dtype: DType, values: impl IntoIterator<Item = f64>) -> Self {
        let values = values.into_iter();
        match dtype {
            DType::F32 => HostData::F32(values.map(|v| v as f32).collect()),
            DType::F16 => HostData::F16(values.map(to_f16).collect()),
            DType::Bf16 => HostData::Bf16(values.map(to_bf16).collect()),
            DType::U32 => HostData::U32(values.map(|v| v as u32).collect()),
        }
    }

    /// The words of a `U32`; `None` for floats.
    pub fn words(&self) -> Option<&[u32]> {
        match self {
            HostData::U32(v) => Some(v),
            _ => None,
        }
    }
}

fn whole(dtype: DType, bytes: &[u8]) {
    let whole = (bytes.len() as u64).is_multiple_of(dtype.size());
    assert!(whole, "{} bytes are no whole number of {dtype:?}, of {} bytes each", bytes.len(), dtype.size());
}

fn zeros<T: bytemuck::Zeroable + Clone>(len: usize) -> Result<Vec<T>, Error> {
    let mut elements = memory::room("data", len)?;
    elements.resize(len, T::zeroed());
    Ok(elements)
}

impl From<Vec<f32>> for HostData {
    fn from(v: Vec<f32>) -> Self {
        HostData::F32(v)
    }
}
