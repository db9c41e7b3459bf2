//! Training, validation and test rows, standardized by the training rows.
use super::{Table, Targets};
use crate::{Failure, stats::Standard, text::quoted};
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
}

/// Features at most: those that the op which gathers the rows of a batch takes.
const MOST_FEATURES: usize = 32_768;
/// A standardized value is at most this large in magnitude: f32 holds its square.
const FARTHEST: f64 = 1e15;

/// Standardises with the mean and the standard deviation of the training part only; pixels all together, other features
/// one by one. The values are rounded to f32 once, after that. Features with one value in the training part are 0 everywhere, since
/// nothing can be learned from them.
///
/// # Errors
/// [`Failure::Usage`] if there are too many features, or names a column and a value that is so far from the training rows that f32 cannot compute with it.
pub fn prepare(table: &Table, split: &Split) -> Result<Prepared, Failure> {
    prepare_with(table, split, &table.targets)
}

/// As [`prepare`], but the training rows have the targets `given`, one for each row of the table: they set the scale too. The other rows
/// keep theirs.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_with(table: &Table, split: &Split, given: &Targets) -> Result<Prepared, Failure> {
    let columns = table.columns.len();
    if columns > MOST_FEATURES {
        return Err(Failure::usage(format!("{}: has {columns} features, must have at most {MOST_FEATURES}", table.name)));
    }
    let column = |c: usize| split.train.iter().map(move |&r| table.cell(r, c));
    let scales = if table.image {
        vec![Standard::of((0..columns).flat_map(column)); columns]
    } else {
        (0..columns).map(|c| Standard::of(column(c))).collect()
    };
    let target = match given {
        Targets::Classes { .. } => None,
        Targets::Values(of) => Some(Standard::of(split.train.iter().map(|&r| of[r]))),
    };
    let [target_mean, target_scale] = target.map_or([0.0, 1.0], |t| [t.mean(), if t.constant() { 1.0 } else { t.sd() }]);
    let outputs = match &table.targets {
        Targets::Classes { names, .. } => names.len(),
        Targets::Values { .. } => 1,
    };
    let near = |v: f64, of: f64, scale: &Standard, column: &String| {
        if v.abs() <= FARTHEST {
            return Ok(v as f32);
        }
        Err(Failure::usage(format!(
            "{}: column {} has the value {of:e}, which is {:.0e} standard deviations away from the training rows (mean {:e}, standard \
             deviation {:e}), must be at most {FARTHEST:e}: remove the row, or the column",
            table.name,
            quoted(column),
            v.abs(),
            scale.mean(),
            scale.sd()
        )))
    };
    let part = |rows: &Vec<usize>, targets: &Targets| -> Result<Part, Failure> {
        let (width, of) = (columns.next_multiple_of(4), outputs.next_multiple_of(4));
        let mut part = Part { rows: rows.len(), x: Vec::new(), t: Vec::new() };
        let short = |e| Failure::usage(format!("{}: {} rows of {columns} features: {e}", table.name, rows.len()));
        part.x.try_reserve_exact(rows.len().saturating_mul(width)).map_err(short)?;
        part.t.try_reserve_exact(rows.len().saturating_mul(of)).map_err(short)?;
        for &r in rows {
            for ((v, scale), name) in table.row(r).zip(&scales).zip(&table.columns) {
                part.x.push(near(scale.apply(v), v, scale, name)?);
            }
            part.x.resize(part.x.len().next_multiple_of(4), 0.0);
            let start = part.t.len();
            part.t.resize(start + of, 0.0);
            match (targets, &target) {
                (Targets::Classes { of, .. }, _) => part.t[start + of[r] as usize] = 1.0,
                (Targets::Values(of), Some(scale)) => {
                    let v = if scale.constant() { of[r] - target_mean } else { scale.apply(of[r]) };
                    part.t[start] = near(v, of[r], scale, &table.label)?;
                }
                (Targets::Values(_), None) => unreachable!("values have a scale"),
            }
        }
        Ok(part)
    };
    let parts = [part(&split.train, given)?, part(&split.validation, &table.targets)?, part(&split.test, &table.targets)?];
    Ok(Prepared { inputs: columns.next_multiple_of(4), outputs, target_mean, target_scale, parts })
}

impl Prepared {
    /// Some rows of the training part, by their places in it.
    pub fn training_rows(&self, places: &[usize]) -> Part {
        let [x, t] = [(self.inputs, &self.parts[0].x), (self.outputs.next_multiple_of(4), &self.parts[0].t)]
            .map(|(width, all)| places.iter().flat_map(|&p| &all[p * width..(p + 1) * width]).copied().collect());
        Part { rows: places.len(), x, t }
    }
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
        let p = prepare(&table, &split).unwrap();
        assert_eq!((p.inputs, p.outputs, p.target_scale), (4, 1, 10.0));
        assert_eq!(p.parts[0].x, [-1.0, 0.0, -1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(p.parts[0].t, [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        // The constant column is 0, whatever its values elsewhere.
        assert_eq!(p.parts[1].x, [998.0, 0.0, -2.0, 0.0]);
        let pixels = prepare(&Table { image: true, ..table }, &split).unwrap();
        assert!(pixels.parts[0].x[1] != 0.0, "pixels share one scale");
    }

    fn numbers(cells: Vec<f64>, values: Vec<f64>) -> Table {
        Table {
            label: "y".into(),
            name: "t".into(),
            columns: vec!["a".into()],
            cells: Cells::Numbers(cells),
            targets: Targets::Values(values),
            image: false,
            test_from: None,
            notices: Vec::new(),
        }
    }

    #[test]
    fn values_are_standardized_before_f32_rounds_them() {
        let split = Split { train: vec![0, 1, 2], validation: vec![3], test: vec![3] };
        let plain = prepare(&numbers(vec![1.0, 2.0, 4.0, 3.0], vec![1.0, 2.0, 4.0, 3.0]), &split).unwrap();
        // Squares of 1e300 and 1e-300 are none of f64's; of these, f32 holds not even the values.
        for unit in [2f64.powi(-1000), 2f64.powi(-150), 2f64.powi(150), 2f64.powi(1000)] {
            let cells = [1.0, 2.0, 4.0, 3.0].map(|v| v * unit).to_vec();
            let p = prepare(&numbers(cells, vec![1.0, 2.0, 4.0, 3.0]), &split).unwrap();
            assert_eq!(p.parts, plain.parts, "{unit:e}");
        }
        let offset = [1.0, 2.0, 4.0, 3.0].map(|v| v + 1.7e9).to_vec();
        assert_eq!(prepare(&numbers(offset, vec![1.0, 2.0, 4.0, 3.0]), &split).unwrap().parts, plain.parts);
        let y = [1.0, 2.0, 4.0, 3.0].map(|v| v * 2f64.powi(190)).to_vec();
        let p = prepare(&numbers(vec![1.0, 2.0, 4.0, 3.0], y), &split).unwrap();
        assert_eq!((p.parts, p.target_scale / 2f64.powi(190)), (plain.parts.clone(), plain.target_scale));
    }

    #[test]
    fn a_value_that_f32_cannot_compute_with_is_named() {
        let split = Split { train: vec![0, 1], validation: vec![2], test: vec![3] };
        let y = vec![1.0, 2.0, 1.0, 2.0];
        let why = prepare(&numbers(vec![1e-200, 2e-200, 1e-200, 1.0], y.clone()), &split).unwrap_err().to_string();
        assert!(
            why.starts_with("t: column \"a\" has the value 1e0, which is 2e200 standard deviations away from the training rows"),
            "{why}"
        );
        let why = prepare(&numbers(y, vec![1e-40, 2e-40, 3e-40, 1e40]), &split).unwrap_err().to_string();
        assert!(why.starts_with("t: column \"y\" has the value 1e40, which is 2e80 standard deviations"), "{why}");
    }
}
