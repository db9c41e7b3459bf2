//! Features that have one value: nothing can be learned from them. The rule, in every command: one that has a single value in all rows is
//! left out of the table; one that has a single value in the training rows of a fold, or of a seed, is 0 there in all rows, so that it
//! does nothing. A notice names each.
use super::{Table, Targets, listed};
use crate::text::quoted;

/// Leaves out features that have one value in every row.
///
/// # Errors
/// If no other is left.
pub fn everywhere(mut table: Table) -> Result<Table, String> {
    let rows: Vec<usize> = (0..table.rows()).collect();
    let constant: Vec<usize> = constant(&table, &rows).into_iter().map(|(c, _)| c).collect();
    if constant.len() == table.columns.len() {
        return Err("every feature has one value in every row: nothing can be learned from them".into());
    }
    if constant.is_empty() {
        return Ok(table);
    }
    let (gaps, whole): (Vec<usize>, Vec<usize>) = constant.iter().partition(|c| table.description.gaps(**c) > 0);
    for (places, rows) in [(whole, "every row"), (gaps, "every row that has one")] {
        let names: Vec<String> = places.iter().map(|&c| table.columns[c].clone()).collect();
        let (what, verb, are) = if names.len() == 1 { ("column", "has", "is") } else { ("columns", "have", "are") };
        if !names.is_empty() {
            table.notices.push(format!("notice: {what} {} {verb} one value in {rows} and {are} left out", listed(&names)));
        }
    }
    let mut left_out = vec![false; table.columns.len()];
    constant.iter().for_each(|&c| left_out[c] = true);
    let kept: Vec<usize> = (0..left_out.len()).filter(|c| !left_out[*c]).collect();
    Ok(table.columns(&kept))
}

/// Notices of features that have one value in the training rows of some `part`, fold or seed, of which each has a number and rows, and of
/// classes that none of these rows has. Pixels are no such features: they share one scale.
pub fn in_training(table: &Table, part: &str, training: impl IntoIterator<Item = (u64, Vec<usize>)>) -> Vec<String> {
    let classes: (&[String], &[u32]) = match &table.targets {
        Targets::Classes { names, of } => (names, of),
        Targets::Values(_) => (&[], &[]),
    };
    let [mut flat, mut void, mut absent] = [(); 3].map(|()| vec![Vec::new(); table.columns.len()]);
    let mut unseen = vec![Vec::new(); classes.0.len()];
    // Those that the data itself keeps for testing have a notice already.
    let mut known = vec![false; classes.0.len()];
    classes.1.iter().take(table.trained()).for_each(|&c| known[c as usize] = true);
    for (number, rows) in training {
        if !table.image {
            for (c, value) in constant(table, &rows) {
                let kind = match value {
                    None => &mut void,
                    Some(0.0) if table.description.one_of_several(c) => &mut absent,
                    Some(_) => &mut flat,
                };
                kind[c].push(number);
            }
        }
        let mut seen = known.iter().map(|known| !known).collect::<Vec<bool>>();
        rows.iter().filter_map(|&r| classes.1.get(r)).for_each(|&c| seen[c as usize] = true);
        seen.iter().zip(&mut unseen).filter(|(seen, _)| !**seen).for_each(|(_, parts)| parts.push(number));
    }
    let flat = named(part, &table.columns, &flat).map(|(all, many)| {
        let (what, have, are) = if many { ("columns", "have", "are") } else { ("column", "has", "is") };
        format!("notice: {what} {all} {have} one value in the training rows there, and {are} left out there")
    });
    let void = named(part, &table.columns, &void).map(|(all, many)| {
        let (what, have, are) = if many { ("columns", "have", "are") } else { ("column", "has", "is") };
        format!("notice: {what} {all} {have} no value in the training rows there, and {are} left out there")
    });
    let absent = named(part, &table.columns, &absent).map(|(all, many)| {
        let (what, have, its) = if many { ("levels", "have", "their") } else { ("level", "has", "its") };
        format!("notice: {what} {all} {have} no training row there: all indicators that are learned there are 0 in {its} rows")
    });
    let unseen = named(part, classes.0, &unseen).map(|(all, many)| {
        let (what, have) = if many { ("classes", "have") } else { ("class", "has") };
        format!("notice: {what} {all} {have} no training row there, and cannot be learned there")
    });
    flat.into_iter().chain(void).chain(absent).chain(unseen).collect()
}

/// Notices of classes that training rows have, and none of them as it is given: of each `part` its number, its training rows and their
/// targets as given, one for each row of the table.
pub fn lost<'a>(table: &Table, part: &str, training: impl IntoIterator<Item = (u64, &'a [usize], &'a Targets)>) -> Vec<String> {
    let Targets::Classes { names, of } = &table.targets else { return Vec::new() };
    let mut gone = vec![Vec::new(); names.len()];
    for (number, rows, given) in training {
        let Targets::Classes { of: given, .. } = given else { continue };
        let mut left = vec![[false; 2]; names.len()];
        for &r in rows {
            left[of[r] as usize][0] = true;
            left[given[r] as usize][1] = true;
        }
        left.iter().zip(&mut gone).filter(|(left, _)| **left == [true, false]).for_each(|(_, parts)| parts.push(number));
    }
    let text = named(part, names, &gone).map(|(all, many)| {
        let (what, have) = if many { ("classes", "have") } else { ("class", "has") };
        format!("notice: --label-noise has replaced every training label of {what} {all}, which {have} no training row left there, and cannot be learned there")
    });
    text.into_iter().collect()
}

/// Names with the parts that each has, and whether they are several; nothing if none has any.
fn named(part: &str, names: &[String], parts: &[Vec<u64>]) -> Option<(String, bool)> {
    const SHOWN: usize = 8;
    let all: Vec<(&String, &Vec<u64>)> = names.iter().zip(parts).filter(|(_, parts)| !parts.is_empty()).collect();
    let one = |(name, parts): &(&String, &Vec<u64>)| {
        let mut numbers: Vec<String> = parts.iter().take(SHOWN).map(u64::to_string).collect();
        if parts.len() > SHOWN {
            numbers.push(format!("... {} in all", parts.len()));
        }
        format!("{} ({part}{} {})", quoted(name), if parts.len() == 1 { "" } else { "s" }, numbers.join(", "))
    };
    let mut text: Vec<String> = all.iter().take(SHOWN).map(one).collect();
    if all.len() > SHOWN {
        text.push(format!("and {} more", all.len() - SHOWN));
    }
    (!all.is_empty()).then(|| (text.join(", "), all.len() > 1))
}

/// The features that have one value in these rows, which it is: none, where all are missing.
fn constant(table: &Table, rows: &[usize]) -> Vec<(usize, Option<f64>)> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut left: Vec<(usize, Option<f64>)> = (0..table.columns.len()).map(|c| (c, None)).collect();
    for &row in rows {
        if left.is_empty() {
            break;
        }
        left.retain_mut(|(c, value)| {
            let cell = table.cell(row, *c);
            cell.is_nan() || *value.get_or_insert(cell) == cell
        });
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Cells, Column, Description, Feature, Holds, Keys};

    #[test]
    fn what_training_rows_lack_is_named_with_the_folds() {
        let of = |columns: &[&str], cells: &[f64]| Table {
            test_from: Some(3),
            ..Table::new(
                "t",
                "y",
                columns.iter().map(ToString::to_string).collect(),
                Cells::Numbers(cells.to_vec()),
                Targets::Classes { names: ["p", "q", "r"].map(String::from).to_vec(), of: vec![0, 1, 1, 2] },
            )
        };
        let table = of(&["a", "b", "c"], &[1.0, 7.0, 0.1, 3.0, 7.0, 0.1, 1.0, 9.0, 0.1, 5.0, 7.0, 0.2]);
        let folds = [(1, vec![0, 1]), (2, vec![0, 2]), (3, vec![1, 2]), (4, vec![1])];
        assert_eq!(
            in_training(&table, "fold", folds),
            [
                "notice: columns \"a\" (folds 2, 4), \"b\" (folds 1, 4), \"c\" (folds 1, 2, 3, 4) have one value in the training rows there, \
                 and are left out there",
                "notice: class \"p\" (folds 3, 4) has no training row there, and cannot be learned there",
            ]
        );
        assert!(in_training(&table, "fold", [(1, vec![0, 1, 2, 3])]).is_empty());
        let image = Table { image: true, ..table.clone() };
        assert_eq!(
            in_training(&image, "seed", [(7, vec![2])]),
            ["notice: class \"p\" (seed 7) has no training row there, and cannot be learned there"]
        );
        assert_eq!(everywhere(of(&["a", "b"], &[0.1, 3.0, 0.1, 3.0, 0.1, 4.0, 0.1, 3.0])).unwrap().columns, ["b"]);
        let near = of(&["a"], &[1.0, 1.0, 1.0f64.next_up(), 1.0]);
        assert_eq!(everywhere(near.clone()).unwrap(), near);
    }

    #[test]
    fn levels_without_a_row_and_columns_without_a_value_are_named_as_such() {
        let column = |name: &str, holds| Column { name: name.into(), holds, missing: 0 };
        let levels = || Holds::Category { levels: ["p", "q", "r"].map(|l| Some(l.to_string())).to_vec() };
        let two = || Holds::Category { levels: ["no", "yes"].map(|l| Some(l.to_string())).to_vec() };
        let mut table = Table {
            label: "y".into(),
            name: "t".into(),
            columns: ["c=p", "c=q", "c=r", "d=yes", "x"].map(String::from).to_vec(),
            cells: Cells::Numbers(
                [
                    [1.0, 0.0, 0.0, 0.0, f64::NAN],
                    [0.0, 1.0, 0.0, 0.0, 5.0],
                    [0.0, 0.0, 1.0, 1.0, 5.0],
                    [1.0, 0.0, 0.0, 1.0, f64::NAN],
                ]
                .concat(),
            ),
            targets: Targets::Values(vec![1.0, 2.0, 3.0, 4.0]),
            image: false,
            test_from: None,
            notices: Vec::new(),
            description: Description {
                columns: vec![column("c", levels()), column("d", two()), Column { missing: 2, ..column("x", Holds::Number) }],
                features: [(0, Some(0)), (0, Some(1)), (0, Some(2)), (1, Some(1)), (2, None)]
                    .map(|(column, level)| Feature { column, level })
                    .to_vec(),
                ..Description::default()
            },
            keys: Keys::default(),
        };
        assert_eq!(
            in_training(&table, "fold", [(1, vec![0, 1]), (2, vec![0, 3])]),
            [
                "notice: columns \"c=p\" (fold 2), \"d=yes\" (fold 1), \"x\" (fold 1) have one value in the training rows there, and are left \
                 out there",
                "notice: column \"x\" (fold 2) has no value in the training rows there, and is left out there",
                "notice: levels \"c=q\" (fold 2), \"c=r\" (folds 1, 2) have no training row there: all indicators that are learned there are 0 \
                 in their rows",
            ]
        );
        table = everywhere(table).unwrap();
        assert_eq!(table.columns, ["c=p", "c=q", "c=r", "d=yes"]);
        assert_eq!(table.notices, ["notice: column \"x\" has one value in every row that has one and is left out"]);
        assert_eq!(table.description.features.len(), 4);
    }
}
