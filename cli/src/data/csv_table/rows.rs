//! The rows of a table: cells of the features as numbers, cells of the column to predict as text, and what is no data left out with a notice.
use super::{
    MEMORY, Target, Text,
    delimiter::{self, Delimiter},
    header::{Header, header},
    number::number,
    target::Labels,
};
use crate::text::quoted;
use csv::StringRecord;
use std::collections::HashSet;

/// What a table holds, before its target is understood.
pub(super) struct Rows {
    /// The names of the features.
    pub columns: Vec<String>,
    /// Their cells, row by row.
    pub features: Vec<f64>,
    /// The column to predict.
    pub labels: Labels,
}

/// A column without a name, whose cells show what it is when all are known.
struct Unnamed {
    column: usize,
    /// Where a row begins, and its cell; nothing as long as all are empty.
    cells: Vec<(usize, Box<str>)>,
    /// Rows before those in `cells`, where it is empty.
    empty: usize,
}

/// Reads all rows.
///
/// # Errors
/// Names line and column.
pub(super) fn read(text: &Text, delimiter: Delimiter, target: Target, notices: &mut Vec<String>) -> Result<Rows, String> {
    let mut reader = delimiter::cells(text.rows(), delimiter.byte());
    let mut record = StringRecord::new();
    if !next(&mut reader, &mut record)? {
        return Err("is empty: expected a line of column names, then rows of numbers".into());
    }
    let header = header(text, &record, at(&record), target, delimiter, notices)?;
    let (width, place) = (header.names.len(), header.place);
    let mut unnamed: Vec<Unnamed> = (0..width)
        .filter(|i| !header.named[*i] && *i != place)
        .map(|column| Unnamed { column, cells: Vec::new(), empty: 0 })
        .collect();
    let plain: Vec<usize> = (0..width).filter(|i| header.named[*i] && *i != place).collect();
    let (mut features, mut labels) = (Vec::new(), Labels::default());
    let (mut blank, mut longer, mut last) = (Blank::default(), 0, at(&record));
    while next(&mut reader, &mut record)? {
        let at = at(&record);
        last = at;
        if record.iter().all(str::is_empty) {
            blank.add(record.len(), at);
            continue;
        }
        let filled = |cells: usize| (cells..record.len()).all(|i| record[i].is_empty());
        let enough = (record.len()..width).all(|i| !header.named[i] && i != place);
        if !filled(width) || !enough {
            return Err(uneven(text, &record, at, width, delimiter));
        }
        longer += usize::from(record.len() > width);
        let said = |i: usize, why: &str| format!("line {}: column {} {why}", text.line(at), quoted(&header.names[i]));
        features.try_reserve(plain.len()).map_err(|_| MEMORY)?;
        for &i in &plain {
            features.push(number(&record[i]).map_err(|why| said(i, &why))?);
        }
        unnamed.iter_mut().try_for_each(|column| column.push(at, record.get(column.column).unwrap_or_default()))?;
        labels.push(at, &record[place])?;
    }
    if let Some(line) = text.open_quote(last, delimiter.byte()) {
        return Err(format!("line {line}: a quote opens that is not closed"));
    }
    if labels.len() == 0 {
        return Err("has a header but no rows".into());
    }
    notices.extend(blank.notice(text));
    if longer > 0 {
        notices.push(format!("notice: {longer} rows end with empty cells that the header does not have; they are left out"));
    }
    let mut kept = plain;
    let mut more = Vec::new();
    for column in unnamed {
        if let Some(why) = column.left_out(&header) {
            notices.push(why);
            continue;
        }
        more.push(column.numbers(text, &header)?);
        notices.push(format!(
            "notice: column {} has no name and is called {}",
            column.column + 1,
            quoted(&header.names[column.column])
        ));
        kept.push(column.column);
    }
    if kept.is_empty() {
        return Err(format!("has no column but {}: nothing to predict it from", quoted(target.column)));
    }
    let features = if more.is_empty() { features } else { merged(&features, &more, &kept, labels.len())? };
    kept.sort_unstable();
    Ok(Rows { columns: kept.into_iter().map(|i| header.names[i].clone()).collect(), features, labels })
}

fn next(reader: &mut csv::Reader<&[u8]>, record: &mut StringRecord) -> Result<bool, String> {
    reader.read_record(record).map_err(|e| e.to_string())
}

fn at(record: &StringRecord) -> usize {
    record.position().map_or(0, |p| p.byte() as usize)
}

/// Named columns and others in the order of the file. `kept` has the places of the former, then of the latter.
fn merged(features: &[f64], more: &[Vec<f64>], kept: &[usize], rows: usize) -> Result<Vec<f64>, String> {
    let plain = kept.len() - more.len();
    let mut order: Vec<usize> = (0..kept.len()).collect();
    order.sort_by_key(|i| kept[*i]);
    let mut out = Vec::new();
    out.try_reserve_exact(rows * kept.len()).map_err(|_| MEMORY)?;
    for row in 0..rows {
        out.extend(order.iter().map(|&i| if i < plain { features[row * plain + i] } else { more[i - plain][row] }));
    }
    Ok(out)
}

/// A row has too many or too few cells.
fn uneven(text: &Text, record: &StringRecord, at: usize, width: usize, delimiter: Delimiter) -> String {
    if let Some(line) = text.open_quote(at, delimiter.byte()) {
        return format!("line {line}: a quote opens that is not closed");
    }
    let hint = if record[0].starts_with('#') { ": comments are not read, remove them" } else { "" };
    format!("line {}: has {} cells, the header has {width}{hint}", text.line(at), record.len())
}

/// Rows without any value.
#[derive(Default)]
struct Blank {
    count: usize,
    first: usize,
}

impl Blank {
    fn add(&mut self, cells: usize, at: usize) {
        // A line of blanks is no row.
        if cells > 1 {
            self.first = if self.count == 0 { at } else { self.first };
            self.count += 1;
        }
    }

    fn notice(&self, text: &Text) -> Option<String> {
        let line = text.line(self.first);
        match self.count {
            0 => None,
            1 => Some(format!("notice: line {line} has no values and is left out")),
            n => Some(format!("notice: {n} rows have no values and are left out, the first in line {line}")),
        }
    }
}

impl Unnamed {
    fn push(&mut self, at: usize, cell: &str) -> Result<(), String> {
        if cell.is_empty() && self.cells.is_empty() {
            self.empty += 1;
            return Ok(());
        }
        self.cells.try_reserve(1).map_err(|_| MEMORY)?;
        self.cells.push((at, cell.into()));
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
        let whole = self.cells.iter().all(|(_, cell)| cell.parse::<f64>().is_ok_and(|v| v >= 0.0 && v.fract() == 0.0));
        let words = self.cells.iter().all(|(_, cell)| !cell.is_empty() && number(cell).is_err());
        let mut seen = HashSet::new();
        let index = (whole || words) && self.cells.iter().all(|(_, cell)| seen.insert(cell));
        let what = if whole { "numbers" } else { "names" };
        index.then(|| {
            format!("notice: column {place} has no name and {what} the rows; it is left out (give it a name to keep it)")
        })
    }

    fn numbers(&self, text: &Text, header: &Header) -> Result<Vec<f64>, String> {
        let name = quoted(&header.names[self.column]);
        if self.empty > 0 {
            return Err(format!(
                "column {name}, which has no name, is empty in {} rows and not in others: name it and fill it in, or remove it",
                self.empty
            ));
        }
        let of =
            |(at, cell): &(usize, Box<str>)| number(cell).map_err(|why| format!("line {}: column {name} {why}", text.line(*at)));
        self.cells.iter().map(of).collect()
    }
}
