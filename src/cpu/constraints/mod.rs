//! Constraints on weights, restored after a step.
mod max_norm;
mod min_max_norm;
mod unit_norm;

pub use max_norm::max_norm;
pub use min_max_norm::min_max_norm;
pub use unit_norm::unit_norm;
