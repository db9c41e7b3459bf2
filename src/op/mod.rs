//! What an op is: plain data that lowers to dispatches, and the vocabulary of that.
mod arg;
#[cfg(feature = "verify")]
pub(crate) mod bench_shapes;
mod caps;
mod definition;
mod entry;
mod fields;
pub(crate) mod json;
mod limits;
mod lowered;
mod named;
mod params;
#[cfg(feature = "verify")]
mod pattern;
pub mod portable;
#[cfg(feature = "verify")]
mod test_data;
#[cfg(feature = "verify")]
mod verify;

pub use arg::{Access, Arg, check_float};
pub use caps::Caps;
pub use definition::{Cost, Op};

pub use crate::types::{Choice, Described, Field, Kind, Range};
pub(crate) use entry::read;
pub use entry::{Entry, Family};
pub(crate) use fields::{Fields, joined, joined_len, names, parted};
pub use limits::{Features, Limits};
pub use lowered::{Lowered, MAX_TRIPS, Slot, Step};
pub use named::{ByName, Contents};
pub use params::{Param, Params};
#[cfg(feature = "verify")]
pub use pattern::Pattern;
pub use portable::Portable;
#[cfg(feature = "verify")]
pub use test_data::Rng;
#[cfg(feature = "verify")]
pub use verify::{Expected, Verify};
