//! A wgpu device of our choice, adopted by Burn.
use burn::tensor::{
    Device,
    wgpu::{
        WgpuSetup,
        wgpu::{
            Adapter, Backends, DeviceDescriptor, DeviceType, ExperimentalFeatures, Features, Instance, InstanceDescriptor,
            MemoryHints, PowerPreference, RequestAdapterOptions, Trace,
        },
    },
};

/// Burn's device, and what it runs on.
pub struct Adopted {
    pub device: Device,
    /// Whether the "GPU" is a processor, which has no clocks that must rise first.
    pub cpu: bool,
}

/// An adapter.
pub struct Found {
    instance: Instance,
    adapter: Adapter,
}

impl Found {
    /// The first adapter whose name contains `name`, in any case; without a name, the one that ridgepole takes.
    ///
    /// Burn alone would choose by the kind of device, and take none that is software.
    pub fn new(name: Option<&str>) -> Result<Self, String> {
        let mut descriptor = InstanceDescriptor::new_without_display_handle_from_env();
        // Burn brings OpenGL, which ridgepole leaves out: both shall see the same adapters.
        descriptor.backends &= Backends::PRIMARY;
        let instance = Instance::new(descriptor);
        let adapter = match name.filter(|n| !n.is_empty()) {
            None => {
                let power_preference = PowerPreference::from_env().unwrap_or(PowerPreference::HighPerformance);
                let options = RequestAdapterOptions { power_preference, ..Default::default() };
                pollster::block_on(instance.request_adapter(&options)).map_err(|e| format!("there is no GPU driver: {e}"))?
            }
            Some(name) => {
                let all = pollster::block_on(instance.enumerate_adapters(Backends::from_env().unwrap_or_default()));
                let names: Vec<String> = all.iter().map(|a| a.get_info().name).collect();
                let found = all.into_iter().find(|a| a.get_info().name.to_lowercase().contains(&name.to_lowercase()));
                found.ok_or_else(|| format!("no adapter's name contains \"{name}\"; there are: {}", names.join(", ")))?
            }
        };
        Ok(Self { instance, adapter })
    }

    pub fn name(&self) -> String {
        let info = self.adapter.get_info();
        format!("{} ({:?}, {})", info.name, info.backend, info.driver_info)
    }

    /// Opens it as Burn opens a device itself, and lets Burn adopt it.
    pub fn open(self) -> Result<Adopted, String> {
        let info = self.adapter.get_info();
        let request = self.adapter.request_device(&DeviceDescriptor {
            label: Some("burn"),
            // Burn looks at what the adapter can do, not at what the device has: whatever it may use must be on.
            required_features: self.adapter.features().difference(Features::MAPPABLE_PRIMARY_BUFFERS),
            required_limits: self.adapter.limits(),
            memory_hints: MemoryHints::MemoryUsage,
            // SAFETY: this says no more than that we know that such features may have bugs. Burn says it, too.
            experimental_features: unsafe { ExperimentalFeatures::enabled() },
            trace: Trace::Off,
        });
        let (device, queue) = pollster::block_on(request).map_err(|e| format!("{} cannot be opened: {e}", info.name))?;
        let setup = WgpuSetup { instance: self.instance, adapter: self.adapter, device, queue, backend: info.backend };
        let device = Device::wgpu_options().setup(setup).init().map_err(|e| format!("Burn does not take {}: {e}", info.name))?;
        Ok(Adopted { device, cpu: info.device_type == DeviceType::Cpu })
    }
}
