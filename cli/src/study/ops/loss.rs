//! The losses, each with its gradient in one pass. Kernels: `cli/shaders/cross_entropy.wgsl`, `squared_error.wgsl`.
use super::{CROSS_ENTROPY, FOLD_TALLY, SQUARED_ERROR, check_columns, lanes, quads};
use ridgepole::{
    Arg, Caps, DType, Error, Expected, HostData, Lowered, Op, Pattern, Rng, Slot, Step, params,
    wgsl::{Source, Spec},
};

params! { LossParams { rows: u32, quads: u32, columns: u32, block: u32, blocks: u32, scale: f32 } }

/// Each run of this many rows gets its own sums, whatever the device, so that results do not depend on it.
pub const ROWS_PER_BLOCK: usize = 512;

/// So that a lane that handles 64 rows in three passes stays within the longest loop allowed.
const MOST_COLUMNS: usize = 160;

/// Softmax cross-entropy of logits against target probabilities, and its gradient.
///
/// Reads `logits` and `target` f32\[rows, padded], `padded` being `columns` rounded up to 4; writes `grad` f32\[rows, padded],
/// `(softmax - target) / rows`, which is the gradient of the mean loss where each target sums to 1, and `tally`
/// f32\[blocks, 4]: sum of losses, number of rows whose largest logit is in the column of the largest target, 0, 0 for each
/// block of [`ROWS_PER_BLOCK`] rows. `columns` is 1 to 160. Deterministic. No scratch.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossEntropy {
    /// Rows.
    pub rows: usize,
    /// Classes.
    pub columns: usize,
}

/// Squared error of predictions against targets, and its gradient.
///
/// Arguments as those of [`CrossEntropy`]; `grad` is `2·(prediction - target) / rows`, `tally` the sum of Σ(p - t)², 0, 0, 0.
#[derive(Clone, Debug, PartialEq)]
pub struct SquaredError {
    /// Rows.
    pub rows: usize,
    /// Values predicted.
    pub columns: usize,
}

fn padded(columns: usize) -> usize {
    columns.next_multiple_of(4)
}

fn args(first: &'static str, rows: usize, columns: usize) -> Vec<Arg> {
    let len = rows * padded(columns);
    vec![
        Arg::read(first, DType::F32, len),
        Arg::read("target", DType::F32, len),
        Arg::write("grad", DType::F32, len),
        Arg::write("tally", DType::F32, 4 * rows.div_ceil(ROWS_PER_BLOCK)),
    ]
}

fn lower(shader: Source, op: &dyn Op, rows: usize, columns: usize, caps: &Caps) -> Result<Lowered, Error> {
    let name = op.name();
    if columns > MOST_COLUMNS {
        return Err(Error::argument(name, "columns", format!("is {columns}, must be in 1..={MOST_COLUMNS}")));
    }
    check_columns(name, "columns", padded(columns))?;
    if rows > 1 << 24 {
        return Err(Error::argument(name, "rows", format!("is {rows}, must be at most 2^24, beyond which counts are inexact")));
    }
    let (args, blocks, wg, mut out) = (op.args(), rows.div_ceil(ROWS_PER_BLOCK), lanes(caps), Lowered::default());
    let row_quads = padded(columns) / 4;
    if rows > 0 {
        out.push(Step {
            spec: Spec {
                shader,
                entry: name,
                parts: vec![FOLD_TALLY],
                bindings: vec![quads(args[0].name, false), quads("wanted", false), quads("grad", true), quads("tally", true)],
                consts: vec![("WG", wg)],
            },
            params: LossParams {
                rows: rows as u32,
                quads: row_quads as u32,
                columns: columns as u32,
                block: ROWS_PER_BLOCK as u32,
                blocks: blocks as u32,
                scale: (1.0 / rows as f64) as f32,
            }
            .into(),
            slots: args.iter().enumerate().map(|(i, a)| Slot::Arg(i, 0..a.bytes())).collect(),
            workgroups: blocks as u64,
            trips: ROWS_PER_BLOCK as u64 / u64::from(wg) * (1 + 3 * row_quads as u64) + u64::from(wg),
        });
    }
    Ok(out)
}

impl Op for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn args(&self) -> Vec<Arg> {
        args("logits", self.rows, self.columns)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        lower(CROSS_ENTROPY, self, self.rows, self.columns, caps)
    }

    /// Logits of a trained network reach tens; targets name one class, or are probabilities in every third row.
    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        if arg.name != "target" {
            return rng.fill(arg, [-20.0, 20.0], pattern);
        }
        let mut all = Vec::new();
        for row in 0..self.rows {
            let mut t = vec![0.0; padded(self.columns)];
            if row % 3 == 2 {
                t[..self.columns].fill_with(|| rng.unit());
                let sum: f64 = t.iter().sum();
                t.iter_mut().for_each(|v| *v /= sum);
            } else {
                t[rng.word() as usize % self.columns] = 1.0;
            }
            all.extend(t);
        }
        HostData::from_f64(DType::F32, all)
    }

    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Offset]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (z, t, n) = (args[0].to_f64(), args[1].to_f64(), padded(self.columns));
        let (e, least) = (DType::F32.epsilon(), DType::F32.least_normal());
        let (mut grad, mut grad_bound) = (vec![0.0; z.len()], vec![0.0; z.len()]);
        let mut tally = Tally::new(self.rows);
        for row in 0..self.rows {
            let at = row * n..row * n + self.columns;
            let (z, t) = (&z[at.clone()], &t[at.clone()]);
            let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = z.iter().map(|v| (v - top).exp()).sum();
            // exp is good to 3 + 2|d| ulp (WGSL), and its argument d = z - top rounded once, which is |d| more.
            let ulps = |d: f64| 3.0 + 3.0 * d.abs();
            let spread: f64 = z.iter().map(|v| ulps(v - top) * (v - top).exp()).sum::<f64>() / total;
            // Relative error of the sum: that of its terms, one rounding per addition, flushed terms.
            let total_error = e * (spread + self.columns as f64) + self.columns as f64 * least;
            let (mut loss, mut loss_bound) = (0.0, 0.0);
            for j in 0..self.columns {
                let d = z[j] - top;
                let p = d.exp() / total;
                // Division is good to 2.5 ulp, and its result may be flushed; then the difference and the product with
                // 1/rows, itself rounded.
                let p_bound = p * (e * (ulps(d) + 2.5) + total_error) * 1.01 + least;
                grad[at.start + j] = (p - t[j]) / self.rows as f64;
                grad_bound[at.start + j] = (p_bound + 3.0 * e * (p - t[j]).abs()) / self.rows as f64 + least;
                // log is good to 3 ulp, or to 2^-21 between 0.5 and 2.
                let norm = total.ln();
                let norm_bound = total_error + f64::max(3.0 * e * norm, 2f64.powi(-21));
                let term = norm - d;
                loss += t[j] * term;
                // d rounded, the difference rounded, the product rounded, and one rounding per addition.
                loss_bound += t[j] * (norm_bound + e * (d.abs() + (2.0 + self.columns as f64) * term));
            }
            let first_best = |v: &[f64]| (1..v.len()).fold(0, |best, j| if v[j] > v[best] { j } else { best });
            let right = first_best(z) == first_best(t);
            tally.add(row, loss, loss_bound, right);
        }
        vec![Expected::Within { value: grad, bound: grad_bound }, tally.expected()]
    }
}

impl Op for SquaredError {
    fn name(&self) -> &'static str {
        "squared_error"
    }

    fn args(&self) -> Vec<Arg> {
        args("prediction", self.rows, self.columns)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        lower(SQUARED_ERROR, self, self.rows, self.columns, caps)
    }

    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Offset]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (p, t, n) = (args[0].to_f64(), args[1].to_f64(), padded(self.columns));
        let (e, least) = (DType::F32.epsilon(), DType::F32.least_normal());
        let (mut grad, mut grad_bound) = (vec![0.0; p.len()], vec![0.0; p.len()]);
        let mut tally = Tally::new(self.rows);
        for row in 0..self.rows {
            let (mut loss, mut bound) = (0.0, 0.0);
            for i in row * n..row * n + self.columns {
                let d = p[i] - t[i];
                // The difference, 1/rows and the product round once each (doubling is exact); the square sees the
                // difference's rounding twice, then its own and one per addition.
                grad[i] = 2.0 * d / self.rows as f64;
                grad_bound[i] = 3.01 * e * grad[i].abs() + least;
                loss += d * d;
                bound += (3.0 + self.columns as f64) * 1.01 * e * d * d + least;
            }
            tally.add(row, loss, bound, false);
        }
        vec![Expected::Within { value: grad, bound: grad_bound }, tally.expected()]
    }
}

/// The sums of each block of rows, with their bounds.
struct Tally {
    value: Vec<f64>,
    bound: Vec<f64>,
}

impl Tally {
    fn new(rows: usize) -> Self {
        let len = 4 * rows.div_ceil(ROWS_PER_BLOCK);
        Self { value: vec![0.0; len], bound: vec![0.0; len] }
    }

    fn add(&mut self, row: usize, loss: f64, bound: f64, right: bool) {
        let at = row / ROWS_PER_BLOCK * 4;
        self.value[at] += loss;
        self.value[at + 1] += f64::from(right);
        // Losses are not negative, so the sums over at most as many rows round each by one ulp of no more than their total.
        self.bound[at] += bound + DType::F32.epsilon() * ROWS_PER_BLOCK as f64 * loss;
    }

    fn expected(self) -> Expected {
        Expected::Within { value: self.value, bound: self.bound }
    }
}

pub(super) fn cases() -> Vec<Box<dyn Op>> {
    let mut out: Vec<Box<dyn Op>> = Vec::new();
    for (rows, columns) in [(0, 3), (1, 1), (3, 2), (50, 10), (64, 4), (513, 7), (1200, 10), (9, 157)] {
        out.push(Box::new(CrossEntropy { rows, columns }));
        out.push(Box::new(SquaredError { rows, columns }));
    }
    out
}
