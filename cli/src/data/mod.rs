//! The data: the digits that the program carries, anyone's table, or files in MNIST's format.
mod args;
pub(crate) mod csv_table;
pub mod folds;
mod idx;
pub mod split;

pub use args::Source;

use crate::Failure;
use std::{io::Read, path::Path};

/// Rows of features, each with a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What it is, for titles.
    pub name: String,
    /// The column that is to be predicted.
    pub label: String,
    /// The names of the features.
    pub columns: Vec<String>,
    /// Row-major, one row per sample.
    pub features: Vec<f32>,
    /// What is to be predicted.
    pub targets: Targets,
    /// Whether the features are pixels: all on one scale, so that they are standardised together.
    pub image: bool,
    /// The first row of a test part that the data itself sets apart.
    pub test_from: Option<usize>,
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
    Values {
        /// The column's name.
        name: String,
        /// The value of each row.
        of: Vec<f64>,
    },
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
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.targets {
            Targets::Classes { of, .. } => of.len(),
            Targets::Values { of, .. } => of.len(),
        }
    }

    /// One row's features.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.features[i * self.columns.len()..][..self.columns.len()]
    }

    /// Some of the rows, in this order, all of them for training.
    pub fn select(&self, rows: &[usize]) -> Self {
        let targets = match &self.targets {
            Targets::Classes { names, of } => {
                Targets::Classes { names: names.clone(), of: rows.iter().map(|&r| of[r]).collect() }
            }
            Targets::Values { name, of } => Targets::Values { name: name.clone(), of: rows.iter().map(|&r| of[r]).collect() },
        };
        let features = rows.iter().flat_map(|&r| self.row(r)).copied().collect();
        Self {
            features,
            targets,
            test_from: None,
            name: self.name.clone(),
            label: self.label.clone(),
            columns: self.columns.clone(),
            ..*self
        }
    }

    /// What to say of the first column that has one value in every row. Pixels may: the rim of an image is always dark.
    pub fn constant_column(&self) -> Option<String> {
        let constant = |c: &usize| (1..self.rows()).all(|r| self.row(r)[*c] == self.row(0)[*c]);
        let column = (0..self.columns.len()).find(constant).filter(|_| !self.image)?;
        let (name, value) = (&self.columns[column], self.row(0)[column]);
        Some(format!("column {name:?} is {value} in every row, so nothing can be learnt from it: leave it out"))
    }

    /// The digits that the program carries: 1,797 images of 8×8 pixels.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn digits() -> Result<Self, Failure> {
        let bytes = inflate(include_bytes!("../../data/digits.csv.gz")).map_err(|e| Failure::found(format!("digits: {e}")))?;
        let mut table = csv_table::parse("digits", &bytes, "label", None).map_err(Failure::found)?;
        table.image = true;
        Ok(table)
    }

    /// A CSV file, gzip-compressed or not, with a header line. `label` names the column to predict.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the file's name, the line and the column at fault.
    pub fn csv(path: &Path, label: &str, task: Option<Task>) -> Result<Self, Failure> {
        let bytes = read(path)?;
        let name = path.file_name().map_or_else(|| "table".into(), |n| n.to_string_lossy().into_owned());
        csv_table::parse(&name, &bytes, label, task).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
    }

    /// The four files of MNIST (or Fashion-MNIST, KMNIST) in a folder, gzip-compressed or not. The files' own test part
    /// stays the test part.
    ///
    /// # Errors
    /// [`Failure::Usage`] names the file that is missing or malformed.
    pub fn mnist(folder: &Path) -> Result<Self, Failure> {
        idx::read(folder)
    }
}

/// A file, decompressed if it starts as gzip does.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(path).map_err(|e| Failure::file("read", path, e))?;
    inflate(&bytes).map_err(|e| Failure::file("decompress", path, e))
}

/// The bytes, decompressed if they start as gzip does.
pub(crate) fn inflate(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes.to_vec());
    }
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_are_all_there() {
        let t = Table::digits().unwrap();
        assert_eq!((t.rows(), t.columns.len()), (1797, 64));
        let Targets::Classes { names, of } = &t.targets else { panic!("classes") };
        assert_eq!(names.join(""), "0123456789");
        assert_eq!(of[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(t.row(0)[..6], [0.0, 0.0, 5.0, 13.0, 9.0, 1.0]);
        assert!(t.features.iter().all(|v| (0.0..=16.0).contains(v)));
    }

    #[test]
    fn files_are_read_whether_compressed_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let (plain, packed) = (dir.path().join("a.csv"), dir.path().join("a.csv.gz"));
        std::fs::write(&plain, "x,y\n1,a\n2,b\n").unwrap();
        let mut gz = flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), Default::default());
        std::io::Write::write_all(&mut gz, b"x,y\n1,a\n2,b\n").unwrap();
        gz.finish().unwrap();
        let (a, b) = (Table::csv(&plain, "y", None).unwrap(), Table::csv(&packed, "y", None).unwrap());
        assert_eq!((a.features, a.targets), (b.features, b.targets));
        let missing = Table::csv(&dir.path().join("none.csv"), "y", None).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read ") && missing.contains("none.csv"), "{missing}");
        std::fs::write(&packed, [0x1f, 0x8b, 8, 0, 0]).unwrap();
        assert!(Table::csv(&packed, "y", None).unwrap_err().to_string().starts_with("cannot decompress "));
    }
}
