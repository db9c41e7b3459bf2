//! Normalisation of activations, over batches, rows or channels, and of weights.
//!
//! [`LayerNorm`] and [`RmsNorm`] normalise rows and suit transformers; [`BatchNorm`] suits convolutions with large batches,
//! [`GroupNorm`] and [`InstanceNorm`] those with small ones. Variants of batch norm: [`BatchNormMasked`] for padded
//! sequences, [`BatchNormGhost`] for large batches, [`BatchRenorm`] for small or dependent ones, and, for a batch split over
//! ranks, [`BatchNormStatistics`], [`BatchNormMerge`] and [`BatchNormApply`]. [`WeightNorm`], [`WeightStandardization`] and
//! [`SpectralNorm`] normalise a weight instead; [`LocalResponseNorm`] is AlexNet's.
//!
//! - Activations are a [`Space`](crate::Space) (N, C, S): batch, channels, positions; channels first or last. Rows are
//!   `rows` × `cols`.
//! - A forward op writes `mean` and `rstd` (1/√(σ² + ε)), which its backward op reads. Scale γ, shift β and all statistics
//!   are f32 whatever `dtype` is; outputs are new buffers, not in place.
//! - The variance that normalises is biased (÷ m). The *running* variance is unbiased by default (÷ m - 1), as in PyTorch;
//!   Keras and Flax have the biased one ([`RunningVariance`](crate::RunningVariance)).
//! - Running statistics are off by default: set `running` to keep them. The momentum is the share of the *new* batch, 0.1;
//!   Keras' 0.99 is [`RunningUpdate::keras`](crate::RunningUpdate::keras). Whether a batch norm trains is a question of which
//!   op you run, [`BatchNorm`] or [`BatchNormInference`].
//! - One value per channel is an error by default ([`OneValue`](crate::OneValue)). ε is 1e-5, inside the root.
//! - Variances are accurate to 1e-6 even where the mean is 10⁶ standard deviations (Chan, Golub and LeVeque, 1979). Results
//!   are the same bit for bit from run to run.
//!
//! # Example
//!
//! ```rust
//! use ridgepole::ops::norms::BatchNorm;
//! use ridgepole::{DType, Running, Session, Space};
//!
//! let session = Session::new()?;
//! // Four samples of one channel: mean 2.5, variance 1.25 (unbiased: 5/3).
//! let space = Space::channels_first(4, 1, 1);
//! let op = BatchNorm { eps: 0.0, running: Some(Running::default()), ..BatchNorm::new(DType::F32, space) };
//! let [gamma, beta, running_mean, running_var] = [2.0, 1.0, 0.0, 1.0].map(|v| vec![v].into());
//! let x = vec![1.0, 2.0, 3.0, 4.0].into();
//! let out = session.run(&op, &[x, gamma, beta, running_mean, running_var])?;
//! let near = |i: usize, want: &[f64]| out[i].to_f64().iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-5);
//! let rstd = 1.25f64.powf(-0.5);
//! assert!(near(0, &[-1.5, -0.5, 0.5, 1.5].map(|d| 2.0 * d * rstd + 1.0)), "y");
//! assert!(near(1, &[2.5]) && near(2, &[rstd]), "mean and rstd, for the backward pass");
//! assert!(near(3, &[0.25]) && near(4, &[0.9 + 0.1 * 5.0 / 3.0]), "running statistics");
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Ops
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | op | what it computes | formula |
//! |---|---|---|
//! | [`BatchNorm`]<br>`batch_norm` | batch norm in training: normalises each channel by the batch's mean and variance, updates running statistics | `y = act(γ·(x - μ)/√(σ² + ε) + β + residual)` |
//! | [`BatchNormBackward`]<br>`batch_norm_backward` | backward pass of batch_norm, to input, γ, β and residual | `dx = γ·rstd·(g - (Σg + x̂·Σg·x̂)/m), g = dy·act'` |
//! | [`BatchNormFrozenBackward`]<br>`batch_norm_frozen_backward` | backward pass of batch_norm_inference, to input, γ, β and residual: training with frozen statistics | `dx = γ·g/√(r_σ² + ε), g = dy·act'` |
//! | [`BatchNormInference`]<br>`batch_norm_inference` | batch norm in inference: normalises each channel by its running mean and variance | `y = act(γ·(x - r_μ)/√(r_σ² + ε) + β + residual)` |
//! | [`BatchNormApply`]<br>`batch_norm_apply` | synchronised batch norm: normalises one rank's part of a batch by the statistics of the whole batch | `y = act(γ·(x - μ)·rstd + β + residual)` |
//! | [`BatchNormBackwardApply`]<br>`batch_norm_backward_apply` | synchronised batch norm: gradient of one rank's part of a batch, from sums over all ranks | `dx = γ·rstd·(g - (Σg + x̂·Σg·x̂)/m), g = dy·act'` |
//! | [`BatchNormBackwardSums`]<br>`batch_norm_backward_sums` | synchronised batch norm: one rank's share of the sums that the backward pass needs | `Σg and Σg·x̂, g = dy·act'` |
//! | [`BatchNormMerge`]<br>`batch_norm_merge` | synchronised batch norm: merges the statistics of all ranks, updates running statistics | `m = Σmᵢ, μ = Σmᵢμᵢ/m, σ² = Σ(M2ᵢ + mᵢ(μᵢ - μ)²)/m` |
//! | [`BatchNormStatistics`]<br>`batch_norm_statistics` | synchronised batch norm: count, mean and squared deviations of each channel of one rank's part of a batch | `m, μ = Σx/m, M2 = Σ(x - μ)²` |
//! | [`BatchNormMasked`]<br>`batch_norm_masked` | masked batch norm: ignores padding in the statistics and sets it to 0 | `y = γ·(x - μ)/√(σ² + ε) + β where the mask is 1, else 0` |
//! | [`BatchNormMaskedBackward`]<br>`batch_norm_masked_backward` | backward pass of batch_norm_masked, to input, γ and β | `dx = γ·rstd·(dy - (Σdy + x̂·Σdy·x̂)/m) where the mask is 1, else 0` |
//! | [`BatchRenorm`]<br>`batch_renorm` | batch renormalisation: batch norm corrected towards the running statistics, within bounds | `y = γ·(x̂·r + d) + β, r = clip(σ_B/σ), d = clip((μ_B - μ)/σ)` |
//! | [`BatchRenormBackward`]<br>`batch_renorm_backward` | backward pass of batch_renorm, to input, γ and β | `dx = γ·r·rstd·(dy - (Σdy + x̂·Σdy·x̂)/m), dγ = Σdy·(x̂·r + d)` |
//! | [`BatchNormGhost`]<br>`batch_norm_ghost` | ghost batch norm: splits a batch into virtual batches, each normalised by its own mean and variance | `y = γ·(x - μ_g)/√(σ_g² + ε) + β for each run g of samples` |
//! | [`BatchNormGhostBackward`]<br>`batch_norm_ghost_backward` | backward pass of batch_norm_ghost, to input, γ and β | `dx = γ·rstd_g·(dy - (Σdy + x̂·Σdy·x̂)/m), the sums over g` |
//! | [`GroupNorm`]<br>`group_norm` | group norm: normalises groups of channels of each sample by their mean and variance | `y = γ·(x - μ)/√(σ² + ε) + β, the statistics of a sample and group` |
//! | [`GroupNormBackward`]<br>`group_norm_backward` | backward pass of group_norm, to input, γ and β | `dx = rstd·(γ·dy - (Σγ·dy + x̂·Σγ·dy·x̂)/m), the sums over a sample's group` |
//! | [`InstanceNorm`]<br>`instance_norm` | instance norm: normalises each channel of each sample by its mean and variance | `y = γ·(x - μ)/√(σ² + ε) + β, the statistics of a sample and channel` |
//! | [`InstanceNormBackward`]<br>`instance_norm_backward` | backward pass of instance_norm, to input, γ and β | `dx = γ·rstd·(dy - (Σdy + x̂·Σdy·x̂)/s), the sums over a sample's channel` |
//! | [`LayerNorm`]<br>`layer_norm` | layer norm: normalises each row by its mean and variance | `y = γ·(x - μ)/√(σ² + ε) + β` |
//! | [`LayerNormBackward`]<br>`layer_norm_backward` | backward pass of layer_norm, to input, γ and β | `dx = rstd·(γ·dy - (Σγ·dy + x̂·Σγ·dy·x̂)/cols)` |
//! | [`RmsNorm`]<br>`rms_norm` | RMS norm: divides each row by its root mean square | `y = w·x/√(Σx²/cols + ε), or (1 + w)·x/√(Σx²/cols + ε)` |
//! | [`RmsNormBackward`]<br>`rms_norm_backward` | backward pass of rms_norm, to input and w | `dx = rstd·(w·dy - x̂·Σw·dy·x̂/cols)` |
//! | [`LocalResponseNorm`]<br>`local_response_norm` | local response norm: divides each value by a power of the squares of neighbouring channels | `y = x·(k + α/size·Σx²)^-β over a neighbourhood of channels` |
//! | [`LocalResponseNormBackward`]<br>`local_response_norm_backward` | backward pass of local_response_norm | `dxᵢ = dyᵢ·dᵢ^-β - 2αβ/size·xᵢ·Σⱼ dyⱼ·xⱼ·dⱼ^(-β-1)` |
//! | [`WeightNorm`]<br>`weight_norm` | weight norm: each filter of a weight matrix as a direction times a norm | `w = g·v/‖v‖` |
//! | [`WeightNormBackward`]<br>`weight_norm_backward` | backward pass of weight_norm, to directions and norms | `dg = Σdw·v/‖v‖, dv = g/‖v‖·(dw - v/‖v‖·dg)` |
//! | [`WeightStandardization`]<br>`weight_standardization` | weight standardization: gives each filter of a weight matrix mean 0 and variance 1 | `y = gain·(x - μ)/√(σ² + ε), or the forms of the authors' code and of NF-nets` |
//! | [`WeightStandardizationBackward`]<br>`weight_standardization_backward` | backward pass of weight_standardization, to weights and gain | `dgain = Σdy·x̂, dx = gain·r·(dy - Σdy/m - (x - μ)·slope·dgain)` |
//! | [`SpectralNorm`]<br>`spectral_norm` | spectral norm: divides a weight by its largest singular value, from power iteration with persistent vectors | `y = W/σ, σ = uᵀWv` |
//! | [`SpectralNormBackward`]<br>`spectral_norm_backward` | backward pass of spectral_norm, with the singular vectors held constant | `dW = (dY - ⟨dY, W⟩/σ·u·vᵀ)/σ` |
//!
//! <!-- /ops -->
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
