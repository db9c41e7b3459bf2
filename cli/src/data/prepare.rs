//! The parts of a split as networks take them: standardized by the training rows, in f32, in whole quads.
use super::{Table, Targets, split::Split};
use crate::{Failure, stats::Standard, text::quoted};

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
/// nothing can be learned from them; a missing value is the mean of the training part, and so 0.
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
    let scales = scales(table, &split.train);
    let target = target_scale(given, &split.train);
    let [target_mean, target_scale] = moments(target);
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

/// What standardizes each feature, by these training rows.
pub(crate) fn scales(table: &Table, train: &[usize]) -> Vec<Standard> {
    let columns = table.columns.len();
    let column = |c: usize| train.iter().map(move |&r| table.cell(r, c));
    if table.image {
        vec![Standard::of((0..columns).flat_map(column)); columns]
    } else {
        (0..columns).map(|c| Standard::of(column(c))).collect()
    }
}

/// What standardizes these targets, by these training rows; nothing for classes.
fn target_scale(given: &Targets, train: &[usize]) -> Option<Standard> {
    match given {
        Targets::Classes { .. } => None,
        Targets::Values(of) => Some(Standard::of(train.iter().map(|&r| of[r]))),
    }
}

/// Mean and standard deviation of the targets in these training rows; 0 and 1 for classes, 1 where all are equal.
pub(crate) fn target_moments(given: &Targets, train: &[usize]) -> [f64; 2] {
    moments(target_scale(given, train))
}

fn moments(target: Option<Standard>) -> [f64; 2] {
    target.map_or([0.0, 1.0], |t| [t.mean(), if t.constant() { 1.0 } else { t.sd() }])
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

    #[test]
    fn the_training_part_alone_sets_the_scale() {
        let table = Table::new(
            "t",
            "y",
            ["a", "b", "c"].map(String::from).to_vec(),
            Cells::Numbers(vec![1.0, 7.0, 100.0, 3.0, 7.0, 300.0, 1000.0, 9.0, 0.0, 5.0, 7.0, 200.0]),
            Targets::Values(vec![10.0, 30.0, 50.0, 20.0]),
        );
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

    #[test]
    fn a_missing_value_is_the_mean_of_the_training_part_alone() {
        let split = Split { train: vec![0, 1, 4], validation: vec![2], test: vec![3] };
        let y = vec![1.0, 2.0, 3.0, 4.0, 5.0];
        let gaps = prepare(&numbers(vec![1.0, f64::NAN, f64::NAN, 700.0, 4.0], y.clone()), &split).unwrap();
        let filled = prepare(&numbers(vec![1.0, 2.5, 2.5, 700.0, 4.0], y), &split).unwrap();
        assert_eq!(gaps, filled);
        assert_eq!([gaps.parts[0].x[4], gaps.parts[1].x[0]], [0.0, 0.0]);
    }

    fn numbers(cells: Vec<f64>, values: Vec<f64>) -> Table {
        Table::new("t", "y", vec!["a".into()], Cells::Numbers(cells), Targets::Values(values))
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
