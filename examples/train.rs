//! A sparse linear regression trained on the program's own device: `cargo run --example train`.
//!
//! Residuals, gradient and a proximal gradient step follow one another in a compute pass of the program; nothing leaves the GPU until
//! the end. The library needs no references for that: `cargo run --no-default-features --features linear,optimizers,vulkan --example train`.
use ridgepole::{
    DType, ElasticNet, Gpu, Group, LinearModel, Op,
    ops::{LinearGradient, LinearResidual, Sgd},
    readback, wgpu,
};
use wgpu::util::DeviceExt;

const ROWS: usize = 64;
const FEATURES: usize = 8;
/// What the data are made from: three of eight features matter.
const TRUTH: [f32; FEATURES] = [2.0, 0.0, 0.0, -1.0, 0.0, 0.5, 0.0, 0.0];
const STEPS: usize = 300;

fn all(buffer: &wgpu::Buffer) -> wgpu::BufferSlice<'_> {
    buffer.slice(..)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
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

    // Features are 1 and -1, and no two of the first 64 rows are alike in their first six.
    let x: Vec<f32> = (0..ROWS * FEATURES)
        .map(|i| {
            let (row, feature) = (i / FEATURES, i % FEATURES);
            let bits = if feature < 6 { 1 << feature } else { 3 << (feature - 5) };
            if (row & bits).count_ones() % 2 == 0 { 1.0 } else { -1.0 }
        })
        .collect();
    let target: Vec<f32> = x.chunks(FEATURES).map(|row| row.iter().zip(TRUTH).map(|(x, b)| x * b).sum()).collect();
    let (x, target, share) = (buffer(&x), buffer(&target), buffer(&[1.0 / ROWS as f32; ROWS]));
    let (coef, residual, grad) = (buffer(&[0.0; FEATURES]), buffer(&[0.0; ROWS]), buffer(&[0.0; FEATURES]));

    // Once. The gradient of this family points downhill, so the optimizer's factor of gradients is -1.
    let gpu = Gpu::new(&device);
    let forward = LinearResidual { model: LinearModel::Linear, rows: ROWS, features: FEATURES, sets: 1, per_set: 1 };
    let backward = LinearGradient { rows: ROWS, features: FEATURES, models: 1 };
    let lasso = Group { prox: ElasticNet::l1(0.05), ..Group::default() };
    let step = Sgd { groups: vec![lasso], grad_scale: -1.0, ..Sgd::new(DType::F32, FEATURES, 0.1) };
    let [forward_plan, backward_plan, step_plan] = [gpu.plan(&forward)?, gpu.plan(&backward)?, gpu.plan(&step)?];
    let bound = [
        forward_plan.bind(&[all(&x), all(&target), all(&share), all(&coef)], &[all(&residual)], None)?,
        backward_plan.bind(&[all(&x), all(&residual)], &[all(&grad)], None)?,
        step_plan.bind(&[all(&grad)], &[all(&coef)], None)?,
    ];

    // Every step.
    let mut encoder = device.create_command_encoder(&Default::default());
    {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for _ in 0..STEPS {
            bound.iter().for_each(|op| op.record(&mut pass));
        }
    }
    queue.submit([encoder.finish()]);

    let bytes = readback::read(&device, &queue, &coef, coef.size())?;
    let got: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
    println!("{} steps of {} on {}: {got:?}", STEPS, step.name(), adapter.get_info().name);
    // Features are uncorrelated and of unit variance: the lasso takes λ off each coefficient and leaves exact zeros.
    let want = TRUTH.map(|b| b.signum() * (b.abs() - 0.05).max(0.0));
    assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-4 && (*g == 0.0) == (w == 0.0)), "want {want:?}");
    Ok(())
}
