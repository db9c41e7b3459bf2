//! Training, validation and test rows, standardized by the training rows.
use super::{Table, Targets};
use crate::{Failure, stats::moments};
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
    /// rows allow. A test part that the data sets apart stays what it is. The same seed draws the same parts everywhere.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there are too few rows.
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
        let (test, _) = take(table, if pool < all { (pool..all).collect() } else { rest }, test, &mut rng);
        Ok(Self { train, validation, test })
    }
}

/// Takes `count` of `rows`, stratified: the remainder goes to the classes with the largest fractions.
pub(super) fn take(table: &Table, rows: Vec<usize>, count: usize, rng: &mut Rng) -> (Vec<usize>, Vec<usize>) {
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

/// One part as it is uploaded: rows of whole quads, padded with zeros.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Rows.
    pub rows: usize,
    /// Standardised features, `inputs` a row.
    pub x: Vec<f32>,
    /// One-hot classes, or the standardized value; `outputs` rounded up to whole quads a row.
    pub t: Vec<f32>,
}

/// The three parts, standardized by the training part.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// Columns of `x`: the features rounded up to whole quads.
    pub inputs: usize,
    /// Classes, or 1.
    pub outputs: usize,
    /// Mean of the target in the training part; 0 for classes.
    pub target_mean: f64,
    /// Standard deviation of the target in the training part; 1 for classes.
    pub target_scale: f64,
    /// Training, validation and test part.
    pub parts: [Part; 3],
    /// Features that are constant in the training part; they are 0 everywhere, since nothing can be learned from them.
    pub constant: usize,
}

/// Standardises with the mean and the standard deviation of the training part only; pixels all together, other features
/// one by one. The values are rounded to f32 once, after that.
pub fn prepare(table: &Table, split: &Split) -> Prepared {
    let columns = table.columns.len();
    let column = |c: usize| split.train.iter().map(move |&r| table.cell(r, c));
    let mut scales: Vec<[f64; 2]> = (0..columns).map(|c| moments(column(c))).collect();
    let constant = scales.iter().filter(|[_, sd]| *sd == 0.0).count();
    if table.image {
        scales = vec![moments((0..columns).flat_map(column)); columns];
    }
    let [target_mean, target_scale] = match &table.targets {
        Targets::Classes { .. } => [0.0, 1.0],
        Targets::Values(of) => match moments(split.train.iter().map(|&r| of[r])) {
            [mean, 0.0] => [mean, 1.0],
            both => both,
        },
    };
    let outputs = match &table.targets {
        Targets::Classes { names, .. } => names.len(),
        Targets::Values { .. } => 1,
    };
    let part = |rows: &Vec<usize>| {
        let mut part = Part { rows: rows.len(), x: Vec::new(), t: Vec::new() };
        for &r in rows {
            let standard = |(v, [mean, sd]): (f64, &[f64; 2])| if *sd == 0.0 { 0.0 } else { ((v - mean) / sd) as f32 };
            part.x.extend(table.row(r).zip(&scales).map(standard));
            part.x.resize(part.x.len().next_multiple_of(4), 0.0);
            let mut t = vec![0.0; outputs.next_multiple_of(4)];
            match &table.targets {
                Targets::Classes { of, .. } => t[of[r] as usize] = 1.0,
                Targets::Values(of) => t[0] = ((of[r] - target_mean) / target_scale) as f32,
            }
            part.t.extend(t);
        }
        part
    };
    let parts = [part(&split.train), part(&split.validation), part(&split.test)];
    Prepared { inputs: columns.next_multiple_of(4), outputs, target_mean, target_scale, parts, constant }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Cells;
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
    fn the_training_part_alone_sets_the_scale() {
        let table = Table {
            label: "y".into(),
            name: "t".into(),
            columns: ["a", "b", "c"].map(String::from).to_vec(),
            cells: Cells::Numbers(vec![1.0, 7.0, 100.0, 3.0, 7.0, 300.0, 1000.0, 9.0, 0.0, 5.0, 7.0, 200.0]),
            targets: Targets::Values(vec![10.0, 30.0, 50.0, 20.0]),
            image: false,
            test_from: None,
            notices: Vec::new(),
        };
        let split = Split { train: vec![0, 1], validation: vec![2], test: vec![3] };
        let p = prepare(&table, &split);
        assert_eq!((p.inputs, p.outputs, p.constant, p.target_scale), (4, 1, 1, 10.0));
        assert_eq!(p.parts[0].x, [-1.0, 0.0, -1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(p.parts[0].t, [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        // The constant column is 0, whatever its values elsewhere.
        assert_eq!(p.parts[1].x, [998.0, 0.0, -2.0, 0.0]);
        let pixels = prepare(&Table { image: true, ..table }, &split);
        assert_eq!(pixels.constant, 1);
        assert!(pixels.parts[0].x[1] != 0.0, "pixels share one scale");
    }
}
