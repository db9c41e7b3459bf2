//! Gradient transforms: bounds, limits of norms, noise, loss scales. What they all refuse of arenas and matrices is in `arenas` and
//! `matrices`.
use crate::{op, refused};
use ridgepole::{DType, Key, Matrix, NoiseLevel, Op, Segment, ops::*};

fn value(min: Option<f64>, max: Option<f64>) -> Box<dyn Op> {
    op(ClipByValue { min, max, ..ClipByValue::new(DType::F32, 4, 1.0) })
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
    let adaptive = |clipping, eps| op(AdaptiveClip { dtype: DType::F32, matrices: Matrix::one(2, 2), clipping, eps });
    refused(&[
        (global(-1.0), "global_norm: `max_norm` is -1, must be finite in f32 and at least 0"),
        (global(f64::NAN), "global_norm: `max_norm` is NaN, must be finite in f32 and at least 0"),
        (clip(-0.5), "clip_by_global_norm: `max_norm` is -0.5, must be finite in f32 and at least 0"),
        (clip(f64::INFINITY), "clip_by_global_norm: `max_norm` is inf, must be finite in f32 and at least 0"),
        (op(ClipByNorm::new(DType::F32, 4, -1.0)), "clip_by_norm: `max_norm` is -1, must be finite in f32 and at least 0"),
        (adaptive(-0.5, 0.0), &format!("adaptive_clip: `clipping` is -0.5, must be finite in f32 and in 0..={}", 1e30)),
        (adaptive(0.5, f64::NAN), &format!("adaptive_clip: `eps` is NaN, must be finite in f32 and in 0..={}", 1e30)),
    ]);
}

fn noise(level: NoiseLevel, first_element: u64) -> Box<dyn Op> {
    op(GradientNoise { level, ..GradientNoise::new(DType::F32, 40, 0.3, Key { first_element, ..Key::default() }) })
}

#[test]
fn noise_of_gradients() {
    let usual = NoiseLevel::annealed(0.3);
    refused(&[
        (noise(NoiseLevel::annealed(-1.0), 0), "gradient_noise: `eta` is -1, must be finite in f32 and at least 0"),
        (
            noise(NoiseLevel::Annealed { eta: 1.0, gamma: f64::NAN }, 0),
            "gradient_noise: `gamma` is NaN, must be finite in f32 and at least 0",
        ),
        (noise(NoiseLevel::Constant { std: -0.1 }, 0), "gradient_noise: `std` is -0.1, must be finite in f32 and at least 0"),
        (noise(usual, 6), "gradient_noise: `key` has first_element 6, must be a multiple of 4, as the start of a tensor is"),
        (
            noise(usual, u64::MAX - 3),
            &format!("gradient_noise: `key` has first_element {}: with 40 elements it passes 2^64", u64::MAX - 3),
        ),
    ]);
}

fn unscale(scale: f64) -> Box<dyn Op> {
    op(Unscale { scale: Some(scale), ..Unscale::new(DType::F32, 4) })
}

#[test]
fn loss_scales_have_an_inverse() {
    refused(&[
        (unscale(0.0), "unscale: `scale` is 0, must be past 0, with an inverse that is finite in f32"),
        (unscale(-2.0), "unscale: `scale` is -2, must be past 0, with an inverse that is finite in f32"),
        (
            unscale(2f64.powi(-128)),
            &format!("unscale: `scale` is {}, must be past 0, with an inverse that is finite in f32", 2f64.powi(-128)),
        ),
        (unscale(f64::NAN), "unscale: `scale` is NaN, must be finite in f32"),
        (unscale(1e39), &format!("unscale: `scale` is {}, must be finite in f32", 1e39)),
        (op(Unscale::new(DType::U32, 4)), "unscale: `dtype` is U32, must be f32, f16 or bf16"),
        (
            op(Unscale { segments: vec![Segment { start: 2, len: 4, group: 0 }], ..Unscale::new(DType::F32, 4) }),
            "unscale: `segments` [0] starts at element 2, not at a multiple of 4",
        ),
    ]);
}

#[test]
fn rules_of_loss_scales() {
    let usual = UpdateLossScale::default;
    refused(&[
        (
            op(UpdateLossScale { growth_factor: 0.5, ..usual() }),
            "update_loss_scale: `growth_factor` is 0.5, must be finite in f32 and at least 1",
        ),
        (
            op(UpdateLossScale { backoff_factor: 1.5, ..usual() }),
            "update_loss_scale: `backoff_factor` is 1.5, must be finite in f32 and in 0..=1",
        ),
        (op(UpdateLossScale { growth_interval: 0, ..usual() }), "update_loss_scale: `growth_interval` is 0, must be at least 1"),
        (
            op(UpdateLossScale { min: Some(-1.0), ..usual() }),
            "update_loss_scale: `min` is -1, must be finite in f32 and at least 0",
        ),
        (
            op(UpdateLossScale { max: Some(f64::INFINITY), ..usual() }),
            "update_loss_scale: `max` is inf, must be finite in f32 and at least 0",
        ),
        (
            op(UpdateLossScale { min: Some(4.0), max: Some(2.0), ..usual() }),
            "update_loss_scale: `min` is 4, must be at most max, which is 2",
        ),
    ]);
}
