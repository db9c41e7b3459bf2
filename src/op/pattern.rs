//! The kinds of data that checks draw.

/// What kind of data a check draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pattern {
    /// Uniform over the range that the op says.
    Ordinary,
    /// One value everywhere.
    Constant,
    /// Exact zeros, negative zeros and ordinary values mixed.
    Zeros,
    /// A mean 10^4 times the spread.
    Offset,
    /// Values at and below the least normal number.
    Tiny,
    /// NaN and infinities among ordinary values.
    NonFinite,
}
