//! Data, cases and fields.
use super::BatchedLoss;
use crate::{
    op::{Arg, Pattern, Rng, Verify},
    options::BatchedLossKind,
    types::{DType, HostData},
};

const KINDS: [BatchedLossKind; 2] = [BatchedLossKind::CrossEntropy, BatchedLossKind::SquaredError];

impl BatchedLoss {
    /// Logits of a trained network reach tens. Targets name a class, or are shares in every third row; what fills a quad holds numbers that
    /// must not count. Weights are 0 for a third of the rows.
    pub(super) fn contents(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let (padded, columns) = (self.padded(), self.columns);
        match (arg.name, self.loss) {
            ("weight", _) => {
                let each =
                    |_| if rng.word().is_multiple_of(3) { 0.0 } else { [1.0, 0.02, -0.5, rng.unit()][rng.word() as usize % 4] };
                HostData::from_f64(DType::F32, (0..arg.len).map(each))
            }
            ("target", BatchedLossKind::CrossEntropy) => {
                let mut all = Vec::with_capacity(arg.len);
                for row in 0..arg.len / padded {
                    let mut t = vec![0.5; padded];
                    if row % 3 == 2 {
                        t[..columns].fill_with(|| rng.unit());
                        let sum: f64 = t[..columns].iter().sum();
                        t[..columns].iter_mut().for_each(|v| *v /= sum);
                    } else {
                        t[..columns].fill(0.0);
                        t[rng.word() as usize % columns] = 1.0;
                    }
                    all.extend(t);
                }
                HostData::from_f64(DType::F32, all)
            }
            _ if pattern == Pattern::NonFinite => {
                let HostData::F32(mut v) = rng.fill(arg, [-8.0, 8.0], Pattern::Ordinary) else { unreachable!("drawn as f32") };
                // Few, so that they do not hide each other; and a row with nothing but -inf.
                let (rows, len) = (v.len() / padded, v.len());
                for bad in
                    [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY, -1e15].iter().cycle().take(rows.min(15))
                {
                    v[rng.word() as usize % len] = *bad;
                }
                if rows > 0 {
                    v[rng.word() as usize % rows * padded..][..padded].fill(f32::NEG_INFINITY);
                }
                HostData::F32(v)
            }
            (_, BatchedLossKind::CrossEntropy) => rng.fill(arg, [-20.0, 20.0], pattern),
            _ => rng.fill(arg, [-1.0, 1.0], pattern),
        }
    }

    #[cfg(feature = "verify")]
    pub(super) fn cases() -> Vec<Box<dyn Verify>> {
        // Models, rows, columns: one and many of each, ends of runs of 8 and 64 rows, rows so long that runs are shorter.
        let shapes = [
            [1, 1, 1],
            [0, 5, 3],
            [3, 0, 3],
            [2, 7, 3],
            [5, 50, 10],
            [9, 65, 4],
            [3, 641, 2],
            [1, 1100, 11],
            [130, 9, 5],
            [2, 3, 2049],
            [1, 1, 4096],
            [4, 63, 60],
            // One row each, so that a small loss is seen: no larger one is added to it.
            [90, 1, 3],
        ];
        let mut out: Vec<Box<dyn Verify>> = Vec::new();
        for [models, rows, columns] in shapes {
            for loss in KINDS {
                out.push(Box::new(BatchedLoss { loss, models, rows, columns }));
            }
        }
        out
    }

    #[cfg(feature = "verify")]
    /// Models with 50 rows of 10 columns; fewer rows where the size is smaller than one.
    pub(super) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        let rows = (elements / 12).clamp(1, 50);
        let models = (elements / (12 * rows)).max(1);
        KINDS.map(|loss| Box::new(BatchedLoss { loss, models, rows, columns: 10 }) as Box<dyn Verify>).into()
    }
}
