//! What results must be.
mod activation;
pub(crate) mod error_bound;
pub mod reference;
mod running_stats;
