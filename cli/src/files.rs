//! Files that a command writes.
use crate::Failure;
use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::Path,
};

/// Writes a file whole or not at all: to one beside it, which then takes its name, so that a reader never meets half of it.
///
/// # Errors
/// [`Failure::Usage`] names the file and the reason, a full disk say; what was there before is there still.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    whole(path, bytes).map_err(|e| Failure::file("write", path, e))
}

fn whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Through a link to the file itself; what is no ordinary file (/dev/null, a pipe) is not to be replaced by one.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    match fs::metadata(&target) {
        Ok(m) if m.is_dir() => return Err(io::Error::other("it is a directory")),
        Ok(m) if !m.is_file() => return fs::write(&target, bytes),
        _ => {}
    }
    let mut name = OsString::from(".");
    name.push(target.file_name().ok_or_else(|| io::Error::other("it names no file"))?);
    name.push(format!(".{}", std::process::id()));
    let unfinished = target.with_file_name(name);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&unfinished)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    written.and_then(|()| fs::rename(&unfinished, &target)).inspect_err(|_| {
        // Half of a file is of no use; that it cannot be removed changes nothing about the error.
        let _ = fs::remove_file(&unfinished);
    })
}
