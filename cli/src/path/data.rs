//! The table that a path is fitted to: features as f64, a number or one of two classes to predict.
use super::Model;
use crate::{
    Failure,
    data::{
        Targets, Task,
        csv_table::{self, Cells},
        inflate, read,
    },
};
use std::path::Path;

/// Rows of features, each with a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// What it is, for titles.
    pub name: String,
    /// The names of the features. None is the same in every row.
    pub columns: Vec<String>,
    /// Row-major.
    pub x: Vec<f64>,
    /// The name of the column to predict.
    pub target: String,
    /// Its numbers; for classes 0 and 1.
    pub y: Vec<f64>,
    /// The names of the classes 0 and 1, for logistic models.
    pub classes: Option<[String; 2]>,
}

impl Data {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.y.len()
    }

    /// The diabetes data that the program carries: 442 rows of 10 features.
    ///
    /// # Errors
    /// [`Failure::Usage`] if it has no such target.
    pub fn diabetes(target: &str, model: Model) -> Result<Self, Failure> {
        let bytes =
            inflate(include_bytes!("../../data/diabetes.csv.gz")).map_err(|e| Failure::found(format!("diabetes: {e}")))?;
        Self::parse("diabetes", &bytes, target, model).map_err(|why| Failure::usage(format!("diabetes: {why}")))
    }

    /// A CSV file, gzip-compressed or not, with a header line.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the file's name, the line and the column at fault.
    pub fn csv(path: &Path, target: &str, model: Model) -> Result<Self, Failure> {
        let bytes = read(path)?;
        let name = path.file_name().map_or_else(|| "table".into(), |n| n.to_string_lossy().into_owned());
        Self::parse(&name, &bytes, target, model).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
    }

    /// The table in `bytes`.
    ///
    /// # Errors
    /// What is wrong with it, with line and column.
    pub fn parse(name: &str, bytes: &[u8], target: &str, model: Model) -> Result<Self, String> {
        let bytes = csv_table::without_mark(bytes);
        let Cells { columns, features, labels } = csv_table::cells(bytes, target, "--target")?;
        for (j, column) in columns.iter().enumerate() {
            let first = features[j];
            if features.iter().skip(j).step_by(columns.len()).all(|v| *v == first) {
                return Err(format!("column {column:?} is {first} in every row, so nothing can be learnt from it: leave it out"));
            }
        }
        let (y, classes) = match model {
            Model::Linear => match csv_table::targets(bytes, target, labels, Some(Task::Regress))? {
                Targets::Values { of, .. } => (of, None),
                Targets::Classes { .. } => unreachable!("asked for numbers"),
            },
            Model::Logistic => {
                let (y, classes) = two_classes(bytes, target, &labels)?;
                (y, Some(classes))
            }
        };
        Ok(Self { name: name.into(), columns, x: features, target: target.into(), y, classes })
    }
}

fn two_classes(bytes: &[u8], target: &str, labels: &[(u64, String)]) -> Result<(Vec<f64>, [String; 2]), String> {
    if let Some((at, _)) = labels.iter().find(|(_, l)| l.is_empty()) {
        return Err(format!(
            "line {}: column {target:?} is empty: remove rows without a label first",
            csv_table::line(bytes, *at)
        ));
    }
    let mut names: Vec<&str> = labels.iter().map(|(_, l)| l.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let [mut a, mut b] = match names[..] {
        [a, b] => [a, b],
        _ => {
            let some = names.iter().take(4).map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ");
            let more = if names.len() > 4 { ", ..." } else { "" };
            return Err(format!(
                "column {target:?} has {} distinct values ({some}{more}); a logistic model takes 2 classes",
                names.len()
            ));
        }
    };
    if let (Ok(x), Ok(y)) = (a.parse::<f64>(), b.parse::<f64>())
        && x > y
    {
        (a, b) = (b, a);
    }
    let y = labels.iter().map(|(_, l)| f64::from(u8::from(l == b))).collect();
    Ok((y, [a.into(), b.into()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str, model: Model) -> String {
        Data::parse("t", text.as_bytes(), "y", model).expect_err("too much was accepted")
    }

    #[test]
    fn the_diabetes_data_are_all_there() {
        let d = Data::diabetes("target", Model::Linear).unwrap();
        assert_eq!((d.rows(), d.columns.join(" ")), (442, "age sex bmi bp s1 s2 s3 s4 s5 s6".into()));
        assert_eq!((d.x[..4].to_vec(), d.y[0]), (vec![59.0, 2.0, 32.1, 101.0], 151.0));
        let sex = Data::diabetes("sex", Model::Logistic).unwrap();
        assert_eq!((sex.classes, sex.y[..2].to_vec()), (Some(["1.0".into(), "2.0".into()]), vec![1.0, 0.0]));
    }

    #[test]
    fn complaints_name_line_and_column() {
        for model in [Model::Linear, Model::Logistic] {
            assert_eq!(why("", model), "is empty: wants a line of column names, then rows of numbers");
            assert_eq!(why("a,z\n1,2\n", model), "line 1: no column is called \"y\" (--target); there are: \"a\", \"z\"");
            assert_eq!(why("a,y\n1,0\nx,1\n", model), "line 3: column \"a\" is \"x\", must be a number");
            assert_eq!(why("a,y\n1,0\nNaN,1\n", model), "line 3: column \"a\" is \"NaN\", must be finite");
            let constant = "column \"b\" is 3 in every row, so nothing can be learnt from it: leave it out";
            assert_eq!(why("a,b,y\n1,3,0\n2,3,1\n", model), constant);
            let empty = why("a,y\n1,0\n2,\n", model);
            assert_eq!(empty, "line 3: column \"y\" is empty: remove rows without a label first");
        }
        assert_eq!(why("a,y\n1,no\n2,yes\n", Model::Linear), "line 2: column \"y\" is \"no\", must be a number");
        assert_eq!(why("a,y\n1,5\n2,5\n", Model::Linear), "column \"y\" has one value in every row: nothing to predict");
        let three = "column \"y\" has 3 distinct values (\"a\", \"b\", \"c\"); a logistic model takes 2 classes";
        assert_eq!(why("a,y\n1,a\n2,b\n3,c\n", Model::Logistic), three);
        let one = "column \"y\" has 1 distinct values (\"a\"); a logistic model takes 2 classes";
        assert_eq!(why("a,y\n1,a\n2,a\n", Model::Logistic), one);
    }

    #[test]
    fn classes_in_numbers_are_in_their_order() {
        let d = Data::parse("t", b"a,y\n1,10\n2,9\n3,10\n", "y", Model::Logistic).unwrap();
        assert_eq!((d.y, d.classes), (vec![1.0, 0.0, 1.0], Some(["9".into(), "10".into()])));
    }
}
