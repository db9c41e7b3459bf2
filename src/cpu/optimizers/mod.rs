//! Optimizer steps that carry the penalties.
mod adagrad;
mod adam;
mod adamw;
mod ftrl;
mod lion;
mod rmsprop;
mod sgd;

pub use adagrad::{AdagradStep, adagrad};
pub use adam::adam;
pub use adamw::{AdamwStep, adamw};
pub use ftrl::{FtrlStep, ftrl};
pub use lion::{LionStep, lion};
pub use rmsprop::{RmsPropStep, rmsprop};
pub use sgd::{Descent, SgdStep, sgd};
