//! A kernel's parameters: declared once, by [`params!`](crate::params), on the host.

/// A kernel's parameters: 32-bit words, with the names and types under which the kernel reads them. `params!` makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// The words, little-endian, and zeros to the end of the last row of 16 bytes.
    pub bytes: Vec<u8>,
    /// `(name, type)` of each word, of which [`compose`](crate::wgsl::compose) writes the kernel's `struct Params`.
    pub fields: &'static [(&'static str, &'static str)],
}

/// What a field of [`params!`](crate::params) may be: `u32`, `i32`, `f32`, or the words of another `params!`, which stand in its
/// place under their own names.
pub trait Param: Copy {
    /// `(name, type)` of each word. A number has one, which takes the name of its field.
    const WORDS: &'static [(&'static str, &'static str)];

    /// Appends the words, little-endian.
    fn put(self, bytes: &mut Vec<u8>);
}

macro_rules! numbers {
    ($($ty:ident),*) => {$(
        impl Param for $ty {
            const WORDS: &'static [(&'static str, &'static str)] = &[("", stringify!($ty))];

            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}
numbers!(u32, i32, f32);

/// Names of fields, and the words of each.
type Fields = [(&'static str, &'static [(&'static str, &'static str)])];

impl Params {
    /// What a struct made by `params!` holds.
    #[doc(hidden)]
    pub fn of<P: Param>(params: P) -> Self {
        let mut bytes = Vec::with_capacity(4 * P::WORDS.len());
        params.put(&mut bytes);
        // A uniform binding holds whole 16-byte rows; the kernel's struct may end earlier.
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        Self { bytes, fields: P::WORDS }
    }

    /// How many words these fields have together.
    #[doc(hidden)]
    pub const fn count(fields: &Fields) -> usize {
        let (mut n, mut i) = (0, 0);
        while i < fields.len() {
            (n, i) = (n + fields[i].1.len(), i + 1);
        }
        n
    }

    /// The words of these fields, one after the other.
    #[doc(hidden)]
    pub const fn words<const N: usize>(fields: &Fields) -> [(&'static str, &'static str); N] {
        let (mut out, mut n, mut i) = ([("", ""); N], 0, 0);
        while i < fields.len() {
            let ((field, words), mut k) = (fields[i], 0);
            while k < words.len() {
                out[n] = if words[k].0.is_empty() { (field, words[k].1) } else { words[k] };
                (n, k) = (n + 1, k + 1);
            }
            i += 1;
        }
        out
    }
}

/// Declares a kernel's parameters, in 32-bit words only, so that Rust and WGSL cannot disagree about padding. The kernel reads
/// them as `params.name`, and declares nothing: its `struct Params` is written from this.
///
/// A field may be a struct that another `params!` made, as [`tile::Window`](crate::tile::Window) is; the kernel finds its words
/// beside the others:
///
/// ```
/// use ridgepole::{Params, params, tile::Window};
///
/// params! { DecayParams { window: Window, decay: f32 } }
///
/// let window = Window { first: 0, blocks: 8, lo: 0, hi: 4096, base: 0, end: 16384 };
/// let params = Params::from(DecayParams { window, decay: 0.5 });
/// let names: Vec<&str> = params.fields.iter().map(|(name, _)| *name).collect();
/// assert_eq!(names, ["first", "blocks", "lo", "hi", "base", "end", "decay"]);
/// ```
#[macro_export]
macro_rules! params {
    ($(#[$meta:meta])* $vis:vis $name:ident { $($(#[$about:meta])* $field:ident: $ty:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $name { $($(#[$about])* $vis $field: $ty),+ }
        impl $crate::op::Param for $name {
            const WORDS: &'static [(&'static str, &'static str)] = {
                const FIELDS: &[(&str, &[(&str, &str)])] = &[$((stringify!($field), <$ty as $crate::op::Param>::WORDS)),+];
                &$crate::op::Params::words::<{ $crate::op::Params::count(FIELDS) }>(FIELDS)
            };

            fn put(self, bytes: &mut Vec<u8>) {
                $($crate::op::Param::put(self.$field, bytes);)+
            }
        }
        impl From<$name> for $crate::op::Params {
            fn from(params: $name) -> Self {
                Self::of(params)
            }
        }
    };
}
