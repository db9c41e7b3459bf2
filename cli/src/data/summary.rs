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
}

impl Summary {
    /// Of a table.
    pub fn new(table: &Table, parts: [usize; 3]) -> Self {
        let (classes, target) = match &table.targets {
            Targets::Classes { names, .. } => (names.clone(), None),
            Targets::Values { .. } => (Vec::new(), Some(table.label.clone())),
        };
        Self { name: table.name.clone(), rows: table.rows(), features: table.columns.len(), classes, target, parts }
    }
}
