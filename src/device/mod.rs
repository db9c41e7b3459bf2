//! The only code that calls wgpu.
mod caps;
mod filled;
mod gpu;
mod health;
mod plan;
#[cfg(not(target_arch = "wasm32"))]
pub mod readback;
#[cfg(not(target_arch = "wasm32"))]
mod session;

pub(crate) use filled::filled;
pub use gpu::Gpu;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use health::poll;
pub(crate) use health::scoped;
pub use plan::{Bound, Plan};
#[cfg(not(target_arch = "wasm32"))]
pub use session::Session;
