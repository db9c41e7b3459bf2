//! A caller's device as this crate sees it: what it can do, and the pipelines made on it so far.
use crate::{
    device::{health::OwnQueue, scoped},
    op::{Access, Arg, Caps, Slot, Step, portable::overrides},
    types::Error,
    wgsl::{self, Spec},
};
use std::{
    collections::HashMap,
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError},
};

pub(crate) struct Kernel {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// What a pipeline depends on beside its [`Spec`]: names and types of its parameters, and the device.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Build {
    fields: &'static [(&'static str, &'static str)],
    loop_guards: bool,
    reverse_lanes: bool,
    pooled: bool,
    cpu: bool,
}

type Kernels = HashMap<Build, HashMap<Spec, Arc<Kernel>>>;

/// A caller's device, and the pipelines made on it so far. Has no queue: it never submits.
///
/// Make one per device and keep it: a pipeline compiled once is found again by every later [`Gpu::plan`].
pub struct Gpu {
    pub(crate) device: wgpu::Device,
    pub(crate) caps: Caps,
    kernels: Arc<Mutex<Kernels>>,
    pub(crate) queue: OwnQueue,
}

impl Gpu {
    /// Adopts a device. `wgpu::Device` is a cheap handle; the caller keeps its own.
    ///
    /// All that works together must come from one `wgpu::Instance`: each instance counts its objects by itself, so a buffer of
    /// another instance's device cannot be told from one of this device, and wgpu would take the one for the other.
    pub fn new(device: &wgpu::Device) -> Self {
        Self::with_caps(device, Caps::of(device))
    }

    /// As [`Gpu::new`], on a device that is taken to be no better than `caps`.
    pub fn with_caps(device: &wgpu::Device, caps: Caps) -> Self {
        Self { device: device.clone(), caps: caps.addressed(), kernels: Arc::default(), queue: OwnQueue::default() }
    }

    /// The same device, taken to be no better than `caps`. Both have the pipelines in common that come out alike.
    #[must_use]
    pub fn restricted(&self, caps: Caps) -> Self {
        Self { device: self.device.clone(), caps: caps.addressed(), kernels: self.kernels.clone(), queue: self.queue.clone() }
    }

    /// What the device is taken to be able to do.
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// The device.
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// The same, whose device has this queue.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn with_queue(self, queue: &wgpu::Queue) -> Self {
        Self { queue: OwnQueue::known(queue), ..self }
    }

    /// Checks that `queue` is the queue of this device.
    ///
    /// # Errors
    /// [`Error::Device`] if it is another device's; [`Error::Lost`].
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn own(&self, what: &str, queue: &wgpu::Queue) -> Result<(), Error> {
        match self.queue.is(&self.device, queue)? {
            true => Ok(()),
            false => Err(Error::Device { what: what.into(), message: "the queue is another device's".into() }),
        }
    }

    pub(crate) fn kernel(&self, step: &Step, args: &[Arg], foreign: bool) -> Result<Arc<Kernel>, Error> {
        let lock = || self.kernels.lock().unwrap_or_else(PoisonError::into_inner);
        let Caps { loop_guards, reverse_lanes, pooled, cpu, .. } = self.caps;
        let build = Build { fields: step.params.fields, loop_guards: loop_guards || foreign, reverse_lanes, pooled, cpu };
        if let Some(kernel) = lock().get(&build).and_then(|all| all.get(&step.spec)) {
            return Ok(kernel.clone());
        }
        // Compiled outside the lock, so that threads can compile different kernels at once.
        let kernel = Arc::new(scoped(&self.device, step.spec.shader.name, || self.compile(step, args, build))?);
        Ok(lock().entry(build).or_default().entry(step.spec.clone()).or_insert(kernel).clone())
    }

    fn compile(&self, step: &Step, args: &[Arg], build: Build) -> Kernel {
        let spec = &step.spec;
        let label = Some(spec.entry);
        let entry = |binding: usize, ty, min: usize| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            count: None,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: NonZeroU64::new(min as u64) },
        };
        let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform, step.params.bytes.len())];
        for (i, (decl, slot)) in spec.bindings.iter().zip(&step.slots).enumerate() {
            debug_assert!(
                !decl.writes || !matches!(slot, Slot::Arg(i, _) if args[*i].access == Access::Read),
                "{}: writes `{}`, which the op only reads",
                spec.entry,
                decl.name
            );
            entries.push(entry(i + 1, wgpu::BufferBindingType::Storage { read_only: !(decl.writes || build.pooled) }, 0));
        }
        let layout = self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let pipeline_layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let text = wgsl::compose(spec, build.fields, build.pooled);
        let constants = overrides(spec, &text, build.reverse_lanes, build.cpu);
        let constants: Vec<(&str, f64)> = constants.into_iter().map(|(k, v)| (k, f64::from(v))).collect();
        let desc = wgpu::ShaderModuleDescriptor { label: Some(spec.shader.name), source: wgpu::ShaderSource::Wgsl(text.into()) };
        let module = if build.loop_guards {
            self.device.create_shader_module(desc)
        } else {
            // SAFETY: all checks but one stay on. Without the counters, a loop that does not end would be undefined behaviour:
            // these are this crate's kernels with this crate's parameters, each of whose loops makes at most `MAX_TRIPS` trips
            // (a test walks all cases), and `Lowered::foreign` tells if anything else is among them.
            #[expect(unsafe_code, reason = "there is no safe way to leave the counters out")]
            unsafe {
                let mut checks = wgpu::ShaderRuntimeChecks::checked();
                checks.force_loop_bounding = false;
                self.device.create_shader_module_trusted(desc, checks)
            }
        };
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(spec.entry),
            // Kernels write workgroup memory before they read it; zeroing it costs seconds of compile time on some phones.
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        Kernel { pipeline, layout }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        device::Session,
        ops::ClipByValue,
        types::{DType, Segment},
    };

    #[test]
    fn pipelines_are_shared_if_they_come_out_alike_and_only_then() {
        let session = Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one");
        let gpu = session.gpu();
        let op = ClipByValue { dtype: DType::F32, segments: Segment::one(8), min: Some(-1.0), max: Some(1.0) };
        let made = |change: &dyn Fn(&mut Caps)| {
            let mut caps = gpu.caps().clone();
            change(&mut caps);
            gpu.restricted(caps).plan(&op).expect("a plan");
            gpu.kernels.lock().expect("no thread died").values().map(HashMap::len).sum::<usize>()
        };
        let one = made(&|_| ());
        assert!(one > 0);
        assert_eq!(made(&|c| c.fold = 2), one, "the grid is no part of a pipeline");
        assert_eq!(made(&|c| c.reverse_lanes = true), 2 * one);
        assert_eq!(made(&|c| c.loop_guards = true), 3 * one);
        assert_eq!(made(&|c| c.pooled = true), 4 * one);
        assert_eq!(made(&|c| c.cpu = !c.cpu), 5 * one);
    }
}
