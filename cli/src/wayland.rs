//! Silences a driver's complaint on machines without a display.
//!
//! Mesa's device-select layer, which the Vulkan loader puts before every driver, asks a Wayland display which GPU it
//! uses. libwayland looks for the display's socket in `XDG_RUNTIME_DIR` and complains on stderr, once per instance, when
//! that is unset. With `WAYLAND_DISPLAY` an absolute path it does not look there; a path that cannot exist means "no
//! display", silently. (`NODEVICE_SELECT=1` would switch the layer off, and with it the user's `MESA_VK_DEVICE_SELECT`.)
//!
//! A process cannot safely change its own environment once it could have threads, so this one starts itself again with
//! the variable set: same process id, same files, about a millisecond.

/// Tells libwayland, if it would complain, that there is no display.
pub(crate) fn silence() {
    #[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
    {
        use std::{os::unix::process::CommandExt, path::Path, process::Command};
        let absolute = |name: &str| std::env::var_os(name).is_some_and(|v| Path::new(&v).is_absolute());
        // Also the guard against starting again and again.
        if absolute("XDG_RUNTIME_DIR") || absolute("WAYLAND_DISPLAY") {
            return;
        }
        let Ok(program) = std::env::current_exe() else { return };
        let mut args = std::env::args_os();
        let mut again = Command::new(program);
        if let Some(name) = args.next() {
            again.arg0(name);
        }
        // Returns only on failure: then the harmless complaint stays.
        let _ = again.args(args).env("WAYLAND_DISPLAY", "/dev/null/no-display").exec();
    }
}
