//! Runs an op on a GPU the way a hostile caller would, and holds the result against the CPU reference.
//!
//! Outputs and scratch start as NaN; every buffer is bound at an offset, with slack before and behind that must stay as it
//! was; each case runs twice on the same scratch, must be right both times, and equal bit for bit. [`modes`] lists the
//! devices that the real one is made to play.
mod sweep;

pub use crate::verify::{compare, results as reference};
pub use sweep::{Rig, Verdict, sweep};

use crate::{
    device::{Gpu, filled, readback::mapped, scoped},
    op::{Access, Arg, Caps, Expected, Features, Limits, Pattern, Rng, Verify},
    types::{Error, HostData, memory},
};

/// The ways in which every case runs, with the capabilities that each pretends.
pub fn modes(device: &wgpu::Device) -> Vec<(&'static str, Caps)> {
    let caps = Caps::of(device);
    let with = |change: &dyn Fn(&mut Caps)| {
        let mut caps = caps.clone();
        change(&mut caps);
        caps
    };
    let other = Caps::new(Limits::default(), Features::default(), !caps.cpu);
    let mut narrow = other.clone();
    narrow.limits.max_storage_buffer_binding_size = 1 << 16;
    (narrow.features, narrow.subgroup) = (caps.features, caps.subgroup);
    // Workgroups as wide as this device has them, and few of them with long shares.
    narrow.limits.max_compute_invocations_per_workgroup = caps.limits.max_compute_invocations_per_workgroup;
    narrow.limits.max_compute_workgroup_size_x = caps.limits.max_compute_workgroup_size_x;
    narrow.fill = 1 << 9;
    vec![
        ("as is", caps.clone()),
        ("wrapped grid", with(&|c| c.fold = 2)),
        ("reversed lanes", with(&|c| c.reverse_lanes = true)),
        ("no subgroups", with(&|c| c.features.subgroups = false)),
        ("no 64-bit integers", with(&|c| c.features.int64 = false)),
        // Also the other kind of device: wide workgroups on a CPU, narrow ones on a GPU.
        ("WebGPU's default limits", other),
        ("pooled buffers", with(&|c| c.pooled = true)),
        ("small windows", with(&|c| c.limits.max_storage_buffer_binding_size = 1 << 16)),
        ("small windows, as the other kind", narrow),
    ]
}

const GUARD: u64 = 256;
/// NaN in every float type; a wrong count in a word.
const POISON: u8 = 0xff;

/// One op with data drawn for it and what must come out, ready to run in any mode.
pub struct Case<'a> {
    op: &'a dyn Verify,
    args: Vec<Arg>,
    data: Vec<HostData>,
    expected: Vec<Expected>,
    /// Why there is no data: the host's memory does not suffice.
    short: Option<Error>,
}

impl<'a> Case<'a> {
    /// Draws the data and computes the reference. Where the host has no memory for them, [`Case::run`] says so.
    pub fn new(op: &'a dyn Verify, pattern: Pattern, seed: u64) -> Self {
        let (args, mut rng) = (op.args(), Rng::new(seed));
        // Data are drawn in f64, then stored.
        let drawn = args.iter().fold(op.reference_bytes(), |sum, a| sum.saturating_add((a.len as u64).saturating_mul(16)));
        if let Err(e) = memory::check(&format!("{}: data and reference", op.name()), drawn) {
            return Self { op, args, data: vec![], expected: vec![], short: Some(e) };
        }
        let data: Vec<HostData> = args.iter().map(|a| op.fill(a, &mut rng, pattern)).collect();
        Self::with_data(op, data)
    }

    /// The caller's own data, one entry per argument (the contents of written ones do not matter).
    pub fn with_data(op: &'a dyn Verify, data: Vec<HostData>) -> Self {
        let (args, expected) = (op.args(), op.reference(&data));
        assert_eq!(
            expected.len(),
            args.iter().filter(|a| a.access != Access::Read).count(),
            "{op:?}: one expectation per written argument"
        );
        Self { op, args, data, expected, short: None }
    }

    /// Runs the case twice on `gpu` and compares.
    ///
    /// # Errors
    /// The first argument and element that is wrong, or the error of planning or running.
    pub fn run(&self, gpu: &Gpu, queue: &wgpu::Queue) -> Result<(), String> {
        if let Some(short) = &self.short {
            return Err(short.to_string());
        }
        gpu.own(self.op.name(), queue).map_err(|e| e.to_string())?;
        scoped(gpu.device(), self.op.name(), || self.run_twice(gpu, queue)).map_err(|e| e.to_string())?
    }

    fn run_twice(&self, gpu: &Gpu, queue: &wgpu::Queue) -> Result<(), String> {
        let plan = gpu.plan(self.op).map_err(|e| e.to_string())?;
        let images: Vec<Vec<u8>> = self.args.iter().zip(&self.data).map(|(a, d)| image(a, d)).collect();
        let layout = Layout::new(&images, gpu.caps().pooled);
        let buffers: Vec<wgpu::Buffer> = layout.images.iter().map(|i| upload(gpu.device(), i)).collect::<Result<_, _>>()?;
        let scratch = upload(gpu.device(), &vec![POISON; (plan.scratch_size() + 2 * GUARD) as usize])?;
        let windows: Vec<_> =
            layout.places.iter().zip(&images).map(|(&(b, at), i)| buffers[b].slice(at + GUARD..at + i.len() as u64)).collect();
        let reads = self.args.iter().filter(|a| a.access == Access::Read).count();
        let slice = scratch.slice(GUARD..GUARD + plan.scratch_size());
        let bound = plan.bind(&windows[..reads], &windows[reads..], Some(slice)).map_err(|e| e.to_string())?;
        // One copy of everything, so that a run is one submission and one wait.
        let sources: Vec<&wgpu::Buffer> = buffers.iter().chain([&scratch]).collect();
        let copy = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("check"),
            size: sources.iter().map(|b| b.size()).sum(),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut first: Option<Vec<Vec<u8>>> = None;
        for run in 0..2 {
            if run > 0 {
                buffers.iter().zip(&layout.images).for_each(|(buffer, image)| queue.write_buffer(buffer, 0, image));
            }
            let mut encoder = gpu.device().create_command_encoder(&Default::default());
            bound.record(&mut encoder.begin_compute_pass(&Default::default()));
            let next = |end: &mut u64, b: &&wgpu::Buffer| {
                *end += b.size();
                Some(*end - b.size())
            };
            let starts: Vec<u64> = sources.iter().scan(0, next).collect();
            for (buffer, at) in sources.iter().zip(&starts) {
                encoder.copy_buffer_to_buffer(buffer, 0, &copy, *at, buffer.size());
            }
            queue.submit([encoder.finish()]);
            let bytes = mapped(gpu.device(), &copy, |bytes| Ok(bytes.to_vec())).map_err(|e| e.to_string())?;
            let mut all: Vec<&[u8]> =
                sources.iter().zip(&starts).map(|(b, at)| &bytes[*at as usize..][..b.size() as usize]).collect();
            let tail = all.pop().expect("scratch is the last");
            let got: Vec<Vec<u8>> =
                layout.places.iter().zip(&images).map(|(&(b, at), i)| all[b][at as usize..][..i.len()].to_vec()).collect();
            let mut wants = self.expected.iter();
            for ((arg, bytes), before) in self.args.iter().zip(&got).zip(&images) {
                let (start, end) = (GUARD as usize, GUARD as usize + arg.bytes() as usize);
                if bytes[..start] != before[..start] || bytes[end..] != before[end..] {
                    return Err(format!("`{}` run {run}: wrote outside its bounds", arg.name));
                }
                if arg.access == Access::Read {
                    if bytes != before {
                        return Err(format!("`{}` run {run}: is only read, and was changed", arg.name));
                    }
                    continue;
                }
                let want = wants.next().expect("counted in `with_data`");
                compare(&HostData::from_bytes(arg.dtype, &bytes[start..end]), want)
                    .map_err(|e| format!("`{}` run {run}: {e}", arg.name))?;
            }
            let (head, rest) = tail.split_at(GUARD as usize);
            if head.iter().chain(&rest[plan.scratch_size() as usize..]).any(|&b| b != POISON) {
                return Err(format!("scratch, run {run}: wrote outside its bounds"));
            }
            match &first {
                None => first = Some(got),
                Some(f) if *f != got => return Err("two runs differ".into()),
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// Where each argument's image lies: in a buffer of its own, or all in one.
struct Layout {
    images: Vec<Vec<u8>>,
    places: Vec<(usize, u64)>,
}

impl Layout {
    fn new(images: &[Vec<u8>], pooled: bool) -> Self {
        if !pooled {
            return Self { images: images.to_vec(), places: (0..images.len()).map(|i| (i, 0)).collect() };
        }
        let (mut one, mut places) = (Vec::new(), Vec::new());
        for image in images {
            one.resize(one.len().next_multiple_of(GUARD as usize), POISON);
            places.push((0, one.len() as u64));
            one.extend_from_slice(image);
        }
        one.resize(one.len().max(4), POISON);
        Self { images: vec![one], places }
    }
}

fn image(arg: &Arg, data: &HostData) -> Vec<u8> {
    let mut image = vec![POISON; (arg.binding_bytes() + 2 * GUARD) as usize];
    if arg.access != Access::Write {
        image[GUARD as usize..][..data.bytes().len()].copy_from_slice(data.bytes());
    }
    image
}

fn upload(device: &wgpu::Device, bytes: &[u8]) -> Result<wgpu::Buffer, String> {
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    filled(device, "a buffer of a check", bytes, usage).map_err(|e| e.to_string())
}
