//! Penalties on weights: their value, their gradient, their proximal step.
mod group_lasso;
mod group_lasso_grad;
mod group_lasso_prox;
mod orthogonal_penalty;
mod orthogonal_penalty_grad;
mod penalty;
mod penalty_grad;
mod prox;
pub(crate) mod shared;

super::family! {
    penalties: "Penalties",
    penalty::Penalty,
    penalty_grad::PenaltyGrad,
    prox::Prox,
    orthogonal_penalty::OrthogonalPenalty,
    orthogonal_penalty_grad::OrthogonalPenaltyGrad,
    group_lasso::GroupLasso,
    group_lasso_grad::GroupLassoGrad,
    group_lasso_prox::GroupLassoProx,
}
