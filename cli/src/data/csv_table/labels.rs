//! The cells of a column that is no column of numbers, or may be none: each distinct one once, and what it says.
use super::number::{self, Kind, kind};
use crate::text::quoted;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

/// A column of integers with at most this many distinct values is taken for classes.
pub(super) const MOST_INTEGER_CLASSES: usize = 20;

/// The cells of the column, each distinct one once.
#[derive(Default)]
pub(super) struct Labels {
    pub distinct: Vec<Box<str>>,
    of: HashMap<Box<str>, u32>,
    /// For each row where its record begins, and the place of its cell in `distinct`.
    pub rows: Vec<(usize, u32)>,
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
    pub(super) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.distinct.len()];
        self.rows.iter().for_each(|(_, id)| counts[*id as usize] += 1);
        counts
    }

    /// What each distinct cell is.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        self.distinct.iter().map(|cell| kind(cell)).collect()
    }

    /// The class of each distinct cell.
    pub(super) fn classes(&self, kinds: &[Kind]) -> Vec<Class> {
        self.distinct.iter().zip(kinds).map(|(cell, kind)| Class::of(cell, *kind)).collect()
    }

    /// The distinct cells of each class.
    pub(super) fn spelled(classes: &[Class], with: impl Fn(usize) -> bool) -> BTreeMap<&Class, Vec<usize>> {
        let mut spelled: BTreeMap<&Class, Vec<usize>> = BTreeMap::new();
        let all = classes.iter().enumerate().filter(|(id, _)| with(*id));
        all.for_each(|(id, class)| spelled.entry(class).or_default().push(id));
        spelled
    }

    /// Some of these distinct cells, as a sentence lists them.
    pub(super) fn listed(&self, ids: &[usize]) -> String {
        let of = ids.iter().take(4).map(|id| quoted(&self.distinct[*id])).collect::<Vec<_>>().join(", ");
        format!("{of}{}", if ids.len() > 4 { ", ..." } else { "" })
    }
}

/// A class: labels that are equal as numbers are one, whatever they look like. Numbers come first, in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Bits that are ordered as the values are, and the exact value of an integer, which an f64 may have rounded.
    Number(i64, Option<i128>),
    Text(Box<str>),
}

impl Class {
    pub(super) fn of(cell: &str, kind: Kind) -> Self {
        let Kind::Number(v) = kind else { return Self::Text(cell.into()) };
        let rounded = || (v.fract() == 0.0 && v.abs() < 1e38).then_some(v as i128);
        // Adding 0 makes a negative zero positive.
        Self::Number(flipped((v + 0.0).to_bits() as i64), cell.parse().ok().or_else(rounded))
    }

    /// Whether it is a whole number.
    pub(super) fn whole(&self) -> bool {
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

/// Whether a column that has other cells too is one of numbers. It is if at most a tenth of the rows have anything else, or one row; and
/// also if at least half of the distinct cells are numbers, or were meant as such (<3.0, 6,095.9), and are no labels, having fractions or
/// more than 20 values. So 1, 2 and 3+ are labels, where 3+ is no exception. Missing cells are not counted.
pub(super) fn numbers_but_for_a_few(labels: &Labels, kinds: &[Kind]) -> bool {
    let counts = labels.counts();
    let in_rows =
        |is: fn(&Kind) -> bool| -> usize { kinds.iter().zip(&counts).filter(|(kind, _)| is(kind)).map(|(_, count)| count).sum() };
    let other = in_rows(|kind| matches!(kind, Kind::Meant | Kind::Text));
    let rows = other + in_rows(|kind| matches!(kind, Kind::Number(_)));
    let few = other <= (rows / 10).max(1) && 2 * other < rows;
    let known = kinds.iter().filter(|kind| !matches!(kind, Kind::Missing)).count();
    let alike = kinds.iter().filter(|kind| matches!(kind, Kind::Number(_) | Kind::Meant)).count();
    let fraction = |(cell, kind): (&str, &Kind)| match kind {
        Kind::Number(v) => v.fract() != 0.0,
        Kind::Meant => number::separated(cell),
        _ => false,
    };
    let measured = alike > MOST_INTEGER_CLASSES || labels.distinct.iter().map(|cell| &**cell).zip(kinds).any(fraction);
    few || measured && 2 * alike >= known
}
