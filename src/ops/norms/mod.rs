//! Normalisation over batches, rows and channels.
mod batch_norm;
mod batch_norm_backward;
mod batch_norm_frozen_backward;
mod batch_norm_inference;
mod layer_norm;
mod layer_norm_backward;
mod rms_norm;
mod rms_norm_backward;

super::family! {
    norms: "Normalisation",
    batch_norm::BatchNorm,
    batch_norm_backward::BatchNormBackward,
    batch_norm_frozen_backward::BatchNormFrozenBackward,
    batch_norm_inference::BatchNormInference,
    layer_norm::LayerNorm,
    layer_norm_backward::LayerNormBackward,
    rms_norm::RmsNorm,
    rms_norm_backward::RmsNormBackward,
}
