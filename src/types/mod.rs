//! What a caller, an op and a kernel agree on: how numbers are stored, how a tensor is indexed, what can be wrong.
pub(crate) mod dtype;
pub(crate) mod error;
pub(crate) mod segment;
pub(crate) mod space;
