//! Random numbers, and what drops and perturbs by them.
mod dropout;
mod dropout_backward;
mod philox;

pub use dropout::{dropout, keep, keeps};
pub use dropout_backward::dropout_backward;
pub use philox::{normal, normals, philox};
