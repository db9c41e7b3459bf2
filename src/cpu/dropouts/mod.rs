//! Random numbers, and what drops and perturbs by them.
mod alpha_dropout;
mod alpha_dropout_backward;
mod bias_act_dropout_add;
mod bias_act_dropout_add_backward;
mod dropout;
mod dropout_add_layer_norm;
mod dropout_add_layer_norm_backward;
mod dropout_backward;
mod philox;
mod zoneout;
mod zoneout_backward;

pub use alpha_dropout::{alpha_dropout, alpha_factor};
pub use alpha_dropout_backward::alpha_dropout_backward;
pub use bias_act_dropout_add::bias_act_dropout_add;
pub use bias_act_dropout_add_backward::bias_act_dropout_add_backward;
pub use dropout::{dropout, keep, keeps};
pub use dropout_add_layer_norm::dropout_add_layer_norm;
pub use dropout_add_layer_norm_backward::dropout_add_layer_norm_backward;
pub use dropout_backward::dropout_backward;
pub use philox::{normal, normals, philox};
pub use zoneout::{zoneout, zoneout_mean};
pub use zoneout_backward::{zoneout_backward, zoneout_mean_backward};
