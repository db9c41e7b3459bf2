//! The convenient layer: a device of its own, and tensors that come and go.
use crate::{
    device::{
        Gpu,
        health::{PATIENCE, poll, scoped},
        readback,
    },
    op::{Access, Arg, Caps, Op},
    types::{DType, Error, HostData, excerpt},
};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// An adapter chosen, a device opened, a queue owned. Native only: it waits for the device.
///
/// All sessions of a process share one `wgpu::Instance`, made by the first, so that a buffer of one session is refused by another.
/// Programs that already hold a `wgpu::Device` adopt it with [`Gpu::new`] and need none of this. A session honours
/// `WGPU_BACKEND` (vulkan, metal, dx12) and `WGPU_ADAPTER_NAME` (a part of the name, in any case).
///
/// ```
/// use ridgepole::{DType, ElasticNet, HostData, Segment, Session, ops::PenaltyGrad};
///
/// let session = Session::new()?;
/// let op = PenaltyGrad::new(DType::F32, Segment::one(3), vec![ElasticNet::l1(0.5)]);
/// let grad = session.run(&op, &[vec![1.0, -2.0, 0.0].into(), vec![0.0, 0.0, 0.0].into()])?;
/// assert_eq!(grad, [HostData::F32(vec![0.5, -0.5, 0.0])]);
/// # Ok::<(), ridgepole::Error>(())
/// ```
pub struct Session {
    gpu: Gpu,
    queue: wgpu::Queue,
    info: wgpu::AdapterInfo,
    adapter: wgpu::Adapter,
    trouble: Arc<Trouble>,
}

/// What the device reported outside any call: errors, and its loss.
#[derive(Default)]
struct Trouble {
    lost: Mutex<Option<String>>,
    error: Mutex<Option<String>>,
}

impl Session {
    /// Opens the adapter that `WGPU_ADAPTER_NAME` names, or else the system's choice, fastest first.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] says what there is and what to install; [`Error::Device`] why the device did not open.
    pub fn new() -> Result<Self, Error> {
        match std::env::var("WGPU_ADAPTER_NAME") {
            Ok(name) if !name.is_empty() => Self::named(&name),
            _ => {
                Self::backends()?;
                let options = wgpu::RequestAdapterOptions {
                    power_preference: wgpu::PowerPreference::from_env().unwrap_or(wgpu::PowerPreference::HighPerformance),
                    ..Default::default()
                };
                let adapter = pollster::block_on(instance().request_adapter(&options));
                Self::open(&adapter.map_err(|e| none(&e.to_string()))?)
            }
        }
    }

    /// Opens the first adapter whose name contains `name`, in any case.
    ///
    /// # Errors
    /// As [`Session::new`]; the text lists the adapters that there are.
    pub fn named(name: &str) -> Result<Self, Error> {
        Self::backends()?;
        let all = Self::adapters();
        let names: Vec<String> = all.iter().map(|a| format!("\"{}\"", a.get_info().name)).collect();
        match all.iter().find(|a| a.get_info().name.to_lowercase().contains(&name.to_lowercase())) {
            Some(adapter) => Self::open(adapter),
            None if all.is_empty() => Err(none("none was found")),
            None => {
                Err(Error::NoAdapter { why: format!("no name contains \"{}\"; there are {}", excerpt(name), names.join(", ")) })
            }
        }
    }

    /// The backends that `WGPU_BACKEND` allows: a list with commas. Empty is unset.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if a word of the list is no backend's name; wgpu by itself would pass it over.
    pub fn backends() -> Result<wgpu::Backends, Error> {
        let list = wanted_backends().unwrap_or_default();
        let unknown = |name: &&str| wgpu::Backends::from_comma_list(name).is_empty();
        match list.split(',').map(str::trim).find(unknown).filter(|_| !list.is_empty()) {
            None => Ok(backends()),
            Some(name) => {
                let why = format!(
                    "WGPU_BACKEND is \"{}\", and \"{}\" is no backend; there are vulkan, metal and dx12",
                    excerpt(&list),
                    excerpt(name)
                );
                Err(Error::NoAdapter { why })
            }
        }
    }

    /// Every adapter of the backends that `WGPU_BACKEND` allows.
    pub fn adapters() -> Vec<wgpu::Adapter> {
        pollster::block_on(instance().enumerate_adapters(backends()))
    }

    /// Opens a device on `adapter` with all its limits and every stable feature.
    ///
    /// # Errors
    /// [`Error::Device`] with the driver's reason.
    pub fn open(adapter: &wgpu::Adapter) -> Result<Self, Error> {
        let info = adapter.get_info();
        // Mappable primary buffers would slow ordinary ones on discrete GPUs.
        let unwanted = wgpu::Features::all_experimental_mask() | wgpu::Features::MAPPABLE_PRIMARY_BUFFERS;
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("ridgepole"),
            required_features: adapter.features() - unwanted,
            required_limits: adapter.limits(),
            ..Default::default()
        });
        let failed =
            |e: wgpu::RequestDeviceError| Error::Device { what: format!("opening {}", info.name), message: e.to_string() };
        let (device, queue) = pollster::block_on(request).map_err(failed)?;
        let trouble = Arc::new(Trouble::default());
        let seen = trouble.clone();
        device.set_device_lost_callback(move |_, reason| note(&seen.lost, reason));
        let seen = trouble.clone();
        // Without a handler, wgpu panics.
        device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| note(&seen.error, e.to_string())));
        Ok(Self { gpu: Gpu::new(&device).with_queue(&queue), queue, info, trouble, adapter: adapter.clone() })
    }

    /// Another device on the same adapter, which works beside this one.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn again(&self) -> Result<Self, Error> {
        Self::open(&self.adapter)
    }

    /// As if the device could do no more than `caps` says.
    #[must_use]
    pub fn with_caps(self, caps: Caps) -> Self {
        Self { gpu: self.gpu.restricted(caps), ..self }
    }

    /// The device with its pipelines, for [`Gpu::plan`].
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The device.
    pub fn device(&self) -> &wgpu::Device {
        self.gpu.device()
    }

    /// The queue.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// The adapter's name, backend and driver.
    pub fn info(&self) -> &wgpu::AdapterInfo {
        &self.info
    }

    /// Copies `data` into a new buffer that any op can read or write.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], [`Error::Lost`], or [`Error::Device`] if it is larger than the device allows.
    pub fn upload(&self, data: &HostData) -> Result<wgpu::Buffer, Error> {
        let buffer = self.empty(data.dtype(), data.len())?;
        let (words, rest) = data.bytes().as_chunks::<4>();
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        self.guarded("uploading", || {
            self.queue.write_buffer(&buffer, 0, words.as_flattened());
            if !rest.is_empty() {
                self.queue.write_buffer(&buffer, 4 * words.len() as u64, &last);
            }
        })?;
        Ok(buffer)
    }

    /// A new buffer of zeros for `len` elements.
    ///
    /// # Errors
    /// As [`Session::upload`].
    pub fn empty(&self, dtype: DType, len: usize) -> Result<wgpu::Buffer, Error> {
        let size = Arg::read("", dtype, len).binding_bytes();
        let limit = self.device().limits().max_buffer_size;
        if size > limit {
            let message = format!("{size} bytes are more than max_buffer_size, {limit}");
            return Err(Error::Device { what: "making a buffer".into(), message });
        }
        let descriptor = wgpu::BufferDescriptor {
            label: None,
            size: size.max(4),
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        };
        self.guarded(&format!("a buffer of {size} bytes"), || self.device().create_buffer(&descriptor))
    }

    /// Copies the first `len` elements of `buffer` to the host, after everything submitted so far.
    ///
    /// # Errors
    /// As [`Session::upload`]; also if the buffer is shorter, and [`Error::HostMemory`].
    pub fn download(&self, buffer: &wgpu::Buffer, dtype: DType, len: usize) -> Result<HostData, Error> {
        let size = Arg::read("", dtype, len).bytes();
        if size > buffer.size() {
            let message = format!("{len} elements are {size} bytes, the buffer has {}", buffer.size());
            return Err(Error::Device { what: "downloading".into(), message });
        }
        if size == 0 {
            return HostData::try_zeros(dtype, 0);
        }
        let take = |bytes: &[u8]| HostData::try_from_bytes(dtype, bytes);
        self.guarded("downloading", || readback::copied(self.device(), &self.queue, buffer, size, take))?
    }

    /// Runs one op on host data: `inputs` are the arguments that are read, then those that are updated, in the op's order;
    /// the result holds those that are written or updated, in the op's order.
    ///
    /// # Errors
    /// [`Error::Argument`] if an input is missing, of the wrong type or length; all that planning and running can report.
    pub fn run(&self, op: &dyn Op, inputs: &[HostData]) -> Result<Vec<HostData>, Error> {
        self.run_checked(op, inputs).map_err(|e| self.blame(e))
    }

    fn run_checked(&self, op: &dyn Op, inputs: &[HostData]) -> Result<Vec<HostData>, Error> {
        let plan = self.gpu.plan(op)?;
        let wanted: Vec<_> = plan.args().iter().filter(|a| a.access != Access::Write).collect();
        if wanted.len() != inputs.len() {
            let names: Vec<_> = wanted.iter().map(|a| a.name).collect();
            return Err(Error::argument(
                op.name(),
                "inputs",
                format!("wants {} ({}), got {}", wanted.len(), names.join(", "), inputs.len()),
            ));
        }
        for (arg, data) in wanted.iter().zip(inputs) {
            if (arg.dtype, arg.len) != (data.dtype(), data.len()) {
                let (got, len) = (data.dtype(), data.len());
                return Err(Error::argument(
                    op.name(),
                    arg.name,
                    format!("wants {} of {:?}, got {len} of {got:?}", arg.len, arg.dtype),
                ));
            }
        }
        let mut given = inputs.iter();
        let buffer = |a: &crate::op::Arg| match a.access {
            Access::Write => self.empty(a.dtype, a.len),
            _ => self.upload(given.next().expect("counted above")),
        };
        let buffers = plan.args().iter().map(buffer).collect::<Result<Vec<_>, _>>()?;
        let scratch = self.empty(DType::U32, plan.scratch_size().div_ceil(4) as usize)?;
        let slices: Vec<_> = buffers.iter().map(|b| b.slice(..)).collect();
        let reads = plan.args().iter().filter(|a| a.access == Access::Read).count();
        let bound = plan.bind(&slices[..reads], &slices[reads..], Some(scratch.slice(..)))?;
        self.guarded(op.name(), || {
            let mut encoder = self.device().create_command_encoder(&Default::default());
            bound.record(&mut encoder.begin_compute_pass(&Default::default()));
            self.queue.submit([encoder.finish()]);
        })?;
        let outputs = plan.args().iter().zip(&buffers).skip(reads);
        outputs.map(|(a, b)| self.download(b, a.dtype, a.len)).collect()
    }

    /// Waits until what was submitted is done, unlike `wgpu::Device::poll` without a panic where the device is gone.
    ///
    /// # Errors
    /// [`Error::Lost`]; [`Error::Device`] if it takes longer than any device's own watchdog would allow.
    pub fn wait(&self, submitted: wgpu::SubmissionIndex) -> Result<(), Error> {
        let wait = wgpu::PollType::Wait { submission_index: Some(submitted), timeout: Some(PATIENCE) };
        poll(self.device(), "waiting for submitted work", wait).map_err(|e| self.blame(e))
    }

    /// The loss of the device, if that is what is behind `e`: wgpu tells it only when polled.
    fn blame(&self, e: Error) -> Error {
        // What the poll itself reports is no news: there is an error already.
        let _ = poll(self.device(), "", wgpu::PollType::Poll);
        let lost = self.trouble.lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lost.map_or(e, |reason| Error::Lost { reason })
    }

    /// Runs `f` and reports whatever went wrong with the device meanwhile.
    fn guarded<T>(&self, what: &str, f: impl FnOnce() -> T) -> Result<T, Error> {
        let made = scoped(self.device(), what, f);
        let seen = |m: &Mutex<Option<String>>| m.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reason) = seen(&self.trouble.lost) {
            // It stays lost: the next call shall say so too.
            note(&self.trouble.lost, reason.clone());
            return Err(Error::Lost { reason });
        }
        if let Some(message) = seen(&self.trouble.error) {
            return Err(Error::Device { what: what.to_string(), message });
        }
        made.map_err(|e| if matches!(e, Error::Lost { .. }) { self.blame(e) } else { e })
    }
}

fn note(place: &Mutex<Option<String>>, text: String) {
    place.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
}

/// One for the process: each instance counts its objects by itself, so with two of them a buffer of one session could be taken for
/// another one of a second session, which wgpu would not see.
fn instance() -> &'static wgpu::Instance {
    static INSTANCE: LazyLock<wgpu::Instance> = LazyLock::new(|| {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        descriptor.backends = backends();
        wgpu::Instance::new(descriptor)
    });
    &INSTANCE
}

/// What `WGPU_BACKEND` allows; empty is unset.
fn backends() -> wgpu::Backends {
    wanted_backends().map_or_else(wgpu::Backends::default, |list| wgpu::Backends::from_comma_list(&list))
}

fn wanted_backends() -> Option<String> {
    std::env::var("WGPU_BACKEND").ok().filter(|list| !list.trim().is_empty())
}

fn none(why: &str) -> Error {
    let backend = std::env::var("WGPU_BACKEND").map(|b| format!(" (WGPU_BACKEND is \"{}\")", excerpt(&b))).unwrap_or_default();
    let help =
        "install a Vulkan driver; on Debian and Ubuntu, `apt-get install mesa-vulkan-drivers` brings one that needs no GPU";
    Error::NoAdapter { why: format!("{why}{backend}; {help}") }
}
