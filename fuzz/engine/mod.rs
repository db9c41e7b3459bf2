//! Fuzzing with what stable Rust has. A target is a function that takes bytes, panics where a promise is broken, and otherwise says in
//! words what it did; an input that makes it do something new is kept and mutated further. That stands in for the coverage of branches,
//! which needs a nightly compiler, and every dependency, wgpu too, built once more with other flags.
//!
//! Without the variables below, a target replays its corpus and tries a few more inputs: that is its test. `cargo xtask fuzz` sets them
//! and looks for longer.
mod ask;
mod mutate;
mod run;
mod shrink;
#[cfg(test)]
mod tests;

#[allow(unused_imports, reason = "each program uses its own part")]
pub use mutate::{INTEGERS, below, bytes, pick};

#[allow(unused_imports, reason = "each program uses its own part")]
pub use run::within;

use ask::Ask;
use ridgepole::Rng;
use run::{Run, watch};
use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// How the words about an input begin that was taken, not refused.
#[allow(dead_code, reason = "each program uses its own part")]
pub const ACCEPTED: &str = "accepted ";

/// Makes an input of one, and perhaps of parts of others.
pub type Mutate<'a> = dyn Fn(&mut Rng, &[u8], &[Vec<u8>]) -> Vec<u8> + 'a;

/// What is fuzzed.
pub struct Target<'a> {
    /// The name of its folder in `fuzz/corpus`, and in `cargo xtask fuzz`.
    pub name: &'static str,
    /// Inputs to begin with, beside those of the folder.
    pub seeds: Vec<Vec<u8>>,
    /// An input made of one, and perhaps of parts of others.
    pub mutate: &'a Mutate<'a>,
    /// Smaller inputs that may fail in the same way, the smallest first.
    pub smaller: &'a dyn Fn(&[u8]) -> Vec<Vec<u8>>,
    /// What an input is about: faults of the same words about different things are two.
    pub about: &'a dyn Fn(&[u8]) -> String,
    /// Takes an input and says what happened, in words that are few. With `true` everything is tried on it, else perhaps a part.
    ///
    /// # Panics
    /// If a promise is broken.
    pub run: &'a dyn Fn(&[u8], bool) -> String,
}

/// Smaller inputs of bytes without a structure.
pub fn fewer_bytes(input: &[u8]) -> Vec<Vec<u8>> {
    shrink::bytes(input)
}

/// A number that an input decides and that is as good as random.
pub fn hash(input: &[u8]) -> u64 {
    let mut hash = DefaultHasher::new();
    input.hash(&mut hash);
    hash.finish()
}

/// What people read may be so long.
const LONGEST_TEXT: usize = 4000;

/// A text for people, without its values: few inputs make a new one.
///
/// # Panics
/// If it is too long, or would reach a terminal with control characters.
pub fn plain_text(text: &str) -> String {
    let start = || text.chars().take(200).collect::<String>().escape_debug().to_string();
    assert!(text.len() <= LONGEST_TEXT, "a text too long to read: {} bytes: {}", text.len(), start());
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "control characters in a text: {}", text.escape_debug());
    // What is between the first quotation mark and the last may be anything.
    let mark = ['"', '`', '\''];
    let (head, tail) = (text.split(mark).next().unwrap_or_default(), text.rsplit(mark).next().unwrap_or_default());
    let both = if head.len() == text.len() { head.to_string() } else { format!("{head}_{tail}") };
    both.chars().filter(|c| c.is_ascii_alphabetic() || " _".contains(*c)).take(120).collect()
}

/// For targets whose inputs are all about the same.
#[allow(dead_code, reason = "each program uses its own part")]
pub fn nothing(_: &[u8]) -> String {
    String::new()
}

/// Replays the corpus of a target and looks for inputs that break it.
///
/// # Panics
/// If there are such inputs; the message has them.
pub fn fuzz(target: &Target) {
    let ask = Ask::read(target.name);
    let mut run = Run::new(target, &ask);
    let watching = AtomicBool::new(true);
    std::thread::scope(|threads| {
        threads.spawn(|| watch(&watching, target.name));
        run.all();
        watching.store(false, Relaxed);
    });
    run.finish();
}

/// A folder for files that live as long as an input: in memory, where the system has such a place.
#[allow(dead_code, reason = "each program uses its own part")]
pub fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    dir.expect("a temporary folder")
}
