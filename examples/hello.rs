//! One op between a program's own commands, on the program's own device: `cargo run --example hello`.
//!
//! The program doubles a gradient with a kernel of its own, ridgepole adds the gradient of an elastic net, and the program
//! copies the result: one encoder, one pass, one submission, all three the program's.
use ridgepole::{DType, ElasticNet, Gpu, Op, Segment, ops::PenaltyGrad, wgpu};
use wgpu::util::DeviceExt;

const DOUBLE: &str = "
@group(0) @binding(0) var<storage, read_write> grad: array<f32>;
@compute @workgroup_size(64)
fn double(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < arrayLength(&grad) { grad[id.x] = 2.0 * grad[id.x]; }
}";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What a program that uses wgpu has anyway.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = pollster::block_on(wgpu::util::initialize_adapter_from_env_or_default(&instance, None))?;
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default()))?;
    let buffer = |values: &[f32]| {
        device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: None,
            contents: bytemuck::cast_slice(values),
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
        })
    };
    let (weight, grad) = (buffer(&[0.5, -2.0, 0.0, 3.0, -1.0]), buffer(&[0.1; 5]));
    let source = wgpu::ShaderSource::Wgsl(DOUBLE.into());
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
    let double = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: Some("double"),
        compilation_options: Default::default(),
        cache: None,
    });
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &double.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: grad.as_entire_binding() }],
    });
    let staging = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: grad.size(),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });

    // What ridgepole adds: adopt the device once, plan once, bind once.
    let gpu = Gpu::new(&device);
    let groups = vec![ElasticNet { l1: 0.1, l2: 0.5, ..ElasticNet::NONE }];
    let op = PenaltyGrad::new(DType::F32, Segment::one(5), groups);
    let plan = gpu.plan(&op)?;
    let penalty = plan.bind(&[weight.slice(..)], &[grad.slice(..)], None)?;

    // Every step: record it wherever it belongs.
    let mut encoder = device.create_command_encoder(&Default::default());
    {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&double);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(1, 1, 1);
        penalty.record(&mut pass);
    }
    encoder.copy_buffer_to_buffer(&grad, 0, &staging, 0, grad.size());
    queue.submit([encoder.finish()]);

    staging.map_async(wgpu::MapMode::Read, .., |result| result.expect("the buffer can be mapped"));
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let got: Vec<f32> = bytemuck::cast_slice(&staging.slice(..).get_mapped_range()?).to_vec();
    println!("{} on {}:\n2·g + 0.1·sign(w) + 2·0.5·w = {got:?}", op.name(), adapter.get_info().name);
    let want = [0.8, -1.9, 0.2, 3.3, -0.9];
    assert!(got.iter().zip(want).all(|(g, w): (&f32, f32)| (g - w).abs() < 1e-6), "want {want:?}");
    Ok(())
}
