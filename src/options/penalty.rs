//! The scalars that several ops share: penalties.
use super::{check_derived, check_held};
use crate::types::Error;
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// Which convention an L2 term follows. Frameworks differ, so it is a name and not a factor to remember.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum L2Form {
    /// λ2·Σw², gradient 2·λ2·w (Keras).
    #[default]
    Sum,
    /// ½·λ2·Σw², gradient λ2·w (`weight_decay` of PyTorch, Burn and apex).
    Half,
}

/// What a penalty on activations is divided by, so that it does not grow with the batch beside a loss that is a mean over it.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// By nothing: a penalty on weights, or the plain sum over a batch.
    #[default]
    Sum,
    /// By the number of samples in the batch: Keras, whose layers divide what their `activity_regularizer` says.
    #[field(min = 1)]
    Batch(usize),
}

impl Per {
    /// Checks the number of samples.
    ///
    /// # Errors
    /// Names `per` if it is a batch of 0.
    pub fn check(self, op: &'static str) -> Result<(), Error> {
        match self {
            Self::Batch(0) => {
                Err(Error::argument(op, "per", "is a batch of 0, must be at least 1: the samples that the arena holds"))
            }
            _ => Ok(()),
        }
    }
}

/// The elastic net Ω(w) = λ1·Σ|w| + λ2·Σw² and its special cases: lasso (λ2 = 0), ridge (λ1 = 0), none (both 0).
///
/// Zou and Hastie, "Regularization and variable selection via the elastic net", 2005.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ElasticNet {
    /// λ1.
    #[field(default, min = 0, max = 1e38)]
    pub l1: f64,
    /// λ2.
    #[field(default, min = 0, max = 1e38)]
    pub l2: f64,
    /// What λ2 multiplies.
    #[field(default)]
    pub l2_form: L2Form,
}

impl ElasticNet {
    /// No penalty.
    pub const NONE: Self = Self { l1: 0.0, l2: 0.0, l2_form: L2Form::Sum };

    /// λ1·Σ|w| (lasso).
    pub fn l1(l1: f64) -> Self {
        Self { l1, ..Self::NONE }
    }

    /// λ2·Σw² (ridge).
    pub fn l2(l2: f64) -> Self {
        Self { l2, ..Self::NONE }
    }

    /// ½·λ·Σw², whose gradient is λ·w: what PyTorch calls `weight_decay`.
    pub fn weight_decay(l2: f64) -> Self {
        Self { l2, l2_form: L2Form::Half, ..Self::NONE }
    }

    /// λ1·Σ|w| + λ2·Σw².
    pub fn new(l1: f64, l2: f64) -> Self {
        Self { l1, l2, ..Self::NONE }
    }

    /// What multiplies Σw² in the value.
    pub fn square_factor(&self) -> f64 {
        match self.l2_form {
            L2Form::Sum => self.l2,
            L2Form::Half => 0.5 * self.l2,
        }
    }

    /// What multiplies w in the gradient.
    pub fn slope(&self) -> f64 {
        2.0 * self.square_factor()
    }

    /// The penalty that a sample counts for.
    pub fn over(self, per: Per) -> Self {
        match per {
            Per::Sum => self,
            Per::Batch(n) => Self { l1: self.l1 / n as f64, l2: self.l2 / n as f64, ..self },
        }
    }

    /// Checks what a kernel takes of the penalty of a sample, beside [`ElasticNet::check`]: λ1, and λ2 as it multiplies.
    pub(crate) fn check_over(self, per: Per, op: &'static str, index: usize, by: impl Fn(Self) -> f64) -> Result<(), Error> {
        let one = self.over(per);
        let all = [("l1", one.l1), ("the factor of l2", by(one))];
        let of = if per == Per::Sum { "" } else { " of a sample" };
        all.iter().try_for_each(|(what, v)| check_derived(op, "groups", &format!("[{index}]: {what}{of}"), *v))
    }

    /// Checks both λ: they, and twice λ2, must fit f32, and be 0 or no less than its least normal number. `index` is its place in
    /// the list `field`.
    ///
    /// # Errors
    /// Names `field`, the index and the λ that is negative, too large, too small or NaN.
    pub fn check(&self, op: &'static str, field: &'static str, index: usize) -> Result<(), Error> {
        for (name, v) in [("l1", self.l1), ("l2", self.l2)] {
            if !(0.0..=1e38).contains(&v) {
                let why = format!("[{index}] has {name} = {v}, must be finite, at least 0 and at most 1e38");
                return Err(Error::argument(op, field, why));
            }
            check_held(op, field, &format!("[{index}] has {name} ="), v)?;
        }
        Ok(())
    }
}

/// What the norm of a unit of d weights is multiplied by, so that large units are not favoured.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupWeighting {
    /// √d: Yuan and Lin.
    #[default]
    RootSize,
    /// 1: all groups alike.
    One,
}

/// The sparse group lasso Ω(w) = λ·Σ_g √d_g·‖w_g‖₂ + λ1·Σ|w|, and with λ1 = 0 the group lasso; a group is a unit of a matrix.
///
/// Yuan and Lin, "Model selection and estimation in regression with grouped variables", 2006; Simon, Friedman, Hastie and
/// Tibshirani, "A sparse-group lasso", 2013.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupPenalty {
    /// λ.
    #[field(min = 0, max = 1e30)]
    pub lambda: f64,
    /// λ1.
    #[field(default, min = 0, max = 1e30)]
    pub l1: f64,
    /// What multiplies a norm besides λ.
    #[field(default)]
    pub weighting: GroupWeighting,
}

impl GroupPenalty {
    /// The group lasso, with √d.
    pub fn new(lambda: f64) -> Self {
        Self { lambda, ..Self::default() }
    }

    /// λ·√d, or λ, for units of `d` elements.
    pub fn strength(&self, d: usize) -> f64 {
        match self.weighting {
            GroupWeighting::RootSize => self.lambda * (d as f64).sqrt(),
            GroupWeighting::One => self.lambda,
        }
    }

    /// Checks λ and λ1: they, and λ·√d, must fit f32.
    ///
    /// # Errors
    /// Names `groups` and what is negative, too large or NaN.
    pub fn check(&self, op: &'static str) -> Result<(), Error> {
        for (name, v) in [("lambda", self.lambda), ("l1", self.l1)] {
            if !(0.0..=1e30).contains(&v) {
                return Err(Error::argument(
                    op,
                    "groups",
                    format!("has {name} = {v}, must be finite, at least 0 and at most 1e30"),
                ));
            }
            check_held(op, "groups", &format!("has {name} ="), v)?;
        }
        Ok(())
    }
}

/// Which vectors of a weight are to be orthonormal: which Gram matrix is held against the identity.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrthogonalSide {
    /// The rows: W·Wᵀ, rows by rows. It can become the identity only where rows ≤ cols.
    #[default]
    Rows,
    /// The columns: Wᵀ·W, cols by cols. It can become the identity only where cols ≤ rows.
    Columns,
    /// The fewer of both, rows if they are as many: the one that can become the identity, and the least work. The gradients of
    /// both are equal; the values differ by λ·|rows - cols|.
    Smaller,
}
