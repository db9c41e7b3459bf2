//! Averages of weights, and steps that are taken back.
mod ema;
mod sam_perturb;
mod sam_restore;
mod swa;

pub use ema::{debiased_share, ema, polyak_share, tensorflow_share};
pub use sam_perturb::sam_perturb;
pub use sam_restore::sam_restore;
pub use swa::swa;
