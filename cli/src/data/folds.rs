//! Cross-validation: which rows are held out together.
use super::{
    Table, Targets,
    split::{Split, shuffle, take},
};
use crate::{Failure, text::quoted};
use ridgepole::Rng;

/// Deals rows out to folds in turn, group by group (the rows of a class), each in random order, so that folds are of equal size, and
/// classes equally frequent in them, up to one row. Gives the fold of each row; the same seed gives the same folds everywhere.
fn deal(groups: Vec<Vec<usize>>, folds: usize, seed: u64) -> Vec<usize> {
    let mut out = vec![0; groups.iter().map(Vec::len).sum()];
    let (mut rng, mut next) = (Rng::new(seed ^ 0x666f_6c64), 0);
    for mut rows in groups {
        shuffle(&mut rows, &mut rng);
        for row in rows {
            out[row] = next % folds;
            next += 1;
        }
    }
    out
}

/// The fold in which each of a table's rows is held out, stratified by class as far as a class has rows. `folds` is from 2 to the number
/// of rows.
pub fn deal_all(table: &Table, folds: usize, seed: u64) -> Vec<usize> {
    deal(groups(table, table.rows()), folds, seed)
}

/// The first `rows` by class.
fn groups(table: &Table, rows: usize) -> Vec<Vec<usize>> {
    match &table.targets {
        Targets::Values(_) => vec![(0..rows).collect()],
        Targets::Classes { names, of } => {
            let mut groups = vec![Vec::new(); names.len()];
            (0..rows).for_each(|r| groups[of[r] as usize].push(r));
            groups
        }
    }
}

/// The fold in which each of a table's first `rows` is held out, stratified by class.
///
/// # Errors
/// [`Failure::Usage`] if there are fewer rows, or rows of a class, than folds.
pub fn assign(table: &Table, rows: usize, folds: usize, seed: u64) -> Result<Vec<usize>, Failure> {
    if !(2..=rows).contains(&folds) {
        return Err(Failure::usage(format!("--folds is {folds}, must be from 2 to the number of rows, {rows}")));
    }
    let groups = groups(table, rows);
    if let Targets::Classes { names, .. } = &table.targets
        && let Some(c) = groups.iter().position(|g| g.len() < folds)
    {
        let (name, rows) = (&table.name, groups[c].len());
        let [class, column] = [&names[c], &table.label].map(|name| quoted(name));
        return Err(Failure::usage(format!(
            "{name}: class {class} of column {column} has {rows} rows, fewer than --folds, {folds}: each fold needs one"
        )));
    }
    Ok(deal(groups, folds, seed))
}

/// The folds of a table's first `rows`, and for each the split that holds it out for testing: a share of the others is for validation
/// (early stopping), the rest for training.
///
/// # Errors
/// [`Failure::Usage`] if there are fewer rows, or rows of a class, than folds; or if a fold would leave too few for training.
pub fn cross_validation(
    table: &Table,
    rows: usize,
    folds: usize,
    stop_share: f64,
    seed: u64,
) -> Result<(Vec<usize>, Vec<Split>), Failure> {
    let fold = assign(table, rows, folds, seed)?;
    let mut rng = Rng::new(seed ^ 0x7374_6f70);
    let split = |f: usize| {
        let (test, others): (Vec<usize>, Vec<usize>) = (0..rows).partition(|&r| fold[r] == f);
        let stop = ((others.len() as f64 * stop_share).round() as usize).max(1);
        if others.len() < stop + 2 {
            return Err(Failure::usage(format!(
                "{}: {rows} rows in {folds} folds leave {} for training, beside {stop} for early stopping: see --folds, --stop-share",
                table.name,
                others.len().saturating_sub(stop)
            )));
        }
        let (validation, train) = take(table, others, stop, &mut rng);
        Ok(Split { train, validation, test })
    };
    let splits = (0..folds).map(split).collect::<Result<_, _>>()?;
    Ok((fold, splits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Cells;

    #[test]
    fn every_row_is_held_out_once_and_folds_are_stratified() {
        let table = Table::digits().unwrap();
        let (fold, splits) = cross_validation(&table, 1797, 5, 0.1, 3).unwrap();
        let Targets::Classes { of, .. } = &table.targets else { panic!("classes") };
        for (f, s) in splits.iter().enumerate() {
            assert!(s.test.iter().all(|&r| fold[r] == f) && (359..=360).contains(&s.test.len()));
            assert_eq!(s.validation.len(), 144);
            let mut all: Vec<usize> = [&s.train[..], &s.validation, &s.test].concat();
            all.sort_unstable();
            assert_eq!(all, (0..1797).collect::<Vec<_>>());
            for part in [&s.train, &s.validation, &s.test] {
                for class in 0..10 {
                    let share = of.iter().filter(|&&c| c == class).count() as f64 / 1797.0 * part.len() as f64;
                    let here = part.iter().filter(|&&r| of[r] == class).count() as f64;
                    assert!((here - share).abs() < 2.0, "fold {f}, class {class}: {here} rows, {share} would be its share");
                }
            }
        }
        assert_eq!(cross_validation(&table, 1797, 5, 0.1, 3).unwrap().1, splits);
        assert_ne!(cross_validation(&table, 1797, 5, 0.1, 4).unwrap().1, splits);
    }

    #[test]
    fn classes_with_few_rows_are_dealt_out_as_far_as_they_go() {
        let of: Vec<u32> = (0..23).map(|r| [0, 0, 1, 0, 0, 0, 0, 2][r % 8]).collect();
        let targets = Targets::Classes { names: ["p", "q", "r"].map(String::from).to_vec(), of: of.clone() };
        let table = Table { targets, cells: Cells::Numbers(vec![0.0; 23 * 64]), ..Table::digits().unwrap() };
        assert!(assign(&table, 23, 5, 1).is_err(), "a class has fewer rows than there are folds");
        let fold = deal_all(&table, 5, 1);
        let sizes: Vec<usize> = (0..5).map(|f| fold.iter().filter(|&&g| g == f).count()).collect();
        assert_eq!((sizes.iter().min(), sizes.iter().max()), (Some(&4), Some(&5)), "every row once, folds of equal size");
        for class in 1..3 {
            let folds: std::collections::BTreeSet<usize> = (0..23).filter(|&r| of[r] == class).map(|r| fold[r]).collect();
            assert_eq!(folds.len(), of.iter().filter(|&&c| c == class).count(), "no two of a rare class together");
        }
        assert_eq!((deal_all(&table, 5, 1) == fold, deal_all(&table, 5, 2) == fold), (true, false));
        let digits = Table::digits().unwrap();
        assert_eq!(
            deal_all(&digits, 5, 3),
            assign(&digits, 1797, 5, 3).unwrap(),
            "where there are enough, it is what others have"
        );
    }

    #[test]
    fn too_few_rows_are_an_error() {
        let table = Table::digits().unwrap();
        let why = |rows, folds| cross_validation(&table, rows, folds, 0.1, 1).unwrap_err().to_string();
        assert_eq!(why(1797, 1), "--folds is 1, must be from 2 to the number of rows, 1797");
        assert!(why(1797, 175).starts_with("digits: class \"8\" of column \"label\" has 174 rows, fewer than --folds, 175"));
        let tiny = Table {
            name: "t".into(),
            label: "y".into(),
            columns: vec!["a".into()],
            cells: Cells::Numbers(vec![1.0, 2.0, 3.0]),
            targets: Targets::Values(vec![1.0, 2.0, 3.0]),
            image: false,
            test_from: None,
            notices: Vec::new(),
        };
        let why = cross_validation(&tiny, 3, 3, 0.5, 1).unwrap_err().to_string();
        assert_eq!(why, "t: 3 rows in 3 folds leave 1 for training, beside 1 for early stopping: see --folds, --stop-share");
    }
}
