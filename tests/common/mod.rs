//! Devices to test on: the first adapter, or the one that `WGPU_ADAPTER_NAME` names, with all it can do; and devices on
//! paper, to lower for without a GPU.
#![allow(dead_code, reason = "each test program uses its own part")]
pub mod descriptions;

use ridgepole::*;

pub struct Rig {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub name: String,
}

pub fn rig() -> Rig {
    rigs(1).remove(0)
}

/// So many devices on one adapter, of one instance.
pub fn rigs(count: usize) -> Vec<Rig> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = pollster::block_on(wgpu::util::initialize_adapter_from_env_or_default(&instance, None))
        .expect("the tests need a GPU adapter; `cargo xtask test` installs a software one");
    (0..count).map(|_| opened(&adapter)).collect()
}

fn opened(adapter: &wgpu::Adapter) -> Rig {
    let info = adapter.get_info();
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        required_features: adapter.features()
            & !wgpu::Features::all_experimental_mask()
            & !wgpu::Features::MAPPABLE_PRIMARY_BUFFERS,
        required_limits: adapter.limits(),
        ..Default::default()
    }))
    .expect("a device");
    Rig { name: format!("{} ({:?}, {} {})", info.name, info.backend, info.driver, info.driver_info), device, queue }
}

/// The same, behind the convenient layer.
pub fn session() -> Session {
    Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one")
}

/// A GPU with WebGPU's default limits and no features.
pub fn plain_gpu() -> Caps {
    Caps::new(wgpu::Limits::default(), wgpu::Features::empty(), false)
}

/// A software device with WebGPU's default limits and no features.
pub fn plain_cpu() -> Caps {
    Caps::new(wgpu::Limits::default(), wgpu::Features::empty(), true)
}

/// The entry points that an op lowers to on a device, dispatch by dispatch.
pub fn entries(op: &dyn Verify, caps: &Caps) -> Vec<&'static str> {
    op.lower(caps).unwrap_or_else(|e| panic!("{op:?}: {e}")).steps().iter().map(|s| s.spec.entry).collect()
}

/// The device as one with workgroups of so many lanes and such a binding limit, with long lanes or as a GPU.
pub fn strained(rig: &Rig, cpu: bool, lanes: u32, limit: u64) -> Caps {
    let mut caps = Caps::of(&rig.device);
    (caps.cpu, caps.lanes, caps.quads) = (cpu, lanes, if cpu { 64 } else { 4 });
    caps.limits.max_storage_buffer_binding_size = limit;
    caps
}

/// Runs an op on ordinary data on such a device, lanes in both orders.
pub fn in_both_orders(rig: &Rig, op: &dyn Verify, caps: &Caps) {
    let case = check::Case::new(op, Pattern::Ordinary, 1);
    for reverse_lanes in [false, true] {
        let mut caps = caps.clone();
        caps.reverse_lanes = reverse_lanes;
        let result = case.run(&Gpu::with_caps(&rig.device, caps), &rig.queue);
        result.unwrap_or_else(|why| panic!("{op:?}, lanes reversed: {reverse_lanes}: {why}"));
    }
}
