//! Dropout and its relatives: random masks and noise, which regularize a network in training.
//!
//! [`Dropout`] drops elements, channels, samples or any other subset of axes ([`Share`](crate::Share)): it is also spatial
//! dropout, stochastic depth and variational dropout. [`AlphaDropout`] is for SELU networks, [`DropBlock`] for convolutions,
//! [`DropConnect`] for weights, [`Zoneout`] for recurrent states; [`GaussianDropout`] and [`GaussianNoise`] perturb without
//! dropping. [`BiasActDropoutAdd`] and [`DropoutAddLayerNorm`] fuse the end of a layer. [`MonteCarloAccumulate`] turns passes
//! with dropout into a prediction with an uncertainty (Gal and Ghahramani, 2016).
//!
//! - `p` is the probability of *dropping*; 0 and 1 are exact. Kept elements are multiplied by 1/(1-p) in training by default,
//!   and nothing is done after it ([`Scaling`](crate::Scaling) has the original form).
//! - A mask is a pure function of the [`Key`](crate::Key) (seed, stream, step) and the element's index, by the counter-based
//!   generator Philox4x32-10 (Salmon et al., 2011): the same bit for bit on every device and for every split of a batch. Give
//!   each layer its own `stream` and count training steps in `step`.
//! - A backward pass regenerates the mask from the same key, at no memory; or the mask is stored, one bit per element
//!   ([`MaskMode`](crate::MaskMode)).
//! - There is no global training flag: `training` is a field of each op, so dropout may stay on while batch norm is frozen.
//! - A decision takes 16 random bits by default, so the realised p is within 7.7e-6 of the given one;
//!   [`Bits::ThirtyTwo`](crate::Bits) is finer.
//!
//! # Example
//!
//! ```rust
//! use ridgepole::ops::dropouts::Dropout;
//! use ridgepole::{DType, HostData, Key, Session, Space};
//!
//! let session = Session::new()?;
//! let key = Key { seed: 42, stream: 3, step: 100, first_element: 0 };
//! let dropout = Dropout::new(DType::F32, Space::flat(1000), 0.5, key);
//! let ones = HostData::F32(vec![1.0; 1000]);
//! let y = session.run(&dropout, &[ones.clone()])?;
//! assert!(y[0].to_f64().iter().all(|&v| v == 0.0 || v == 2.0));
//! // The backward pass regenerates the same mask, and dy = x here.
//! assert_eq!(session.run(&dropout.backward(), &[ones])?, y);
//! // After training, inverted dropout copies.
//! let inference = Dropout { training: false, ..dropout };
//! assert_eq!(session.run(&inference, &[vec![0.1; 1000].into()])?, [vec![0.1; 1000].into()]);
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Ops
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | op | what it computes | formula |
//! |---|---|---|
//! | [`Dropout`]<br>`dropout` | dropout of elements, channels, samples or any subset of axes; can store the mask, one bit per element | `y = m·x/(1-p), m = 1 with probability 1-p (scale_at_test: y = m·x, and (1-p)·x after training)` |
//! | [`DropoutBackward`]<br>`dropout_backward` | backward pass of dropout, with a regenerated or a stored mask | `dx = m·dy/(1-p) (scale_at_test: dx = m·dy)` |
//! | [`AlphaDropout`]<br>`alpha_dropout` | alpha dropout of elements or channels for SELU networks; preserves mean 0 and variance 1 | `y = a·(m ? x : α') + b, α' = -1.7581, a = ((1-p)(1 + p·α'²))^-½, b = -a·p·α'` |
//! | [`AlphaDropoutBackward`]<br>`alpha_dropout_backward` | backward pass of alpha dropout, with a regenerated or a stored mask | `dx = m·a·dy, a = ((1-p)(1 + p·α'²))^-½` |
//! | [`Zoneout`]<br>`zoneout` | zoneout of a recurrent state: randomly keeps previous values; after training, the expectation | `y = m·x + (1-m)·previous, m = 1 with probability 1-p (after training: (1-p)·x + p·previous)` |
//! | [`ZoneoutBackward`]<br>`zoneout_backward` | backward pass of zoneout, to the new and the previous state, with a regenerated or a stored mask | `dx = m·dy, dprevious = (1-m)·dy (after training: (1-p)·dy and p·dy)` |
//! | [`GaussianDropout`]<br>`gaussian_dropout` | multiplicative Gaussian noise of mean 1, with the variance of dropout's factors | `y = x·(1 + √(p/(1-p))·z), z standard normal` |
//! | [`GaussianDropoutBackward`]<br>`gaussian_dropout_backward` | backward pass of Gaussian dropout, with regenerated noise | `dx = dy·(1 + √(p/(1-p))·z), z standard normal` |
//! | [`GaussianNoise`]<br>`gaussian_noise` | additive Gaussian noise of mean 0 | `y = x + deviation·z, z standard normal` |
//! | [`DropBlock`]<br>`drop_block` | DropBlock: drops squares of images at random and rescales the rest by the kept fraction | `y = m·x·count(m)/ones(m), m = 0 in squares that begin with probability p·HW/(b²(H-b+1)(W-b+1))` |
//! | [`DropBlockBackward`]<br>`drop_block_backward` | backward pass of DropBlock, with a regenerated or a stored mask | `dx = m·dy·factor` |
//! | [`DropConnect`]<br>`drop_connect` | DropConnect: drops weights and biases of a layer at random and rescales the rest | `masked = m·weight/(1-p), m = 1 with probability 1-p (scale_at_test: m·weight, and (1-p)·weight after training)` |
//! | [`DropConnectBackward`]<br>`drop_connect_backward` | backward pass of DropConnect, to weights and biases, with a regenerated mask; can accumulate | `dweight (+)= m·dmasked/(1-p) (scale_at_test: m·dmasked)` |
//! | [`MonteCarloAccumulate`]<br>`monte_carlo_accumulate` | mean and variance of outputs over Monte Carlo dropout passes, one pass per call | `n = seen + 1, d = x - mean; mean += d/n; m2 += d²·seen/n; variance = m2/(n-1) (biased: m2/n)` |
//! | [`Philox`]<br>`philox` | random words of Philox4x32-10, the counter-based generator behind every mask | `words[4b..4b+4] = philox(counter = (first_block + b, step, stream), key = seed)` |
//! | [`BiasActDropoutAdd`]<br>`bias_act_dropout_add` | bias, activation, dropout and residual add in one pass; all but the dropout are optional | `y = residual + m·act(x + bias)/(1-p), m = 1 with probability 1-p` |
//! | [`BiasActDropoutAddBackward`]<br>`bias_act_dropout_add_backward` | backward pass of bias_act_dropout_add, to input and bias, with a regenerated mask | `dx = m·act'(x + bias)·dy/(1-p), dbias = Σdx; the residual's gradient is dy` |
//! | [`DropoutAddLayerNorm`]<br>`dropout_add_layer_norm` | dropout, residual add, and layer or RMS norm of each row; also writes the sum | `z = residual + m·x/(1-p), y = norm(z)` |
//! | [`DropoutAddLayerNormBackward`]<br>`dropout_add_layer_norm_backward` | backward pass of dropout_add_layer_norm, to input, residual, and the norm's weight and bias | `dresidual = norm'(z)·dy + dz, dx = m·dresidual/(1-p)` |
//!
//! <!-- /ops -->
mod alpha_dropout;
mod alpha_dropout_backward;
mod bias_act_dropout_add;
mod bias_act_dropout_add_backward;
mod drop_block;
mod drop_block_backward;
mod drop_connect;
mod drop_connect_backward;
mod dropout;
mod dropout_add_layer_norm;
mod dropout_add_layer_norm_backward;
mod dropout_backward;
mod gaussian_dropout;
mod gaussian_dropout_backward;
mod gaussian_noise;
mod monte_carlo_accumulate;
mod philox;
pub(crate) mod shared;
mod zoneout;
mod zoneout_backward;

super::family! {
    dropouts: "Dropout",
    dropout::Dropout,
    dropout_backward::DropoutBackward,
    alpha_dropout::AlphaDropout,
    alpha_dropout_backward::AlphaDropoutBackward,
    zoneout::Zoneout,
    zoneout_backward::ZoneoutBackward,
    gaussian_dropout::GaussianDropout,
    gaussian_dropout_backward::GaussianDropoutBackward,
    gaussian_noise::GaussianNoise,
    drop_block::DropBlock,
    drop_block_backward::DropBlockBackward,
    drop_connect::DropConnect,
    drop_connect_backward::DropConnectBackward,
    monte_carlo_accumulate::MonteCarloAccumulate,
    philox::Philox,
    bias_act_dropout_add::BiasActDropoutAdd,
    bias_act_dropout_add_backward::BiasActDropoutAddBackward,
    dropout_add_layer_norm::DropoutAddLayerNorm,
    dropout_add_layer_norm_backward::DropoutAddLayerNormBackward,
}
