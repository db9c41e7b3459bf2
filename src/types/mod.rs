//! What a caller, an op and a kernel agree on: how numbers are stored, how a tensor is indexed, what can be wrong.
mod dtype;
mod error;
mod field;
pub(crate) mod memory;
mod rounding;
mod rows;
mod schema;
mod segment;
mod space;
mod text;

pub use dtype::{DType, HostData};
pub use error::Error;
pub use field::{Choice, Described, Field, Kind, Range};
pub(crate) use rows::Rows;
pub(crate) use schema::object;
pub use segment::Segment;
pub use space::{Layout, Space};
pub use text::excerpt;
pub(crate) use text::message;
