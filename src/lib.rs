#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![deny(unsafe_code)]

// The storeys, from the ground up: a folder imports from those above it in this list. `tests/layers.rs` holds that.
#[cfg(not(target_arch = "wasm32"))]
pub mod bench;
#[cfg(not(target_arch = "wasm32"))]
pub mod check;
pub mod device;
mod kernels;
pub mod op;
pub mod ops;
pub mod options;
pub mod types;
pub mod verify;
pub mod wgsl;

// What every user needs.
#[cfg(not(target_arch = "wasm32"))]
pub use device::Session;
pub use device::{Bound, Gpu, Plan};
pub use op::{Access, Arg, Caps, Cost, Expected, Lowered, MAX_TRIPS, Op, Params, Pattern, Rng, Slot, Step};
pub use types::{DType, Error, HostData, Layout, Segment, Space};
pub use verify::{Approx, reference as cpu};
pub use wgpu;

// The values of fields: their pages are in `options`.
#[doc(no_inline)]
pub use options::{
    Activation, AlphaForm, Averaging, BatchedLossKind, Bits, Blend, ClipForm, Cut, DecayMode, ElasticNet, EpsPlace, Erasing,
    FilterAxis, Group, GroupPenalty, GroupWeighting, Holes, HuberForm, Key, L2Form, Lambda, LinearModel, LossReduction, MaskMode,
    Matrix, MaxNormForm, NoiseLevel, NonFinite, NonFiniteNorm, OneValue, OrthogonalSide, Partners, Per, Rect, Rounding, RowNorm,
    Running, RunningUpdate, RunningVariance, Scaling, Share, SquareForm, Targets, Unit, Warmup, WeightForm,
};

// For ops of a user's own: how tensors are cut into dispatches, and how partial results are merged.
pub use kernels::{partition, reduce};

// Names of earlier versions.
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
pub use device::readback;
#[doc(hidden)]
pub use kernels::{partition as tile, reduce as fold};
#[doc(hidden)]
pub use options::{OrthogonalSide as Gram, filters, mixing};
#[doc(hidden)]
pub mod segment {
    pub use crate::{kernels::arena::Arena, op::check_float, types::Segment};
}
