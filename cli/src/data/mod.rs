//! The data: tables that come with the program, CSV files, or files in MNIST's format. Cells keep their values until they are standardized.
mod columns;
mod constants;
mod csv_table;
mod description;
pub mod folds;
mod format;
#[cfg(test)]
#[path = "../../../fuzz/tables.rs"]
mod fuzz_tables;
mod groups;
mod idx;
mod keys;
pub mod noise;
pub mod prepare;
mod source;
pub mod split;
mod summary;
#[cfg(test)]
mod tests;

pub use columns::Columns;
pub use constants::{everywhere, in_training, lost};
pub use csv_table::{Asks, Found, NETWORKS, Target, Wanted};
pub use description::{Column, Description, Feature, Holds, Missing, Sources};
pub use format::{Format, Layout};
pub use keys::{Key, Keys};
pub use source::Source;
pub use summary::Summary;

use csv_table::Reading;

use crate::{
    Failure, Ui, input,
    text::{quoted, short},
};
use std::path::Path;

/// Rows of features, each with a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its name, for titles.
    pub name: String,
    /// The column that is to be predicted.
    pub label: String,
    /// The names of the features.
    pub columns: Vec<String>,
    /// The features.
    pub cells: Cells,
    /// What is to be predicted.
    pub targets: Targets,
    /// Whether the features are pixels: all on one scale, so that they are standardized together.
    pub image: bool,
    /// The first row of a test part that the data itself sets apart.
    pub test_from: Option<usize>,
    /// Notices to the user on how the table was read.
    pub notices: Vec<String>,
    /// How the features came to be.
    pub description: Description,
    /// Where the rows belong.
    pub keys: Keys,
}

/// The cells of the features, row-major, one row per sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Numbers of a text; NaN where one is missing, which counts as the mean of those that are known.
    Numbers(Vec<f64>),
    /// Pixels, in an eighth of the memory.
    Bytes(Vec<u8>),
}

/// What is to be predicted, one per row.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// One of several classes.
    Classes {
        /// Their names, in ascending order.
        names: Vec<String>,
        /// The class of each row.
        of: Vec<u32>,
    },
    /// A number.
    Values(Vec<f64>),
}

impl Cells {
    fn at(&self, place: usize) -> f64 {
        match self {
            Self::Numbers(all) => all[place],
            Self::Bytes(all) => f64::from(all[place]),
        }
    }

    /// Those at these places, in this order.
    fn select(&self, places: impl Iterator<Item = usize>) -> Self {
        match self {
            Self::Numbers(all) => Self::Numbers(places.map(|i| all[i]).collect()),
            Self::Bytes(all) => Self::Bytes(places.map(|i| all[i]).collect()),
        }
    }
}

impl Targets {
    /// Those of these rows, in this order.
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Classes { names, of } => Self::Classes { names: names.clone(), of: rows.iter().map(|&r| of[r]).collect() },
            Self::Values(of) => Self::Values(rows.iter().map(|&r| of[r]).collect()),
        }
    }
}

/// What kind of target a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Task {
    /// One of several classes.
    Classify,
    /// A number.
    Regress,
}

impl Table {
    /// A table of numbers or codes whose columns are its features, without a test part of its own.
    pub fn new(name: impl Into<String>, label: impl Into<String>, columns: Vec<String>, cells: Cells, targets: Targets) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            columns,
            cells,
            targets,
            image: false,
            test_from: None,
            notices: Vec::new(),
            description: Description::default(),
            keys: Keys::default(),
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.targets {
            Targets::Classes { of, .. } => of.len(),
            Targets::Values(of) => of.len(),
        }
    }

    /// One cell.
    pub fn cell(&self, row: usize, column: usize) -> f64 {
        self.cells.at(row * self.columns.len() + column)
    }

    /// One row's features.
    pub fn row(&self, i: usize) -> impl Iterator<Item = f64> {
        (i * self.columns.len()..(i + 1) * self.columns.len()).map(move |place| self.cells.at(place))
    }

    /// Some of the rows, in this order, all of them for training.
    pub fn select(&self, rows: &[usize]) -> Self {
        let width = self.columns.len();
        Self {
            cells: self.cells.select(rows.iter().flat_map(|&r| r * width..(r + 1) * width)),
            targets: self.targets.select(rows),
            test_from: None,
            name: self.name.clone(),
            label: self.label.clone(),
            columns: self.columns.clone(),
            notices: self.notices.clone(),
            description: self.description.clone(),
            keys: self.keys.select(rows),
            ..*self
        }
    }

    /// Some of the columns, by their places.
    fn columns(self, kept: &[usize]) -> Self {
        let width = self.columns.len();
        let places = (0..self.rows()).flat_map(|r| kept.iter().map(move |c| r * width + c));
        let (cells, columns) = (self.cells.select(places), kept.iter().map(|&c| self.columns[c].clone()).collect());
        Self { cells, columns, description: self.description.select(kept), ..self }
    }

    /// What of the file the features at these places come from; columns that name folds and groups are among those left out.
    pub fn sources(&self, kept: &[usize]) -> Sources {
        let mut all = self.description.sources(&self.columns, kept);
        all.left_out.extend([&self.keys.fold, &self.keys.group].into_iter().flatten().map(|key| key.column.clone()));
        all
    }

    /// How the table was read, for programs: columns, levels, and where the features come from. `means` are those of the features in the
    /// rows that a model was fitted to.
    pub fn described(&self, means: Option<&[f64]>) -> serde_json::Value {
        let mut out = self.description.json(&self.columns, means);
        let keys = [("fold_column", &self.keys.fold), ("group_column", &self.keys.group)];
        for (name, key) in keys.into_iter().filter_map(|(name, key)| Some((name, key.as_ref()?))) {
            out[name] = serde_json::json!({ "name": key.column, "values": key.names, "of": key.of });
        }
        out
    }

    /// Leaves out classes that no row has: those of rows that were left out. A notice names them.
    pub fn without_empty_classes(mut self) -> Self {
        let Targets::Classes { names, of } = &mut self.targets else { return self };
        let mut count = vec![0; names.len()];
        of.iter().for_each(|&c| count[c as usize] += 1);
        let mut place = 0;
        let places: Vec<u32> = count.iter().map(|&n| (place, place += u32::from(n > 0)).0).collect();
        of.iter_mut().for_each(|c| *c = places[*c as usize]);
        let mut gone = Vec::new();
        let mut counts = count.iter();
        names.retain(|name| {
            let kept = *counts.next().expect("one for each class") > 0;
            if !kept {
                gone.push(name.clone());
            }
            kept
        });
        if !gone.is_empty() {
            let what = if gone.len() == 1 { "class" } else { "classes" };
            self.notices.push(format!("notice: no row that is used has {what} {}", listed(&gone)));
        }
        self
    }

    /// The first row of the test part, or the number of rows.
    fn trained(&self) -> usize {
        self.test_from.unwrap_or(self.rows())
    }

    /// Tells the user what the target was taken for, first, and then whatever else is to be known of how the table was read.
    pub fn say(&self, ui: &Ui) {
        ui.note(self.target_line());
        self.notices.iter().for_each(|notice| ui.note(notice));
    }

    /// What the column to predict was taken for, in a line.
    pub fn target_line(&self) -> String {
        let label = plain(&self.label);
        match &self.targets {
            Targets::Values(of) => {
                let (least, most) = of.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
                format!("target {label}: numbers from {} to {}, {} rows", number(least), number(most), of.len())
            }
            Targets::Classes { names, of } => {
                const SHOWN: usize = 12;
                let mut count = vec![0; names.len()];
                of.iter().for_each(|&c| count[c as usize] += 1);
                let one = |(name, n): (&String, &usize)| format!("{} ({n} row{})", plain(name), if *n == 1 { "" } else { "s" });
                let mut all: Vec<String> = names.iter().zip(&count).take(SHOWN).map(one).collect();
                if names.len() > SHOWN {
                    all.push(format!("and {} more", names.len() - SHOWN));
                }
                format!("target {label}: {} classes, {}", names.len(), all.join(", "))
            }
        }
    }

    /// The digits that come with the program: 1,797 images of 8×8 pixels.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn digits() -> Result<Self, Failure> {
        let target = Target { column: "label", task: None, asks: &csv_table::NETWORKS };
        let table = parse("digits", input::own(include_bytes!("../../data/digits.csv.gz"))?, target, &Reading::default());
        // Constant pixels, such as those at the dark rim, stay.
        Ok(Self { image: true, ..table.map_err(Failure::found)? })
    }

    /// The diabetes data that come with the program: 442 rows of 10 features.
    ///
    /// # Errors
    /// [`Failure::Usage`] if they have no such target.
    pub fn diabetes(target: Target) -> Result<Self, Failure> {
        Self::diabetes_as(target, &Format::default(), None)
    }

    /// As [`Self::diabetes`], with what options say of the columns, and the one that names folds.
    ///
    /// # Errors
    /// As [`Self::csv`].
    pub fn diabetes_as(target: Target, format: &Format, fold: Option<&str>) -> Result<Self, Failure> {
        let bytes = input::own(include_bytes!("../../data/diabetes.csv.gz"))?;
        let reading = Reading { delimiter: None, ..format.reading(fold) };
        let table = parse("diabetes", bytes, target, &reading).and_then(everywhere);
        table.map_err(|why| Failure::usage(format!("diabetes: {why}")))
    }

    /// A CSV file, gzip-compressed or not, with a header line.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the file's name, the line and the column at fault.
    pub fn csv(path: &Path, target: Target, format: &Format) -> Result<Self, Failure> {
        Self::csv_as(path, target, format, None)
    }

    /// As [`Self::csv`], with a column that names the fold of each row.
    ///
    /// # Errors
    /// As [`Self::csv`].
    pub fn csv_as(path: &Path, target: Target, format: &Format, fold: Option<&str>) -> Result<Self, Failure> {
        let bytes = input::read(path, format.limit(), Format::RAISE)?;
        let name = path.file_name().map_or_else(|| "table".into(), |n| n.to_string_lossy().into_owned());
        let table = parse(&name, bytes, target, &format.reading(fold)).and_then(everywhere);
        table.map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
    }

    /// The four files of MNIST, or of a data set like it (Fashion-MNIST, KMNIST, EMNIST), in a folder, gzip-compressed or not. Where a
    /// folder has several sets, `path` ends with what the files of one begin with: `emnist/emnist-letters`. The files' own test part stays
    /// the test part.
    ///
    /// # Errors
    /// [`Failure::Usage`] names the file that is missing or malformed.
    pub fn mnist(path: &Path, format: &Format) -> Result<Self, Failure> {
        idx::read(path, format)
    }
}

/// The rows of a CSV file, gzip-compressed or not, for a model that was fitted to another table.
///
/// # Errors
/// [`Failure::Usage`] with the file's name, the line and the column at fault.
pub fn apply(path: &Path, wanted: &Wanted, layout: &Layout) -> Result<Found, Failure> {
    let bytes = input::read(path, layout.limit(), Format::RAISE)?;
    let read = input::decode(bytes).and_then(|(text, notice)| {
        let mut found = csv_table::apply(&text, wanted, layout.delimiter())?;
        found.notices.splice(..0, notice);
        Ok(found)
    });
    read.map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
}

/// A table of text, in whatever encoding.
fn parse(name: &str, bytes: Vec<u8>, target: Target, reading: &Reading) -> Result<Table, String> {
    let (text, notice) = input::decode(bytes)?;
    let mut table = csv_table::parse(name, &text, target, reading)?;
    table.notices.splice(..0, notice);
    Ok(table)
}

/// Names as they are read in a sentence, the first few.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let some = names.iter().take(SHOWN).map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{some} and {} more", names.len() - SHOWN) } else { some }
}

/// A name as it is if it reads as one word, quoted otherwise.
fn plain(name: &str) -> String {
    let word = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.+".contains(c));
    if word { short(name).into_owned() } else { quoted(name) }
}

/// All digits of a number that tell it from its neighbours, with a power of ten where zeros would be many.
fn number(v: f64) -> String {
    if v == 0.0 || (1e-5..1e15).contains(&v.abs()) { format!("{v}") } else { format!("{v:e}") }
}
