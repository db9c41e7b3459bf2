//! Cases, data and documentation of cross-entropy.
use super::CrossEntropy;
use crate::{
    op::{Arg, Pattern, Rng, Verify, bench_shapes},
    options::{LossReduction, Targets},
    types::{DType, HostData, Rows},
};

/// A class that no model has: -100 in 32 bits, what PyTorch ignores by default.
const NONE: u32 = 4_294_967_196;

impl CrossEntropy {
    pub(super) fn kinds(&self) -> Vec<Pattern> {
        if self.rows * self.classes > 50_000 {
            return vec![Pattern::Ordinary];
        }
        if self.dtype != DType::F32 {
            return vec![Pattern::Ordinary, Pattern::Offset, Pattern::NonFinite];
        }
        vec![Pattern::Ordinary, Pattern::Offset, Pattern::Constant, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    /// Logits by the pattern; in every third row, not finite: in small cases masked classes alone, so that the sum shows what they
    /// do. Targets are classes, some to be ignored and, where values are not finite, some that do not exist; or probabilities, some
    /// of them 0.
    pub(super) fn contents(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let (k, hard) = (self.classes, pattern == Pattern::NonFinite && self.rows > 8);
        match arg.name {
            "logits" if pattern == Pattern::NonFinite => {
                let mut z = rng.fill(arg, self.domain(arg), Pattern::Ordinary).to_f64();
                for r in (0..self.rows).step_by(3) {
                    let mut at = || r * k + rng.word() as usize % k;
                    z[at()] = f64::NEG_INFINITY;
                    z[at()] = [f64::NEG_INFINITY, f64::NAN, f64::INFINITY][if hard { r / 3 % 3 } else { 0 }];
                }
                if hard {
                    z[k..2 * k].fill(f64::NEG_INFINITY);
                }
                HostData::from_f64(arg.dtype, z)
            }
            // Logits far from zero, near to one another.
            "logits" if pattern == Pattern::Offset => {
                HostData::from_f64(arg.dtype, (0..arg.len).map(|_| 1e4 + 16.0 * rng.unit()))
            }
            "target" if self.target == Targets::Classes => {
                let mut class = |r: usize| match (self.ignore_index, rng.word() as usize % k) {
                    (Some(i), _) if r % 5 == 3 => i,
                    _ if hard && r % 7 == 5 => k as u32 + r as u32 % 2 * 1_000_000_000,
                    (_, c) => c as u32,
                };
                HostData::U32((0..arg.len).map(&mut class).collect())
            }
            "target" => {
                let mut all = Vec::new();
                for r in 0..self.rows {
                    let row: Vec<f64> = (0..k).map(|c| if (r + c) % 4 == 1 { 0.0 } else { rng.unit() }).collect();
                    let sum = row.iter().sum::<f64>().max(1e-3);
                    all.extend(row.iter().map(|t| t / sum));
                }
                HostData::from_f64(arg.dtype, all)
            }
            "class_weight" if pattern == Pattern::Zeros => rng.fill(arg, [0.0, 2.0], pattern),
            "logits" => rng.fill(arg, self.domain(arg), pattern),
            _ => rng.fill(arg, self.domain(arg), Pattern::Ordinary),
        }
    }

    #[cfg(feature = "verify")]
    /// Every value of every field, in as few pipelines as that takes; no row and one, one class, rows that are whole quads, halves of them and neither, in and out
    /// of workgroup memory, one and several rows to a workgroup.
    pub(super) fn cases() -> Vec<Box<dyn Verify>> {
        use LossReduction::{None, Sum};
        use Targets::Probabilities;
        let f32 = |rows, classes| CrossEntropy::new(DType::F32, rows, classes);
        let as_half = |dtype, op: CrossEntropy| CrossEntropy { dtype, ..op };
        let focal = |gamma, op: CrossEntropy| CrossEntropy { focal_gamma: gamma, ..op };
        let weighted = |op: CrossEntropy| CrossEntropy { class_weight: true, ..op };
        let ignoring = |i, op: CrossEntropy| CrossEntropy { ignore_index: Some(i), ..op };
        let smooth = |e, op: CrossEntropy| CrossEntropy { label_smoothing: e, ..op };
        let soft = |op: CrossEntropy| CrossEntropy { target: Probabilities, ..op };
        let each = |op: CrossEntropy| CrossEntropy { reduction: None, ..op };
        let total = |op: CrossEntropy| CrossEntropy { reduction: Sum, ..op };
        let value = |op: CrossEntropy| CrossEntropy { grad: false, ..op };
        let all_terms = |op: CrossEntropy| CrossEntropy { z_loss: 1e-2, confidence_penalty: 0.1, ..op };
        let out = vec![
            f32(0, 3),
            each(f32(0, 4)),
            ignoring(2, f32(0, 4)),
            f32(1, 1),
            each(f32(3, 2)),
            f32(7, 4),
            f32(130, 10),
            total(all_terms(f32(5, 7))),
            weighted(ignoring(NONE, smooth(0.1, f32(50, 10)))),
            weighted(ignoring(0, all_terms(f32(33, 64)))),
            ignoring(3, f32(900, 5)),
            weighted(f32(9, 157)),
            // Ignored, all of them.
            ignoring(0, f32(6, 1)),
            focal(2.0, weighted(f32(40, 9))),
            focal(0.5, ignoring(1, f32(17, 12))),
            CrossEntropy { z_loss: 1e-2, ..focal(1.0, each(f32(20, 3))) },
            soft(f32(9, 8)),
            weighted(soft(smooth(0.2, all_terms(f32(21, 6))))),
            weighted(soft(f32(6, 1001))),
            value(f32(300, 12)),
            weighted(smooth(1.0, f32(5, 10))),
            CrossEntropy { confidence_penalty: 0.5, ..smooth(0.3, f32(4, 1536)) },
            CrossEntropy { grad_scale: -3.0, ..f32(2, 12_000) },
            all_terms(f32(5, 3001)),
            CrossEntropy { grad_scale: 1024.0, ..as_half(DType::F16, f32(130, 10)) },
            as_half(DType::F16, weighted(smooth(0.1, f32(9, 7)))),
            as_half(DType::F16, all_terms(f32(3, 2050))),
            as_half(DType::F16, total(f32(6, 1001))),
            as_half(DType::F16, soft(f32(7, 5))),
            as_half(DType::F16, focal(2.0, f32(5, 64))),
            as_half(DType::Bf16, ignoring(1, f32(11, 3))),
            as_half(DType::Bf16, soft(smooth(0.1, f32(4, 256)))),
            // Many blocks.
            weighted(f32(16_000, 2)),
        ];
        out.into_iter().map(|op| Box::new(op) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    /// A batch of images, a batch of text with a vocabulary that is a multiple of 4 and with one that is not.
    pub(super) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        let all = [(DType::F32, 10), (DType::F32, 1000), (DType::Bf16, 1000), (DType::F32, 32_000), (DType::F16, 50_257)];
        let one = |(dtype, classes)| {
            let Rows { rows, cols } = bench_shapes::rows(elements, classes);
            Box::new(CrossEntropy::new(dtype, rows, cols)) as Box<dyn Verify>
        };
        all.map(one).into()
    }
}
