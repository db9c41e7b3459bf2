//! What the column to predict holds: classes or numbers, told from all of its cells.
use super::{
    Target, Text,
    number::{self, Kind, kind, missing, number},
};
use crate::{
    data::{Targets, Task},
    stats::Standard,
    text::{quoted, short},
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

/// A column of integers with at most this many distinct values is taken for classes.
const MOST_INTEGER_CLASSES: usize = 20;
/// Targets are at most this large, and have at least this standard deviation: a standard error of squared errors takes fourth powers, which
/// must be finite and not 0.
const LARGEST: f64 = 1e60;
const LEAST_SPREAD: f64 = 1e-60;

/// The cells of the column, each distinct one once.
#[derive(Default)]
pub(super) struct Labels {
    distinct: Vec<Box<str>>,
    of: HashMap<Box<str>, u32>,
    /// For each row where its record begins, and the place of its cell in `distinct`.
    rows: Vec<(usize, u32)>,
}

impl Labels {
    /// One more row.
    pub(super) fn push(&mut self, at: usize, cell: &str) -> Result<(), String> {
        let short = |_| super::MEMORY.to_string();
        let id = match self.of.get(cell) {
            Some(id) => *id,
            None => {
                let id = u32::try_from(self.distinct.len()).map_err(|_| super::MEMORY.to_string())?;
                self.of.try_reserve(1).map_err(short)?;
                self.distinct.try_reserve(1).map_err(short)?;
                self.of.insert(cell.into(), id);
                self.distinct.push(cell.into());
                id
            }
        };
        self.rows.try_reserve(1).map_err(short)?;
        self.rows.push((at, id));
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// In how many rows each distinct cell stands.
    fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.distinct.len()];
        self.rows.iter().for_each(|(_, id)| counts[*id as usize] += 1);
        counts
    }
}

/// A class: labels that are equal as numbers are one, whatever they look like. Numbers come first, in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Bits that are ordered as the values are, and the exact value of an integer, which an f64 may have rounded.
    Number(i64, Option<i128>),
    Text(Box<str>),
}

impl Class {
    fn of(cell: &str, kind: Kind) -> Self {
        let Kind::Number(v) = kind else { return Self::Text(cell.into()) };
        let rounded = || (v.fract() == 0.0 && v.abs() < 1e38).then_some(v as i128);
        // Adding 0 makes a negative zero positive.
        Self::Number(flipped((v + 0.0).to_bits() as i64), cell.parse().ok().or_else(rounded))
    }

    /// Whether it is a whole number.
    fn whole(&self) -> bool {
        matches!(self, Self::Number(bits, _) if f64::from_bits(flipped(*bits) as u64).fract() == 0.0)
    }
}

/// From bits of an f64 to integers in the same order, and back; as [`f64::total_cmp`] does it.
fn flipped(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Number(_, Some(whole)) => write!(f, "{whole}"),
            Self::Number(bits, None) => f.write_str(&crate::data::number(f64::from_bits(flipped(*bits) as u64))),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What the column holds, with a notice for what is not plain.
///
/// # Errors
/// Names line and cell that are missing, or that make a column of numbers something else.
pub(super) fn targets(text: &Text, target: Target, labels: &Labels, notices: &mut Vec<String>) -> Result<Targets, String> {
    let Target { column, task, asks } = target;
    let name = quoted(column);
    let kinds: Vec<Kind> = labels.distinct.iter().map(|cell| kind(cell)).collect();
    // Only an option of the command makes classes of everything; a model of classes alone does not.
    let forced = task == Some(Task::Classify) && asks.classify.is_some();
    let said = |(at, id): &(usize, u32), why: &str| {
        let hint = match asks.classify {
            Some(option) if task.is_none() && !labels.distinct[*id as usize].is_empty() => {
                format!(" ({option} takes each text for a class)")
            }
            _ => String::new(),
        };
        format!("line {}: column {name} {why}{hint}", text.line(*at))
    };
    let first = |of: &dyn Fn(usize) -> bool| labels.rows.iter().find(|(_, id)| of(*id as usize));
    let cell = |row: &(usize, u32)| &*labels.distinct[row.1 as usize];
    if let Some(row) = first(&|id| kinds[id] == Kind::Missing && (!forced || labels.distinct[id].is_empty())) {
        return Err(said(row, &missing(cell(row))));
    }
    if task == Some(Task::Regress) {
        return values(labels, target, said);
    }
    let number_like = |id: usize| matches!(kinds[id], Kind::Number(_));
    let numbers = (0..kinds.len()).all(number_like);
    if !forced && !numbers && numbers_but_for_a_few(labels, &kinds) {
        let row = first(&|id| !number_like(id)).expect("some are no numbers");
        let why = number(cell(row)).expect_err("it is none");
        return Err(said(row, &format!("{why}; the column holds numbers")));
    }
    let class: Vec<Class> = labels.distinct.iter().zip(&kinds).map(|(cell, kind)| Class::of(cell, *kind)).collect();
    let mut spelled: BTreeMap<&Class, Vec<usize>> = BTreeMap::new();
    class.iter().enumerate().for_each(|(id, class)| spelled.entry(class).or_default().push(id));
    let few = spelled.keys().all(|class| class.whole()) && spelled.len() <= MOST_INTEGER_CLASSES;
    if numbers && task.is_none() && !few {
        return values(labels, target, said);
    }
    if !(2..=asks.most_classes).contains(&spelled.len()) {
        return Err(not_so_many(&spelled, target, numbers));
    }
    let counts = labels.counts();
    for (class, ids) in &spelled {
        if ids.len() > 1 {
            let of = ids.iter().take(4).map(|id| quoted(&labels.distinct[*id])).collect::<Vec<_>>().join(", ");
            let more = if ids.len() > 4 { ", ..." } else { "" };
            notices.push(format!("notice: column {name}: {of}{more} are one class, {}", short(&class.to_string())));
        }
        if let [id] = ids[..]
            && kinds[id] == Kind::Missing
        {
            let (text, rows) = (quoted(&labels.distinct[id]), counts[id]);
            notices.push(format!("notice: column {name}: {text} is a class of its own, in {rows} rows, as asked for"));
        }
    }
    let names = spelled.keys().map(ToString::to_string).collect();
    let mut place = vec![0; class.len()];
    spelled.values().enumerate().for_each(|(at, ids)| ids.iter().for_each(|id| place[*id] = at as u32));
    Ok(Targets::Classes { names, of: labels.rows.iter().map(|(_, id)| place[*id as usize]).collect() })
}

/// Whether a column that has other cells too is one of numbers. It is if at most a tenth of the rows have anything else, or one row; and
/// also if at least half of the distinct cells are numbers, or were meant as such (<3.0, 6,095.9), and are no labels, having fractions or
/// more than 20 values. So 1, 2 and 3+ are labels, where 3+ is no exception.
fn numbers_but_for_a_few(labels: &Labels, kinds: &[Kind]) -> bool {
    let counts = labels.counts();
    let other: usize =
        kinds.iter().zip(&counts).filter(|(kind, _)| !matches!(kind, Kind::Number(_))).map(|(_, count)| count).sum();
    let few = other <= (labels.len() / 10).max(1) && 2 * other < labels.len();
    let alike = kinds.iter().filter(|kind| matches!(kind, Kind::Number(_) | Kind::Meant)).count();
    let fraction = |(cell, kind): (&str, &Kind)| match kind {
        Kind::Number(v) => v.fract() != 0.0,
        Kind::Meant => number::separated(cell),
        _ => false,
    };
    let measured = alike > MOST_INTEGER_CLASSES || labels.distinct.iter().map(|cell| &**cell).zip(kinds).any(fraction);
    few || measured && 2 * alike >= kinds.len()
}

/// The column as numbers.
fn values(labels: &Labels, target: Target, said: impl Fn(&(usize, u32), &str) -> String) -> Result<Targets, String> {
    let of = |row: &(usize, u32)| {
        let cell = &labels.distinct[row.1 as usize];
        match number(cell) {
            Ok(v) if v.abs() <= LARGEST => Ok(v),
            Ok(_) => Err(said(
                row,
                &format!("is {}, must be at most {LARGEST:e} in magnitude: divide the column by a constant", quoted(cell)),
            )),
            Err(why) => Err(said(row, &why)),
        }
    };
    let of = labels.rows.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    let (column, spread) = (quoted(target.column), Standard::of(of.iter().copied()).sd());
    if of.iter().all(|v| *v == of[0]) {
        return Err(format!("column {column} has one value in every row: nothing to predict"));
    }
    if spread < LEAST_SPREAD {
        return Err(format!(
            "column {column} has a standard deviation of {spread:.1e}, must be at least {LEAST_SPREAD:e}: multiply the column by a constant"
        ));
    }
    Ok(Targets::Values(of))
}

/// The error for a column with too few or too many classes.
fn not_so_many(classes: &BTreeMap<&Class, Vec<usize>>, Target { column, asks, .. }: Target, numbers: bool) -> String {
    const SHOWN: usize = 4;
    let some = classes.keys().take(SHOWN).map(|class| quoted(&class.to_string())).collect::<Vec<_>>().join(", ");
    let more = if classes.len() > SHOWN { ", ..." } else { "" };
    let values = if classes.len() == 1 { "value" } else { "distinct values" };
    let hint = if numbers && classes.len() > 1 { format!(" (for numbers there is {})", asks.numbers) } else { String::new() };
    format!("column {} has {} {values} ({some}{more}): {}{hint}", quoted(column), classes.len(), asks.classes)
}
