//! Reads a table from delimited text. Every error names the line and the column, and whatever is left out has a notice.
mod apply;
mod delimiter;
mod header;
mod labels;
mod left_out;
mod levels;
mod number;
mod roles;
mod rows;
mod survey;
mod target;
#[cfg(test)]
mod tests;

pub use apply::{Found, Wanted};
pub use delimiter::Delimiter;

use super::{Cells, Columns, Table, Task};
use crate::input;

/// How a table is to be read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What separates cells; tried if not given.
    pub delimiter: Option<Delimiter>,
    /// What the columns are.
    pub columns: Columns,
    /// The column that names the fold of each row.
    pub fold: Option<String>,
}

/// The column to predict.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its name.
    pub column: &'a str,
    /// How to treat it; inferred from its values if not given.
    pub task: Option<Task>,
    /// The words and limits of the command.
    pub asks: &'a Asks,
}

/// A command's own words for errors, and its limits.
#[derive(Clone, Copy, Debug)]
pub struct Asks {
    /// The option that names the column to predict.
    pub column: &'static str,
    /// The option that treats it as numbers.
    pub numbers: &'static str,
    /// The option that treats it as classes whatever it holds, if there is one.
    pub classify: Option<&'static str>,
    /// What takes how many classes.
    pub classes: &'static str,
    /// Classes at most.
    pub most_classes: usize,
}

/// Of commands that train networks. The limit is that of the loss.
pub const NETWORKS: Asks = Asks {
    column: "--label",
    numbers: "--task regress",
    classify: Some("--task classify"),
    classes: "classification takes 2 to 160 classes",
    most_classes: 160,
};

const MEMORY: &str = "memory does not suffice for its cells";

/// Text and where in it the rows begin, the header first.
struct Text<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Text<'a> {
    fn rows(&self) -> &'a str {
        &self.text[self.start..]
    }

    /// The line of the record that is read from byte `at` of the rows on. Counted here, because the reader's own count stops before
    /// empty lines and before the second byte of a line's end.
    fn line(&self, at: usize) -> usize {
        let at = self.start + at;
        let ends = self.text.as_bytes()[at..].iter().take_while(|b| b"\r\n".contains(b)).count();
        input::line(self.text, at + ends)
    }

    /// The lines of records that begin there, in ascending order: one walk through the text, however many they are.
    fn lines(&self, at: &[usize]) -> Vec<usize> {
        let (mut line, mut from) = (1, 0);
        let bytes = self.text.as_bytes();
        let mut out = Vec::with_capacity(at.len());
        for at in at {
            let mut to = self.start + at;
            to += bytes[to..].iter().take_while(|b| b"\r\n".contains(b)).count();
            let ends = |i: &usize| bytes[*i] == b'\r' || bytes[*i] == b'\n' && (*i == 0 || bytes[i - 1] != b'\r');
            line += (from..to).filter(ends).count();
            from = to;
            out.push(line);
        }
        out
    }

    /// The line of a quote that opens in the record at byte `at` of the rows, or after it, and is not closed.
    fn open_quote(&self, at: usize, delimiter: u8) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let (mut opened, mut begins) = (None, true);
        for (i, b) in bytes.iter().enumerate().skip(self.start + at) {
            match (opened, *b) {
                // Two quotes within a quoted cell close and open it.
                (Some(_), b'"') => (opened, begins) = (None, bytes.get(i + 1) == Some(&b'"')),
                (Some(_), _) => {}
                (None, b'"') if begins => opened = Some(i),
                (None, b) => begins = b == delimiter || b"\r\n".contains(&b),
            }
        }
        opened.map(|i| input::line(self.text, i))
    }
}

/// The rows of `text` for a model that was fitted to another table.
pub fn apply(text: &str, wanted: &Wanted, delimiter: Option<Delimiter>) -> Result<Found, String> {
    let (start, said) = delimiter::first_line(text);
    let text = Text { text, start };
    let hint = wanted.columns.first().map_or(wanted.target, |column| &column.name);
    let delimiter = delimiter.or(said).unwrap_or_else(|| delimiter::tried(text.rows(), hint));
    apply::read(&text, wanted, delimiter)
}

/// The table in `text`, whose first row names the columns.
pub fn parse(name: &str, text: &str, target: Target, reading: &Reading) -> Result<Table, String> {
    let (start, said) = delimiter::first_line(text);
    let text = Text { text, start };
    let delimiter = reading.delimiter.or(said).unwrap_or_else(|| delimiter::tried(text.rows(), target.column));
    let mut notices = Vec::new();
    let rows = rows::read(&text, delimiter, target, reading, &mut notices)?;
    let targets = target::targets(&text, target, &rows.labels, &mut notices)?;
    Ok(Table {
        notices,
        description: rows.description,
        keys: rows.keys,
        ..Table::new(name, target.column, rows.columns, Cells::Numbers(rows.features), targets)
    })
}
