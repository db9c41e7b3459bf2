//! Progress of a search: shown to the user, and saved to the checkpoint.
use super::outcome::Progress;
use crate::{Failure, Progress as Bar, Ui, interrupt, text};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Shows the progress of a search, and saves it.
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
    /// Networks trained at once so far, at most.
    pub largest: usize,
}

/// How often a search is saved.
const SAVE: Duration = Duration::from_secs(20);

impl<'a> Watcher<'a> {
    /// Of a search that trains this many networks for this many epochs at most, and resumes from `progress`. `place`: where it is saved,
    /// and the fingerprint of the search.
    pub fn new(ui: &'a Ui, networks: usize, epochs: usize, progress: &Progress, place: (&Path, &str)) -> Self {
        let done = progress.active.values().map(|s| s.epoch).sum::<usize>() + progress.done.len() * epochs;
        let (total, now) = (networks * epochs, Instant::now());
        let bar = ui.progress("tune", total as u64);
        bar.done(done as u64);
        let (path, fingerprint) = (place.0.to_path_buf(), place.1.to_string());
        Self { bar, start: now, path, fingerprint, saved: now, epochs, trained: 0, left: total - done, largest: 0 }
    }

    /// This many networks have trained for another epoch.
    pub fn trained(&mut self, networks: usize) {
        (self.trained, self.left) = (self.trained + networks, self.left.saturating_sub(networks));
        self.largest = self.largest.max(networks);
        self.bar.done(networks as u64);
        let left = self.start.elapsed().as_secs_f64() / self.trained as f64 * self.left as f64;
        self.bar.on(format!("{networks} networks at once, at most {left:.0} s left"));
    }

    /// This many networks have finished at this epoch: the rest of their epochs is spared.
    pub fn finished(&mut self, networks: usize, epoch: usize) {
        let spared = networks * (self.epochs - epoch);
        self.left = self.left.saturating_sub(spared);
        self.bar.done(spared as u64);
    }

    /// A safe point: saves the checkpoint if it is time to, or if the user has interrupted.
    ///
    /// # Errors
    /// [`Failure::Interrupted`] after an interrupt, and what saving reports.
    pub fn pause(&mut self, progress: &mut dyn FnMut() -> Result<Progress, Failure>) -> Result<(), Failure> {
        let interrupted = interrupt::heard();
        if interrupted || self.saved.elapsed() > SAVE {
            progress()?.save(&self.path, &self.fingerprint)?;
            self.saved = Instant::now();
        }
        if !interrupted {
            return Ok(());
        }
        let path = text::path(&self.path);
        Err(Failure::Interrupted(format!("interrupted; {path} has the progress, and the same command resumes from it")))
    }
}
