#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![deny(unsafe_code)]

#[cfg(not(target_arch = "wasm32"))]
pub mod bench;
#[cfg(not(target_arch = "wasm32"))]
pub mod check;
mod device;
mod kernels;
mod op;
pub mod ops;
mod options;
mod types;
mod verify;
pub mod wgsl;

// Step 1: the old paths, for imports that are not rewritten yet.
#[cfg(not(target_arch = "wasm32"))]
pub use device::readback;
#[cfg(not(target_arch = "wasm32"))]
use device::session;
use device::{gpu, plan};
pub use kernels::{arena as segment, partition as tile, reduce as fold, samples as mixing};
use kernels::{bench_shapes as sizes, weight_average};
use kernels::{
    channels, copy as words, gradients as transform, linear_models as models, matmul as product, optimizer, philox as draws,
    rows, unitwise as units,
};
use op::test_data as rng;
pub use ops::norms::shared::filters;
use ops::{
    batched::shared::{dense, model_batch as fleet},
    dropouts::shared::{drop_block_mask as blocks, masked_map as masked, noise_map as noised},
    losses::shared::options as loss,
    norms::shared::{local_response as response, power_iteration as spectral},
    penalties::shared::orthogonality as gram,
};
use options::{activation, average, dropout_mask as mask, param_group as group, penalty, running_stats as running};
use types::{dtype, error, space};
use verify::error_bound as bound;
pub use verify::reference as cpu;

pub use activation::Activation;
pub use average::{Averaging, Warmup};
pub use bound::Approx;
pub use dtype::{DType, HostData};
pub use error::Error;
pub use filters::FilterAxis;
pub use gpu::Gpu;
pub use gram::Gram;
pub use group::{DecayMode, EpsPlace, Group, NonFinite, Rounding};
pub use loss::{HuberForm, LossReduction, SquareForm, Targets};
pub use mask::{Bits, Key, MaskMode, Scaling, Share};
pub use mixing::{Blend, Cut, Erasing, Holes, Lambda, Partners, Rect};
pub use op::{Access, Arg, Caps, Cost, Expected, Lowered, MAX_TRIPS, Op, Params, Pattern, Slot, Step};
pub use options::batched_loss::BatchedLossKind;
pub use options::linear_model::LinearModel;
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
