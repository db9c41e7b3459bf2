//! What of a table is no data, is left out or filled in: counted while rows are read, and said in a notice.
use super::{Text, header::Header, levels::Levels, number::absent};
use crate::{
    data::listed,
    text::{count, quoted},
};
use csv::StringRecord;

/// Notices of as many columns as can be read.
pub(super) fn shortened(mut said: Vec<String>, notices: &mut Vec<String>) {
    const SHOWN: usize = 24;
    let more = said.len().saturating_sub(SHOWN);
    said.truncate(SHOWN);
    notices.append(&mut said);
    if more > 0 {
        notices
            .push(format!("notice: {more} more notices about categorical columns; all their levels are in the file of numbers"));
    }
}

/// What was filled in, and where.
pub(super) fn filled(numbers: &[usize], gaps: &[usize], categories: &[(usize, Levels)], header: &Header) -> Vec<String> {
    let gaps = numbers.iter().copied().zip(gaps.iter().copied());
    gaps_filled(gaps, categories.iter().map(|(place, levels)| (*place, levels.missing)), &header.names)
}

/// As [`filled`], from columns of numbers and categorical ones, each with how many of its cells are missing.
pub(super) fn gaps_filled(
    mut numbers: impl Iterator<Item = (usize, usize)>,
    mut categories: impl Iterator<Item = (usize, usize)>,
    names: &[String],
) -> Vec<String> {
    let some = |places: &mut dyn Iterator<Item = (usize, usize)>| {
        let all: Vec<(usize, usize)> = places.filter(|(_, n)| *n > 0).collect();
        let cells: usize = all.iter().map(|(_, n)| n).sum();
        (cells > 0).then(|| (count(cells, "missing cell"), in_columns(&all, names)))
    };
    let means = some(&mut numbers)
        .map(|(cells, all)| format!("notice: {cells} filled in with the column's mean in the training rows: {all}"));
    let levels = some(&mut categories).map(|(cells, all)| format!("notice: {cells} taken for a level of its own: {all}"));
    means.into_iter().chain(levels).collect()
}

/// Columns with numbers of cells, the first few.
fn in_columns(all: &[(usize, usize)], names: &[String]) -> String {
    const SHOWN: usize = 8;
    let one = |(place, n): &(usize, usize)| format!("{n} in column {}", quoted(&names[*place]));
    let mut some: Vec<String> = all.iter().take(SHOWN).map(one).collect();
    if all.len() > SHOWN {
        some.push(format!("and others in {} more columns", all.len() - SHOWN));
    }
    some.join(", ")
}

/// Rows that are left out since a value is missing.
#[derive(Default)]
pub(super) struct Dropped {
    /// Where they begin.
    pub rows: Vec<usize>,
    /// Missing cells by column.
    cells: std::collections::BTreeMap<usize, usize>,
}

impl Dropped {
    /// Whether a row is one of them, by its cells in the columns that are used.
    pub fn add(&mut self, used: impl Iterator<Item = usize>, record: &StringRecord, at: usize) -> bool {
        let mut any = false;
        for i in used.filter(|i| absent(record.get(*i).unwrap_or_default())) {
            *self.cells.entry(i).or_default() += 1;
            any = true;
        }
        if any {
            self.rows.push(at);
        }
        any
    }

    pub fn notice(&self, lines: &[usize], header: &Header) -> Option<String> {
        const SHOWN: usize = 20;
        let (what, are) = if lines.len() == 1 { ("line", "is") } else { ("lines", "are") };
        let mut some: Vec<String> = lines.iter().take(SHOWN).map(usize::to_string).collect();
        if lines.len() > SHOWN {
            some.push(format!("and {} more", lines.len() - SHOWN));
        }
        let columns: Vec<(usize, usize)> = self.cells.iter().map(|(place, n)| (*place, *n)).collect();
        (!lines.is_empty()).then(|| {
            let rows = if lines.len() == 1 { "1 row lacks".into() } else { format!("{} rows lack", lines.len()) };
            format!(
                "notice: {rows} values and {are} left out, {what} {}: {}",
                some.join(", "),
                in_columns(&columns, &header.names)
            )
        })
    }

    /// The column with most missing cells.
    pub fn most(&self, header: &Header) -> Option<String> {
        let (place, n) = self.cells.iter().max_by_key(|(_, n)| **n)?;
        Some(format!("{n} in column {}", listed(&header.names[*place..=*place])))
    }
}

/// Rows without any value.
#[derive(Default)]
pub(super) struct Blank {
    count: usize,
    first: usize,
}

impl Blank {
    pub fn add(&mut self, cells: usize, at: usize) {
        // A line of blanks is no row.
        if cells > 1 {
            self.first = if self.count == 0 { at } else { self.first };
            self.count += 1;
        }
    }

    pub fn notice(&self, text: &Text) -> Option<String> {
        let line = text.line(self.first);
        match self.count {
            0 => None,
            1 => Some(format!("notice: line {line} has no values and is left out")),
            n => Some(format!("notice: {n} rows have no values and are left out, the first in line {line}")),
        }
    }
}
