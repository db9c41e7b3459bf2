//! The values that fields of ops may hold, and their ranges.
pub(crate) mod activation;
pub(crate) mod average;
pub(crate) mod batched_loss;
pub(crate) mod dropout_mask;
pub(crate) mod linear_model;
pub(crate) mod param_group;
pub(crate) mod penalty;
pub(crate) mod running_stats;
pub(crate) mod standard_form;
