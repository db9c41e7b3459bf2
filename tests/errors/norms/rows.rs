//! Layer and RMS norm: ε, shapes, types.
use crate::{op, refused};
use ridgepole::{DType, Op, ops::*};

fn family(dtype: DType, rows: usize, cols: usize) -> Vec<Box<dyn Op>> {
    vec![
        op(LayerNorm::new(dtype, rows, cols)),
        op(LayerNormBackward::new(dtype, rows, cols)),
        op(RmsNorm::new(dtype, rows, cols)),
        op(RmsNormBackward::new(dtype, rows, cols)),
    ]
}

#[test]
fn eps_is_finite_and_not_negative() {
    for (eps, shown) in [(-1e-5, "-0.00001"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let want = format!("layer_norm: `eps` is {shown}, must be at least 0 and finite in f32; 1e-5 is usual");
        refused(&[(op(LayerNorm { eps, ..LayerNorm::new(DType::F32, 3, 4) }), &want)]);
        let want = want.replace("layer_norm", "rms_norm");
        refused(&[(op(RmsNorm { eps, ..RmsNorm::new(DType::F32, 3, 4) }), &want)]);
    }
}

#[test]
fn shapes_and_types() {
    for it in family(DType::U32, 3, 4) {
        let want = format!("{}: `dtype` is U32, must be f32, f16 or bf16", it.name());
        refused(&[(it, &want)]);
    }
    for (rows, cols) in [(1 << 20, 1 << 20), (usize::MAX, 2), (2, usize::MAX), (usize::MAX, 0)] {
        for it in family(DType::F16, rows, cols) {
            let want = format!("{}: `rows` x cols is {rows} x {cols} elements, must be at most 2^34 - 4: split it", it.name());
            refused(&[(it, &want)]);
        }
    }
}
