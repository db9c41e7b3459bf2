//! Spectral normalisation: iterations, ε, shapes, types.
use crate::{op, refused};
use ridgepole::{DType, Op, ops::*};

#[test]
fn iterations_and_eps() {
    let it = SpectralNorm { iterations: 101, ..SpectralNorm::new(DType::F32, 3, 4) };
    refused(&[(op(it), "spectral_norm: `iterations` is 101, must be at most 100: run the op again to go on")]);
    for (eps, shown) in [(0.0, "0"), (-1e-3, "-0.001"), (2.0, "2"), (f64::NAN, "NaN")] {
        let want = format!("spectral_norm: `eps` is {shown}, must be from 1e-30 to 1; 1e-12 is usual");
        refused(&[(op(SpectralNorm { eps, ..SpectralNorm::new(DType::F32, 3, 4) }), &want)]);
    }
}

#[test]
fn shapes_and_types() {
    let both = |dtype, rows, cols| -> [Box<dyn Op>; 2] {
        [op(SpectralNorm::new(dtype, rows, cols)), op(SpectralNormBackward::new(dtype, rows, cols))]
    };
    for it in both(DType::U32, 3, 4) {
        let want = format!("{}: `dtype` is U32, must be f32, f16 or bf16", it.name());
        refused(&[(it, &want)]);
    }
    for it in both(DType::F16, 1 << 20, 1 << 20) {
        let want = format!("{}: `rows` x cols is 1048576 x 1048576 elements, must be at most 2^34 - 4: split it", it.name());
        refused(&[(it, &want)]);
    }
}
