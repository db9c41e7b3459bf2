//! What documents a field of an op.

/// A field of an op, for documentation.
pub struct Field {
    /// Its name, in Rust and in JSON.
    pub name: &'static str,
    /// The JSON text that stands for leaving it out; empty if it must be given.
    pub default: &'static str,
    /// What it is, its unit and range.
    pub about: &'static str,
}
