//! Many cases on several devices at once: most of a check's time goes to references, data and waiting, not to the GPU.
use super::{Case, modes};
use crate::{
    device::Gpu,
    op::{Pattern, Verify},
};
use std::{
    ops::ControlFlow,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    time::Instant,
};

/// A device to check on, in every mode.
pub struct Rig {
    device: wgpu::Device,
    queue: wgpu::Queue,
}

impl Rig {
    /// This device.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        Self { device: device.clone(), queue: queue.clone() }
    }

    /// How many modes there are.
    pub fn modes(&self) -> usize {
        modes(&self.device).len()
    }

    /// All of [`modes`], without any pipeline yet, and with those in common that come out alike.
    fn fresh(&self) -> Vec<(&'static str, Gpu)> {
        let gpu = Gpu::new(&self.device);
        modes(&self.device).into_iter().map(|(name, caps)| (name, gpu.restricted(caps))).collect()
    }
}

/// What became of an op in all its patterns and modes.
#[derive(Debug)]
pub struct Verdict {
    /// Its place in the list.
    pub index: usize,
    /// Runs made.
    pub runs: usize,
    /// Time spent on it, in seconds.
    pub seconds: f64,
    /// Kind of data, mode and error of each run that failed.
    pub failed: Vec<(Pattern, &'static str, String)>,
}

/// The cases of one op.
struct Share {
    begun: AtomicBool,
    next: AtomicUsize,
    end: usize,
}

/// Runs every op of the list, given with the seed of its data, in every pattern and mode; each rig on a thread of its own.
/// `each` gets the verdicts as they come, and may end the sweep.
pub fn sweep(rigs: &[Rig], list: &[(u64, &dyn Verify)], mut each: impl FnMut(Verdict) -> ControlFlow<()>) {
    let (mut shares, mut start) = (Vec::new(), 0);
    for op in list.chunk_by(|a, b| a.1.name() == b.1.name()) {
        let end = start + op.len();
        shares.push(Share { begun: AtomicBool::new(false), next: AtomicUsize::new(start), end });
        start = end;
    }
    let over = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|threads| {
        for rig in rigs {
            let (sender, shares, over) = (sender.clone(), &shares, &over);
            threads.spawn(move || {
                // To compile is most of the work, and every device must: so first whole ops that nobody has begun, then what is left.
                let fresh = shares.iter().filter(|s| !s.begun.swap(true, Relaxed));
                for share in fresh.chain(shares) {
                    // Pipelines go with their op: those of all ops in all modes come to more than 16 GB on a software driver.
                    let mut modes = Vec::new();
                    loop {
                        let index = share.next.fetch_add(1, Relaxed);
                        if index >= share.end || over.load(Relaxed) {
                            break;
                        }
                        if modes.is_empty() {
                            modes = rig.fresh();
                        }
                        let (seed, op) = list[index];
                        if sender.send(check(&modes, &rig.queue, index, seed, op)).is_err() {
                            return;
                        }
                    }
                }
            });
        }
        drop(sender);
        for verdict in receiver {
            if each(verdict).is_break() {
                over.store(true, Relaxed);
                break;
            }
        }
    });
}

fn check(modes: &[(&'static str, Gpu)], queue: &wgpu::Queue, index: usize, seed: u64, op: &dyn Verify) -> Verdict {
    let (start, mut runs, mut failed) = (Instant::now(), 0, Vec::new());
    for pattern in op.patterns() {
        let case = Case::new(op, pattern, seed);
        for (mode, gpu) in modes {
            runs += 1;
            failed.extend(case.run(gpu, queue).err().map(|why| (pattern, *mode, why)));
        }
    }
    Verdict { index, runs, seconds: start.elapsed().as_secs_f64(), failed }
}
