//! The options that choose the data.
use super::{Format, Table, Target, Task, csv_table::NETWORKS};
use crate::{Failure, shell::Command};
use std::path::PathBuf;

/// The options of every command that trains networks.
#[derive(Debug, clap::Args)]
pub struct Source {
    /// Table to use: CSV with a header line, UTF-8 or UTF-16, gzip-compressed or not [default: the digits that come with the program]
    #[arg(long, value_name = "FILE", requires = "label", conflicts_with = "mnist", help_heading = "Data")]
    data: Option<PathBuf>,
    /// The column of --data to predict
    #[arg(long, value_name = "COLUMN", requires = "data", help_heading = "Data")]
    label: Option<String>,
    /// How to treat it [default: as classes if it is text or has at most 20 distinct integers, 1.0 being one, else as a number; numbers
    /// with a few other cells are an error]. With classify every text is a class, NA and <3.0 too; an empty cell is an error
    #[arg(long, requires = "data", help_heading = "Data")]
    task: Option<Task>,
    /// Folder with the four IDX files of MNIST or of a data set like it, gzip-compressed or not; of several sets, DIR/SET, such as
    /// emnist/emnist-letters
    #[arg(long, value_name = "DIR", conflicts_with = "delimiter", help_heading = "Data")]
    mnist: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

impl Source {
    /// The data asked for.
    ///
    /// # Errors
    /// [`Failure::Usage`] says what is wrong with the file, and where.
    pub fn table(&self) -> Result<Table, Failure> {
        match (&self.data, &self.label, &self.mnist) {
            (Some(path), Some(label), _) => {
                Table::csv(path, Target { column: label, task: self.task, asks: &NETWORKS }, &self.format)
            }
            (_, _, Some(folder)) => Table::mnist(folder, &self.format),
            _ => self.format.unused().and_then(|()| Table::digits()),
        }
    }

    /// Whether the data are the user's own, not those that come with the program.
    pub fn own(&self) -> bool {
        self.data.is_some() || self.mnist.is_some()
    }

    /// Adds the options, as they would be typed.
    pub(crate) fn typed(&self, to: &mut Command) {
        if let (Some(path), Some(label)) = (&self.data, &self.label) {
            to.option("data", path).option("label", label);
        }
        match self.task {
            Some(Task::Classify) => drop(to.option("task", "classify")),
            Some(Task::Regress) => drop(to.option("task", "regress")),
            None => {}
        }
        if let Some(folder) = &self.mnist {
            to.option("mnist", folder);
        }
        self.format.typed(to);
    }
}
