//! A first look at all rows, where what a column is can only be told from all of its cells: whether one that has no name is data, whether
//! one is text, whether one has any value at all.
use super::{
    MEMORY, Reading, Text,
    delimiter::{self, Delimiter},
    header::Header,
    number::{absent, number},
    roles::Roles,
};
use crate::{data::Missing, text::quoted};
use csv::StringRecord;
use std::collections::HashSet;

/// What was seen.
pub(super) struct Survey {
    /// Whether a column is one of text: it has a value that is no number, and may be categorical.
    pub text: Vec<bool>,
    /// Columns that are left out.
    pub left_out: Vec<bool>,
    /// Why, and what unnamed columns are called.
    pub notices: Vec<String>,
}

/// A column without a name, whose cells show what it is when all are known.
struct Unnamed {
    column: usize,
    /// Where a row begins, and its cell; nothing as long as all are empty.
    cells: Vec<Box<str>>,
    /// Rows before those in `cells`, where it is empty.
    empty: usize,
}

impl Survey {
    /// Of all rows that have as many cells as they must.
    ///
    /// # Errors
    /// If a column without a name has values in some rows only.
    pub fn new(text: &Text, delimiter: Delimiter, header: &Header, roles: &Roles, reading: &Reading) -> Result<Self, String> {
        let width = header.names.len();
        let mut out = Self { text: vec![false; width], left_out: vec![false; width], notices: Vec::new() };
        let (auto, missing) = (reading.columns.auto(), reading.columns.missing());
        let features: Vec<usize> = (0..width).filter(|i| roles.feature(*i)).collect();
        let unknown = |i: &usize| !header.named[*i] && !roles.named[*i];
        let mut unnamed: Vec<Unnamed> =
            features.iter().copied().filter(unknown).map(|column| Unnamed { column, cells: Vec::new(), empty: 0 }).collect();
        if unnamed.is_empty() && !auto && missing == Missing::Refuse {
            return Ok(out);
        }
        // A column of numbers is looked at to its end, one of text until its first word.
        let mut open: Vec<usize> = if auto { features.clone() } else { Vec::new() };
        let mut empty: Vec<usize> = if missing == Missing::Refuse { Vec::new() } else { features };
        let mut reader = delimiter::cells(text.rows(), delimiter.byte());
        let mut record = StringRecord::new();
        let mut next = |record: &mut StringRecord| reader.read_record(record).unwrap_or(false);
        // The header.
        next(&mut record);
        while next(&mut record) {
            if record.iter().all(str::is_empty) {
                continue;
            }
            let cell = |i: usize| record.get(i).unwrap_or_default();
            let value = |i: usize| !absent(cell(i));
            empty.retain(|i| !value(*i));
            open.retain(|i| {
                out.text[*i] = number(cell(*i)).is_err() && value(*i);
                !out.text[*i]
            });
            unnamed.iter_mut().try_for_each(|column| column.push(cell(column.column)))?;
        }
        for column in unnamed {
            let (place, name) = (column.column + 1, &header.names[column.column]);
            if let Some(why) = column.left_out(header) {
                empty.retain(|i| *i != column.column);
                out.left_out[column.column] = true;
                out.notices.push(why);
            } else if column.empty > 0 && missing == Missing::Refuse {
                return Err(format!(
                    "column {}, which has no name, is empty in {} rows and not in others: name it and fill it in, or remove it",
                    quoted(name),
                    column.empty
                ));
            } else {
                out.notices.push(format!("notice: column {place} has no name and is called {}", quoted(name)));
            }
        }
        if !empty.is_empty() {
            let names: Vec<String> = empty.iter().map(|i| header.names[*i].clone()).collect();
            let (what, has) = if names.len() == 1 { ("column", "has") } else { ("columns", "have") };
            let are = if names.len() == 1 { "is" } else { "are" };
            let all = crate::data::listed(&names);
            out.notices.push(format!("notice: {what} {all} {has} no value in any row and {are} left out"));
            empty.iter().for_each(|i| out.left_out[*i] = true);
        }
        Ok(out)
    }
}

impl Unnamed {
    fn push(&mut self, cell: &str) -> Result<(), String> {
        if cell.is_empty() && self.cells.is_empty() {
            self.empty += 1;
            return Ok(());
        }
        self.cells.try_reserve(1).map_err(|_| MEMORY)?;
        self.cells.push(cell.into());
        Ok(())
    }

    /// Why it is no feature: it is empty, or numbers or names the rows.
    fn left_out(&self, header: &Header) -> Option<String> {
        let place = self.column + 1;
        if self.cells.is_empty() {
            return Some(format!("notice: column {place} has no name and no values and is left out"));
        }
        if self.column >= header.index || self.empty > 0 {
            return None;
        }
        let whole = self.cells.iter().all(|cell| cell.parse::<f64>().is_ok_and(|v| v >= 0.0 && v.fract() == 0.0));
        let words = self.cells.iter().all(|cell| !cell.is_empty() && number(cell).is_err());
        let mut seen = HashSet::new();
        let index = (whole || words) && self.cells.iter().all(|cell| seen.insert(cell));
        let what = if whole { "numbers" } else { "names" };
        index.then(|| {
            format!("notice: column {place} has no name and {what} the rows; it is left out (give it a name to keep it)")
        })
    }
}
