//! Optimizer steps that carry the penalties.
mod adagrad;
mod adam;
mod adamw;
mod ftrl;
mod lion;
mod rmsprop;
mod sgd;

super::family! {
    optimizers: "Optimizers",
    adagrad::Adagrad,
    adam::Adam,
    adamw::Adamw,
    ftrl::Ftrl,
    lion::Lion,
    rmsprop::RmsProp,
    sgd::Sgd,
}
