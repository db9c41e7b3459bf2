//! Fields of the ops that bring tensors into balls and boxes, and of the noise on gradients.
use super::{op, refused};
use ridgepole::{DType, Key, NoiseLevel, Op, Segment, ops::*};

fn noise(level: NoiseLevel, first_element: u64) -> Box<dyn Op> {
    op(GradientNoise { level, ..GradientNoise::new(DType::F32, 40, 0.3, Key { first_element, ..Key::default() }) })
}

#[test]
fn arenas_of_weights_and_gradients() {
    let misplaced = || vec![Segment { start: 0, len: 4, group: 0 }, Segment { start: 6, len: 4, group: 0 }];
    let why = |op: &str| format!("{op}: `segments` [1] starts at element 6, not at a multiple of 4");
    refused(&[
        (op(ClipByNorm { segments: misplaced(), ..ClipByNorm::new(DType::F32, 0, 1.0) }), &why("clip_by_norm")),
        (op(L2Ball { segments: misplaced(), ..L2Ball::new(DType::F32, 0, 1.0) }), &why("l2_ball")),
        (op(BoxConstraint { segments: misplaced(), ..BoxConstraint::new(DType::F32, 0, 1.0) }), &why("box_constraint")),
        (op(NonNegative { segments: misplaced(), ..NonNegative::new(DType::F32, 0) }), &why("non_negative")),
        (
            op(GradientNoise { segments: misplaced(), ..GradientNoise::new(DType::F32, 0, 0.3, Key::default()) }),
            &why("gradient_noise"),
        ),
    ]);
    let words = |op: &str| format!("{op}: `dtype` is U32, must be f32, f16 or bf16");
    refused(&[
        (op(ClipByNorm::new(DType::U32, 4, 1.0)), &words("clip_by_norm")),
        (op(L2Ball::new(DType::U32, 4, 1.0)), &words("l2_ball")),
        (op(BoxConstraint::new(DType::U32, 4, 1.0)), &words("box_constraint")),
        (op(NonNegative::new(DType::U32, 4)), &words("non_negative")),
        (op(GradientNoise::new(DType::U32, 4, 0.3, Key::default())), &words("gradient_noise")),
    ]);
}

#[test]
fn radii_and_bounds() {
    let boxed = |min, max| op(BoxConstraint { min, max, ..BoxConstraint::new(DType::F32, 4, 1.0) });
    refused(&[
        (op(ClipByNorm::new(DType::F32, 4, -1.0)), "clip_by_norm: `max_norm` is -1, must be finite in f32 and at least 0"),
        (op(L2Ball::new(DType::F32, 4, -0.5)), "l2_ball: `radius` is -0.5, must be finite in f32 and at least 0"),
        (op(L2Ball::new(DType::F32, 4, f64::NAN)), "l2_ball: `radius` is NaN, must be finite in f32 and at least 0"),
        (boxed(Some(f64::NAN), None), "box_constraint: `min` is NaN, must be finite in f32"),
        (boxed(None, Some(f64::INFINITY)), "box_constraint: `max` is inf, must be finite in f32"),
        (boxed(Some(0.5), Some(0.25)), "box_constraint: `min` is 0.5, must be at most max, which is 0.25"),
    ]);
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
