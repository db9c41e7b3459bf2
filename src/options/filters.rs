//! How a matrix of weights holds its filters, and what standardized filters are divided by.
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// Where the weights of one output lie in a matrix of weights. Frameworks differ, so it is a name.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterAxis {
    /// In a row: (outputs, inputs·kernel), PyTorch's linear and convolution weights (its `dim=0`).
    #[default]
    Rows,
    /// In a column: (kernel·inputs, outputs), the kernels of Flax, Keras and TensorFlow (the last axis).
    Columns,
}

/// What a filter's deviations are divided by. σ² is its variance and m how many values it has, its fan-in. Publications and
/// frameworks differ, so it is a name.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandardForm {
    /// √(σ² + ε): the paper, BiT, timm's `StdConv2d`.
    #[default]
    Inside,
    /// √σ² + ε: the authors' code, which takes the unbiased variance.
    Outside,
    /// √max(m·σ², ε): scaled, so that the output keeps the input's variance. NF-nets as published, with ε = 1e-4.
    FanInFloor,
    /// √(m·(σ² + ε)): the same scale in timm's `ScaledStdConv2d`.
    FanInInside,
}
