//! Normalisation: of channels, rows, groups and weights.
mod batch_norm;
mod batch_statistics;
mod group_norm;
mod rows;
mod spectral_norm;
