//! The options that say how files of data are read.
use super::csv_table::Delimiter;
use crate::{Failure, input::Limit, shell::Command};

/// The options of every command that reads files of data.
#[derive(Debug, Default, clap::Args)]
pub struct Format {
    /// What separates cells: one character, or tab, space, comma, semicolon, bar [default: what divides the first rows evenly: a comma, a
    /// semicolon, a tab or a bar; or what the file's first line says, as sep=; does]
    #[arg(long, value_name = "CHAR", allow_hyphen_values = true, help_heading = "Data")]
    delimiter: Option<Delimiter>,
    /// The most bytes that a file may have, unpacked: such as 500000, 512Mi or 8Gi
    #[arg(long, value_name = "SIZE", default_value_t = Limit::DEFAULT, help_heading = "Data")]
    max_input: Limit,
}

impl Format {
    /// The option that raises the limit.
    pub(super) const RAISE: &str = "--max-input";

    pub(super) fn delimiter(&self) -> Option<Delimiter> {
        self.delimiter
    }

    pub(super) fn limit(&self) -> Limit {
        self.max_input
    }

    /// Where no file is read, nothing is to be said of it.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there is.
    pub fn unused(&self) -> Result<(), Failure> {
        match self.delimiter {
            Some(_) => Err(Failure::usage("--delimiter says how a table is read, but none is given")),
            None => Ok(()),
        }
    }

    /// Adds the options that are not as they are by default, as they would be typed.
    pub(crate) fn typed(&self, to: &mut Command) {
        if let Some(delimiter) = self.delimiter {
            to.option("delimiter", delimiter.typed());
        }
        if self.max_input != Limit::DEFAULT {
            to.option("max-input", self.max_input.to_string());
        }
    }
}
