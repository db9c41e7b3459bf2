//! Cross-validation: which rows are left out together.
use super::{
    Table, Targets,
    split::{Split, shuffle, take},
};
use crate::Failure;
use ridgepole::Rng;

/// Deals rows out to folds in turn, group by group (the rows of a class) and each in random order, so that folds are as large, and
/// classes in them as frequent, as whole rows allow. Gives the fold of each row; the same seed gives the same folds everywhere.
pub fn deal(groups: Vec<Vec<usize>>, folds: usize, seed: u64) -> Vec<usize> {
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

/// # Errors
/// [`Failure::Usage`] if so many rows cannot be so many folds.
pub fn in_range(folds: usize, rows: usize) -> Result<(), Failure> {
    if (2..=rows).contains(&folds) {
        return Ok(());
    }
    Err(Failure::usage(format!("--folds is {folds}, must be from 2 to the number of rows, {rows}")))
}

/// What to say of a class that is too small.
pub fn few(name: &str, class: &str, column: &str, rows: usize, folds: usize) -> String {
    format!("{name}: class {class:?} of column {column:?} has {rows} rows, fewer than --folds, {folds}: each fold needs one")
}

/// The folds of a table, from its first `rows`, and for each the split that leaves it out: its rows judge; of the others a share
/// tells when to stop, and the rest trains.
///
/// # Errors
/// [`Failure::Usage`] if there are fewer rows, or rows of a class, than folds; or if a fold would leave too few to train with.
pub fn cross_validation(
    table: &Table,
    rows: usize,
    folds: usize,
    stop_share: f64,
    seed: u64,
) -> Result<(Vec<usize>, Vec<Split>), Failure> {
    in_range(folds, rows)?;
    let groups = match &table.targets {
        Targets::Values { .. } => vec![(0..rows).collect()],
        Targets::Classes { names, of } => {
            let mut groups = vec![Vec::new(); names.len()];
            (0..rows).for_each(|r| groups[of[r] as usize].push(r));
            if let Some(c) = groups.iter().position(|g| g.len() < folds) {
                return Err(Failure::usage(few(&table.name, &names[c], &table.label, groups[c].len(), folds)));
            }
            groups
        }
    };
    let fold = deal(groups, folds, seed);
    let mut rng = Rng::new(seed ^ 0x7374_6f70);
    let split = |f: usize| {
        let (test, others): (Vec<usize>, Vec<usize>) = (0..rows).partition(|&r| fold[r] == f);
        let stop = ((others.len() as f64 * stop_share).round() as usize).max(1);
        if others.len() < stop + 2 {
            return Err(Failure::usage(format!(
                "{}: {rows} rows in {folds} folds leave {} to train with, after {stop} that tell when to stop: see --folds, --stop-share",
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

    #[test]
    fn every_row_judges_once_and_classes_are_even() {
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
    fn too_few_rows_are_an_error() {
        let table = Table::digits().unwrap();
        let why = |rows, folds| cross_validation(&table, rows, folds, 0.1, 1).unwrap_err().to_string();
        assert_eq!(why(1797, 1), "--folds is 1, must be from 2 to the number of rows, 1797");
        assert!(why(1797, 175).starts_with("digits: class \"8\" of column \"label\" has 174 rows, fewer than --folds, 175"));
        let tiny = Table {
            name: "t".into(),
            label: "y".into(),
            columns: vec!["a".into()],
            features: vec![1.0, 2.0, 3.0],
            targets: Targets::Values { name: "y".into(), of: vec![1.0, 2.0, 3.0] },
            image: false,
            test_from: None,
        };
        let why = cross_validation(&tiny, 3, 3, 0.5, 1).unwrap_err().to_string();
        assert_eq!(why, "t: 3 rows in 3 folds leave 1 to train with, after 1 that tell when to stop: see --folds, --stop-share");
    }
}
