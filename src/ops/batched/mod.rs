//! Many small networks of one shape, trained together: each op works on all of them in one dispatch.
//!
//! A small network leaves a GPU idle; a hundred of them, with other seeds, folds or hyperparameters, fill it.
//! [`BatchedDense`], [`BatchedReluDropout`] and [`BatchedLoss`] with their gradients make multilayer perceptrons;
//! [`GatherRows`] makes shuffled batches, [`BootstrapIndices`] bootstrap samples (Efron, 1979); [`EarlyStopping`] and
//! [`KeepBest`] stop each model on its own validation loss and checkpoint its best weights, without reading anything back.
//! This is what the commands `ridgepole study` and `ridgepole tune` do.
//!
//! - Activations are f32 \[rows, models, width\], models side by side; weights are \[models, inputs (+ 1), outputs\], the
//!   last row being the bias. Widths are multiples of 4: pad with zeros.
//! - A model's results do not depend on which or how many models are beside it, bit for bit. Dropout uses common random
//!   numbers: all models draw the same, each compares with its own `p`.
//! - `early_stopping`'s state is made by [`EarlyStopping::start`]. A stopped model keeps its place; it is the caller who may
//!   leave it out of the next batch.
//! - Each buffer must fit a binding. Deterministic.
//!
//! # Example
//!
//! ```rust
//! use ridgepole::ops::batched::{BatchedDense, EarlyStopping, KeepBest};
//! use ridgepole::{HostData, Session};
//!
//! let session = Session::new()?;
//! // Two models see one row of four inputs; their weights are all 1 and all 2.
//! let x = HostData::F32([[1.0, 2.0, 3.0, 4.0]; 2].concat());
//! let w = HostData::F32([[1.0; 16], [2.0; 16]].concat());
//! let dense = BatchedDense { models: 2, rows: 1, inputs: 4, outputs: 4, bias: false };
//! assert_eq!(session.run(&dense, &[x, w])?, [HostData::F32([[10.0; 4], [20.0; 4]].concat())]);
//! // Validation losses of a first epoch; NaN is no improvement.
//! let stop = EarlyStopping { models: 2, parts: 1, epoch: 1, patience: 5, min_delta: 0.0 };
//! let state = session.run(&stop, &[vec![0.7, f32::NAN].into(), EarlyStopping::start(2)])?;
//! // Only the weights of the first model are kept.
//! let (weights, best) = (vec![1.0, 2.0].into(), vec![0.0, 0.0].into());
//! let kept = session.run(&KeepBest { models: 2, len: 1 }, &[state[0].clone(), weights, best])?;
//! assert_eq!(kept, [vec![1.0, 0.0].into()]);
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Ops
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | op | what it computes | formula |
//! |---|---|---|
//! | [`BatchedDense`]<br>`batched_dense` | dense layer, for many models of one shape | `y = x·w + b, for each model` |
//! | [`BatchedDenseWeightGrad`]<br>`batched_dense_weight_grad` | weight and bias gradients of batched_dense | `dw = xᵀ·dy, db = Σ dy over rows, for each model` |
//! | [`BatchedDenseInputGrad`]<br>`batched_dense_input_grad` | input gradient of batched_dense, through the dropout and ReLU in front of it | `dx = (dy·wᵀ)/(1 - p) where gate > 0, else 0, for each model` |
//! | [`BatchedReluDropout`]<br>`batched_relu_dropout` | ReLU and dropout for many models, each with its own p, all with common random numbers | `y = keep·max(x, 0)/(1 - p), keep = 1 with probability 1-p (after training: max(x, 0))` |
//! | [`BatchedReluDropoutBackward`]<br>`batched_relu_dropout_backward` | backward pass of batched_relu_dropout, from its output; no mask is needed | `dx = dy/(1 - p) where y > 0, else 0` |
//! | [`BatchedLoss`]<br>`batched_loss` | cross-entropy or squared error of many models, its gradient and the correct rows, with a weight per row and model | `L = Σ w·Σ t·(-ln softmax(z)), or Σ w·Σ (p - t)²` |
//! | [`EarlyStopping`]<br>`early_stopping` | early stopping of many models, decided on the GPU: which improved this epoch, which ran out of patience | `improved if Σ loss < best - min_delta; stopped after patience epochs without` |
//! | [`KeepBest`]<br>`keep_best` | checkpoint of per-model tensors, for the models that improved this epoch | `best_m = from_m where status_m = 1` |
//! | [`GatherRows`]<br>`gather_rows` | rows of a matrix gathered by index, in any order and with repetition: batches of a data set | `out[i] = source[order[i]], zeros where that is out of range` |
//! | [`BootstrapIndices`]<br>`bootstrap_indices` | bootstrap samples: row indices drawn with replacement; a set does not depend on how many others are drawn | `index = ⌊rows·word / 2^32⌋, a Philox word for each pick` |
//!
//! <!-- /ops -->
mod batched_dense;
mod batched_dense_input_grad;
mod batched_dense_weight_grad;
mod batched_loss;
mod batched_relu_dropout;
mod batched_relu_dropout_backward;
mod bootstrap_indices;
mod early_stopping;
mod gather_rows;
mod keep_best;
pub(crate) mod shared;

super::family! {
    batched: "Batched models",
    batched_dense::BatchedDense,
    batched_dense_weight_grad::BatchedDenseWeightGrad,
    batched_dense_input_grad::BatchedDenseInputGrad,
    batched_relu_dropout::BatchedReluDropout,
    batched_relu_dropout_backward::BatchedReluDropoutBackward,
    batched_loss::BatchedLoss,
    early_stopping::EarlyStopping,
    keep_best::KeepBest,
    gather_rows::GatherRows,
    bootstrap_indices::BootstrapIndices,
}
