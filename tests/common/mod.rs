//! A device to test on: the first adapter, or the one that `WGPU_ADAPTER_NAME` names, with all it can do.
#![allow(dead_code, reason = "each test binary uses its own part")]
use ridgepole::*;

pub struct Rig {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub name: String,
}

pub fn rig() -> Rig {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = pollster::block_on(wgpu::util::initialize_adapter_from_env_or_default(&instance, None))
        .expect("the tests need a GPU adapter; `cargo xtask test` installs a software one");
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
