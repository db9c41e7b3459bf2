//! Averages of weights, and steps that are taken back.
mod ema;
mod swa;

pub use ema::{debiased_share, ema, polyak_share, tensorflow_share};
pub use swa::swa;
