//! What happens to gradients between the backward pass and the optimizer.
mod adaptive_clip;
mod centralize;
mod clip_by_global_norm;
mod clip_by_norm;
mod clip_by_value;
mod global_norm;
mod gradient_noise;
mod unscale;
mod update_loss_scale;

super::family! {
    transforms: "Gradient transforms",
    clip_by_value::ClipByValue,
    clip_by_global_norm::ClipByGlobalNorm,
    clip_by_norm::ClipByNorm,
    global_norm::GlobalNorm,
    adaptive_clip::AdaptiveClip,
    centralize::Centralize,
    gradient_noise::GradientNoise,
    unscale::Unscale,
    update_loss_scale::UpdateLossScale,
}
