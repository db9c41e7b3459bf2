//! What each column of a table is read as, told by the options.
use super::{Reading, Target, header::Header};
use crate::{data::listed, text::quoted};

/// The roles of columns, by place.
pub(super) struct Roles {
    /// The column to predict.
    pub target: usize,
    /// The column that names the fold.
    pub fold: Option<usize>,
    /// The column that names the group.
    pub group: Option<usize>,
    /// Columns that are categorical by name.
    pub named: Vec<bool>,
}

impl Roles {
    /// As the options have it.
    ///
    /// # Errors
    /// Names an option whose column is not there, or is another one's.
    pub fn new(header: &Header, line: usize, target: Target, reading: &Reading) -> Result<Self, String> {
        let find = |name: &str, option: &str| {
            let place = header.names.iter().position(|n| n == name);
            let place = place.ok_or_else(|| {
                let all = listed(&header.names);
                format!("line {line}: no column is called {} (--{option}); there are: {all}", quoted(name))
            })?;
            if place == header.place {
                return Err(format!("--{option} names {}, the column to predict ({})", quoted(name), target.asks.column));
            }
            Ok(place)
        };
        let key = |name: Option<&str>, option: &str| name.map(|name| find(name, option)).transpose();
        let mut roles = Self {
            target: header.place,
            fold: key(reading.fold.as_deref(), "fold-column")?,
            group: key(reading.columns.group(), "group-column")?,
            named: vec![false; header.names.len()],
        };
        for name in reading.columns.named() {
            let place = find(name, "categorical")?;
            if let Some(option) = roles.key(place) {
                return Err(format!("--categorical names {}, which is no feature, since --{option} names it too", quoted(name)));
            }
            roles.named[place] = true;
        }
        Ok(roles)
    }

    /// The option that makes a key of a column.
    fn key(&self, place: usize) -> Option<&'static str> {
        let of = |key: Option<usize>, option| (key == Some(place)).then_some(option);
        of(self.fold, "fold-column").or(of(self.group, "group-column"))
    }

    /// Whether a column may be a feature.
    pub fn feature(&self, place: usize) -> bool {
        place != self.target && self.key(place).is_none()
    }
}
