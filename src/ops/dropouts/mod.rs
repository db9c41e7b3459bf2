//! Random numbers, and what drops and perturbs by them.
mod dropout;
mod dropout_backward;
mod philox;

super::family! {
    dropouts: "Dropout",
    dropout::Dropout,
    dropout_backward::DropoutBackward,
    philox::Philox,
}
