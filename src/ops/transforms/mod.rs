//! What happens to gradients between the backward pass and the optimizer.
mod adaptive_clip;
mod centralize;
mod clip_by_global_norm;
mod clip_by_value;
mod global_norm;

super::family! {
    transforms: "Gradient transforms",
    clip_by_value::ClipByValue,
    clip_by_global_norm::ClipByGlobalNorm,
    global_norm::GlobalNorm,
    adaptive_clip::AdaptiveClip,
    centralize::Centralize,
}
