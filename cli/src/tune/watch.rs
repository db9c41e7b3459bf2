//! How far a search is, for people; and the checkpoint, for the search.
use super::checkpoint::Progress;
use crate::{Failure, Progress as Bar, Ui};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Set when the user asks to stop; the search saves what it has first.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Shows how far a search is, and saves it.
pub struct Watcher<'a> {
    bar: Bar<'a>,
    start: Instant,
    path: PathBuf,
    fingerprint: String,
    saved: Instant,
    /// Epochs of a network, at most.
    epochs: usize,
    /// Network-epochs trained in this run, and left at most.
    trained: usize,
    left: usize,
    /// Networks in the largest fleet so far.
    pub largest: usize,
}

/// How often a search is saved.
const SAVE: Duration = Duration::from_secs(20);

impl<'a> Watcher<'a> {
    /// Of a search for so many networks of at most so many epochs, which goes on from `progress`. `place`: where it is saved, and what
    /// says which search it is.
    pub fn new(ui: &'a Ui, networks: usize, epochs: usize, progress: &Progress, place: (&Path, &str)) -> Self {
        let done = progress.active.values().map(|s| s.epoch).sum::<usize>() + progress.done.len() * epochs;
        let (total, now) = (networks * epochs, Instant::now());
        let bar = ui.progress("tune", total as u64);
        bar.done(done as u64);
        let (path, fingerprint) = (place.0.to_path_buf(), place.1.to_string());
        Self { bar, start: now, path, fingerprint, saved: now, epochs, trained: 0, left: total - done, largest: 0 }
    }

    /// So many networks have trained for an epoch more.
    pub fn trained(&mut self, networks: usize) {
        (self.trained, self.left) = (self.trained + networks, self.left.saturating_sub(networks));
        self.largest = self.largest.max(networks);
        self.bar.done(networks as u64);
        let left = self.start.elapsed().as_secs_f64() / self.trained as f64 * self.left as f64;
        self.bar.on(format!("{networks} networks together, at most {left:.0} s left"));
    }

    /// So many networks have finished at this epoch: those that they could have had are not to come.
    pub fn finished(&mut self, networks: usize, epoch: usize) {
        let spared = networks * (self.epochs - epoch);
        self.left = self.left.saturating_sub(spared);
        self.bar.done(spared as u64);
    }

    /// A good moment to save what there is, if it is time or if the user has asked to stop.
    ///
    /// # Errors
    /// [`Failure::Interrupted`] if the user has, and what saving reports.
    pub fn pause(&mut self, progress: &mut dyn FnMut() -> Result<Progress, Failure>) -> Result<(), Failure> {
        let broken_off = INTERRUPTED.load(Ordering::Relaxed);
        if broken_off || self.saved.elapsed() > SAVE {
            progress()?.save(&self.path, &self.fingerprint)?;
            self.saved = Instant::now();
        }
        if !broken_off {
            return Ok(());
        }
        let path = self.path.display();
        Err(Failure::Interrupted(format!("interrupted; {path} has what was done, the same command goes on from it")))
    }
}

/// From now on the user's interrupt (Ctrl-C) ends a search at the next good moment; a second one ends the program at once.
///
/// # Errors
/// [`Failure::Found`] if the system does not tell of interrupts.
pub fn listen() -> Result<(), Failure> {
    let heard = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(heard).map_err(|e| Failure::found(format!("cannot listen for interrupts: {e}")))
}
