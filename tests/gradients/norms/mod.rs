//! Normalisation: of channels, rows, groups and weights.
mod batch_norm;
mod batch_norm_variants;
mod filters;
mod group_norm;
mod local_response_norm;
mod rows;
mod spectral_norm;
