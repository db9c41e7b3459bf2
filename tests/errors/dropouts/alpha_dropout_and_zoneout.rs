//! Alpha dropout and zoneout refuse what dropout refuses.
use crate::{op, refused};
use ridgepole::{DType, Key, Share, Space, ops::*};

/// The same mistake in all four ops.
fn all(dtype: DType, space: Space, p: f64, first_element: u64, share: Share, want: &str) {
    let key = Key { first_element, ..Key::default() };
    let alpha = AlphaDropout { share, ..AlphaDropout::new(dtype, space, p, key) };
    let zone = Zoneout { share, ..Zoneout::new(dtype, space, p, key) };
    refused(&[
        (op(alpha.backward()), &format!("alpha_dropout_backward: {want}")),
        (op(alpha), &format!("alpha_dropout: {want}")),
        (op(zone.backward()), &format!("zoneout_backward: {want}")),
        (op(zone), &format!("zoneout: {want}")),
    ]);
}

#[test]
fn masks_over_other_maps_have_the_same_ranges() {
    let (space, element) = (Space::channels_first(2, 3, 4), Share::Element);
    all(DType::U32, space, 0.5, 0, element, "`dtype` is U32, must be f32, f16 or bf16");
    for (p, shown) in [(1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
        let want = format!("`p` is {shown}, must be in 0..=1: the probability of dropping an element");
        all(DType::F32, space, p, 0, element, &want);
    }
    let long = Space::channels_first(1 << 20, 1 << 10, 1 << 10);
    let want = "`space` has 1048576 x 1024 x 1024 elements, must have at most 2^34 - 4: split it";
    all(DType::F32, long, 0.5, 0, element, want);
    let want = "`key` has first_element 6, must be a multiple of 4, the elements that share a decision (Channel)";
    all(DType::F32, space, 0.5, 6, Share::Channel, want);
    let want = "`key` has first_element 18446744073709551615: with 24 elements it passes 2^64";
    all(DType::F32, space, 0.5, u64::MAX, element, want);
}
