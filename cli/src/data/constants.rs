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
    let constant = constant(&table, &rows);
    if constant.len() == table.columns.len() {
        return Err("every feature has one value in every row: nothing can be learned from them".into());
    }
    if constant.is_empty() {
        return Ok(table);
    }
    let names: Vec<String> = constant.iter().map(|&c| table.columns[c].clone()).collect();
    let (what, verb, are) = if names.len() == 1 { ("column", "has", "is") } else { ("columns", "have", "are") };
    table.notices.push(format!("notice: {what} {} {verb} one value in every row and {are} left out", listed(&names)));
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
    let mut flat = vec![Vec::new(); table.columns.len()];
    let mut unseen = vec![Vec::new(); classes.0.len()];
    // Those that the data itself keeps for testing have a notice already.
    let mut known = vec![false; classes.0.len()];
    classes.1.iter().take(table.trained()).for_each(|&c| known[c as usize] = true);
    for (number, rows) in training {
        if !table.image {
            constant(table, &rows).into_iter().for_each(|c| flat[c].push(number));
        }
        let mut seen = known.iter().map(|known| !known).collect::<Vec<bool>>();
        rows.iter().filter_map(|&r| classes.1.get(r)).for_each(|&c| seen[c as usize] = true);
        seen.iter().zip(&mut unseen).filter(|(seen, _)| !**seen).for_each(|(_, parts)| parts.push(number));
    }
    let flat = named(part, &table.columns, &flat).map(|(all, many)| {
        let (what, have, are) = if many { ("columns", "have", "are") } else { ("column", "has", "is") };
        format!("notice: {what} {all} {have} one value in the training rows there, and {are} left out there")
    });
    let unseen = named(part, classes.0, &unseen).map(|(all, many)| {
        let (what, have) = if many { ("classes", "have") } else { ("class", "has") };
        format!("notice: {what} {all} {have} no training row there, and cannot be learned there")
    });
    flat.into_iter().chain(unseen).collect()
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

/// The features that have one value in these rows.
fn constant(table: &Table, rows: &[usize]) -> Vec<usize> {
    let Some((&first, others)) = rows.split_first() else { return Vec::new() };
    let mut left: Vec<usize> = (0..table.columns.len()).collect();
    for &row in others {
        if left.is_empty() {
            break;
        }
        left.retain(|&c| table.cell(row, c) == table.cell(first, c));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Cells;

    #[test]
    fn what_training_rows_lack_is_named_with_the_folds() {
        let of = |columns: &[&str], cells: &[f64]| Table {
            label: "y".into(),
            name: "t".into(),
            columns: columns.iter().map(ToString::to_string).collect(),
            cells: Cells::Numbers(cells.to_vec()),
            targets: Targets::Classes { names: ["p", "q", "r"].map(String::from).to_vec(), of: vec![0, 1, 1, 2] },
            image: false,
            test_from: Some(3),
            notices: Vec::new(),
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
}
