//! The rows of a table: cells of the features as numbers, cells of the column to predict as text, and what is no data left out with a notice.
use super::{
    MEMORY, Reading, Target, Text,
    delimiter::{self, Delimiter},
    header::{Header, header},
    labels::Labels,
    left_out::{Blank, Dropped, filled, shortened},
    levels::levels,
    number::{Kind, absent, kind, missing, number},
    roles::Roles,
    survey::Survey,
};
use crate::{
    data::{Column, Description, Feature, Holds, Key, Keys, Missing},
    text::quoted,
};
use csv::StringRecord;
use std::collections::HashSet;

/// What a table holds, before its target is understood.
pub(super) struct Rows {
    /// The names of the features.
    pub columns: Vec<String>,
    /// Their cells, row by row; NaN where one is missing and will be filled in.
    pub features: Vec<f64>,
    /// How they came to be.
    pub description: Description,
    /// The column to predict.
    pub labels: Labels,
    /// Columns that say where rows belong.
    pub keys: Keys,
}

/// What is read, cell by cell.
struct Read {
    /// Places of columns of numbers, and their cells, row by row.
    numbers: Vec<usize>,
    cells: Vec<f64>,
    /// How many cells of each are missing.
    gaps: Vec<usize>,
    /// Places of categorical columns, and their cells.
    categories: Vec<(usize, Labels)>,
    fold: Option<(usize, Labels)>,
    group: Option<(usize, Labels)>,
    target: (usize, Labels),
}

/// Reads all rows.
///
/// # Errors
/// Names line and column.
pub(super) fn read(
    text: &Text,
    delimiter: Delimiter,
    target: Target,
    reading: &Reading,
    notices: &mut Vec<String>,
) -> Result<Rows, String> {
    let mut reader = delimiter::cells(text.rows(), delimiter.byte());
    let mut record = StringRecord::new();
    if !next(&mut reader, &mut record)? {
        return Err("is empty: expected a line of column names, then rows of numbers".into());
    }
    let header = header(text, &record, at(&record), target, delimiter, notices)?;
    let (width, policy) = (header.names.len(), reading.columns.missing());
    let roles = Roles::new(&header, text.line(at(&record)), target, reading)?;
    let survey = Survey::new(text, delimiter, &header, &roles, reading)?;
    let mut read = Read::new(&header, &roles, &survey);
    let (mut blank, mut longer, mut last) = (Blank::default(), 0, at(&record));
    let mut dropped = Dropped::default();
    while next(&mut reader, &mut record)? {
        let at = at(&record);
        last = at;
        if record.iter().all(str::is_empty) {
            blank.add(record.len(), at);
            continue;
        }
        let filled = |cells: usize| (cells..record.len()).all(|i| record[i].is_empty());
        let enough = (record.len()..width).all(|i| !header.named[i] && i != header.place);
        if !filled(width) || !enough {
            return Err(uneven(text, &record, at, width, delimiter));
        }
        longer += usize::from(record.len() > width);
        if policy == Missing::DropRows && dropped.add(read.used(), &record, at) {
            continue;
        }
        let said = |i: usize, why: &str| format!("line {}: column {} {why}", text.line(at), quoted(&header.names[i]));
        read.push(&record, at, policy).map_err(|wrong| match wrong {
            Wrong::Memory(why) => why,
            Wrong::Cell(i, why) => said(i, &why),
        })?;
    }
    if let Some(line) = text.open_quote(last, delimiter.byte()) {
        return Err(format!("line {line}: a quote opens that is not closed"));
    }
    notices.extend(blank.notice(text));
    let lines = text.lines(&dropped.rows);
    notices.extend(dropped.notice(&lines, &header));
    if read.target.1.len() == 0 {
        return Err(match dropped.most(&header) {
            None => "has a header but no rows".into(),
            Some(most) => format!("every row has a missing value, most of them {most}: --missing drop-rows leaves no row"),
        });
    }
    if longer > 0 {
        notices.push(format!("notice: {longer} rows end with empty cells that the header does not have; they are left out"));
    }
    notices.extend(survey.notices);
    if read.numbers.is_empty() && read.categories.is_empty() {
        let others = if reading.fold.is_some() || reading.columns.group().is_some() { " that is a feature" } else { "" };
        return Err(format!("has no column but {}{others}: nothing to predict it from", quoted(target.column)));
    }
    read.rows(text, &header, &roles, Description { missing: policy, dropped: lines, ..Default::default() }, notices)
}

fn next(reader: &mut csv::Reader<&[u8]>, record: &mut StringRecord) -> Result<bool, String> {
    reader.read_record(record).map_err(|e| e.to_string())
}

fn at(record: &StringRecord) -> usize {
    record.position().map_or(0, |p| p.byte() as usize)
}

/// What is wrong with a row: memory, or a cell, with its column.
enum Wrong {
    Memory(String),
    Cell(usize, String),
}

impl Read {
    fn new(header: &Header, roles: &Roles, survey: &Survey) -> Self {
        let features = (0..header.names.len()).filter(|i| roles.feature(*i) && !survey.left_out[*i]);
        let (categories, numbers): (Vec<usize>, Vec<usize>) = features.partition(|i| roles.named[*i] || survey.text[*i]);
        let labels = |place: usize| (place, Labels::default());
        Self {
            gaps: vec![0; numbers.len()],
            numbers,
            cells: Vec::new(),
            categories: categories.into_iter().map(labels).collect(),
            fold: roles.fold.map(labels),
            group: roles.group.map(labels),
            target: labels(roles.target),
        }
    }

    /// The columns that are read.
    fn used(&self) -> impl Iterator<Item = usize> {
        let others = self.categories.iter().chain(&self.fold).chain(&self.group).chain([&self.target]);
        self.numbers.iter().copied().chain(others.map(|(place, _)| *place))
    }

    /// One more row.
    fn push(&mut self, record: &StringRecord, at: usize, policy: Missing) -> Result<(), Wrong> {
        let cell = |i: usize| record.get(i).unwrap_or_default();
        let fill = policy == Missing::Mean;
        self.cells.try_reserve(self.numbers.len()).map_err(|_| Wrong::Memory(MEMORY.into()))?;
        for (&i, gaps) in self.numbers.iter().zip(&mut self.gaps) {
            self.cells.push(match number(cell(i)) {
                Ok(v) => v,
                Err(_) if fill && absent(cell(i)) => {
                    *gaps += 1;
                    f64::NAN
                }
                Err(why) => return Err(Wrong::Cell(i, hinted(cell(i), why))),
            });
        }
        for (i, labels) in &mut self.categories {
            if !fill && absent(cell(*i)) {
                return Err(Wrong::Cell(*i, hinted(cell(*i), missing(cell(*i)))));
            }
            labels.push(at, cell(*i)).map_err(Wrong::Memory)?;
        }
        for (key, option) in [(&mut self.fold, "--fold-column"), (&mut self.group, "--group-column")] {
            let Some((i, labels)) = key else { continue };
            if absent(cell(*i)) {
                let why = missing(cell(*i));
                return Err(Wrong::Cell(
                    *i,
                    format!("{why}, or leave them out with --missing drop-rows ({option} says it of every row)"),
                ));
            }
            labels.push(at, cell(*i)).map_err(Wrong::Memory)?;
        }
        let (i, labels) = &mut self.target;
        labels.push(at, cell(*i)).map_err(Wrong::Memory)
    }

    /// All that was read, features in the order of the file.
    fn rows(
        self,
        text: &Text,
        header: &Header,
        roles: &Roles,
        mut description: Description,
        notices: &mut Vec<String>,
    ) -> Result<Rows, String> {
        let rows = self.target.1.len();
        let mut categories = Vec::with_capacity(self.categories.len());
        let mut said = Vec::new();
        for (place, labels) in self.categories {
            categories.push((place, levels(text, &header.names[place], &labels, roles.named[place], &mut said)?));
        }
        shortened(said, notices);
        notices.extend(filled(&self.numbers, &self.gaps, &categories, header));
        let mut places: Vec<(usize, Part)> =
            self.numbers.iter().enumerate().map(|(i, place)| (*place, Part::Number(i))).collect();
        places.extend(categories.iter().enumerate().map(|(i, (place, _))| (*place, Part::Category(i))));
        places.sort_unstable_by_key(|(place, _)| *place);
        let mut names = Names::new(header);
        let mut columns = Vec::new();
        for (column, (place, part)) in places.iter().enumerate() {
            let name = &header.names[*place];
            let (holds, missing) = match part {
                Part::Number(i) => {
                    columns.push(name.clone());
                    description.features.push(Feature { column, level: None });
                    (Holds::Number, self.gaps[*i])
                }
                Part::Category(i) => {
                    let levels = &categories[*i].1;
                    for level in levels.shown() {
                        columns.push(names.unused(levels.feature(name, level)));
                        description.features.push(Feature { column, level: Some(level) });
                    }
                    (Holds::Category { levels: levels.names.clone() }, levels.missing)
                }
            };
            description.columns.push(Column { name: name.clone(), holds, missing });
        }
        if columns.is_empty() {
            return Err("every feature has one value in every row: nothing can be learned from them".into());
        }
        let features = if categories.is_empty() {
            self.cells
        } else {
            let mut out = Vec::new();
            rows.checked_mul(columns.len()).and_then(|n| out.try_reserve_exact(n).ok()).ok_or(MEMORY)?;
            for row in 0..rows {
                for (_, part) in &places {
                    match part {
                        Part::Number(i) => out.push(self.cells[row * self.numbers.len() + i]),
                        Part::Category(i) => {
                            let levels = &categories[*i].1;
                            let own = levels.of[row] as usize;
                            out.extend(levels.shown().map(|level| f64::from(u8::from(level == own))));
                        }
                    }
                }
            }
            out
        };
        let key = |key: Option<(usize, Labels)>| key.map(|(place, labels)| named(&header.names[place], &labels));
        let keys = Keys { fold: key(self.fold), group: key(self.group) };
        Ok(Rows { columns, features, description, labels: self.target.1, keys })
    }
}

/// Where the features of a column come from, by place among their kind.
enum Part {
    Number(usize),
    Category(usize),
}

/// What is wrong with the cell of a feature, and the option that takes it.
fn hinted(cell: &str, why: String) -> String {
    match kind(cell) {
        Kind::Missing => format!("{why}, or see --missing, which fills them in (mean) or leaves them out (drop-rows)"),
        Kind::Text => format!("{why} (--categorical auto makes indicator columns of text)"),
        _ => why,
    }
}

/// A column of names: those that are equal as numbers are one.
fn named(column: &str, labels: &Labels) -> Key {
    let class = labels.classes(&labels.kinds());
    let spelled = Labels::spelled(&class, |_| true);
    let mut place = vec![0; class.len()];
    spelled.values().enumerate().for_each(|(at, ids)| ids.iter().for_each(|id| place[*id] = at as u32));
    Key {
        column: column.into(),
        names: spelled.keys().map(ToString::to_string).collect(),
        of: labels.rows.iter().map(|(_, id)| place[*id as usize]).collect(),
    }
}

/// Names of features, no two alike.
struct Names(HashSet<String>);

impl Names {
    fn new(header: &Header) -> Self {
        Self(header.names.iter().cloned().collect())
    }

    fn unused(&mut self, name: String) -> String {
        let free = |name: &String| !self.0.contains(name);
        let name = if free(&name) { name } else { (1..).map(|n| format!("{name}.{n}")).find(free).expect("one is free") };
        self.0.insert(name.clone());
        name
    }
}

/// A row has too many or too few cells.
fn uneven(text: &Text, record: &StringRecord, at: usize, width: usize, delimiter: Delimiter) -> String {
    if let Some(line) = text.open_quote(at, delimiter.byte()) {
        return format!("line {line}: a quote opens that is not closed");
    }
    let hint = if record[0].starts_with('#') { ": comments are not read, remove them" } else { "" };
    format!("line {}: has {} cells, the header has {width}{hint}", text.line(at), record.len())
}
