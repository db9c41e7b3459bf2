//! What an op is, as data.
mod caps;
mod definition;
mod field;
pub(crate) mod test_data;

pub use caps::Caps;
pub use definition::*;
pub use field::Field;
