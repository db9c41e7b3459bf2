//! Batch norm's relatives: fused activations.
use crate::{op, refused};
use ridgepole::{Activation, DType, Op, Running, RunningUpdate, Space, ops::*};

const SPACE: Space = Space { n: 2, c: 3, s: 4, layout: ridgepole::Layout::ChannelsFirst };

#[test]
fn the_slope_of_an_activation_is_finite_and_not_negative() {
    for (slope, shown) in
        [(-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf"), (1e39, "1000000000000000000000000000000000000000")]
    {
        let activation = Activation::LeakyRelu { slope };
        let all: [Box<dyn Op>; 4] = [
            op(BatchNorm { activation, ..BatchNorm::new(DType::F32, SPACE) }),
            op(BatchNormInference { activation, ..BatchNormInference::new(DType::F32, SPACE) }),
            op(BatchNormBackward::from(BatchNorm { activation, ..BatchNorm::new(DType::F32, SPACE) })),
            op(BatchNormFrozenBackward { activation, ..BatchNormFrozenBackward::new(DType::F32, SPACE) }),
        ];
        for it in all {
            let want = format!(
                "{}: `activation` has slope {shown}, must be at least 0 and finite in f32: that of what is not positive, 0.01 is usual",
                it.name()
            );
            refused(&[(it, &want)]);
        }
    }
}

#[test]
fn ranks_and_their_channels() {
    let merge = |ranks, channels| op(BatchNormMerge::new(ranks, channels));
    refused(&[
        (merge(0, 3), "batch_norm_merge: `ranks` is 0, must be in 1..=8192: merge in two levels, or give what there is"),
        (merge(8193, 3), "batch_norm_merge: `ranks` is 8193, must be in 1..=8192: merge in two levels, or give what there is"),
        (merge(4, 0), "batch_norm_merge: `channels` is 0, must be in 1..=1073741823: ranks times channels is less than 2^32"),
        (
            merge(4, 1 << 30),
            "batch_norm_merge: `channels` is 1073741824, must be in 1..=1073741823: ranks times channels is less than 2^32",
        ),
    ]);
    let eps = -1.0;
    refused(&[(
        op(BatchNormMerge { eps, ..BatchNormMerge::new(2, 3) }),
        "batch_norm_merge: `eps` is -1, must be at least 0 and finite in f32; 1e-5 is usual",
    )]);
    let running = Some(Running { update: RunningUpdate::Momentum(2.0), ..Running::default() });
    refused(&[(
        op(BatchNormMerge { running, ..BatchNormMerge::new(2, 3) }),
        "batch_norm_merge: `running` has momentum 2, must be in 0..=1: the share of the new batch",
    )]);
}

#[test]
fn parts_of_a_batch_have_shapes_and_types_as_a_whole_has() {
    let huge = Space::channels_last(1 << 20, 1 << 10, 1 << 10);
    let all = |dtype, space| -> [Box<dyn Op>; 4] {
        [
            op(BatchNormStatistics::new(dtype, space)),
            op(BatchNormApply::new(dtype, space)),
            op(BatchNormBackwardSums::new(dtype, space)),
            op(BatchNormBackwardApply::new(dtype, space)),
        ]
    };
    for it in all(DType::U32, SPACE) {
        let want = format!("{}: `dtype` is U32, must be f32, f16 or bf16", it.name());
        refused(&[(it, &want)]);
    }
    for it in all(DType::F16, huge) {
        let want = format!("{}: `space` has 1048576 x 1024 x 1024 elements, must have at most 2^34 - 4: split it", it.name());
        refused(&[(it, &want)]);
    }
}

#[test]
fn a_mask_addresses_at_most_2_to_the_32_elements() {
    let space = Space::channels_first(1 << 16, 2, 1 << 16);
    let all: [Box<dyn Op>; 2] =
        [op(BatchNormMasked::new(DType::F16, space)), op(BatchNormMaskedBackward::new(DType::F16, space))];
    for it in all {
        let want = format!(
            "{}: `space` has 65536 x 2 x 65536 elements, must have at most 2^32 under a mask: split it by channels",
            it.name()
        );
        refused(&[(it, &want)]);
    }
    refused(&[
        (op(BatchNormMasked::new(DType::U32, SPACE)), "batch_norm_masked: `dtype` is U32, must be f32, f16 or bf16"),
        (
            op(BatchNormMasked { eps: -1.0, ..BatchNormMasked::new(DType::F32, SPACE) }),
            "batch_norm_masked: `eps` is -1, must be at least 0 and finite in f32; 1e-5 is usual",
        ),
        (
            op(BatchNormMaskedBackward::new(DType::U32, SPACE)),
            "batch_norm_masked_backward: `dtype` is U32, must be f32, f16 or bf16",
        ),
    ]);
}

#[test]
fn what_batch_renorm_clips_to_is_a_range() {
    let renorm = |change: fn(&mut BatchRenorm)| {
        let mut it = BatchRenorm::new(DType::F32, SPACE);
        change(&mut it);
        op(it)
    };
    let running = |a| Running { update: RunningUpdate::Momentum(a), ..Running::default() };
    refused(&[
        (
            renorm(|o| o.r_max = 0.5),
            "batch_renorm: `r_max` is 0.5, must be at least 1 and finite in f32: r lies between 1/r_max and r_max",
        ),
        (
            renorm(|o| o.r_max = f64::NAN),
            "batch_renorm: `r_max` is NaN, must be at least 1 and finite in f32: r lies between 1/r_max and r_max",
        ),
        (
            renorm(|o| o.d_max = -1.0),
            "batch_renorm: `d_max` is -1, must be at least 0 and finite in f32: d lies between -d_max and d_max",
        ),
        (
            renorm(|o| o.d_max = f64::INFINITY),
            "batch_renorm: `d_max` is inf, must be at least 0 and finite in f32: d lies between -d_max and d_max",
        ),
        (renorm(|o| o.eps = -1.0), "batch_renorm: `eps` is -1, must be at least 0 and finite in f32; 1e-5 is usual"),
        (
            op(BatchRenorm { running: running(2.0), ..BatchRenorm::new(DType::F32, SPACE) }),
            "batch_renorm: `running` has momentum 2, must be in 0..=1: the share of the new batch",
        ),
        (op(BatchRenorm::new(DType::U32, SPACE)), "batch_renorm: `dtype` is U32, must be f32, f16 or bf16"),
        (op(BatchRenormBackward::new(DType::U32, SPACE)), "batch_renorm_backward: `dtype` is U32, must be f32, f16 or bf16"),
    ]);
}

#[test]
fn virtual_batches_divide_the_batch() {
    let both = |dtype, space, size| -> [Box<dyn Op>; 2] {
        [op(BatchNormGhost::new(dtype, space, size)), op(BatchNormGhostBackward::new(dtype, space, size))]
    };
    let six = Space { n: 6, ..SPACE };
    for size in [0, 4, 12] {
        for it in both(DType::F32, six, size) {
            let want = format!("{}: `virtual_batch` is {size}, must be at least 1 and divide the batch of 6 samples", it.name());
            refused(&[(it, &want)]);
        }
    }
    for it in both(DType::U32, six, 2) {
        let want = format!("{}: `dtype` is U32, must be f32, f16 or bf16", it.name());
        refused(&[(it, &want)]);
    }
    for it in both(DType::F16, Space::channels_first(1 << 16, 1, 1 << 16), 2) {
        let want = format!(
            "{}: `space` has 65536 x 1 x 65536 elements, must have less than 2^32 in virtual batches: split it by channels",
            it.name()
        );
        refused(&[(it, &want)]);
    }
    refused(&[(
        op(BatchNormGhost { eps: -1.0, ..BatchNormGhost::new(DType::F32, six, 2) }),
        "batch_norm_ghost: `eps` is -1, must be at least 0 and finite in f32; 1e-5 is usual",
    )]);
    let many = Space::channels_first(9000, 1, 1);
    for it in both(DType::F32, many, 1) {
        let want = format!(
            "{}: not possible on this device: would merge 9000 partial results of a channel, 1 in a virtual batch; at most 8192, 64 \
             in each",
            it.name()
        );
        refused(&[(it, &want)]);
    }
}
