//! What a model predicts, and what it loses by it.

/// The distribution of the target, with its canonical link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A number; half the squared error.
    Linear,
    /// 0 or 1, or what lies between; the logistic loss.
    Logistic,
}

impl Family {
    /// The mean of the target.
    pub fn mean(self, eta: f64) -> f64 {
        match self {
            Self::Linear => eta,
            Self::Logistic => 1.0 / (1.0 + (-eta).exp()),
        }
    }

    /// The second derivative of the loss by η.
    pub(super) fn curvature(self, eta: f64) -> f64 {
        match self {
            Self::Linear => 1.0,
            Self::Logistic => {
                let e = (-eta.abs()).exp();
                e / ((1.0 + e) * (1.0 + e))
            }
        }
    }

    /// What [`Family::curvature`] is at most.
    pub(super) fn most_curved(self) -> f64 {
        match self {
            Self::Linear => 1.0,
            Self::Logistic => 0.25,
        }
    }

    /// The target less its mean: the loss falls by it along η.
    pub(super) fn residual(self, eta: f64, y: f64) -> f64 {
        match self {
            Self::Linear => y - eta,
            // Without cancellation where η is large.
            Self::Logistic if eta > 0.0 => (y - 1.0) + (-eta).exp() / (1.0 + (-eta).exp()),
            Self::Logistic => y - eta.exp() / (1.0 + eta.exp()),
        }
    }

    /// The loss.
    pub fn loss(self, eta: f64, y: f64) -> f64 {
        match self {
            Self::Linear => 0.5 * (y - eta) * (y - eta),
            // ln(1 + exp(η)) - y·η, without overflow.
            Self::Logistic => eta.max(0.0) + (-eta.abs()).exp().ln_1p() - y * eta,
        }
    }

    /// Minus the convex conjugate of the loss, where its derivative is -`residual`: what bounds the loss from below.
    pub(super) fn dual(self, residual: f64, y: f64) -> f64 {
        match self {
            Self::Linear => residual * (y - 0.5 * residual),
            Self::Logistic => {
                let plogp = |p: f64| if p > 0.0 { p * p.ln() } else { 0.0 };
                let p = y - residual;
                -plogp(p) - plogp(1.0 - p)
            }
        }
    }

    /// η of a model without features: that of the mean.
    pub(super) fn link(self, mean: f64) -> f64 {
        match self {
            Self::Linear => mean,
            Self::Logistic => (mean / (1.0 - mean)).ln(),
        }
    }
}
