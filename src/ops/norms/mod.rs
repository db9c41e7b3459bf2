//! Normalisation over batches, rows and channels.
pub use crate::options::{GhostRunning, StandardForm};

mod batch_norm;
mod batch_norm_apply;
mod batch_norm_backward;
mod batch_norm_backward_apply;
mod batch_norm_backward_sums;
mod batch_norm_frozen_backward;
mod batch_norm_ghost;
mod batch_norm_ghost_backward;
mod batch_norm_inference;
mod batch_norm_masked;
mod batch_norm_masked_backward;
mod batch_norm_merge;
mod batch_norm_statistics;
mod batch_renorm;
mod batch_renorm_backward;
mod group_norm;
mod group_norm_backward;
mod instance_norm;
mod instance_norm_backward;
mod layer_norm;
mod layer_norm_backward;
mod local_response_norm;
mod local_response_norm_backward;
mod rms_norm;
mod rms_norm_backward;
pub(crate) mod shared;
mod spectral_norm;
mod spectral_norm_backward;
mod weight_norm;
mod weight_norm_backward;
mod weight_standardization;
mod weight_standardization_backward;

super::family! {
    norms: "Normalisation",
    batch_norm::BatchNorm,
    batch_norm_backward::BatchNormBackward,
    batch_norm_frozen_backward::BatchNormFrozenBackward,
    batch_norm_inference::BatchNormInference,
    batch_norm_apply::BatchNormApply,
    batch_norm_backward_apply::BatchNormBackwardApply,
    batch_norm_backward_sums::BatchNormBackwardSums,
    batch_norm_merge::BatchNormMerge,
    batch_norm_statistics::BatchNormStatistics,
    batch_norm_masked::BatchNormMasked,
    batch_norm_masked_backward::BatchNormMaskedBackward,
    batch_renorm::BatchRenorm,
    batch_renorm_backward::BatchRenormBackward,
    batch_norm_ghost::BatchNormGhost,
    batch_norm_ghost_backward::BatchNormGhostBackward,
    group_norm::GroupNorm,
    group_norm_backward::GroupNormBackward,
    instance_norm::InstanceNorm,
    instance_norm_backward::InstanceNormBackward,
    layer_norm::LayerNorm,
    layer_norm_backward::LayerNormBackward,
    rms_norm::RmsNorm,
    rms_norm_backward::RmsNormBackward,
    local_response_norm::LocalResponseNorm,
    local_response_norm_backward::LocalResponseNormBackward,
    weight_norm::WeightNorm,
    weight_norm_backward::WeightNormBackward,
    weight_standardization::WeightStandardization,
    weight_standardization_backward::WeightStandardizationBackward,
    spectral_norm::SpectralNorm,
    spectral_norm_backward::SpectralNormBackward,
}
