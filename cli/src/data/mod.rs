//! The data: tables that come with the program, CSV files, or files in MNIST's format. Cells keep their values until they are standardized.
mod csv_table;
pub mod folds;
#[cfg(test)]
#[path = "../../../fuzz/tables.rs"]
mod fuzz_tables;
mod idx;
mod source;
pub mod split;
mod summary;

pub use csv_table::{Asks, Target};
pub use source::Source;
pub use summary::Summary;

use crate::{Failure, stats::moments};
use std::{io::Read, path::Path};

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
}

/// The cells of the features, row-major, one row per sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Numbers of a text.
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
        let targets = match &self.targets {
            Targets::Classes { names, of } => {
                Targets::Classes { names: names.clone(), of: rows.iter().map(|&r| of[r]).collect() }
            }
            Targets::Values(of) => Targets::Values(rows.iter().map(|&r| of[r]).collect()),
        };
        let width = self.columns.len();
        Self {
            cells: self.cells.select(rows.iter().flat_map(|&r| r * width..(r + 1) * width)),
            targets,
            test_from: None,
            name: self.name.clone(),
            label: self.label.clone(),
            columns: self.columns.clone(),
            notices: self.notices.clone(),
            ..*self
        }
    }

    /// Leaves out features that have one value in every row: nothing can be learned from them. A notice names them.
    fn without_constants(mut self) -> Result<Self, String> {
        let table = &self;
        let deviation = |c: usize| moments((0..table.rows()).map(move |r| table.cell(r, c)))[1];
        let constant: Vec<bool> = (0..self.columns.len()).map(|c| deviation(c) == 0.0).collect();
        if constant.iter().all(|one| *one) {
            return Err("every feature has one value in every row: nothing can be learned from them".into());
        }
        if !constant.contains(&true) {
            return Ok(self);
        }
        const SHOWN: usize = 8;
        let names: Vec<&String> = self.columns.iter().zip(&constant).filter(|(_, one)| **one).map(|(name, _)| name).collect();
        let mut text = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        if names.len() > SHOWN {
            text += &format!(" and {} more", names.len() - SHOWN);
        }
        let (what, verb, are) = if names.len() == 1 { ("column", "has", "is") } else { ("columns", "have", "are") };
        let notice = format!("notice: {what} {text} {verb} one value in every row and {are} left out");
        self.notices.push(notice);
        let width = self.columns.len();
        self.cells = self.cells.select((0..self.rows() * width).filter(|place| !constant[place % width]));
        let mut left_out = constant.iter();
        self.columns.retain(|_| !left_out.next().expect("one for each column"));
        Ok(self)
    }

    /// The digits that come with the program: 1,797 images of 8×8 pixels.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn digits() -> Result<Self, Failure> {
        let bytes = inflate(include_bytes!("../../data/digits.csv.gz")).map_err(|e| Failure::found(format!("digits: {e}")))?;
        let table = csv_table::parse("digits", &bytes, Target { column: "label", task: None, asks: &csv_table::NETWORKS });
        // Constant pixels, such as those at the dark rim, stay.
        Ok(Self { image: true, ..table.map_err(Failure::found)? })
    }

    /// The diabetes data that come with the program: 442 rows of 10 features.
    ///
    /// # Errors
    /// [`Failure::Usage`] if they have no such target.
    pub fn diabetes(target: Target) -> Result<Self, Failure> {
        let bytes =
            inflate(include_bytes!("../../data/diabetes.csv.gz")).map_err(|e| Failure::found(format!("diabetes: {e}")))?;
        let table = csv_table::parse("diabetes", &bytes, target).and_then(Self::without_constants);
        table.map_err(|why| Failure::usage(format!("diabetes: {why}")))
    }

    /// A CSV file, gzip-compressed or not, with a header line.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the file's name, the line and the column at fault.
    pub fn csv(path: &Path, target: Target) -> Result<Self, Failure> {
        let bytes = read(path)?;
        let name = path.file_name().map_or_else(|| "table".into(), |n| n.to_string_lossy().into_owned());
        let table = csv_table::parse(&name, &bytes, target).and_then(Self::without_constants);
        table.map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
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
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(path).map_err(|e| Failure::file("read", path, e))?;
    inflate(&bytes).map_err(|e| Failure::file("decompress", path, e))
}

/// The bytes, decompressed if they start as gzip does.
fn inflate(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
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
        assert_eq!(t.row(0).take(6).collect::<Vec<_>>(), [0.0, 0.0, 5.0, 13.0, 9.0, 1.0]);
        assert!((0..1797).flat_map(|r| t.row(r)).all(|v| (0.0..=16.0).contains(&v)));
    }

    fn target(column: &str, task: Option<Task>) -> Target<'_> {
        Target { column, task, asks: &csv_table::NETWORKS }
    }

    #[test]
    fn the_diabetes_data_are_all_there() {
        let t = Table::diabetes(target("target", Some(Task::Regress))).unwrap();
        assert_eq!((t.rows(), t.columns.join(" ")), (442, "age sex bmi bp s1 s2 s3 s4 s5 s6".into()));
        assert_eq!(t.row(0).take(4).collect::<Vec<_>>(), [59.0, 2.0, 32.1, 101.0]);
        let Targets::Values(of) = t.targets else { panic!("numbers") };
        assert_eq!(of[0], 151.0);
        let sex = Table::diabetes(target("sex", Some(Task::Classify))).unwrap();
        let Targets::Classes { names, of } = sex.targets else { panic!("classes") };
        assert_eq!((names, &of[..2]), (["1.0", "2.0"].map(String::from).to_vec(), &[1, 0][..]));
    }

    #[test]
    fn a_feature_that_is_the_same_everywhere_is_left_out_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.csv");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Table::csv(&file, target("y", None))
        };
        let t = read("a,b,c,d,y\n1,3,0.1,5,0\n2,3,0.1,6,1\n").unwrap();
        assert_eq!((t.columns.join(" "), &t.cells), ("a d".into(), &Cells::Numbers(vec![1.0, 5.0, 2.0, 6.0])));
        let why = "notice: columns \"b\", \"c\" have one value in every row and are left out";
        assert_eq!(t.notices, [why]);
        let none = read("a,y\n1,0\n2,1\n").unwrap();
        assert!(none.notices.is_empty());
        let all = read("a,b,y\n1,3,0\n1,3,1\n").unwrap_err().to_string();
        assert!(all.ends_with("t.csv: every feature has one value in every row: nothing can be learned from them"), "{all}");
        // A cell keeps all of its digits.
        assert_eq!(read("a,y\n16777217,0\n0.1,1\n").unwrap().cells, Cells::Numbers(vec![16_777_217.0, 0.1]));
    }

    #[test]
    fn files_are_read_whether_compressed_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let (plain, packed) = (dir.path().join("a.csv"), dir.path().join("a.csv.gz"));
        std::fs::write(&plain, "x,y\n1,a\n2,b\n").unwrap();
        let mut gz = flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), Default::default());
        std::io::Write::write_all(&mut gz, b"x,y\n1,a\n2,b\n").unwrap();
        gz.finish().unwrap();
        let (a, b) = (Table::csv(&plain, target("y", None)).unwrap(), Table::csv(&packed, target("y", None)).unwrap());
        assert_eq!((a.cells, a.targets), (b.cells, b.targets));
        let missing = Table::csv(&dir.path().join("none.csv"), target("y", None)).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read ") && missing.contains("none.csv"), "{missing}");
        std::fs::write(&packed, [0x1f, 0x8b, 8, 0, 0]).unwrap();
        assert!(Table::csv(&packed, target("y", None)).unwrap_err().to_string().starts_with("cannot decompress "));
    }
}
