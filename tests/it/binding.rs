//! Buffers by name.
use crate::common;
use ridgepole::{DType, ElasticNet, Gpu, HostData, Segment, ops::PenaltyGrad, readback, wgpu};

#[test]
fn names_bind_in_any_order_and_mistakes_are_named() {
    let rig = common::rig();
    let gpu = Gpu::new(&rig.device);
    let op = PenaltyGrad::new(DType::F32, Segment::one(2), vec![ElasticNet::l1(0.5)]);
    let plan = gpu.plan(&op).expect("valid");
    let buffer = |values: [f32; 2]| {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let b = rig.device.create_buffer(&wgpu::BufferDescriptor { label: None, size: 8, usage, mapped_at_creation: false });
        rig.queue.write_buffer(&b, 0, bytemuck::cast_slice(&values));
        b
    };
    let (w, g) = (buffer([3.0, -3.0]), buffer([1.0, 1.0]));
    let bound = plan.bind_named(&[("grad", g.slice(..)), ("weight", w.slice(..))], None).expect("both are there");
    let mut encoder = rig.device.create_command_encoder(&Default::default());
    bound.record(&mut encoder.begin_compute_pass(&Default::default()));
    rig.queue.submit([encoder.finish()]);
    let bytes = readback::read(&rig.device, &rig.queue, &g, 8).expect("reads");
    assert_eq!(HostData::from_bytes(DType::F32, &bytes), HostData::F32(vec![1.5, 0.5]));

    let text = |buffers: &[(&str, wgpu::BufferSlice)]| plan.bind_named(buffers, None).err().expect("wrong").to_string();
    assert_eq!(text(&[("grad", g.slice(..))]), "penalty_grad: `weight` is missing; the arguments are weight, grad");
    assert_eq!(text(&[("w", w.slice(..))]), "penalty_grad: `bind_named` has no argument `w`; there are weight, grad");
    assert_eq!(
        text(&[("grad", g.slice(..)), ("weight", w.slice(..)), ("grad", w.slice(..))]),
        "penalty_grad: `grad` is given twice"
    );
}
