//! An interrupt (Ctrl-C) ends long work at the next safe point.
use crate::Failure;
use std::sync::atomic::{AtomicBool, Ordering};

static HEARD: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt is kept for [`heard`]; a second one ends the program at once.
///
/// # Errors
/// [`Failure::Found`] if the system does not deliver interrupts.
pub(crate) fn listen() -> Result<(), Failure> {
    let hear = || {
        if HEARD.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(hear).map_err(|e| Failure::found(format!("cannot listen for interrupts: {e}")))
}

/// Whether there was one.
pub(crate) fn heard() -> bool {
    HEARD.load(Ordering::Relaxed)
}
