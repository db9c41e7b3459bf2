//! Group and instance norm; and coefficients that a device cannot bind.
use crate::{op, plain_cpu, plain_gpu, refused, text};
use ridgepole::{DType, Layout, Op, Space, ops::*};

const SPACE: Space = Space { n: 2, c: 6, s: 4, layout: Layout::ChannelsLast };

fn grouped(dtype: DType, space: Space, groups: usize) -> [Box<dyn Op>; 2] {
    [op(GroupNorm::new(dtype, space, groups)), op(GroupNormBackward::new(dtype, space, groups))]
}

fn instances(dtype: DType, space: Space) -> [Box<dyn Op>; 2] {
    [op(InstanceNorm::new(dtype, space)), op(InstanceNormBackward::new(dtype, space))]
}

#[test]
fn groups_divide_the_channels() {
    for groups in [0, 4, 12] {
        for it in grouped(DType::F32, SPACE, groups) {
            let want = format!("{}: `groups` is {groups}, must be in 1..=6 and divide the 6 channels", it.name());
            refused(&[(it, &want)]);
        }
    }
    for it in grouped(DType::F32, Space { c: 0, ..SPACE }, 2) {
        let want = format!("{}: `groups` is 2, must be in 1..=1 and divide the 0 channels", it.name());
        refused(&[(it, &want)]);
    }
}

#[test]
fn shapes_types_and_eps() {
    for it in grouped(DType::U32, SPACE, 2).into_iter().chain(instances(DType::U32, SPACE)) {
        let want = format!("{}: `dtype` is U32, must be f32, f16 or bf16", it.name());
        refused(&[(it, &want)]);
    }
    // A size of 0 counts as 1: there are statistics of groups without values.
    for (n, c, s) in [(1 << 16, 2, 1 << 16), (1 << 17, 1 << 16, 0)] {
        let space = Space::channels_first(n, c, s);
        for it in grouped(DType::F16, space, 1).into_iter().chain(instances(DType::F16, space)) {
            let want = format!(
                "{}: `space` has {n} x {c} x {s} elements, must have less than 2^32 in groups: split it by samples",
                it.name()
            );
            refused(&[(it, &want)]);
        }
    }
    for it in instances(DType::F32, Space { s: 1, ..SPACE }) {
        let want = format!(
            "{}: `space` has 1 position (s = 1), must have at least 2 for the variance of a channel of a sample, or none",
            it.name()
        );
        refused(&[(it, &want)]);
    }
    for (eps, shown) in [(-1.0, "-1"), (f64::NAN, "NaN")] {
        let all: [Box<dyn Op>; 2] = [
            op(GroupNorm { eps, ..GroupNorm::new(DType::F32, SPACE, 2) }),
            op(InstanceNorm { eps, ..InstanceNorm::new(DType::F32, SPACE) }),
        ];
        for it in all {
            let want = format!("{}: `eps` is {shown}, must be at least 0 and finite in f32; 1e-5 is usual", it.name());
            refused(&[(it, &want)]);
        }
    }
}

#[test]
fn partial_results_and_coefficients_of_rows_fit_a_binding() {
    let (rows, space) = (5_000_000, Space::channels_first(5_000_000, 1, 2));
    let all: [Box<dyn Op>; 7] = [
        op(LayerNorm::new(DType::F32, rows, 1)),
        op(LayerNormBackward::new(DType::F32, rows, 1)),
        op(RmsNorm::new(DType::F32, rows, 1)),
        op(RmsNormBackward::new(DType::F32, rows, 1)),
        op(GroupNorm::new(DType::F32, space, 1)),
        op(GroupNormBackward::new(DType::F32, space, 1)),
        op(InstanceNorm::new(DType::F32, space)),
    ];
    for it in all {
        let want = format!(
            "{}: not possible on this device: needs to bind 160000000 bytes of partial results and coefficients (5000000 x 16) at \
             once, max_storage_buffer_binding_size is 134217728",
            it.name()
        );
        refused(&[(it, &want)]);
    }
}

#[test]
fn positions_without_divisors_make_too_many_partial_results() {
    // 65537 is prime, and a chunk of that many rows is too long.
    let space = Space::channels_last(2, 300, 65_537);
    let mut large = plain_gpu();
    large.limits.max_storage_buffer_binding_size = 1 << 31;
    for it in grouped(DType::F16, space, 1) {
        let want = format!(
            "{}: not possible on this device: would merge 19661100 partial results of a group, at most 76800: split its positions or \
             channels",
            it.name()
        );
        assert_eq!(it.lower(&large).expect_err("must be refused").to_string(), want);
    }
    // On a CPU, whose workgroups are narrow, a lane would go through all of them.
    let cpu = plain_cpu();
    for it in grouped(DType::F16, Space { c: 32, ..space }, 4) {
        let want = format!(
            "{}: not possible on this device: would make 65544 trips of a loop, at most 8192: the 65537 positions have no divisor to \
             cut by",
            it.name()
        );
        assert_eq!(it.lower(&cpu).expect_err("must be refused").to_string(), want);
    }
    let forward = GroupNorm::new(DType::F16, space, 1);
    assert_eq!(
        text(&forward),
        "group_norm: not possible on this device: needs to bind 300 x 131074 partial results of 16 bytes at once, \
         max_storage_buffer_binding_size is 134217728"
    );
}
