//! The only code that calls wgpu.
mod gpu;
mod plan;
#[cfg(not(target_arch = "wasm32"))]
pub mod readback;
#[cfg(not(target_arch = "wasm32"))]
mod session;

pub use gpu::Gpu;
pub(crate) use gpu::scoped;
pub use plan::{Bound, Plan};
#[cfg(not(target_arch = "wasm32"))]
pub use session::Session;
