//! Rows for a model that was fitted to another table. Columns are found by their names, and every row has a prediction: what a model
//! cannot take is an error that names line and column.
use super::{
    MEMORY, Text,
    delimiter::{self, Delimiter},
    header::{divided, names},
    labels::Class,
    left_out::{Blank, gaps_filled},
    number::{absent, kind, missing, number},
};
use crate::{
    data::{Column, Feature, Holds, Missing, listed},
    text::quoted,
};
use csv::StringRecord;
use std::collections::HashMap;

/// What a model needs of a table.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its columns.
    pub columns: &'a [Column],
    /// The features that are made of them.
    pub features: &'a [Feature],
    /// What was done about missing values when it was fitted.
    pub missing: Missing,
    /// The column that it predicts, which may be there.
    pub target: &'a str,
    /// The classes of that, if it has classes.
    pub classes: Option<&'a [String]>,
}

/// The rows of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The features, row by row; NaN where a number is missing that will be filled in.
    pub features: Vec<f64>,
    /// The line of each row.
    pub lines: Vec<usize>,
    /// What the column holds that the model predicts, if it is there: numbers, or the places of classes; none where a cell is neither.
    pub target: Option<Vec<Option<f64>>>,
    /// What is to be known of how the table was read.
    pub notices: Vec<String>,
}

/// A wanted column and where it is.
struct Source<'a> {
    place: usize,
    /// The levels by their names, and that of missing cells; nothing for a column of numbers.
    levels: Option<(HashMap<&'a str, usize>, Option<usize>)>,
    gaps: usize,
}

/// What stands in a cell.
#[derive(Clone, Copy)]
enum Value {
    Number(f64),
    Level(usize),
}

/// Reads all rows.
///
/// # Errors
/// Names line and column.
pub(super) fn read(text: &Text, wanted: &Wanted, delimiter: Delimiter) -> Result<Found, String> {
    let mut reader = delimiter::cells(text.rows(), delimiter.byte());
    let mut record = StringRecord::new();
    let at = |record: &StringRecord| record.position().map_or(0, |p| p.byte() as usize);
    let mut next = |record: &mut StringRecord| reader.read_record(record).map_err(|e| e.to_string());
    if !next(&mut record)? {
        return Err("is empty: expected a line of column names, then rows".into());
    }
    let (line, mut notices) = (text.line(at(&record)), Vec::new());
    let (names, named) = names(line, &record, wanted.target, &mut notices)?;
    let mut sources = found(wanted, &names, line, delimiter)?;
    let target = target(wanted, &names, line)?;
    let mut needed: Vec<bool> = named;
    sources.iter().map(|s| s.place).chain(target).for_each(|place| needed[place] = true);
    notices.extend(not_used(&names, &sources, target));
    let (mut features, mut begins, mut known) = (Vec::new(), Vec::new(), Vec::new());
    let (mut blank, mut pending, mut longer, mut last) = (Blank::default(), None, 0, at(&record));
    let mut values = Vec::with_capacity(sources.len());
    while next(&mut record)? {
        let at = at(&record);
        last = at;
        if record.iter().all(str::is_empty) {
            // A line of blanks is no row, unless there is one column.
            if record.len() > 1 || names.len() == 1 {
                blank.add(2, at);
                pending = pending.or(Some(at));
            }
            continue;
        }
        if let Some(at) = pending {
            return Err(format!(
                "line {}: has no values, and rows follow it: nothing could stand for it among the predictions; remove the line",
                text.line(at)
            ));
        }
        let filled = |cells: usize| (cells..record.len()).all(|i| record[i].is_empty());
        if !filled(names.len()) || (record.len()..names.len()).any(|i| needed[i]) {
            return Err(match text.open_quote(at, delimiter.byte()) {
                Some(line) => format!("line {line}: a quote opens that is not closed"),
                None => format!("line {}: has {} cells, the header has {}", text.line(at), record.len(), names.len()),
            });
        }
        longer += usize::from(record.len() > names.len());
        values.clear();
        for (source, column) in sources.iter_mut().zip(wanted.columns) {
            let value = source.value(record.get(source.place).unwrap_or_default(), wanted.missing);
            values.push(value.map_err(|why| format!("line {}: column {} {why}", text.line(at), quoted(&column.name)))?);
        }
        features.try_reserve(wanted.features.len()).map_err(|_| MEMORY)?;
        features.extend(wanted.features.iter().map(|feature| match (values[feature.column], feature.level) {
            (Value::Number(v), _) => v,
            (Value::Level(own), level) => f64::from(u8::from(level == Some(own))),
        }));
        begins.push(at);
        if let Some(place) = target {
            known.push(answer(wanted, record.get(place).unwrap_or_default()));
        }
    }
    if let Some(line) = text.open_quote(last, delimiter.byte()) {
        return Err(format!("line {line}: a quote opens that is not closed"));
    }
    if begins.is_empty() {
        return Err("has a header but no rows".into());
    }
    if longer > 0 {
        notices.push(format!("notice: {longer} rows end with empty cells that the header does not have; they are left out"));
    }
    notices.extend(blank.notice(text));
    let of = |number: bool| sources.iter().filter(move |s| s.levels.is_none() == number).map(|s| (s.place, s.gaps));
    notices.extend(gaps_filled(of(true), of(false), &names));
    Ok(Found { features, lines: text.lines(&begins), target: target.map(|_| known), notices })
}

/// The places of all columns that a model needs.
fn found<'a>(wanted: &Wanted<'a>, names: &[String], line: usize, delimiter: Delimiter) -> Result<Vec<Source<'a>>, String> {
    let places: HashMap<&str, usize> = names.iter().enumerate().rev().map(|(i, name)| (name.as_str(), i)).collect();
    let lost: Vec<String> =
        wanted.columns.iter().map(|c| c.name.clone()).filter(|name| !places.contains_key(name.as_str())).collect();
    if !lost.is_empty() {
        let (what, is) = if lost.len() == 1 { ("column", "is") } else { ("columns", "are") };
        let hint = if names.len() == 1 { divided(delimiter) } else { String::new() };
        return Err(format!(
            "line {line}: the model needs {what} {}, which {is} not there; there are: {}{hint}",
            listed(&lost),
            listed(names)
        ));
    }
    let source = |column: &'a Column| {
        let levels = match &column.holds {
            Holds::Number => None,
            Holds::Category { levels } => {
                let known = levels.iter().enumerate().filter_map(|(i, level)| Some((level.as_deref()?, i))).collect();
                Some((known, levels.iter().position(Option::is_none)))
            }
        };
        Source { place: places[column.name.as_str()], levels, gaps: 0 }
    };
    Ok(wanted.columns.iter().map(source).collect())
}

/// The place of the column that is predicted, if it is there.
fn target(wanted: &Wanted, names: &[String], line: usize) -> Result<Option<usize>, String> {
    let mut all = names.iter().enumerate().filter(|(_, name)| *name == wanted.target).map(|(i, _)| i);
    match (all.next(), all.next()) {
        (_, Some(_)) => Err(format!("line {line}: two columns are called {}", quoted(wanted.target))),
        (found, None) => Ok(found),
    }
}

/// The number in a cell of the column that is predicted, or the place of its class.
fn answer(wanted: &Wanted, cell: &str) -> Option<f64> {
    let Some(classes) = wanted.classes else { return number(cell).ok() };
    let name = Class::of(cell, kind(cell)).to_string();
    classes.iter().position(|class| *class == name).map(|place| place as f64)
}

/// A notice of columns that are there and not needed.
fn not_used(names: &[String], sources: &[Source], target: Option<usize>) -> Option<String> {
    let mut others = vec![true; names.len()];
    sources.iter().map(|s| s.place).chain(target).for_each(|place| others[place] = false);
    let all: Vec<String> = names.iter().zip(others).filter(|(_, other)| *other).map(|(name, _)| name.clone()).collect();
    let what = if all.len() == 1 { "column" } else { "columns" };
    (!all.is_empty()).then(|| format!("notice: the model does not use {what} {}", listed(&all)))
}

impl Source<'_> {
    /// The value of a cell.
    fn value(&mut self, cell: &str, policy: Missing) -> Result<Value, String> {
        let fitted = |why: String| {
            format!(
                "{why}; the model was fitted with --missing {}, and only with mean would it know what stands for one",
                policy.word()
            )
        };
        let Some((known, none)) = &self.levels else {
            return match number(cell) {
                Ok(v) => Ok(Value::Number(v)),
                Err(_) if absent(cell) && policy == Missing::Mean => {
                    self.gaps += 1;
                    Ok(Value::Number(f64::NAN))
                }
                Err(why) if absent(cell) => Err(fitted(why)),
                Err(why) => Err(format!("{why}: the model was fitted to numbers there")),
            };
        };
        let levels = || {
            let mut all: Vec<(&usize, String)> = known.iter().map(|(name, place)| (place, (*name).to_string())).collect();
            all.sort();
            listed(&all.into_iter().map(|(_, name)| name).collect::<Vec<_>>())
        };
        if absent(cell) {
            return match none {
                Some(level) => {
                    self.gaps += 1;
                    Ok(Value::Level(*level))
                }
                None if policy == Missing::Mean => {
                    Err(format!("{}: the model knows no missing ones there, and these levels: {}", missing(cell), levels()))
                }
                None => Err(fitted(missing(cell))),
            };
        }
        let level = known.get(Class::of(cell, kind(cell)).to_string().as_str());
        level
            .map(|level| Value::Level(*level))
            .ok_or_else(|| format!("is {}, a level that the model does not know; it knows: {}", quoted(cell), levels()))
    }
}
