//! How a kernel sees a buffer.
use crate::types::DType;

/// How a kernel reaches the elements of a buffer. `x` stands for the binding's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// Four elements at a time: `x_load(q) -> vec4<f32>`, `x_store(q, v)` for elements 4q to 4q+3.
    Quads,
    /// The same functions for an end that is no whole quad. Elements from `params.end` on read as 0 and are not written.
    Ragged,
    /// As `Ragged` with `true`, else as `Quads`; and the same elements as they are stored, for copies that keep every bit:
    /// `x_bits(q) -> vec4<u32>` holds them in the four words of f32 or in the first two of halves, `x_set(q, bits, alive)` writes
    /// those that are `alive`, and touches no bit of the others. An element past the end must not be.
    Bits(bool),
    /// Any four neighbours, for reading: `x_four(e) -> vec4<f32>` for elements e to e+3. What is not below `params.end` reads
    /// as anything. With `true`, e is a multiple of 4 and all four are there.
    Four(bool),
    /// One element at a time: `x_at(e) -> f32`, and `x_put(e, v)` for f32 only (two halves share a word).
    Elements,
    /// The buffer itself, `x: array<...>` of this WGSL type.
    Raw(&'static str),
}

/// One storage binding of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decl {
    /// Its name in the kernel.
    pub name: &'static str,
    /// How its elements are stored.
    pub dtype: DType,
    /// How the kernel reaches them.
    pub view: View,
    /// Whether the kernel writes it.
    pub writes: bool,
}
