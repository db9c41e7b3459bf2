//! What the ops of this family share.
pub(crate) mod drop_block_mask;
pub(super) mod expected;
pub(super) mod fields;
pub(crate) mod masked_map;
pub(crate) mod noise_map;
