//! The choice of the GPU.
use crate::Failure;
use ridgepole::{Error, Session, wgpu};

/// Opens the adapter whose name contains `wanted` in any case; without it the one that `WGPU_ADAPTER_NAME` names, or else
/// the system's choice. `WGPU_BACKEND` (vulkan, metal, dx12) restricts the adapters.
///
/// # Errors
/// [`Failure::Usage`] lists the adapters, or says what to install; [`Failure::Found`] has the driver's text.
pub fn open(wanted: Option<&str>) -> Result<Session, Failure> {
    Ok(wanted.map_or_else(Session::new, Session::named)?)
}

/// Every adapter, at least one.
///
/// # Errors
/// As [`open`].
pub fn all() -> Result<Vec<wgpu::Adapter>, Failure> {
    Session::backends()?;
    let all = Session::adapters();
    // `Session` has the message for a machine without adapters.
    if all.is_empty() { Session::named("").map(|_| all).map_err(Failure::from) } else { Ok(all) }
}

/// "NVIDIA H200 (Vulkan, NVIDIA 570.86)".
pub fn name(i: &wgpu::AdapterInfo) -> String {
    format!("{} ({:?}, {})", i.name, i.backend, format!("{} {}", i.driver, i.driver_info).trim())
}

/// The sessions that `--adapter` and `--all-adapters` ask for.
///
/// # Errors
/// As [`open`].
pub fn sessions(wanted: Option<&str>, every: bool) -> Result<Vec<Session>, Failure> {
    if !every {
        return Ok(vec![open(wanted)?]);
    }
    Ok(all()?.iter().map(Session::open).collect::<Result<_, Error>>()?)
}
