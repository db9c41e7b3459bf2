//! Ops that multiply by normal numbers, or add them.
use crate::{op, refused};
use ridgepole::{DType, Key, Share, Space, ops::*};

#[test]
fn gaussian_dropout_has_no_finite_variance_at_1() {
    for (p, shown) in [(1.0, "1"), (1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
        let forward = GaussianDropout::new(DType::F32, Space::flat(4), p, Key::default());
        let want = format!("`p` is {shown}, must be at least 0 and below 1: the variance of the factor is p/(1-p)");
        let after = GaussianDropout { training: false, ..forward.clone() };
        refused(&[
            (op(forward.backward()), &format!("gaussian_dropout_backward: {want}")),
            (op(forward), &format!("gaussian_dropout: {want}")),
            (op(after), &format!("gaussian_dropout: {want}")),
        ]);
    }
}

#[test]
fn a_standard_deviation_is_finite_and_not_negative() {
    for (deviation, shown) in
        [(-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf"), (1e39, "1000000000000000000000000000000000000000")]
    {
        let noise = GaussianNoise::new(DType::F32, Space::flat(4), deviation, Key::default());
        let want = format!("gaussian_noise: `deviation` is {shown}, must be at least 0, and finite as f32");
        refused(&[(op(noise), &want)]);
    }
}

#[test]
fn noise_has_the_ranges_of_masks() {
    let all = |dtype, space, share, first_element, want: &str| {
        let key = Key { first_element, ..Key::default() };
        let dropout = GaussianDropout { share, ..GaussianDropout::new(dtype, space, 0.5, key) };
        let noise = GaussianNoise { share, ..GaussianNoise::new(dtype, space, 0.5, key) };
        refused(&[
            (op(dropout.backward()), &format!("gaussian_dropout_backward: {want}")),
            (op(dropout), &format!("gaussian_dropout: {want}")),
            (op(noise), &format!("gaussian_noise: {want}")),
        ]);
    };
    let space = Space::channels_first(2, 3, 4);
    all(DType::U32, space, Share::Element, 0, "`dtype` is U32, must be f32, f16 or bf16");
    let want = "`key` has first_element 6, must be a multiple of 4, the elements that share a decision (Channel)";
    all(DType::F32, space, Share::Channel, 6, want);
    let long = Space::channels_first(1 << 20, 1 << 10, 1 << 10);
    let want = "`space` has 1048576 x 1024 x 1024 elements, must have at most 2^34 - 4: split it";
    all(DType::F32, long, Share::Element, 0, want);
}
