//! The index space of matrices that are worked on row by row.
use super::{Error, Space};

/// Rows of `cols` values, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    pub rows: usize,
    pub cols: usize,
}

impl Rows {
    pub fn new(rows: usize, cols: usize) -> Self {
        Self { rows, cols }
    }

    /// Rows as the channels of one sample.
    pub fn space(self) -> Space {
        Space::channels_first(1, self.rows, self.cols)
    }

    pub fn len(self) -> usize {
        self.space().len()
    }

    /// Checks that the elements can be counted.
    pub fn check(self, op: &'static str) -> Result<(), Error> {
        self.space().check(op).map(|_| ()).map_err(|_| {
            let Self { rows, cols } = self;
            Error::argument(op, "rows", format!("x cols is {rows} x {cols} elements, must be at most 2^34 - 4: split it"))
        })
    }

    pub fn row<T>(self, of: &[T], r: usize) -> &[T] {
        &of[r * self.cols..(r + 1) * self.cols]
    }
}
