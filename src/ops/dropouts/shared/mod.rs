//! What ops of this family share.
pub(crate) mod drop_block_mask;
pub(crate) mod masked_map;
pub(crate) mod noise_map;
