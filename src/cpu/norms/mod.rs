//! Normalisation over batches, rows and channels.
mod batch_norm;
mod batch_norm_backward;
mod batch_norm_frozen_backward;
mod batch_norm_inference;
mod layer_norm;
mod layer_norm_backward;
mod rms_norm;
mod rms_norm_backward;

pub use batch_norm::{batch_norm, inverse_std, moments};
pub use batch_norm_backward::batch_norm_backward;
pub use batch_norm_frozen_backward::batch_norm_frozen_backward;
pub use batch_norm_inference::batch_norm_inference;
pub use layer_norm::layer_norm;
pub use layer_norm_backward::layer_norm_backward;
pub use rms_norm::rms_norm;
pub use rms_norm_backward::rms_norm_backward;
