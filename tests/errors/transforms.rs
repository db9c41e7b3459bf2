//! Fields of the gradient transforms.
use super::{op, refused};
use ridgepole::{DType, Op, Segment, ops::*};

fn value(min: Option<f64>, max: Option<f64>) -> Box<dyn Op> {
    op(ClipByValue { min, max, ..ClipByValue::new(DType::F32, 4, 1.0) })
}

fn arenas(dtype: DType, segments: &[Segment]) -> Vec<(&'static str, Box<dyn Op>)> {
    let segments = || segments.to_vec();
    vec![
        ("clip_by_value", op(ClipByValue { segments: segments(), ..ClipByValue::new(dtype, 0, 1.0) })),
        ("clip_by_global_norm", op(ClipByGlobalNorm { segments: segments(), ..ClipByGlobalNorm::new(dtype, 0, 1.0) })),
        ("global_norm", op(GlobalNorm { segments: segments(), ..GlobalNorm::new(dtype, 0, 1.0) })),
    ]
}

#[test]
fn arenas_of_gradients() {
    let misplaced = [Segment { start: 0, len: 4, group: 0 }, Segment { start: 6, len: 4, group: 0 }];
    for (name, op) in arenas(DType::F32, &misplaced) {
        refused(&[(op, &format!("{name}: `segments` [1] starts at element 6, not at a multiple of 4"))]);
    }
    for (name, op) in arenas(DType::U32, &misplaced[..1]) {
        refused(&[(op, &format!("{name}: `dtype` is U32, must be f32, f16 or bf16"))]);
    }
}

#[test]
fn bounds_of_clip_by_value() {
    refused(&[
        (value(Some(f64::NAN), None), "clip_by_value: `min` is NaN, must be finite in f32"),
        (value(None, Some(f64::INFINITY)), "clip_by_value: `max` is inf, must be finite in f32"),
        (value(Some(0.5), Some(0.25)), "clip_by_value: `min` is 0.5, must be at most max, which is 0.25"),
    ]);
}

#[test]
fn limits_of_norms() {
    let global = |max_norm| op(GlobalNorm::new(DType::F32, 4, max_norm));
    let clip = |max_norm| op(ClipByGlobalNorm::new(DType::F32, 4, max_norm));
    refused(&[
        (global(-1.0), "global_norm: `max_norm` is -1, must be finite in f32 and at least 0"),
        (global(f64::NAN), "global_norm: `max_norm` is NaN, must be finite in f32 and at least 0"),
        (clip(-0.5), "clip_by_global_norm: `max_norm` is -0.5, must be finite in f32 and at least 0"),
        (clip(f64::INFINITY), "clip_by_global_norm: `max_norm` is inf, must be finite in f32 and at least 0"),
    ]);
}
