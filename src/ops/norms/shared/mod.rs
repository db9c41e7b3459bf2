//! What ops of this family share.
pub mod filters;
pub(crate) mod local_response;
pub(crate) mod power_iteration;
