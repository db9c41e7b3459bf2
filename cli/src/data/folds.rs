//! Cross-validation: which rows are held out together.
use super::{
    Key, Table, Targets, groups,
    split::{Split, shuffle, take},
};
use crate::{
    Failure,
    text::{self, quoted},
};
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

/// Folds by a column at most, as `path` has by number.
const MOST: usize = 1000;

/// How many folds there are: as many as are asked for, unless a column names them.
pub fn count(table: &Table, folds: usize) -> usize {
    table.keys.fold.as_ref().map_or(folds, |key| key.names.len())
}

/// The fold in which each of a table's rows is held out, stratified by class as far as a class has rows, and with the rows of a group in
/// one fold, where a column names groups. `folds` is from 2 to the number of rows.
///
/// # Errors
/// [`Failure::Usage`] if there are fewer groups than folds.
pub fn deal_all(table: &Table, folds: usize, seed: u64) -> Result<Vec<usize>, Failure> {
    let rows = table.rows();
    let Some(key) = &table.keys.group else { return Ok(deal(by_class(table, rows), folds, seed)) };
    let whole = groups::together(&(0..rows).collect::<Vec<_>>(), &key.of);
    if whole.len() < folds {
        return Err(Failure::usage(format!(
            "{}: the {rows} training rows have {} of column {} (--group-column), fewer than the folds of --tuned, {folds}: each fold needs one",
            table.name,
            text::count(whole.len(), "group"),
            quoted(&key.column)
        )));
    }
    Ok(dealt(table, whole, rows, folds, seed))
}

/// The first `rows` by class.
fn by_class(table: &Table, rows: usize) -> Vec<Vec<usize>> {
    match &table.targets {
        Targets::Values(_) => vec![(0..rows).collect()],
        Targets::Classes { names, of } => {
            let mut classes = vec![Vec::new(); names.len()];
            (0..rows).for_each(|r| classes[of[r] as usize].push(r));
            classes
        }
    }
}

/// The fold in which each of a table's first `rows` is held out: that which a column names; or of so many folds as are asked for,
/// stratified by class, and with the rows of a group in one fold, where a column names groups.
///
/// # Errors
/// [`Failure::Usage`] if there are fewer rows, or groups, or rows of a class, than folds; or if a fold has no row of a class.
pub fn assign(table: &Table, rows: usize, folds: usize, seed: u64) -> Result<Vec<usize>, Failure> {
    if let Some(key) = &table.keys.fold {
        return named(table, rows, key);
    }
    if !(2..=rows).contains(&folds) {
        return Err(Failure::usage(format!("--folds is {folds}, must be from 2 to the number of rows, {rows}")));
    }
    if let Some(key) = &table.keys.group {
        return grouped(table, rows, key, folds, seed);
    }
    let classes = by_class(table, rows);
    if let Targets::Classes { names, .. } = &table.targets
        && let Some(c) = classes.iter().position(|g| g.len() < folds)
    {
        let (name, rows) = (&table.name, classes[c].len());
        let [class, column] = [&names[c], &table.label].map(|name| quoted(name));
        return Err(Failure::usage(format!(
            "{name}: class {class} of column {column} has {rows} rows, fewer than --folds, {folds}: each fold needs one"
        )));
    }
    Ok(deal(classes, folds, seed))
}

/// A fold and a class of which it has no row.
fn lacking<'a>(table: &'a Table, fold: &[usize], folds: usize) -> Option<(usize, &'a String)> {
    let Targets::Classes { names, of } = &table.targets else { return None };
    let mut has = vec![false; folds * names.len()];
    fold.iter().zip(of).for_each(|(f, c)| has[f * names.len() + *c as usize] = true);
    has.iter().position(|has| !has).map(|at| (at / names.len(), &names[at % names.len()]))
}

/// The folds that a column names.
fn named(table: &Table, rows: usize, key: &Key) -> Result<Vec<usize>, Failure> {
    let (folds, column) = (key.names.len(), quoted(&key.column));
    let bad = |why: String| Err(Failure::usage(format!("{}: {why}", table.name)));
    if !(2..=MOST).contains(&folds) {
        let values = if folds == 1 { "1 value".into() } else { format!("{folds} distinct values") };
        return bad(format!("column {column} (--fold-column) has {values}, each of which is a fold, must have from 2 to {MOST}"));
    }
    let fold: Vec<usize> = key.of[..rows].iter().map(|f| *f as usize).collect();
    let mut count = vec![0; folds];
    fold.iter().for_each(|f| count[*f] += 1);
    if let Some(empty) = count.iter().position(|n| *n == 0) {
        let name = quoted(&key.names[empty]);
        return bad(format!(
            "fold {name} of column {column} (--fold-column) has none of the {rows} rows that are used: see --rows"
        ));
    }
    if let Some((f, class)) = lacking(table, &fold, folds) {
        let [name, class, label] = [&key.names[f], class, &table.label].map(|name| quoted(name));
        return bad(format!(
            "fold {name} of column {column} (--fold-column) has no row of class {class} of column {label}: each fold needs one; join folds, \
             or remove the class"
        ));
    }
    if let Some(group) = &table.keys.group {
        let mut of = vec![None; group.names.len()];
        for (r, f) in fold.iter().enumerate() {
            let first = *of[group.of[r] as usize].get_or_insert(*f);
            if first != *f {
                let [a, b, g] = [&key.names[first], &key.names[*f], &group.names[group.of[r] as usize]].map(|name| quoted(name));
                return bad(format!(
                    "group {g} of column {} (--group-column) is in folds {a} and {b} of column {column} (--fold-column): its rows must be \
                     in one",
                    quoted(&group.column)
                ));
            }
        }
    }
    Ok(fold)
}

/// Deals whole groups out, large ones first, those of one size in random order.
fn dealt(table: &Table, mut whole: Vec<Vec<usize>>, rows: usize, folds: usize, seed: u64) -> Vec<usize> {
    shuffle(&mut whole, &mut Rng::new(seed ^ 0x666f_6c64));
    whole.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let of = groups::deal_classes(table, &whole, &vec![rows as f64 / folds as f64; folds]);
    let mut fold = vec![0; rows];
    whole.iter().zip(of).for_each(|(group, f)| group.iter().for_each(|&r| fold[r] = f));
    fold
}

/// Folds of whole groups.
fn grouped(table: &Table, rows: usize, key: &Key, folds: usize, seed: u64) -> Result<Vec<usize>, Failure> {
    let column = quoted(&key.column);
    let bad = |why: String| Err(Failure::usage(format!("{}: {why}", table.name)));
    let whole = groups::together(&(0..rows).collect::<Vec<_>>(), &key.of);
    if whole.len() < folds {
        return bad(format!(
            "column {column} (--group-column) has {} groups, fewer than --folds, {folds}: each fold needs one",
            whole.len()
        ));
    }
    if let Targets::Classes { names, of } = &table.targets {
        let mut having = vec![0; names.len()];
        for group in &whole {
            let mut classes: Vec<u32> = group.iter().map(|&r| of[r]).collect();
            classes.sort_unstable();
            classes.dedup();
            classes.iter().for_each(|c| having[*c as usize] += 1);
        }
        if let Some(c) = having.iter().position(|n| *n < folds) {
            let [class, label] = [&names[c], &table.label].map(|name| quoted(name));
            return bad(format!(
                "class {class} of column {label} is in {} of column {column} (--group-column), fewer than --folds, {folds}: each fold \
                 needs one",
                text::count(having[c], "group")
            ));
        }
    }
    let fold = dealt(table, whole, rows, folds, seed);
    if let Some((f, class)) = lacking(table, &fold, folds) {
        let [class, label] = [class, &table.label].map(|name| quoted(name));
        return bad(format!(
            "with whole groups of column {column} (--group-column), fold {} has no row of class {class} of column {label}: each fold needs \
             one; use fewer --folds",
            f + 1
        ));
    }
    Ok(fold)
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
    let folds = count(table, folds);
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
        if let Some(key) = table.keys.group.as_ref().filter(|_| validation.is_empty() || train.len() < 2) {
            return Err(Failure::usage(format!(
                "{}: beside fold {} whole groups of column {} (--group-column) leave {} rows for training and {} for early stopping: there \
                 must be more groups",
                table.name,
                f + 1,
                quoted(&key.column),
                train.len(),
                validation.len()
            )));
        }
        Ok(Split { train, validation, test })
    };
    let splits = (0..folds).map(split).collect::<Result<_, _>>()?;
    Ok((fold, splits))
}

/// All of the first `rows` for one network that early stopping ends, of which a share tells it when. Nothing is held out: the test part is
/// the validation part again.
///
/// # Errors
/// Says why no such split can be made.
pub fn all_rows(table: &Table, rows: usize, stop_share: f64, seed: u64) -> Result<Split, String> {
    let stop = ((rows as f64 * stop_share).round() as usize).max(1);
    let mut rng = Rng::new(seed ^ 0x7265_6669);
    let (validation, train) = take(table, (0..rows).collect(), stop, &mut rng);
    if validation.is_empty() || train.len() < 2 {
        return Err(format!("{} rows would be left for training, beside {} for early stopping", train.len(), validation.len()));
    }
    Ok(Split { train, test: validation.clone(), validation })
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
        let fold = deal_all(&table, 5, 1).unwrap();
        let sizes: Vec<usize> = (0..5).map(|f| fold.iter().filter(|&&g| g == f).count()).collect();
        assert_eq!((sizes.iter().min(), sizes.iter().max()), (Some(&4), Some(&5)), "every row once, folds of equal size");
        for class in 1..3 {
            let folds: std::collections::BTreeSet<usize> = (0..23).filter(|&r| of[r] == class).map(|r| fold[r]).collect();
            assert_eq!(folds.len(), of.iter().filter(|&&c| c == class).count(), "no two of a rare class together");
        }
        assert_eq!([1, 2].map(|seed| deal_all(&table, 5, seed).unwrap() == fold), [true, false]);
        let digits = Table::digits().unwrap();
        assert_eq!(
            deal_all(&digits, 5, 3).unwrap(),
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
        let tiny =
            Table::new("t", "y", vec!["a".into()], Cells::Numbers(vec![1.0, 2.0, 3.0]), Targets::Values(vec![1.0, 2.0, 3.0]));
        let why = cross_validation(&tiny, 3, 3, 0.5, 1).unwrap_err().to_string();
        assert_eq!(why, "t: 3 rows in 3 folds leave 1 for training, beside 1 for early stopping: see --folds, --stop-share");
    }

    fn key(names: &[&str], of: impl Iterator<Item = usize>) -> Key {
        Key { column: "g".into(), names: names.iter().map(ToString::to_string).collect(), of: of.map(|g| g as u32).collect() }
    }

    #[test]
    fn a_column_names_the_folds() {
        let mut table = Table::digits().unwrap();
        table.keys.fold = Some(key(&["a", "b", "c"], (0..1797).map(|r| r / 600 % 3)));
        let (fold, splits) = cross_validation(&table, 1797, 5, 0.1, 3).unwrap();
        assert_eq!((count(&table, 5), splits.len()), (3, 3));
        assert!((0..1797).all(|r| fold[r] == r / 600));
        let why = |table: &Table| assign(table, 1797, 5, 3).unwrap_err().to_string();
        let Targets::Classes { of, .. } = &table.targets else { panic!("classes") };
        let sevens = of.clone();
        table.keys.fold = Some(key(&["a", "b"], (0..1797).map(|r| usize::from(sevens[r] == 7 && r % 2 == 0))));
        assert!(
            why(&table)
                .starts_with("digits: fold \"b\" of column \"g\" (--fold-column) has no row of class \"0\" of column \"label\"")
        );
        table.keys.fold = Some(key(&["a"], (0..1797).map(|_| 0)));
        assert!(why(&table).contains("has 1 value, each of which is a fold, must have from 2 to 1000"), "{}", why(&table));
        table.keys.fold = Some(key(&["a", "b", "c"], (0..1797).map(|r| r % 2)));
        assert!(why(&table).contains("fold \"c\" of column \"g\" (--fold-column) has none of the 1797 rows"), "{}", why(&table));
        table.keys.fold = Some(key(&["a", "b"], (0..1797).map(|r| r % 2)));
        table.keys.group = Some(key(&["p", "q", "r"], (0..1797).map(|r| r % 3)));
        let straddles =
            "digits: group \"p\" of column \"g\" (--group-column) is in folds \"a\" and \"b\" of column \"g\" (--fold-column)";
        assert!(why(&table).starts_with(straddles), "{}", why(&table));
    }

    #[test]
    fn rows_of_a_group_are_held_out_together() {
        let mut table = Table::digits().unwrap();
        let names: Vec<String> = (0..90).map(|g| g.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let of: Vec<usize> = (0..1797).map(|r| r * 31 / 7 % 90).collect();
        table.keys.group = Some(key(&names, of.iter().copied()));
        let (fold, splits) = cross_validation(&table, 1797, 5, 0.1, 3).unwrap();
        for (r, g) in of.iter().enumerate() {
            assert_eq!(fold[r], fold[of.iter().position(|o| o == g).unwrap()], "row {r}");
        }
        for s in &splits {
            let groups = |rows: &[usize]| rows.iter().map(|&r| of[r]).collect::<std::collections::BTreeSet<_>>();
            assert!(groups(&s.train).is_disjoint(&groups(&s.validation)), "training and early stopping share a group");
            assert!((355..=364).contains(&s.test.len()), "{} of 1797 rows", s.test.len());
            assert!(s.validation.len().abs_diff(144) < 20, "{}", s.validation.len());
        }
        assert_eq!(cross_validation(&table, 1797, 5, 0.1, 3).unwrap().1, splits);
        assert_ne!(cross_validation(&table, 1797, 5, 0.1, 4).unwrap().0, fold, "another seed deals otherwise");
        let why = |table: &Table, folds| cross_validation(table, 1797, folds, 0.1, 3).unwrap_err().to_string();
        assert_eq!(
            why(&table, 91),
            "digits: column \"g\" (--group-column) has 90 groups, fewer than --folds, 91: each fold needs one"
        );
        // A class that three groups have.
        let Targets::Classes { of: classes, .. } = table.targets.clone() else { panic!("classes") };
        table.keys.group = Some(key(&names, (0..1797).map(|r| if classes[r] == 7 { of[r] % 3 } else { of[r] })));
        let three = "digits: class \"7\" of column \"label\" is in 3 groups of column \"g\" (--group-column), fewer than --folds, 5: each fold needs one";
        assert_eq!(why(&table, 5), three);
    }
}
