//! Constraints that weights are brought back to after a step.
mod box_constraint;
mod l2_ball;
mod max_norm;
mod min_max_norm;
mod non_negative;
mod unit_norm;

pub use box_constraint::box_constraint;
pub use l2_ball::l2_ball;
pub use max_norm::max_norm;
pub use min_max_norm::min_max_norm;
pub use non_negative::non_negative;
pub use unit_norm::unit_norm;
