//! Losses, each with its gradient in the same pass.
mod cross_entropy;
mod huber_loss;
mod l1_loss;
mod mse_loss;
pub(crate) mod shared;

super::family! {
    losses: "Losses",
    cross_entropy::CrossEntropy,
    mse_loss::MseLoss,
    l1_loss::L1Loss,
    huber_loss::HuberLoss,
}
