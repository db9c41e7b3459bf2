//! Optimizer steps that carry the penalties.
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod ftrl;
mod lion;
mod nadam;
mod rmsprop;
mod sgd;

pub use adagrad::{AdagradStep, adagrad};
pub use adam::adam;
pub use adamax::{AdamaxStep, adamax};
pub use adamw::{AdamwStep, adamw};
pub use ftrl::{FtrlStep, ftrl};
pub use lion::{LionStep, lion};
pub use nadam::{NadamStep, nadam, nadam_momentum};
pub use rmsprop::{RmsPropStep, rmsprop};
pub use sgd::{Descent, SgdStep, sgd};

/// What a weight that f32 holds becomes when it is rounded to bf16 at random, by the 16 bits that decision number `i` has.
pub fn stochastic_bf16(w: f32, seed: u64, stream: u32, step: u32, i: u64) -> f64 {
    let block = i / 8;
    let words = super::philox([block as u32, (block >> 32) as u32, step, stream], [seed as u32, (seed >> 32) as u32]);
    let random = words[(i % 4) as usize] >> (16 * (i / 4 % 2)) & 0xffff;
    if w.is_nan() { f64::NAN } else { f64::from(f32::from_bits((w.to_bits() + random) >> 16 << 16)) }
}
