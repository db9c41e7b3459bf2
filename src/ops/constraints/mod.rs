//! Constraints that weights are brought back to after a step.
mod box_constraint;
mod l2_ball;
mod max_norm;
mod min_max_norm;
mod non_negative;
mod unit_norm;

super::family! {
    constraints: "Constraints",
    max_norm::MaxNorm,
    unit_norm::UnitNorm,
    min_max_norm::MinMaxNorm,
    non_negative::NonNegative,
    box_constraint::BoxConstraint,
    l2_ball::L2Ball,
}
