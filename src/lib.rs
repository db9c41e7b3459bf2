#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![deny(unsafe_code)]

mod activation;
mod average;
#[cfg(not(target_arch = "wasm32"))]
pub mod bench;
mod blocks;
mod bound;
mod channels;
#[cfg(not(target_arch = "wasm32"))]
pub mod check;
pub mod cpu;
mod dense;
mod draws;
mod dtype;
mod error;
pub mod filters;
mod fleet;
pub mod fold;
mod gpu;
mod gram;
mod group;
mod loss;
mod mask;
mod masked;
pub mod mixing;
mod models;
mod noised;
mod op;
pub mod ops;
mod optimizer;
mod penalty;
mod plan;
mod product;
#[cfg(not(target_arch = "wasm32"))]
pub mod readback;
mod response;
mod rng;
mod rows;
mod running;
pub mod segment;
#[cfg(not(target_arch = "wasm32"))]
mod session;
mod sizes;
mod space;
mod spectral;
pub mod tile;
mod transform;
mod units;
pub mod wgsl;
mod words;

pub use activation::Activation;
pub use average::{Averaging, Warmup};
pub use bound::Approx;
pub use dtype::{DType, HostData};
pub use error::Error;
pub use filters::FilterAxis;
pub use fleet::BatchedLossKind;
pub use gpu::{Caps, Gpu};
pub use gram::Gram;
pub use group::{DecayMode, EpsPlace, Group, NonFinite, Rounding};
pub use loss::{HuberForm, LossReduction, SquareForm, Targets};
pub use mask::{Bits, Key, MaskMode, Scaling, Share};
pub use mixing::{Blend, Cut, Erasing, Holes, Lambda, Partners, Rect};
pub use models::LinearModel;
pub use op::{Access, Arg, Cost, Expected, Lowered, MAX_TRIPS, Op, Params, Pattern, Slot, Step};
pub use penalty::{ElasticNet, GroupPenalty, GroupWeighting, L2Form, Per};
pub use plan::{Bound, Plan};
pub use response::AlphaForm;
pub use rng::Rng;
pub use rows::{RowNorm, WeightForm};
pub use running::{OneValue, Running, RunningUpdate, RunningVariance};
pub use segment::Segment;
#[cfg(not(target_arch = "wasm32"))]
pub use session::Session;
pub use space::{Layout, Space};
pub use transform::{ClipForm, NoiseLevel, NonFiniteNorm};
pub use units::{Matrix, MaxNormForm, Unit};
pub use wgpu;
