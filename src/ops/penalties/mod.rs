//! Penalties on weights: their value, their gradient, their proximal step.
mod penalty;
mod penalty_grad;
mod prox;

super::family! {
    penalties: "Penalties",
    penalty::Penalty,
    penalty_grad::PenaltyGrad,
    prox::Prox,
}
