//! What the column to predict holds: classes or numbers, told from all of its cells.
use super::{
    Target, Text,
    labels::{Class, Labels, MOST_INTEGER_CLASSES, numbers_but_for_a_few},
    number::{Kind, missing, number},
};
use crate::{
    data::{Targets, Task},
    stats::Standard,
    text::{quoted, short},
};
use std::collections::BTreeMap;

/// Targets are at most this large, and have at least this standard deviation: a standard error of squared errors takes fourth powers, which
/// must be finite and not 0.
const LARGEST: f64 = 1e60;
const LEAST_SPREAD: f64 = 1e-60;

/// What the column holds, with a notice for what is not plain.
///
/// # Errors
/// Names line and cell that are missing, or that make a column of numbers something else.
pub(super) fn targets(text: &Text, target: Target, labels: &Labels, notices: &mut Vec<String>) -> Result<Targets, String> {
    let Target { column, task, asks } = target;
    let name = quoted(column);
    let kinds = labels.kinds();
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
        return Err(said(row, &format!("{}, or leave them out with --missing drop-rows", missing(cell(row)))));
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
    let class = labels.classes(&kinds);
    let spelled = Labels::spelled(&class, |_| true);
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
            let of = labels.listed(ids);
            notices.push(format!("notice: column {name}: {of} are one class, {}", short(&class.to_string())));
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
