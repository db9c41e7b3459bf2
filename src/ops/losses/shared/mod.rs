//! What ops of this family share.
pub(crate) mod options;
