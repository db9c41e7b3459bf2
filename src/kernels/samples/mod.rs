//! How boxes, shares and partners of the mixing ops are drawn on the host, as [`options::mixing`](crate::options::mixing) tells, and
//! the map that applies them.
#[cfg(feature = "verify")]
mod cases;
mod draws;
#[cfg(feature = "verify")]
mod expected;
mod map;

#[cfg(feature = "verify")]
pub(crate) use cases::*;
pub(crate) use draws::{beta, centre, erased};
#[cfg(feature = "verify")]
pub(crate) use expected::*;
pub(crate) use map::{Images, Map, box_row, check_erasing, first_sample, table_bytes};
