//! Batch norm: ε, shapes, running statistics, one value per channel.
use crate::{op, plain_gpu, refused};
use ridgepole::{Caps, DType, Gpu, OneValue, Op, Running, RunningUpdate, Space, ops::*};

const SPACE: Space = Space { n: 2, c: 3, s: 4, layout: ridgepole::Layout::ChannelsFirst };

fn train(change: impl FnOnce(&mut BatchNorm)) -> Box<dyn Op> {
    let mut it = BatchNorm::new(DType::F32, SPACE);
    change(&mut it);
    op(it)
}

/// All four ops on this space and type, with this ε where there is one.
fn family(dtype: DType, space: Space, eps: f64) -> Vec<Box<dyn Op>> {
    vec![
        op(BatchNorm { eps, ..BatchNorm::new(dtype, space) }),
        op(BatchNormInference { eps, ..BatchNormInference::new(dtype, space) }),
        op(BatchNormFrozenBackward { eps, ..BatchNormFrozenBackward::new(dtype, space) }),
        op(BatchNormBackward::new(dtype, space)),
    ]
}

#[test]
fn eps_is_finite_and_not_negative() {
    for (eps, shown) in
        [(-1e-5, "-0.00001"), (f64::NAN, "NaN"), (f64::INFINITY, "inf"), (1e39, "1000000000000000000000000000000000000000")]
    {
        for it in family(DType::F32, SPACE, eps).into_iter().take(3) {
            let want = format!("{}: `eps` is {shown}, must be at least 0 and finite in f32; 1e-5 is usual", it.name());
            refused(&[(it, &want)]);
        }
    }
}

#[test]
fn shapes_and_types() {
    for it in family(DType::U32, SPACE, 1e-5) {
        let want = format!("{}: `dtype` is U32, must be f32, f16 or bf16", it.name());
        refused(&[(it, &want)]);
    }
    for (dtype, space, shown) in [
        (DType::F16, Space::channels_last(1 << 20, 1 << 10, 1 << 10), "1048576 x 1024 x 1024"),
        (DType::F32, Space { n: 1 << 33, ..SPACE }, "8589934592 x 3 x 4"),
    ] {
        for it in family(dtype, space, 1e-5) {
            let want = format!("{}: `space` has {shown} elements, must have at most 2^34 - 4: split it", it.name());
            refused(&[(it, &want)]);
        }
    }
}

#[test]
fn the_share_of_a_batch_is_a_share() {
    let momentum = |a| train(|o| o.running = Some(Running { update: RunningUpdate::Momentum(a), ..Running::default() }));
    refused(&[
        (momentum(1.1), "batch_norm: `running` has momentum 1.1, must be in 0..=1: the share of the new batch"),
        (momentum(1.5), "batch_norm: `running` has momentum 1.5, must be in 0..=1: the share of the new batch"),
        (momentum(-0.1), "batch_norm: `running` has momentum -0.1, must be in 0..=1: the share of the new batch"),
        (momentum(f64::NAN), "batch_norm: `running` has momentum NaN, must be in 0..=1: the share of the new batch"),
    ]);
}

#[test]
fn one_value_per_channel_has_no_variance() {
    let want = "batch_norm: `space` has 1 value per channel (n·s = 1), must have at least 2 for a variance: take a larger batch, \
                or set one_value to skip_running or guard";
    let one = Space::channels_first(1, 3, 1);
    // As in PyTorch, whether or not running statistics are kept.
    for running in [None, Some(Running::default())] {
        refused(&[(train(|o| (o.space, o.running) = (one, running)), want)]);
        for one_value in [OneValue::SkipRunning, OneValue::Guard] {
            let allowed = train(|o| (o.space, o.running, o.one_value) = (one, running, one_value));
            assert!(allowed.lower(&plain_gpu()).is_ok(), "{one_value:?}");
        }
    }
    for channels in [1, 3] {
        refused(&[(train(|o| o.space = Space::channels_last(1, channels, 1)), want)]);
    }
    // Inference and the backward pass need no variance of one value.
    let (inference, backward) = (BatchNormInference::new(DType::F32, one), BatchNormBackward::new(DType::F32, one));
    assert!(inference.lower(&plain_gpu()).is_ok() && backward.lower(&plain_gpu()).is_ok());
}

/// Kernels count along an axis in 32 bits: more would be cut off, not computed.
#[test]
fn an_axis_of_a_statistic_is_below_2_to_the_32() {
    let why = "values along one axis, must be below 2^32: split the tensor";
    for (space, axis) in [(Space::flat(1 << 32), 1u64 << 32), (Space::channels_last(1 << 32, 1, 3), 3 << 32)] {
        let want = |op: &str| format!("{op}: not possible on this device: {axis} {why}");
        refused(&[
            (op(BatchNorm::new(DType::F32, space)), &want("batch_norm")),
            (op(BatchNormBackward::new(DType::F32, space)), &want("batch_norm_backward")),
        ]);
    }
    let want = format!("rms_norm: not possible on this device: 4294967296 {why}");
    refused(&[(op(RmsNorm::new(DType::F32, 1, 1 << 32)), &want)]);
    // One below is planned.
    assert!(BatchNorm::new(DType::F32, Space::flat((1 << 32) - 4)).lower(&plain_gpu()).is_ok());
}

/// Planned for this machine's device, whatever its workgroups are: coefficients lie in one binding.
#[test]
fn more_channels_than_a_device_can_bind_are_an_error() {
    let rig = crate::common::rig();
    let mut caps = Caps::of(&rig.device);
    caps.limits.max_storage_buffer_binding_size = 128 << 20;
    let (gpu, space) = (Gpu::with_caps(&rig.device, caps), Space::channels_first(2, 9 << 20, 1));
    for it in [op(BatchNorm::new(DType::F32, space)), op(BatchNormInference::new(DType::F32, space))] {
        let error = gpu.plan(it.as_ref()).err().expect("is refused").to_string();
        assert!(error.contains("max_storage_buffer_binding_size is 134217728"), "{error}");
    }
}
