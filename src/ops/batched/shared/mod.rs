//! What ops of this family share.
pub(crate) mod dense;
pub(crate) mod model_batch;
