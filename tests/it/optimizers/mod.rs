//! Optimizer steps.
mod ftrl;
mod lowering;
mod updates;
mod weights;
