//! The options that say how files of data are read.
use super::{
    columns::Columns,
    csv_table::{Delimiter, Reading},
};
use crate::{Failure, input::Limit, shell::Command};

/// The options that say how the text of a table is read, whatever its columns are.
#[derive(Debug, Default, clap::Args)]
pub struct Layout {
    /// What separates cells: one character, or tab, space, comma, semicolon, bar [default: what divides the first rows evenly: a comma, a
    /// semicolon, a tab or a bar; or what the file's first line says, as sep=; does]
    #[arg(long, value_name = "CHAR", allow_hyphen_values = true, help_heading = "Data")]
    delimiter: Option<Delimiter>,
    /// The most bytes that a file may have, unpacked: such as 500000, 512Mi or 8Gi
    #[arg(long, value_name = "SIZE", default_value_t = Limit::DEFAULT, help_heading = "Data")]
    max_input: Limit,
}

impl Layout {
    pub(super) fn delimiter(&self) -> Option<Delimiter> {
        self.delimiter
    }

    pub(crate) fn limit(&self) -> Limit {
        self.max_input
    }
}

/// The options of every command that reads files of data.
#[derive(Debug, Default, clap::Args)]
pub struct Format {
    #[command(flatten)]
    layout: Layout,
    #[command(flatten)]
    columns: Columns,
}

impl Format {
    /// The option that raises the limit.
    pub(crate) const RAISE: &str = "--max-input";

    /// How a table is to be read, with a column that names folds.
    pub(super) fn reading(&self, fold: Option<&str>) -> Reading {
        Reading { delimiter: self.layout.delimiter, columns: self.columns.clone(), fold: fold.map(String::from) }
    }

    pub(super) fn limit(&self) -> Limit {
        self.layout.max_input
    }

    /// As [`Self::unused`], and nothing is to be said of a table's columns.
    pub(super) fn none(&self) -> Result<(), Failure> {
        self.unused().and_then(|()| self.columns.unused())
    }

    /// Where no file is read, nothing is to be said of it.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there is.
    pub fn unused(&self) -> Result<(), Failure> {
        match self.layout.delimiter {
            Some(_) => Err(Failure::usage("--delimiter says how a table is read, but none is given")),
            None => Ok(()),
        }
    }

    /// Adds the options that are not as they are by default, as they would be typed.
    pub(crate) fn typed(&self, to: &mut Command) {
        if let Some(delimiter) = self.layout.delimiter {
            to.option("delimiter", delimiter.typed());
        }
        if self.limit() != Limit::DEFAULT {
            to.option("max-input", self.limit().to_string());
        }
        self.columns.typed(to);
    }
}
