//! The only code that calls wgpu.
pub(crate) mod gpu;
pub(crate) mod plan;
#[cfg(not(target_arch = "wasm32"))]
pub mod readback;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod session;
