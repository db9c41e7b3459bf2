//! The names of the columns: missing ones, repeated ones, and the one to predict.
use super::{Target, Text, delimiter::Delimiter};
use crate::text::quoted;
use csv::StringRecord;
use std::collections::{HashMap, HashSet};

/// Columns at most: a line without end is no header.
const MOST: usize = 1 << 20;
/// Repeated names that have a notice each.
const SAID: usize = 8;

/// The first record of a table.
pub(super) struct Header {
    /// A name for each column, no two alike but for that of the column to predict.
    pub names: Vec<String>,
    /// Whether the file names it.
    pub named: Vec<bool>,
    /// Columns before this one may number or name the rows: none of them has a name of its own.
    pub index: usize,
    /// The column to predict.
    pub place: usize,
}

/// The names in `record`, and notices of those that had to be made up.
///
/// # Errors
/// If the column to predict is not among them, or twice.
pub(super) fn header(
    text: &Text,
    record: &StringRecord,
    at: usize,
    target: Target,
    delimiter: Delimiter,
    notices: &mut Vec<String>,
) -> Result<Header, String> {
    let line = text.line(at);
    let (names, named) = names(line, record, target.column, notices)?;
    let place = find(&names, line, target, delimiter)?;
    let index = named.iter().take_while(|named| !**named).count();
    Ok(Header { names, named, index, place })
}

/// A name for each column, no two alike but for that of the column to predict, and whether the file names it; with notices of those that
/// had to be made up.
///
/// # Errors
/// If there are too many.
pub(super) fn names(
    line: usize,
    record: &StringRecord,
    target: &str,
    notices: &mut Vec<String>,
) -> Result<(Vec<String>, Vec<bool>), String> {
    if record.len() > MOST {
        return Err(format!("line {line}: has {} columns, must be at most {MOST}", record.len()));
    }
    // As pandas calls a column without a name when it reads one and writes it again.
    let unnamed = |name: &str| {
        let number = name.strip_prefix("Unnamed: ");
        name.is_empty() || number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    };
    let named: Vec<bool> = record.iter().map(|name| !unnamed(name)).collect();
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    let mut taken: HashSet<String> = record.iter().map(String::from).collect();
    let mut seen = HashSet::new();
    // For each name the number that was given last, so that many columns of one name are not tried again from 1.
    let (mut numbers, mut repeated) = (HashMap::new(), 0);
    for (i, name) in record.iter().enumerate() {
        let mut own = if name.is_empty() { format!("column {}", i + 1) } else { name.to_string() };
        if name == target && !name.is_empty() {
            names.push(own);
            continue;
        }
        if !seen.insert(own.clone()) || name.is_empty() && taken.contains(&own) {
            let last: &mut usize = numbers.entry(own.clone()).or_default();
            own = (*last + 1..)
                .find_map(|n| {
                    *last = n;
                    Some(format!("{own}.{n}")).filter(|name| !taken.contains(name))
                })
                .expect("one is free");
            repeated += 1;
            if repeated <= SAID {
                notices.push(format!(
                    "notice: line {line}: two columns are called {}; the one at place {} is called {} here",
                    quoted(name),
                    i + 1,
                    quoted(&own)
                ));
            }
            seen.insert(own.clone());
            taken.insert(own.clone());
        }
        names.push(own);
    }
    if repeated > SAID {
        notices.push(format!(
            "notice: line {line}: {} more columns have names of others, and are numbered likewise",
            repeated - SAID
        ));
    }
    Ok((names, named))
}

fn find(names: &[String], line: usize, target: Target, delimiter: Delimiter) -> Result<usize, String> {
    let (label, shown, option) = (target.column, quoted(target.column), target.asks.column);
    let mut found = names.iter().enumerate().filter(|(_, name)| *name == label).map(|(i, _)| i);
    match (found.next(), found.next()) {
        (Some(_), None) if names.len() == 1 => {
            Err(format!("line {line}: has no column but {shown}: nothing to predict it from{}", divided(delimiter)))
        }
        (Some(i), None) => Ok(i),
        (Some(_), Some(_)) => Err(format!("line {line}: two columns are called {shown}")),
        (None, _) => {
            let mut all: Vec<String> = names.iter().take(12).map(|name| quoted(name)).collect();
            if let Some(last) = names.get(12..).and_then(<[String]>::last) {
                all.push(format!("... ({} in all, the last {})", names.len(), quoted(last)));
            }
            let hint = if names.len() == 1 { divided(delimiter) } else { String::new() };
            Err(format!("line {line}: no column is called {shown} ({option}); there are: {}{hint}", all.join(", ")))
        }
    }
}

/// What to do if a file seems to have one column.
pub(super) fn divided(delimiter: Delimiter) -> String {
    format!(" (if not {} but something else divides the cells, say so with --delimiter)", delimiter.word())
}
