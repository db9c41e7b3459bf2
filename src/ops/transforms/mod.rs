//! Transforms of gradients, between the backward pass and the optimizer step: clipping, centralization, noise, loss scaling.
//!
//! To clip by the global norm (Pascanu, Mikolov and Bengio, 2013), run [`GlobalNorm`] and let the optimizer take its factor
//! (`gpu_scale`): no gradient is written. [`ClipByGlobalNorm`] clips in place; [`ClipByNorm`] and [`ClipByValue`] clip per
//! tensor and per element; [`AdaptiveClip`] clips relative to the weights' norms, for networks without normalisation (Brock
//! et al., 2021). [`Centralize`] and [`GradientNoise`] are regularizers. [`Unscale`] and [`UpdateLossScale`] are dynamic loss
//! scaling for f16 (Micikevicius et al., 2018).
//!
//! - Gradients are an *arena*, one buffer of many [`Segment`](crate::Segment)s or [`Matrix`](crate::Matrix) values, updated
//!   in place. No factor, norm or count is read back by the host.
//! - Clip factors add 1e-6 to the norm by default, as PyTorch does; [`ClipForm::Plain`](crate::ClipForm) is optax's form.
//!   What happens to a NaN or infinite norm is a named choice: [`NonFiniteNorm`](crate::NonFiniteNorm).
//! - Deterministic: norms are summed in a fixed order, noise depends only on its [`Key`](crate::Key).
//!
//! # Example
//!
//! ```rust
//! use ridgepole::ops::transforms::ClipByGlobalNorm;
//! use ridgepole::{ClipForm, DType, Segment, Session};
//!
//! let session = Session::new()?;
//! // Two tensors of one element each; tensors start at multiples of 4.
//! let segments = Segment::pack(&[1, 1], 4);
//! let clip = ClipByGlobalNorm { segments, form: ClipForm::Plain, ..ClipByGlobalNorm::new(DType::F32, 1, 1.0) };
//! let out = session.run(&clip, &[vec![3.0, 0.0, 0.0, 0.0, 4.0].into()])?;
//! // The norm is 5, so the factor is 1/5.
//! let [grad, norm, scale] = [0, 1, 2].map(|i: usize| out[i].to_f64());
//! assert!((norm[0] - 5.0).abs() < 1e-5 && (scale[0] - 0.2).abs() < 1e-6);
//! assert!((grad[0] - 0.6).abs() < 1e-6 && (grad[4] - 0.8).abs() < 1e-6);
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Ops
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | op | what it computes | formula |
//! |---|---|---|
//! | [`ClipByValue`]<br>`clip_by_value` | gradient clipping by value, over one tensor or an arena | `g = min(max(g, min), max)` |
//! | [`ClipByGlobalNorm`]<br>`clip_by_global_norm` | gradient clipping by the global norm of an arena; also writes the norm and the factor | `g = min(1, max_norm / (‖g‖ + 1e-6))·g (plain: without the 1e-6)` |
//! | [`ClipByNorm`]<br>`clip_by_norm` | gradient clipping of each tensor of an arena by its own norm; also writes norms and factors | `g = min(1, max_norm / (‖g‖ + 1e-6))·g, per tensor (plain: without the 1e-6)` |
//! | [`GlobalNorm`]<br>`global_norm` | global norm of an arena's gradients, and the clip factor, which an optimizer can take as its scale | `norm = √Σg², scale = min(1, max_norm / (norm + 1e-6))` |
//! | [`AdaptiveClip`]<br>`adaptive_clip` | adaptive gradient clipping (AGC) by the norms of rows, columns or filters, over an arena of matrices | `g = g·min(1, clipping·max(‖w_g‖, eps) / max(‖g_g‖, 1e-6))` |
//! | [`Centralize`]<br>`centralize` | gradient centralization: subtracts the mean of each row, column or filter, over an arena of matrices | `g = g - mean(g_g)` |
//! | [`GradientNoise`]<br>`gradient_noise` | Gaussian noise added to all gradients of an arena, annealed over the steps or constant | `g += σ·z, z normal, σ² = eta / (1 + t)^gamma (constant: σ)` |
//! | [`Unscale`]<br>`unscale` | division of all gradients of an arena by the loss scale; counts non-finite ones for update_loss_scale | `g = g / scale, found = how many g are NaN or infinite` |
//! | [`UpdateLossScale`]<br>`update_loss_scale` | dynamic loss scaling on the GPU: backs off after non-finite gradients, grows after enough steps without any | `scale = max(backoff·scale, min) if found; after growth_interval steps without, min(growth·scale, max)` |
//!
//! <!-- /ops -->
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
