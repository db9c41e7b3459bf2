//! Constraints on weights, enforced by a projection after each optimizer step.
//!
//! [`MaxNorm`], [`UnitNorm`] and [`MinMaxNorm`] bound the norms of rows, columns or filters; a max norm is the usual
//! companion of dropout (Srivastava et al., 2014). [`L2Ball`] bounds the norm of a whole tensor, [`BoxConstraint`] each
//! weight by itself (as the original Wasserstein GAN does), and [`NonNegative`] forbids negative weights. A penalty pulls
//! weights softly and all the time; a constraint does nothing until it is violated, and then projects back onto its limit.
//!
//! - All work in place on an *arena*, one buffer of many [`Segment`](crate::Segment)s or [`Matrix`](crate::Matrix) values;
//!   parameter groups do not matter.
//! - For norms by row, column or filter, [`Unit`](crate::Unit) says what one output's weights are: rows in PyTorch's order
//!   (outputs, inputs), columns in that of JAX and Keras.
//! - Max norms of PyTorch and Keras add 1e-7 to the norm, ours by default does not: [`MaxNormForm`](crate::MaxNormForm).
//! - Deterministic. A constraint has no backward pass.
//!
//! # Example
//!
//! ```rust
//! use ridgepole::ops::constraints::{BoxConstraint, MaxNorm};
//! use ridgepole::{DType, Matrix, MaxNormForm, Session};
//!
//! let session = Session::new()?;
//! // Two outputs, of norms 5 and 0.5; only the first exceeds 1.
//! let (matrices, form) = (Matrix::one(2, 2), MaxNormForm::Plain);
//! let max_norm = MaxNorm { dtype: DType::F32, matrices, max: 1.0, form };
//! let out = session.run(&max_norm, &[vec![3.0, 4.0, 0.3, 0.4].into()])?;
//! for (got, want) in out[0].to_f64().iter().zip([0.6, 0.8, 0.3, 0.4]) {
//!     assert!((got - want).abs() < 1e-6);
//! }
//! let clamp = BoxConstraint::new(DType::F32, 3, 0.5);
//! assert_eq!(session.run(&clamp, &[vec![-2.0, 0.25, 7.0].into()])?, [vec![-0.5, 0.25, 0.5].into()]);
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Ops
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | op | what it computes | formula |
//! |---|---|---|
//! | [`MaxNorm`]<br>`max_norm` | max-norm constraint on rows, columns or filters, over an arena of matrices | `w = w·min(1, max / ‖w_g‖) (torch and keras: softened by 1e-7)` |
//! | [`UnitNorm`]<br>`unit_norm` | unit-norm constraint: rescales rows, columns or filters to norm 1, over an arena of matrices | `w = w / (eps + ‖w_g‖)` |
//! | [`MinMaxNorm`]<br>`min_max_norm` | min-max-norm constraint: moves norms of rows, columns or filters into a range, over an arena of matrices | `w = w·(rate·clip(‖w_g‖, min, max) + (1 - rate)·‖w_g‖) / (1e-7 + ‖w_g‖)` |
//! | [`NonNegative`]<br>`non_negative` | non-negativity constraint: sets negative weights of an arena to 0 | `w = max(w, 0)` |
//! | [`BoxConstraint`]<br>`box_constraint` | box constraint: clamps every weight of an arena to a range | `w = min(max(w, min), max)` |
//! | [`L2Ball`]<br>`l2_ball` | projection of each whole tensor of an arena onto an L2 ball around 0 | `w = min(1, radius / ‖w‖)·w, per tensor` |
//!
//! <!-- /ops -->
mod box_constraint;
mod l2_ball;
mod max_norm;
mod min_max_norm;
mod non_negative;
mod unit_norm;

super::family! {
    constraints: "Constraints",
    max_norm::MaxNorm,
    unit_norm::UnitNorm,
    min_max_norm::MinMaxNorm,
    non_negative::NonNegative,
    box_constraint::BoxConstraint,
    l2_ball::L2Ball,
}
