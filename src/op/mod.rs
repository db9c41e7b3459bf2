//! What an op is: plain data that lowers to dispatches, and the vocabulary of that.
pub(crate) mod bench_shapes;
mod caps;
mod definition;
mod entry;
mod field;
mod test_data;

pub use caps::Caps;
pub use definition::{Access, Arg, Cost, Expected, Lowered, MAX_TRIPS, Op, Params, Pattern, Slot, Step, check_float};

pub(crate) use entry::parse;
pub use entry::{Entry, Family};
pub use field::Field;
pub use test_data::Rng;
