//! The values that fields of ops may hold, and their ranges: what differs between frameworks has a name here.
//!
//! Every number, in these values as in the ops' own fields, is 0 or normal and finite in f32: a magnitude below 2^-126 would be
//! flushed to 0 on some devices and kept on others, so it is refused by name. What kernels are given beside it (1 - p, 1/scale, lr ·
//! decay) is derived on the host in f64 and obeys the same rule.
mod activation;
mod average;
mod dropout_mask;
pub mod filters;
mod gradients;
mod linear_model;
mod losses;
pub mod mixing;
mod momentum;
mod norms;
mod param_group;
mod penalty;
mod running_stats;
mod scalar;
mod unitwise;

pub use activation::Activation;
pub use average::{Averaging, Warmup};
pub use dropout_mask::{Bits, Key, MaskMode, Scaling, Share};
pub(crate) use dropout_mask::{check_p, first_decision};
pub use filters::{FilterAxis, StandardForm};
pub use gradients::{ClipForm, NoiseLevel, NonFiniteNorm};
pub use linear_model::LinearModel;
pub use losses::{BatchedLossKind, HuberForm, LossReduction, SquareForm, Targets};
pub use mixing::{Blend, Cut, Erasing, Holes, Lambda, Partners, Rect};
pub(crate) use momentum::nadam_momentum;
pub use norms::{AlphaForm, GhostRunning, RowNorm, WeightForm};
pub(crate) use param_group::Rates;
pub use param_group::{DecayMode, EpsPlace, Group, NonFinite, Rounding};
pub use penalty::{ElasticNet, GroupPenalty, GroupWeighting, L2Form, OrthogonalSide, Per};
pub use running_stats::{OneValue, Running, RunningUpdate, RunningVariance};
pub(crate) use scalar::{check_derived, check_held, check_scalar};
pub use unitwise::{Matrix, MaxNormForm, Unit};
