//! The attributes by which the crate ridgepole says each field once: rustdoc, default and range stand at the field, and serde, the
//! constructors, the table of ops, its JSON and the documents are made of them.
//!
//! `#[op]` stands before the struct of an op, `#[value]` before a type that fields hold. Both read `#[field(…)]`:
//!
//! | within `field` | what it says |
//! |---|---|
//! | `default` | may be left out; the type's own default |
//! | `default = 1e-5` | may be left out: a literal, or a variant without fields, `Form::Half` |
//! | `min = 0`, `above = 0` | the least value, or what it must be above |
//! | `max = 1`, `below = 1` | the largest value, or what it must be below; also `2^34 - 4` |
//! | `multiple_of = 4` | what it must be a multiple of |
//! | `only = [rows, columns]` | the choices that the op takes, if not all of its type |
//! | `must_give = [decay]` | fields of what is within that JSON must say, though its type has a default for them |
//! | `flatten` | it is another op, whose fields stand among this one's in JSON, in the table and in what `Debug` prints: a forward op in its backward |
//! | `without = [eps]` | fields of that which JSON does not know here; they have defaults |
//! | `hidden` | of a variant: no field may hold it |
//!
//! A range holds for the number itself and for those within an option or a list. It is appended to the rustdoc, as is the default, so
//! the text beside it need not say them.
//!
//! They name types by `crate::types` and `crate::op`, so they serve that crate alone.
mod description;
mod field;
mod item;
mod text;

use proc_macro::TokenStream;

/// Describes an op: `#[op(name = "…", summary = "…", formula = "…")]` before its struct, in a file that has the functions `cases` and
/// `bench`, or with `cases = path` and `bench = path`.
///
/// Derives what every op derives, refuses unknown fields in JSON, and makes the constant `NAME`, the row `ENTRY` of the ops table, and
/// `from_required`: the op of its required fields, in their order, with the others at their defaults. `parse = |value| …` reads the JSON in another way.
#[proc_macro_attribute]
pub fn op(arguments: TokenStream, item: TokenStream) -> TokenStream {
    done(item::op(arguments.into(), item.into()))
}

/// Describes a type that fields of ops hold: a struct with named fields, or an enum. Its derives are its own; of serde's attributes it
/// reads `rename_all`. A struct refuses unknown fields in JSON and gets `from_required` as an op does. The default of a struct that must be
/// given some field is said in JSON, `#[value(default = "…")]`, if it has one.
#[proc_macro_attribute]
pub fn value(arguments: TokenStream, item: TokenStream) -> TokenStream {
    done(item::value(arguments.into(), item.into()))
}

fn done(made: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    made.unwrap_or_else(|e| e.to_compile_error()).into()
}
