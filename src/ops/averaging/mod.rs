//! Averages of weights, and the step to the worst weights nearby with the way back.
mod ema;
mod sam_perturb;
mod sam_restore;
pub(super) mod shared;
mod swa;

super::family! {
    averaging: "Averaging and flatness",
    ema::Ema,
    sam_perturb::SamPerturb,
    sam_restore::SamRestore,
    swa::Swa,
}
