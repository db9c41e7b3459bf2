//! Columns that are no features and say where a row belongs: in which fold it is held out, and with which rows it stays together.

/// A column of names, one for each row.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// What it is called.
    pub column: String,
    /// The different names, in ascending order.
    pub names: Vec<String>,
    /// The name of each row, by its place in `names`.
    pub of: Vec<u32>,
}

/// The keys of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    /// The fold in which a row is held out.
    pub fold: Option<Key>,
    /// The group whose rows stay together.
    pub group: Option<Key>,
}

impl Keys {
    /// Those of some of the rows.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let one = |key: &Option<Key>| {
            key.as_ref().map(|key| Key {
                column: key.column.clone(),
                names: key.names.clone(),
                of: rows.iter().map(|&r| key.of[r]).collect(),
            })
        };
        Self { fold: one(&self.fold), group: one(&self.group) }
    }
}
