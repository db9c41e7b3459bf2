//! Constraints on weights, restored after a step.
mod max_norm;
mod min_max_norm;
mod unit_norm;

super::family! {
    constraints: "Constraints",
    max_norm::MaxNorm,
    unit_norm::UnitNorm,
    min_max_norm::MinMaxNorm,
}
