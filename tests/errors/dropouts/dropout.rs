//! Keys, probabilities and spaces of the random ops.
use crate::{op, plain_gpu, refused};
use ridgepole::{Bits, DType, Key, MaskMode, Op, Scaling, Share, Space, ops::*};

/// The same mistake in the forward and in the backward op.
fn both(change: impl Fn(&mut Dropout), want: &str) {
    let space = Space::channels_first(2, 3, 4);
    let (share, scaling, bits, mask) = (Share::Element, Scaling::Inverted, Bits::Sixteen, MaskMode::Recompute);
    let mut forward =
        Dropout { dtype: DType::F32, space, p: 0.5, key: Key::default(), share, scaling, bits, mask, training: true };
    change(&mut forward);
    let backward = forward.backward();
    refused(&[(op(forward), &format!("dropout: {want}")), (op(backward), &format!("dropout_backward: {want}"))]);
}

#[test]
fn p_is_a_probability() {
    for (p, shown) in [
        (1.1, "1.1"),
        (1.5, "1.5"),
        (-0.1, "-0.1"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (1.0 + f64::EPSILON, "1.0000000000000002"),
    ] {
        both(|o| o.p = p, &format!("`p` is {shown}, must be in 0..=1: the probability of dropping an element"));
        // Also where nothing is dropped: an inference pass with a wrong p is a training pass with a wrong p later.
    }
}

#[test]
fn shapes_and_types_of_dropout() {
    both(|o| o.dtype = DType::U32, "`dtype` is U32, must be f32, f16 or bf16");
    both(
        |o| o.space = Space::channels_first(1 << 20, 1 << 10, 1 << 10),
        "`space` has 1048576 x 1024 x 1024 elements, must have at most 2^34 - 4: split it",
    );
    both(
        |o| o.space = Space::channels_first(1 << 20, 1 << 20, 1 << 20),
        "`space` has 1048576 x 1048576 x 1048576 elements, must have at most 2^34 - 4: split it",
    );
    both(
        |o| o.space = Space::channels_first(usize::MAX, 2, 2),
        "`space` has 18446744073709551615 x 2 x 2 elements, must have at most 2^34 - 4: split it",
    );
    both(
        |o| o.space = Space::channels_last(1, 1 << 16, 1 << 15),
        "`space` has 2147483648 elements in a period of the mask, must have at most 2^30 (Element, ChannelsLast)",
    );
}

#[test]
fn a_key_starts_at_a_whole_decision() {
    let at = |first_element| Key { first_element, ..Key::default() };
    both(
        |o| (o.share, o.key) = (Share::Channel, at(6)),
        "`key` has first_element 6, must be a multiple of 4, the elements that share a decision (Channel)",
    );
    both(
        |o| (o.share, o.key) = (Share::Sample, at(16)),
        "`key` has first_element 16, must be a multiple of 12, the elements that share a decision (Sample)",
    );
    for share in [Share::Position, Share::BatchElement, Share::BatchChannel, Share::BatchPosition, Share::Batch] {
        let want = format!("`key` has first_element 16, must be a multiple of 12, the elements of a sample ({share:?})");
        both(|o| (o.share, o.key) = (share, at(16)), &want);
    }
    both(|o| o.key = at(u64::MAX - 22), "`key` has first_element 18446744073709551593: with 24 elements it passes 2^64");
    both(|o| o.key = at(u64::MAX), "`key` has first_element 18446744073709551615: with 24 elements it passes 2^64");
    // The mistakes above are one step away from what is right.
    let space = Space::channels_first(2, 3, 4);
    let right = Dropout { share: Share::Channel, ..Dropout::new(DType::F32, space, 0.5, at(4)) };
    assert!(right.lower(&plain_gpu()).is_ok());
}

#[test]
fn philox_counts_blocks_in_64_bits() {
    let philox = |len, first_block| op(Philox { len, seed: 0, stream: 0, step: 0, first_block }) as Box<dyn Op>;
    refused(&[
        (philox(9, u64::MAX - 1), "philox: `first_block` is 18446744073709551614: with 9 words it passes 2^64"),
        (philox((1 << 34) - 3, 0), "philox: `len` is 17179869181, must be at most 17179869180: split it by first_block"),
    ]);
}
