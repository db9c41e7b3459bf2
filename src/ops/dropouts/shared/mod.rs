//! What the ops of this family share.
pub(crate) mod drop_block_mask;
#[cfg(feature = "verify")]
pub(super) mod expected;
pub(crate) mod masked_map;
pub(crate) mod noise_map;
