//! What happens to gradients between the backward pass and the optimizer.
mod adaptive_clip;
mod centralize;
mod clip_by_global_norm;
mod clip_by_norm;
mod clip_by_value;
mod global_norm;
mod gradient_noise;
mod unscale;
mod update_loss_scale;

pub use adaptive_clip::adaptive_clip;
pub use centralize::centralize;
pub use clip_by_global_norm::clip_by_global_norm;
pub use clip_by_norm::clip_by_norm;
pub use clip_by_value::clip_by_value;
pub use global_norm::{clip_factor, norm};
pub use gradient_noise::{annealed_noise, gradient_noise};
pub use unscale::unscale;
pub use update_loss_scale::{LossScaling, update_loss_scale};
