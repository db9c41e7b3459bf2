//! What the optimizer steps share: parameter groups, and what to do about gradients that are not finite.
use crate::{
    options::{ElasticNet, Key, check_derived, check_held},
    types::Error,
};
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// What a decoupled decay multiplies. Papers and frameworks differ, so it is a name.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecayMode {
    /// `w -= lr · lr_scale · decay · w` (AdamW of PyTorch, optax and Burn).
    #[default]
    ScaledByLr,
    /// `w -= decay · w`, whatever the learning rate (SGDW of Loshchilov and Hutter, with a schedule multiplier of 1).
    Independent,
}

/// What an optimizer step does when a gradient holds a NaN or an infinity.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonFinite {
    /// It enters the moments and the weight, element by element, as in arithmetic. One pass over the gradients.
    #[default]
    Propagate,
    /// The whole step is left out, for all tensors: no weight and no moment changes, and `skipped` counts 1. Decided on
    /// the GPU, without a read-back, from the bits of the gradients as stored (and of the GPU's gradient scale). Costs a
    /// second read of the gradients.
    Skip,
}

/// Where an adaptive optimizer adds its eps. Frameworks differ, so it is a name.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpsPlace {
    /// √v + eps (PyTorch).
    #[default]
    OutsideRoot,
    /// √(v + eps) (optax' `rmsprop` and `adagrad` by default, `eps_root` of its `adam`; TensorFlow and Keras, but for Adam).
    InsideRoot,
}

impl EpsPlace {
    /// What is added to v, and what to the root.
    pub(crate) fn split(self, eps: f64) -> [f64; 2] {
        if self == Self::InsideRoot { [eps, 0.0] } else { [0.0, eps] }
    }
}

/// How an optimizer rounds a new weight to bf16.
///
/// Rounded to nearest, a step below half the distance of two numbers, 2^-9 of the weight, is lost whole. Rounded at random, to
/// the number above with the probability with which the weight is nearer to it than to the one below, it is kept in the mean.
/// Gupta et al., "Deep learning with limited numerical precision", 2015.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest number, ties to even.
    #[default]
    Nearest,
    /// To one of the two numbers beside the f32 weight, by 16 bits of the generator for each element: to the one farther from 0
    /// with the probability (low 16 bits of the f32 word)/2^16. What bf16 holds stays, so exact zeros do; NaN stays NaN. Beyond
    /// the largest number lies infinity.
    ///
    /// Element e of the arena draws what decision `first_element` + e of a [`Dropout`](crate::ops::Dropout) would; `first_element`
    /// must be a multiple of 4. Each step wants another [`Key::step`].
    Stochastic(Key),
}

/// The settings of one group of tensors in an optimizer step; [`Segment::group`](crate::types::Segment::group) is its index.
///
/// The four kinds of regularization may be combined; a term whose λ is 0 is absent, not a product with 0.
/// Loshchilov and Hutter, "Decoupled weight decay regularization", 2019; Parikh and Boyd, "Proximal algorithms", 2014.
#[value]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Multiplies the learning rate. 0 leaves the weights alone but not the moments, nor does it stop
    /// a decay that is independent of the learning rate.
    #[field(default = 1.0, min = 0)]
    pub lr_scale: f64,
    /// Its gradient is added to the loss gradient, before the moments. JSON must say the `l2_form` of its `l2`.
    #[field(default)]
    pub coupled: ElasticNet,
    /// Decoupled decay of the weight as it was before the step. JSON of `adamw` and `lion` must say it.
    #[field(default, min = 0)]
    pub decay: f64,
    /// What the decay multiplies.
    #[field(default)]
    pub decay_mode: DecayMode,
    /// Its proximal operator is applied to the new weight, with step `lr · lr_scale` (in AdamW too: the plain learning
    /// rate, not the preconditioned one). L1 gives exact zeros.
    #[field(default)]
    pub prox: ElasticNet,
}

impl Default for Group {
    fn default() -> Self {
        Self::from_required()
    }
}

/// A group as the kernels need it, at one learning rate. Rounded to f32 only when it goes into the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    /// λ1 and the slope of the coupled penalty.
    pub coupled: [f64; 2],
    /// What part of the old weight the decay takes off.
    pub decay: f64,
    /// lr · lr_scale.
    pub rate: f64,
    /// Below this, the proximal step gives 0.
    pub threshold: f64,
    /// What the proximal step divides the rest by.
    pub divisor: f64,
    /// λ1 and slope of the proximal penalty, whatever the rate.
    pub prox: [f64; 2],
}

impl Group {
    /// Checks the ranges of all fields.
    ///
    /// # Errors
    /// Names `groups`, the index and the field.
    pub(crate) fn check(&self, op: &'static str, index: usize) -> Result<(), Error> {
        for (name, v) in [("lr_scale", self.lr_scale), ("decay", self.decay)] {
            if !((v as f32).is_finite() && v >= 0.0) {
                return Err(Error::argument(op, "groups", format!("[{index}] has {name} = {v}, must be finite and at least 0")));
            }
            check_held(op, "groups", &format!("[{index}] has {name} ="), v)?;
        }
        self.coupled.check(op, "groups", index)?;
        self.prox.check(op, "groups", index)
    }

    /// Checks the products with the learning rate, which are what the kernels take.
    ///
    /// # Errors
    /// Names `groups`, the index and the product.
    pub(crate) fn check_rates(&self, op: &'static str, index: usize, lr: f64) -> Result<(), Error> {
        let rates = self.rates(lr);
        if rates.rows().as_flattened().iter().any(|v| !v.is_finite()) {
            let why = format!("[{index}]: a product with lr = {lr} is past the range of f32 (3.4e38)");
            return Err(Error::argument(op, "groups", why));
        }
        let decay = if self.decay_mode == DecayMode::ScaledByLr { "lr · lr_scale · decay" } else { "decay" };
        let all = [
            ("lr · lr_scale", rates.rate),
            (decay, rates.decay),
            ("lr · lr_scale · prox.l1", rates.threshold),
            ("lr · lr_scale · the slope of prox", rates.rate * rates.prox[1]),
        ];
        all.iter().try_for_each(|(what, v)| check_derived(op, "groups", &format!("[{index}]: {what}"), *v))
    }

    /// The products with the learning rate.
    pub(crate) fn rates(&self, lr: f64) -> Rates {
        let rate = lr * self.lr_scale;
        Rates {
            coupled: [self.coupled.l1, self.coupled.slope()],
            decay: match self.decay_mode {
                DecayMode::ScaledByLr => rate * self.decay,
                DecayMode::Independent => self.decay,
            },
            rate,
            threshold: rate * self.prox.l1,
            divisor: 1.0 + rate * self.prox.slope(),
            prox: [self.prox.l1, self.prox.slope()],
        }
    }
}

impl Rates {
    /// The two rows of the table.
    pub(crate) fn rows(&self) -> [[f32; 4]; 2] {
        let ([l1, slope], [prox1, prox2]) = (self.coupled, self.prox);
        [[l1, slope, self.decay, self.rate], [self.threshold, self.divisor, prox1, prox2]].map(|row| row.map(|v| v as f32))
    }
}
