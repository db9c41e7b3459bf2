//! Which GPU to work on.
use crate::Failure;
use ridgepole::{Gpu, wgpu};

/// An opened device, with everything that its adapter can do.
pub struct Open {
    /// The adapter that it was opened on.
    pub adapter: wgpu::Adapter,
    /// ridgepole on this device.
    pub gpu: Gpu,
    /// The device's queue.
    pub queue: wgpu::Queue,
}

impl Open {
    /// "NVIDIA H200 (Vulkan, NVIDIA 570.86)".
    pub fn name(&self) -> String {
        name(&self.adapter)
    }
}

/// "NVIDIA H200 (Vulkan, NVIDIA 570.86)".
pub fn name(adapter: &wgpu::Adapter) -> String {
    let i = adapter.get_info();
    format!("{} ({:?}, {})", i.name, i.backend, format!("{} {}", i.driver, i.driver_info).trim())
}

/// Every adapter of the backends that `WGPU_BACKEND` allows.
pub fn all() -> Vec<wgpu::Adapter> {
    let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    let backends = descriptor.backends;
    pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(backends))
}

/// The adapters to work on: the one whose name contains `wanted` (case does not matter), else the one that
/// `WGPU_ADAPTER_NAME` names in the same way, else a GPU before a CPU.
///
/// # Errors
/// [`Failure::Usage`] lists what there is, or says what to install.
pub fn choose(wanted: Option<&str>) -> Result<wgpu::Adapter, Failure> {
    let mut adapters = existing()?;
    let variable = std::env::var("WGPU_ADAPTER_NAME").ok().filter(|v| !v.is_empty());
    let (from, wanted) = match (wanted, &variable) {
        (Some(w), _) => ("--adapter", w),
        (None, Some(w)) => ("WGPU_ADAPTER_NAME", w.as_str()),
        // The sort is stable: within a kind, the driver's own order stays.
        (None, None) => {
            adapters.sort_by_key(rank);
            return Ok(adapters.remove(0));
        }
    };
    let matches = |a: &wgpu::Adapter| name(a).to_lowercase().contains(&wanted.to_lowercase());
    match adapters.iter().position(matches) {
        Some(i) => Ok(adapters.remove(i)),
        None => {
            let there: Vec<String> = adapters.iter().map(|a| format!("  {}", name(a))).collect();
            Err(Failure::usage(format!("no adapter's name contains {from} {wanted:?}; there are:\n{}", there.join("\n"))))
        }
    }
}

/// Every adapter, at least one.
///
/// # Errors
/// [`Failure::Usage`] says what to install.
pub fn existing() -> Result<Vec<wgpu::Adapter>, Failure> {
    let adapters = all();
    if adapters.is_empty() {
        let why = match std::env::var("WGPU_BACKEND").ok().filter(|v| !v.is_empty()) {
            Some(v) => format!("WGPU_BACKEND={v:?} allows none that is here (vulkan, metal, dx12); unset it to try all"),
            None => INSTALL.to_string(),
        };
        return Err(Failure::usage(format!("no GPU adapter: {why}")));
    }
    Ok(adapters)
}

const INSTALL: &str = "install your GPU's Vulkan driver, or a software one: `apt-get install mesa-vulkan-drivers` (Debian, \
    Ubuntu), `dnf install mesa-vulkan-drivers` (Fedora), `pacman -S vulkan-swrast` (Arch), `brew install molten-vk` is \
    not needed on macOS (Metal)";

fn rank(adapter: &wgpu::Adapter) -> u8 {
    match adapter.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

/// Opens the adapter that [`choose`] gives.
///
/// # Errors
/// As [`choose`] and [`open`].
pub fn open_chosen(wanted: Option<&str>) -> Result<Open, Failure> {
    open(choose(wanted)?)
}

/// Opens an adapter with all the limits and stable features that it has.
///
/// # Errors
/// [`Failure::Found`] with the driver's text.
pub fn open(adapter: wgpu::Adapter) -> Result<Open, Failure> {
    let request = adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("ridgepole"),
        // Mappable primary buffers slow down every buffer on discrete GPUs.
        required_features: adapter.features()
            & !wgpu::Features::all_experimental_mask()
            & !wgpu::Features::MAPPABLE_PRIMARY_BUFFERS,
        required_limits: adapter.limits(),
        ..Default::default()
    });
    let (device, queue) =
        pollster::block_on(request).map_err(|e| Failure::found(format!("{}: cannot open the device: {e}", name(&adapter))))?;
    let gpu = Gpu::new(&device);
    Ok(Open { adapter, gpu, queue })
}
