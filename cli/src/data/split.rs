//! Which rows are for training, validation and testing.
use super::{Table, Targets, groups};
use crate::{Failure, text::quoted};
use ridgepole::Rng;

/// Row numbers of the three parts; no row is in two of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Training rows.
    pub train: Vec<usize>,
    /// Rows for choosing hyperparameters and for early stopping.
    pub validation: Vec<usize>,
    /// Rows that are used once, at the end.
    pub test: Vec<usize>,
}

/// The number of rows of each part; those not given follow from the size of the table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    /// Training rows.
    pub train: usize,
    /// Validation rows: by default a quarter of the rest, 2,000 at most.
    pub validation: Option<usize>,
    /// Test rows: by default all the rest, 10,000 at most.
    pub test: Option<usize>,
}

impl Split {
    /// Draws the parts. Classes are as frequent in the training and validation part as in the whole, as nearly as whole
    /// rows allow. A test part that the data sets apart stays what it is. Rows of a group are in one part, and parts as large as whole
    /// groups allow. The same seed draws the same parts everywhere.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there are too few rows, or groups.
    pub fn draw(table: &Table, sizes: Sizes, seed: u64) -> Result<Self, Failure> {
        let all = table.rows();
        let pool = table.test_from.unwrap_or(all);
        if sizes.train < 2 {
            return Err(Failure::usage(format!("--train-rows is {}, must be at least 2", sizes.train)));
        }
        let rest = pool.saturating_sub(sizes.train);
        let validation = sizes.validation.unwrap_or((rest / 4).clamp(1, 2000));
        let spare = if pool < all { all - pool } else { rest.saturating_sub(validation) };
        let test = sizes.test.unwrap_or(spare.min(10_000));
        if validation == 0 || test == 0 || sizes.train.saturating_add(validation) > pool || test > spare {
            return Err(Failure::usage(format!(
                "{} rows are too few for {} training, {validation} validation and {test} test rows{}: see \
                 --train-rows, --validation-rows, --test-rows",
                all,
                sizes.train,
                if pool < all { format!(" (of which {} are set apart for testing)", all - pool) } else { String::new() }
            )));
        }
        let mut rng = Rng::new(seed);
        let (train, rest) = take(table, (0..pool).collect(), sizes.train, &mut rng);
        let (validation, rest) = take(table, rest, validation, &mut rng);
        // Whole groups may leave more than was reckoned with; without a number asked for, none of it is lost.
        let test = if table.keys.group.is_some() && sizes.test.is_none() { rest.len().min(10_000) } else { test };
        let (test, _) = take(table, if pool < all { (pool..all).collect() } else { rest }, test, &mut rng);
        if let Some(key) = table.keys.group.as_ref().filter(|_| train.len() < 2 || validation.is_empty() || test.is_empty()) {
            return Err(Failure::usage(format!(
                "{}: column {} (--group-column) has {} groups, too few for three parts: whole groups leave {} training, {} validation and \
                 {} test rows",
                table.name,
                quoted(&key.column),
                key.names.len(),
                train.len(),
                validation.len(),
                test.len()
            )));
        }
        Ok(Self { train, validation, test })
    }

    /// A notice of what whole groups make of the sizes of the parts, which may differ from seed to seed.
    pub fn notice(table: &Table, splits: &[Self]) -> Option<String> {
        let key = table.keys.group.as_ref()?;
        let range = |part: fn(&Self) -> usize| {
            let of = || splits.iter().map(part);
            let (least, most) = (of().min().unwrap_or(0), of().max().unwrap_or(0));
            if least == most { least.to_string() } else { format!("{least} to {most}") }
        };
        Some(format!(
            "notice: groups of column {} stay together, which makes {} training, {} validation and {} test rows",
            quoted(&key.column),
            range(|s| s.train.len()),
            range(|s| s.validation.len()),
            range(|s| s.test.len())
        ))
    }
}

/// Takes `count` of `rows`, stratified: the remainder goes to the classes with the largest fractions. Of groups that stay together, as
/// nearly so many as whole groups allow.
pub(super) fn take(table: &Table, rows: Vec<usize>, count: usize, rng: &mut Rng) -> (Vec<usize>, Vec<usize>) {
    if let Some(key) = &table.keys.group {
        let mut whole = groups::together(&rows, &key.of);
        shuffle(&mut whole, rng);
        let part = if count >= rows.len() {
            vec![0; whole.len()]
        } else {
            groups::deal_classes(table, &whole, &[count as f64, (rows.len() - count) as f64])
        };
        let [mut taken, left] =
            [0, 1].map(|p| whole.iter().zip(&part).filter(|(_, of)| **of == p).flat_map(|(g, _)| g).copied().collect::<Vec<_>>());
        shuffle(&mut taken, rng);
        return (taken, left);
    }
    let mut classes: Vec<Vec<usize>> = match &table.targets {
        Targets::Values { .. } => vec![rows],
        Targets::Classes { names, of } => {
            let mut by = vec![Vec::new(); names.len()];
            rows.into_iter().for_each(|r| by[of[r] as usize].push(r));
            by
        }
    };
    let total: usize = classes.iter().map(Vec::len).sum();
    let mut shares: Vec<usize> = classes.iter().map(|c| c.len() * count / total).collect();
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(classes[i].len() * count % total));
    let missing = count - shares.iter().sum::<usize>();
    // Fewer are missing than there are classes with a remainder, so each of these has a row left.
    order[..missing].iter().for_each(|&i| shares[i] += 1);
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    for (class, share) in classes.iter_mut().zip(shares) {
        shuffle(class, rng);
        taken.extend_from_slice(&class[..share]);
        left.extend_from_slice(&class[share..]);
    }
    shuffle(&mut taken, rng);
    (taken, left)
}

/// Fisher and Yates, written out so that no new version of a library changes the order.
pub fn shuffle<T>(items: &mut [T], rng: &mut Rng) {
    for i in (1..items.len()).rev() {
        items.swap(i, ((u64::from(rng.word()) * (i as u64 + 1)) >> 32) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Key;
    use std::collections::BTreeSet;

    fn sizes(train: usize) -> Sizes {
        Sizes { train, ..Default::default() }
    }

    #[test]
    fn parts_are_disjoint_seeded_and_stratified() {
        let table = Table::digits().unwrap();
        let s = Split::draw(&table, sizes(200), 1).unwrap();
        assert_eq!((s.train.len(), s.validation.len(), s.test.len()), (200, 399, 1198));
        let all: BTreeSet<_> = s.train.iter().chain(&s.validation).chain(&s.test).collect();
        assert_eq!(all.len(), 1797, "every row is in one part");
        let Targets::Classes { of, .. } = &table.targets else { panic!("classes") };
        for part in [&s.train, &s.validation] {
            for class in 0..10 {
                let whole = of.iter().filter(|&&c| c == class).count() as f64 / 1797.0 * part.len() as f64;
                let here = part.iter().filter(|&&r| of[r] == class).count() as f64;
                assert!((here - whole).abs() < 1.5, "class {class}: {here} rows, {whole} would be its share");
            }
        }
        assert_eq!(s, Split::draw(&table, sizes(200), 1).unwrap());
        assert_ne!(s, Split::draw(&table, sizes(200), 2).unwrap());
    }

    #[test]
    fn a_test_part_that_is_set_apart_stays_apart() {
        let mut table = Table::digits().unwrap();
        table.test_from = Some(1500);
        let s = Split::draw(&table, sizes(100), 3).unwrap();
        assert!(s.test.iter().all(|&r| r >= 1500) && s.train.iter().chain(&s.validation).all(|&r| r < 1500));
        assert_eq!(s.test.len(), 297);
    }

    #[test]
    fn too_few_rows_are_an_error() {
        let table = Table::digits().unwrap();
        for n in [0, 1, 1796, 1797, 5000, usize::MAX] {
            assert!(Split::draw(&table, sizes(n), 1).is_err(), "{n} training rows");
        }
        let why = Split::draw(&table, sizes(1797), 1).unwrap_err().to_string();
        assert!(why.starts_with("1797 rows are too few for 1797 training"), "{why}");
    }

    #[test]
    fn rows_of_a_group_are_in_one_part_for_every_seed() {
        let mut table = Table::digits().unwrap();
        // 150 groups of about twelve rows.
        let of: Vec<u32> = (0..1797).map(|r| (r * r / 7 % 150) as u32).collect();
        let names = (0..150).map(|g| g.to_string()).collect();
        table.keys.group = Some(Key { column: "g".into(), names, of: of.clone() });
        let mut seen = BTreeSet::new();
        for seed in 1..6 {
            let s = Split::draw(&table, sizes(200), seed).unwrap();
            let parts = [&s.train, &s.validation, &s.test].map(|p| p.iter().map(|&r| of[r]).collect::<BTreeSet<u32>>());
            assert!(parts[0].is_disjoint(&parts[1]) && parts[0].is_disjoint(&parts[2]) && parts[1].is_disjoint(&parts[2]));
            assert!(
                s.train.len().abs_diff(200) < 12 && s.validation.len().abs_diff(399) < 12,
                "{} {}",
                s.train.len(),
                s.validation.len()
            );
            assert_eq!(s.train.len() + s.validation.len() + s.test.len(), 1797);
            let mut all = [&s.train[..], &s.validation, &s.test].concat();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 1797);
            seen.insert(parts[0].clone());
            assert_eq!(s, Split::draw(&table, sizes(200), seed).unwrap());
        }
        assert_eq!(seen.len(), 5, "each seed has its own training groups");
        let key = table.keys.group.as_mut().unwrap();
        key.of.iter_mut().for_each(|g| *g %= 2);
        key.names.truncate(2);
        let why = Split::draw(&table, sizes(200), 1).unwrap_err().to_string();
        assert!(why.starts_with("digits: column \"g\" (--group-column) has 2 groups, too few for three parts"), "{why}");
    }
}
