//! Averages of weights, which generalize better than the last iterate, and the two halves of sharpness-aware minimisation.
//!
//! [`Ema`] is an exponential moving average, updated after every step (Polyak and Juditsky, 1992, with
//! [`Warmup::Polyak`](crate::Warmup)); [`Swa`] an equally weighted mean, updated once per epoch (Izmailov et al., 2018).
//! [`SamPerturb`] and [`SamRestore`] stand around a second backward pass: perturb, compute the gradient there, restore, take
//! the optimizer's step (Foret et al., 2021; `adaptive` is ASAM, Kwon et al., 2021).
//!
//! - Averages are f32 whatever the weights are, and updated in place. Only `decay` and the number of updates change from step
//!   to step: [`Plan::update`](crate::Plan::update).
//! - Frameworks warm an average up in different ways, and each has a name: [`Warmup`](crate::Warmup). The default is none:
//!   fill the average with the weights first.
//! - Recompute batch norm's running statistics for averaged weights.
//! - The [optimizers](super::optimizers) keep the same average in the pass of their step (`ema`).
//! - Deterministic. None of these ops has a backward pass.
//!
//! # Example
//!
//! ```rust
//! use ridgepole::ops::averaging::{Ema, Swa};
//! use ridgepole::{DType, Segment, Session, Warmup};
//!
//! let session = Session::new()?;
//! let (weight, average) = (vec![3.0, 5.0], vec![1.0, 1.0]);
//! let input = [weight.into(), average.into()];
//! // The average holds one set of weights already; this is the second.
//! let swa = Swa { dtype: DType::F32, segments: Segment::one(2), averaged: 1 };
//! assert_eq!(session.run(&swa, &input)?, [vec![2.0, 3.0].into()]);
//! let ema = Ema { dtype: DType::F32, segments: Segment::one(2), decay: 0.75, warmup: Warmup::None };
//! assert_eq!(session.run(&ema, &input)?, [vec![1.5, 2.0].into()]);
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Ops
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | op | what it computes | formula |
//! |---|---|---|
//! | [`Ema`]<br>`ema` | update of an exponential moving average of the weights, with the frameworks' warm-ups; also Polyak averaging | `average = d·average + (1-d)·w, d = decay, or less by warmup` |
//! | [`SamPerturb`]<br>`sam_perturb` | first half of a SAM or ASAM step: saves the weights and perturbs them along the gradient, within radius rho | `saved = w; w += rho·T²·g/(‖T·g‖ + eps), T = 1, or \|w\| + adaptive` |
//! | [`SamRestore`]<br>`sam_restore` | second half of a SAM or ASAM step: restores the saved weights, bit for bit | `w = saved` |
//! | [`Swa`]<br>`swa` | update of stochastic weight averaging: the equally weighted mean of the weights seen so far | `average += (w - average)/(averaged + 1)` |
//!
//! <!-- /ops -->
mod ema;
mod sam_perturb;
mod sam_restore;
pub(super) mod shared;
mod swa;

super::family! {
    averaging: "Averaging and flatness",
    ema::Ema,
    sam_perturb::SamPerturb,
    sam_restore::SamRestore,
    swa::Swa,
}
