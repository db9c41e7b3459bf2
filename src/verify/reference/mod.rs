//! What every op computes, in f64, written to be read: no helper is shared with the GPU side, no thought is given to speed.
mod activation;
mod averaging;
mod batched;
mod constraints;
mod dropouts;
mod linear;
mod losses;
mod mixing;
mod norms;
mod optimizers;
mod penalties;
mod transforms;

pub use activation::{activation, activation_backward};
pub use averaging::*;
pub use batched::*;
pub use constraints::*;
pub use dropouts::*;
pub use linear::*;
pub use losses::*;
pub use mixing::*;
pub use norms::*;
pub use optimizers::*;
pub use penalties::*;
pub use transforms::*;
