//! How the features of a table came to be from the columns of a file: what whoever applies a model to another file has to know.
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is done about missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// They are an error
    #[default]
    Refuse,
    /// A number becomes the mean of its column in the training rows, a missing category a level of its own; a missing target is an error
    Mean,
    /// Rows that lack a value are left out
    DropRows,
}

impl Missing {
    /// As the option has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Mean => "mean",
            Self::DropRows => "drop-rows",
        }
    }
}

/// How a table was read. Empty where each column is a feature of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// What was done about missing values.
    pub missing: Missing,
    /// The lines of rows that were left out since a value is missing.
    pub dropped: Vec<usize>,
    /// Columns of the file.
    pub columns: Vec<Column>,
    /// The features, in their order.
    pub features: Vec<Feature>,
}

/// A column of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    #[serde(flatten)]
    pub holds: Holds,
    /// How many of its cells are missing in the rows that are used.
    pub missing: usize,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Holds {
    /// Numbers: one feature.
    Number,
    /// Levels: a feature for each, 1 in its rows and 0 in others; of two levels the second has one.
    Category {
        /// In ascending order, numbers first; those that are equal as numbers are one. The last may be none: missing cells.
        levels: Vec<Option<String>>,
    },
}

/// Where a feature comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// The place of its column among [`Description::columns`].
    pub column: usize,
    /// Of which level it is the indicator.
    pub level: Option<usize>,
}

/// What of a file some features come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Sources {
    /// The columns.
    pub columns: Vec<Column>,
    /// The features; their columns are places in `columns`.
    pub features: Vec<Feature>,
    /// The names of other columns that were read.
    pub left_out: Vec<String>,
}

impl Description {
    /// How many cells of a feature are missing and filled in.
    pub(super) fn gaps(&self, feature: usize) -> usize {
        match self.features.get(feature) {
            Some(Feature { column, level: None }) => self.columns[*column].missing,
            _ => 0,
        }
    }

    /// Whether a feature is one of several indicators of a column.
    pub(super) fn one_of_several(&self, feature: usize) -> bool {
        let Some(Feature { column, level: Some(_) }) = self.features.get(feature) else { return false };
        matches!(&self.columns[*column].holds, Holds::Category { levels } if levels.len() > 2)
    }

    /// Of some of the features.
    pub(super) fn select(self, kept: &[usize]) -> Self {
        let features = if self.features.is_empty() { Vec::new() } else { kept.iter().map(|&f| self.features[f]).collect() };
        Self { features, ..self }
    }

    /// What of the file the features at these places come from, all of them being called `names`.
    pub(super) fn sources(&self, names: &[String], kept: &[usize]) -> Sources {
        let (columns, features): (Vec<Column>, Vec<Feature>) = if self.features.is_empty() {
            let plain = |name: &String| Column { name: name.clone(), holds: Holds::Number, missing: 0 };
            (names.iter().map(plain).collect(), kept.iter().map(|&column| Feature { column, level: None }).collect())
        } else {
            (self.columns.clone(), kept.iter().map(|&f| self.features[f]).collect())
        };
        let mut used = vec![false; columns.len()];
        features.iter().for_each(|f| used[f.column] = true);
        let mut place = 0;
        let places: Vec<usize> = used.iter().map(|used| (place, place += usize::from(*used)).0).collect();
        let features = features.into_iter().map(|f| Feature { column: places[f.column], ..f }).collect();
        let (columns, others): (Vec<_>, Vec<_>) = columns.into_iter().zip(used).partition(|(_, used)| *used);
        let left_out = others.into_iter().map(|(c, _)| c.name).collect();
        Sources { columns: columns.into_iter().map(|(c, _)| c).collect(), features, left_out }
    }

    /// All of it, with the names of the features, and their means in the rows that a model was fitted to, where there is one such set of
    /// rows. Columns without a feature are left out.
    pub fn json(&self, names: &[String], means: Option<&[f64]>) -> Value {
        let Sources { columns, features, .. } = self.sources(names, &(0..names.len()).collect::<Vec<_>>());
        let feature = |(i, f): (usize, &Feature)| {
            let mut one = json!({ "name": names[i], "column": f.column });
            if let Some(level) = f.level {
                one["level"] = level.into();
            }
            if let Some(means) = means {
                one["mean"] = means[i].into();
            }
            one
        };
        json!({
            "missing": self.missing,
            "dropped_lines": self.dropped,
            "columns": columns,
            "features": features.iter().enumerate().map(feature).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_columns_without_a_feature_are_left_out() {
        let column = |name: &str, holds| Column { name: name.into(), holds, missing: 1 };
        let levels = vec![Some("Bern".to_string()), Some("Paris".into()), None];
        let all = Description {
            missing: Missing::Mean,
            dropped: vec![3],
            columns: vec![column("flat", Holds::Number), column("city", Holds::Category { levels }), column("a", Holds::Number)],
            features: vec![
                Feature { column: 1, level: Some(0) },
                Feature { column: 1, level: Some(2) },
                Feature { column: 2, level: None },
            ],
        };
        let names = ["city=Bern", "city=(missing)", "a"].map(String::from);
        let json = all.json(&names, Some(&[0.5, 0.25, 7.0]));
        let expected = json!({
            "missing": "mean",
            "dropped_lines": [3],
            "columns": [
                { "name": "city", "kind": "category", "levels": ["Bern", "Paris", null], "missing": 1 },
                { "name": "a", "kind": "number", "missing": 1 },
            ],
            "features": [
                { "name": "city=Bern", "column": 0, "level": 0, "mean": 0.5 },
                { "name": "city=(missing)", "column": 0, "level": 2, "mean": 0.25 },
                { "name": "a", "column": 1, "mean": 7.0 },
            ],
        });
        assert_eq!(json, expected);
        let read: Vec<Column> = serde_json::from_value(json["columns"].clone()).unwrap();
        assert_eq!(read, all.columns[1..]);
        assert_eq!([0, 1, 2].map(|f| all.gaps(f)), [0, 0, 1]);
        assert_eq!([0, 1, 2].map(|f| all.one_of_several(f)), [true, true, false]);
        let plain = Description::default().json(&["p".into()], None);
        assert_eq!(plain["columns"], json!([{ "name": "p", "kind": "number", "missing": 0 }]));
        assert_eq!(plain["features"], json!([{ "name": "p", "column": 0 }]));
    }
}
