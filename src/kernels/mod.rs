//! The host's side of the kernels that ops of several families share; `shaders/lib` has the other.
mod activation;
pub mod arena;
pub(crate) mod channels;
pub(crate) mod copy;
pub(crate) mod gradients;
pub(crate) mod linear_models;
pub(crate) mod matmul;
pub(crate) mod optimizer;
pub mod partition;
pub(crate) mod philox;
pub mod reduce;
pub(crate) mod rows;
pub mod samples;
pub(crate) mod unitwise;
pub(crate) mod weight_average;
