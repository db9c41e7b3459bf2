//! Memory of the host, asked for where a failure is an error yet and not the end of the process.
use super::Error;

/// An empty vector with room for `len` elements.
///
/// # Errors
/// [`Error::HostMemory`].
pub fn room<T>(what: &str, len: usize) -> Result<Vec<T>, Error> {
    let mut room = Vec::new();
    let failed = |_| Error::HostMemory { what: what.to_string(), bytes: (len as u64).saturating_mul(size_of::<T>() as u64) };
    room.try_reserve_exact(len).map_err(failed)?;
    Ok(room)
}

/// Whether the host has so much memory at once, now.
///
/// # Errors
/// [`Error::HostMemory`].
pub fn check(what: &str, bytes: u64) -> Result<(), Error> {
    let failed = || Error::HostMemory { what: what.to_string(), bytes };
    let room = room::<u8>(what, usize::try_from(bytes).map_err(|_| failed())?)?;
    // Memory that nothing uses may never be asked for.
    std::hint::black_box(&room);
    Ok(())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn what_no_host_has_is_an_error() {
        assert_eq!(check("x", 1 << 20), Ok(()));
        for bytes in [1 << 56, u64::MAX] {
            let error = check("x", bytes).expect_err("nobody has it");
            assert_eq!(error.to_string(), format!("x: the host has no memory for {bytes} bytes; work on smaller pieces"));
        }
        assert_eq!(room::<u64>("x", usize::MAX).err(), Some(Error::HostMemory { what: "x".into(), bytes: u64::MAX }));
        assert_eq!(room::<u64>("x", 8).map(|v| v.len()), Ok(0));
    }
}
