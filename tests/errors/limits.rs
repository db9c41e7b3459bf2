//! What a device may be too small for. The texts name the limit, its value, and what was needed.
use crate::{op, plain_gpu};
use ridgepole::{Caps, DType, ElasticNet, Error, Op, Segment, ops::*};

/// Whether planning on a device with such capabilities is refused as [`Error::Unsupported`], and in which words.
fn unsupported(op: &dyn Op, change: impl Fn(&mut Caps)) -> String {
    let rig = crate::common::rig();
    // Workgroups of a known size, so that the texts are the same everywhere.
    let mut caps = plain_gpu();
    (caps.lanes, caps.quads) = (8, 64);
    change(&mut caps);
    match ridgepole::Gpu::with_caps(&rig.device, caps).plan(op) {
        Err(e @ Error::Unsupported { .. }) => e.to_string(),
        Err(e) => panic!("{e:?} is of another kind"),
        Ok(_) => panic!("{op:?} must be refused"),
    }
}

fn grad(segments: Vec<Segment>) -> Box<dyn Op> {
    op(PenaltyGrad::new(DType::F32, segments, vec![ElasticNet::l1(0.1)]))
}

#[test]
fn a_binding_limit_below_one_block() {
    let got = unsupported(grad(Segment::one(10_000)).as_ref(), |c| c.limits.max_storage_buffer_binding_size = 4096);
    assert_eq!(
        got,
        "penalty_grad: not possible on this device: max_storage_buffer_binding_size is 4096, too small for a block of 2048 elements"
    );
}

#[test]
fn a_table_of_segments_beyond_the_binding_limit() {
    let got = unsupported(grad(Segment::pack(&[1; 1000], 4)).as_ref(), |c| c.limits.max_storage_buffer_binding_size = 8192);
    assert_eq!(
        got,
        "penalty_grad: not possible on this device: needs to bind 16016 bytes at once, max_storage_buffer_binding_size is 8192"
    );
}

#[test]
fn too_few_storage_buffers() {
    let got = unsupported(grad(Segment::one(8)).as_ref(), |c| c.limits.max_storage_buffers_per_shader_stage = 2);
    assert_eq!(
        got,
        "penalty_grad: not possible on this device: needs 3 storage buffers in a shader, max_storage_buffers_per_shader_stage is 2"
    );
}

#[test]
fn a_grid_too_small_even_when_wrapped() {
    let got = unsupported(grad(Segment::one(1 << 15)).as_ref(), |c| {
        (c.fold, c.limits.max_compute_workgroups_per_dimension) = (2, 2);
    });
    assert_eq!(got, "penalty_grad: not possible on this device: 16 workgroups are too many for a grid of 2 cubed");
}
