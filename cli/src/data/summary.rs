//! What reports say of the data.
use super::{Table, Targets};

/// The data, in words and numbers.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What it is called.
    pub name: String,
    /// Rows in all.
    pub rows: usize,
    /// Features.
    pub features: usize,
    /// Names of the classes; empty for regression.
    pub classes: Vec<String>,
    /// The column that is predicted, for regression.
    pub target: Option<String>,
    /// Rows of training, validation and test part.
    pub parts: [usize; 3],
    /// How it was read, for programs.
    pub table: serde_json::Value,
}

impl Summary {
    /// Of a table.
    pub fn new(table: &Table, parts: [usize; 3]) -> Self {
        let (classes, target) = match &table.targets {
            Targets::Classes { names, .. } => (names.clone(), None),
            Targets::Values { .. } => (Vec::new(), Some(table.label.clone())),
        };
        let (name, rows, features) = (table.name.clone(), table.rows(), table.columns.len());
        Self { name, rows, features, classes, target, parts, table: table.described(None) }
    }
}
