//! Many cases on several devices at once: most of a check's time goes to references, data and waiting, not to the GPU.
use super::{Case, modes};
use crate::{Gpu, Op, Pattern};
use std::{
    ops::ControlFlow,
    sync::{
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    time::Instant,
};

/// A device with what every mode of the check prepares on it.
pub struct Rig {
    queue: wgpu::Queue,
    modes: Vec<(&'static str, Gpu)>,
}

impl Rig {
    /// All of [`modes`] on this device.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        let modes = modes(device).into_iter().map(|(name, caps)| (name, Gpu::with_caps(device, caps))).collect();
        Self { queue: queue.clone(), modes }
    }

    /// How many modes there are.
    pub fn modes(&self) -> usize {
        self.modes.len()
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

/// Runs every op of the list, given with the seed of its data, in every pattern and mode; each rig on a thread of its own.
/// `each` gets the verdicts as they come, nearly in the list's order, and may end the sweep.
pub fn sweep(rigs: &[Rig], list: &[(u64, &dyn Op)], mut each: impl FnMut(Verdict) -> ControlFlow<()>) {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|threads| {
        for rig in rigs {
            let (sender, next) = (sender.clone(), &next);
            threads.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Relaxed);
                    let Some(&(seed, op)) = list.get(index) else { return };
                    if sender.send(check(rig, index, seed, op)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for verdict in receiver {
            if each(verdict).is_break() {
                next.store(list.len(), Relaxed);
                break;
            }
        }
    });
}

fn check(rig: &Rig, index: usize, seed: u64, op: &dyn Op) -> Verdict {
    let (start, mut runs, mut failed) = (Instant::now(), 0, Vec::new());
    for pattern in op.patterns() {
        let case = Case::new(op, pattern, seed);
        for (mode, gpu) in &rig.modes {
            runs += 1;
            failed.extend(case.run(gpu, &rig.queue).err().map(|why| (pattern, *mode, why)));
        }
    }
    Verdict { index, runs, seconds: start.elapsed().as_secs_f64(), failed }
}
