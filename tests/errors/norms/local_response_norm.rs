//! Local response normalisation: the window, its scalars, shapes, types.
use crate::{op, refused};
use ridgepole::{Caps, DType, Space, ops::*, wgpu};

#[test]
fn windows_and_scalars() {
    let (space, new) = (Space::channels_first(2, 3, 4), LocalResponseNorm::new);
    let of = |size| new(DType::F32, space, size);
    let size = |size: usize| format!("local_response_norm: `size` is {size}, must be in 1..=63: channels of a neighbourhood");
    refused(&[
        (op(of(0)), &size(0)),
        (op(of(64)), &size(64)),
        (op(LocalResponseNormBackward::new(DType::F32, space, 64)), &size(64).replace("norm:", "norm_backward:")),
        (op(LocalResponseNorm { k: -1.0, ..of(5) }), "local_response_norm: `k` is -1, must be finite in f32 and at least 0"),
        (
            op(LocalResponseNorm { alpha: f64::NAN, ..of(5) }),
            "local_response_norm: `alpha` is NaN, must be finite in f32 and at least 0",
        ),
        (
            op(LocalResponseNorm { beta: f64::INFINITY, ..of(5) }),
            "local_response_norm: `beta` is inf, must be finite in f32 and in 0..=100",
        ),
        (op(new(DType::U32, space, 5)), "local_response_norm: `dtype` is U32, must be f32, f16 or bf16"),
        (
            op(new(DType::F32, Space::channels_last(1 << 20, 1 << 20, 1), 5)),
            "local_response_norm: `space` has 1048576 x 1048576 x 1 elements, must have at most 2^34 - 4: split it",
        ),
        (
            op(new(DType::F32, Space::channels_last(1, 4, 1 << 29), 5)),
            "local_response_norm: not possible on this device: a sample of 4 x 536870912 elements must have fewer than 2^31: \
             split it by positions",
        ),
    ]);
}

#[test]
fn a_window_that_cannot_be_bound_at_once() {
    let limits = wgpu::Limits { max_storage_buffer_binding_size: 1 << 16, ..Default::default() };
    let caps = Caps::new(limits, wgpu::Features::empty(), false);
    let it = op(LocalResponseNorm::new(DType::F32, Space::channels_first(1, 16, 4096), 5));
    let Err(e) = it.lower(&caps) else { panic!("must be refused") };
    assert_eq!(
        e.to_string(),
        "local_response_norm: not possible on this device: max_storage_buffer_binding_size is 65536, too small for a block of \
         17408 elements"
    );
}
