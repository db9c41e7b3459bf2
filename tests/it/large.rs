//! Sizes that no small case reaches: tensors larger than a binding, and grids longer than a row of workgroups.
use crate::common;
use ridgepole::{
    Caps, DType, ElasticNet, Gpu, HostData, Key, Op, Segment, Slot, Space, Verify, cpu,
    ops::{Dropout, PenaltyGrad},
    readback, wgpu,
};

fn buffer(rig: &common::Rig, size: u64) -> wgpu::Buffer {
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let size = size.max(4).next_multiple_of(4);
    rig.device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

/// Runs an op with one read and one written or updated argument.
fn run(rig: &common::Rig, caps: Caps, op: &dyn Verify, reads: &[f32], before: Option<&[f32]>) -> Vec<f32> {
    let gpu = Gpu::with_caps(&rig.device, caps);
    let plan = gpu.plan(op).expect("a valid op");
    let args = op.args();
    let (x, y) = (buffer(rig, args[0].bytes()), buffer(rig, args[1].bytes()));
    rig.queue.write_buffer(&x, 0, bytemuck::cast_slice(reads));
    if let Some(before) = before {
        rig.queue.write_buffer(&y, 0, bytemuck::cast_slice(before));
    }
    let bound = plan.bind(&[x.slice(..)], &[y.slice(..)], None).expect("buffers fit");
    let mut encoder = rig.device.create_command_encoder(&Default::default());
    bound.record(&mut encoder.begin_compute_pass(&Default::default()));
    rig.queue.submit([encoder.finish()]);
    let bytes = readback::read(&rig.device, &rig.queue, &y, args[1].bytes()).expect("reads back");
    let HostData::F32(out) = HostData::from_bytes(DType::F32, &bytes) else { unreachable!("asked for f32") };
    out
}

#[test]
fn a_tensor_larger_than_a_binding_draws_the_whole_tensors_mask() {
    let rig = common::rig();
    let mut caps = Caps::of(&rig.device);
    // What every device has; a device with more is held to it.
    caps.limits.max_storage_buffer_binding_size = 128 << 20;
    let len = (33 << 20) + 5;
    let key = Key { seed: 7, stream: 3, step: 11, first_element: (1 << 33) + 8 };
    let op = Dropout::new(DType::F32, Space::flat(len), 0.5, key);
    let lowered = op.lower(&caps).expect("valid");
    let bound = |s: &Slot| if let Slot::Arg(_, r) = s { r.end - r.start } else { 0 };
    assert!(lowered.steps().len() >= 2, "the tensor is windowed");
    assert!(lowered.steps().iter().flat_map(|s| &s.slots).all(|s| bound(s) <= 128 << 20), "no window exceeds the limit");
    let y = run(&rig, caps, &op, &vec![1.0; len], None);
    let windows: Vec<usize> = lowered
        .steps()
        .iter()
        .flat_map(|s| &s.slots)
        .map(|s| if let Slot::Arg(_, r) = s { r.start as usize / 4 } else { 0 })
        .collect();
    // Every element is a 0 or a 2; decisions are compared one by one at both ends and round every window's start.
    let places = windows.iter().flat_map(|w| w.saturating_sub(5000)..(w + 5000).min(len)).chain(len - 5000..len);
    for i in places {
        let kept = cpu::keeps(0.5, 16, key.seed, key.stream, key.step, key.first_element + i as u64);
        assert_eq!(y[i], if kept { 2.0 } else { 0.0 }, "element {i}");
    }
    let kept = y.iter().filter(|v| **v == 2.0).count();
    assert_eq!(kept + y.iter().filter(|v| v.to_bits() == 0).count(), len, "each element is kept or dropped");
    let sigma = (len as f64).sqrt() / 2.0;
    assert!((kept as f64 - len as f64 / 2.0).abs() < 5.0 * sigma, "{kept} of {len} were kept");
}

#[test]
fn more_workgroups_than_a_row_of_the_grid_holds() {
    let rig = common::rig();
    let mut caps = Caps::of(&rig.device);
    (caps.lanes, caps.quads) = (8, 4);
    let len = 66_000 * 128 + 3;
    let op = PenaltyGrad::new(DType::F32, Segment::one(len), vec![ElasticNet::l1(0.5)]);
    let lowered = op.lower(&caps).expect("valid");
    let step = &lowered.steps()[0];
    assert!(step.workgroups > 65_535 && step.grid(&caps).expect("fits when wrapped")[1] == 2);
    let weight: Vec<f32> = (0..len).map(|i| (i % 3) as f32 - 1.0).collect();
    let before: Vec<f32> = (0..len).map(|i| (i % 1024) as f32).collect();
    let after = run(&rig, caps, &op, &weight, Some(&before));
    let wrong = (0..len).find(|&i| after[i] != before[i] + 0.5 * weight[i]);
    assert_eq!(wrong, None, "the first wrong element");
}
