//! The clock on the wall.
//!
//! A call ends with `Device::flush`, which hands its work to the driver and does not wait: otherwise fusion would merge it with the
//! next call, or drop what nobody reads. Results are kept until the sets of inputs have come round, so that they, too, go to
//! memory and not to the cache. What the host does for a call is in its time as far as the device has to wait for it.
use crate::{Args, device::Adopted, work::Job};
use ridgepole::bench::quantile;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// More sets than this would cost more memory and time to fill than they tell.
const MOST_SETS: u64 = 64;
/// Calls in a sample: the host has to queue them all.
const MOST_CALLS: u64 = 1000;
/// Bytes of what forward passes may leave for backward passes that are timed in one sample.
const MOST_HELD: u64 = 4 << 30;

/// Seconds of a call: the median and the quartiles.
pub fn measure(job: &Job, adopted: &Adopted, args: &Args) -> Result<[f64; 3], String> {
    let device = &adopted.device;
    let count = (args.working_set << 20).div_ceil(job.bytes.max(1)).clamp(1, MOST_SETS) as usize;
    let mut sets: Vec<_> = (0..count).map(|_| (job.set)(device)).collect();
    let mut sample = |repeats: usize| -> Result<f64, String> {
        for i in 0..repeats {
            sets[i % count].prepare();
            device.flush().map_err(|e| e.to_string())?;
        }
        device.sync().map_err(|e| e.to_string())?;
        let mut kept = VecDeque::new();
        let start = Instant::now();
        for i in 0..repeats {
            kept.push_back(sets[i % count].call());
            device.flush().map_err(|e| e.to_string())?;
            if kept.len() > count {
                kept.pop_front();
            }
        }
        device.sync().map_err(|e| e.to_string())?;
        Ok(start.elapsed().as_secs_f64() / repeats as f64)
    };
    // Compiles, and tunes: Burn does both at the first calls of a shape.
    for _ in 0..3 {
        sample(1)?;
    }
    let most = MOST_HELD.checked_div(job.held).unwrap_or(MOST_CALLS).clamp(1, MOST_CALLS);
    let repeats = (args.sample as f64 * 1e-3 / sample(1)?.max(1e-7)).ceil().clamp(1.0, most as f64) as usize;
    // The clocks of a GPU that was idle rise while it works. And all sets, in their order, have been seen once.
    let (begin, warm_up) = (Instant::now(), Duration::from_millis(if adopted.cpu { 0 } else { 300 }));
    sample(repeats)?;
    while begin.elapsed() < warm_up {
        sample(repeats)?;
    }
    let mut times = (0..args.rounds).map(|_| sample(repeats)).collect::<Result<Vec<_>, _>>()?;
    times.sort_by(f64::total_cmp);
    Ok([0.5, 0.25, 0.75].map(|q| quantile(&times, q)))
}
