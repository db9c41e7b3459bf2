//! Conventions of normalizations that differ between models and frameworks.
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// What a learned weight w of a normalisation multiplies by. Models differ, so it is a name and not a 1 to remember.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightForm {
    /// w: starts from 1 (PyTorch, Flax, Keras, LLaMA).
    #[default]
    Plain,
    /// 1 + w: starts from 0, so that weight decay pulls towards no change (Gemma).
    OnePlus,
}

impl WeightForm {
    /// What is added to w.
    pub(crate) fn offset(self) -> f64 {
        if self == Self::OnePlus { 1.0 } else { 0.0 }
    }

    /// The constants of `lib/rows/row_weight`.
    pub(crate) fn consts(self) -> &'static [(&'static str, u32)] {
        if self == Self::OnePlus { &[("ONE_PLUS", 1)] } else { &[] }
    }
}

/// Which normalisation of rows.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowNorm {
    /// By mean and variance: [`LayerNorm`](crate::ops::LayerNorm).
    #[default]
    Layer,
    /// By the root mean square: [`RmsNorm`](crate::ops::RmsNorm).
    Rms,
}

/// What α multiplies. Frameworks differ by a factor of the window's size, so it is a name.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlphaForm {
    /// The mean of the squares: α/size·Σx² (PyTorch, Caffe, ONNX).
    #[default]
    Mean,
    /// Their sum: α·Σx² (the paper; TensorFlow, whose `depth_radius` r is a size of 2r + 1, and whose `bias` is k).
    Sum,
}

/// How running statistics follow several virtual batches.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GhostRunning {
    /// One after the other, as if each had been a batch of its own: r ← (1 - a)·r + a·batch for each in order. The
    /// exponentially weighted sum of Hoffer et al., and what a PyTorch module does that is called on each part.
    #[default]
    Sequential,
    /// Once, by the mean over the virtual batches of their means and variances: Keras' `virtual_batch_size`.
    Mean,
}
