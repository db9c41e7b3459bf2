//! What results must be: the references in f64, and how far a kernel may be from them.
mod activation;
mod error_bound;
pub mod reference;
mod results;
mod running_stats;

pub use error_bound::Approx;
pub use results::{compare, results};
