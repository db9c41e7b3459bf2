//! What documents a field of an op: its name, text, default, kind and range. The attributes `op` and `value` of `ridgepole-derive` make
//! it from what stands at the field.
use std::fmt;

/// A field of an op, or of a value within one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Its name, in Rust and in JSON.
    pub name: &'static str,
    /// The JSON text that stands for leaving it out; empty if it must be given.
    pub default: &'static str,
    /// What it is, and its unit: the first paragraph of its rustdoc, as plain text.
    pub about: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Where its number lies, or every number of its list.
    pub range: Range,
    /// Fields within it that JSON must say in this op, though their type has a default for them.
    pub must_give: &'static [&'static str],
    /// The choices that the op takes, if not all of the type.
    pub only: &'static [&'static str],
}

/// What a field holds, in JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number of so many bits, without a sign.
    Whole {
        /// 32 or 64.
        bits: u32,
    },
    /// A number: 0, or normal and finite in f32.
    Number,
    /// Nothing (`null`), or this.
    Optional {
        /// What there may be.
        of: &'static Kind,
    },
    /// A list of this.
    List {
        /// What each element is.
        of: &'static Kind,
        /// How many there are, if that is fixed.
        len: Option<usize>,
    },
    /// An object with these fields.
    Object {
        /// The name of the type; empty for what one of several choices holds.
        name: &'static str,
        /// What it is.
        about: &'static str,
        /// Its fields.
        fields: &'static [Field],
    },
    /// One of these.
    Choice {
        /// The name of the type.
        name: &'static str,
        /// What is chosen.
        about: &'static str,
        /// All that there are.
        choices: &'static [Choice],
    },
}

/// One of several choices: `"name"` in JSON, or `{"name": …}` if it holds something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Where the number lies that it holds, or every number of its list.
    pub range: Range,
    /// What it holds, if anything.
    pub holds: Option<&'static Kind>,
}

/// The range of a number, beside what its kind says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// The least.
    pub min: Option<f64>,
    /// It is larger than this.
    pub above: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// It is less than this.
    pub below: Option<f64>,
    /// It is a multiple of this.
    pub multiple_of: Option<u64>,
    /// All of it in words, as the field's rustdoc has it: `at least 0`, `0 to below 1`; empty for every number.
    pub words: &'static str,
}

impl Range {
    /// Every number.
    pub const ANY: Self = Self { min: None, above: None, max: None, below: None, multiple_of: None, words: "" };
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.words)
    }
}

/// A type that fields of ops hold.
pub trait Described {
    /// What it is in JSON.
    const KIND: Kind;
    /// The JSON of its default; empty if it has none.
    const DEFAULT: &'static str = "";
}

impl Described for bool {
    const KIND: Kind = Kind::Bool;
    const DEFAULT: &'static str = "false";
}

impl Described for u32 {
    const KIND: Kind = Kind::Whole { bits: 32 };
    const DEFAULT: &'static str = "0";
}

impl Described for u64 {
    const KIND: Kind = Kind::Whole { bits: 64 };
    const DEFAULT: &'static str = "0";
}

impl Described for usize {
    const KIND: Kind = Kind::Whole { bits: usize::BITS };
    const DEFAULT: &'static str = "0";
}

impl Described for f64 {
    const KIND: Kind = Kind::Number;
    const DEFAULT: &'static str = "0";
}

impl<T: Described> Described for Option<T> {
    const KIND: Kind = Kind::Optional { of: &T::KIND };
    const DEFAULT: &'static str = "null";
}

impl<T: Described> Described for Vec<T> {
    const KIND: Kind = Kind::List { of: &T::KIND, len: None };
    const DEFAULT: &'static str = "[]";
}

impl<T: Described, const N: usize> Described for [T; N] {
    const KIND: Kind = Kind::List { of: &T::KIND, len: Some(N) };
}
