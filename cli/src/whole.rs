//! Files written whole or not at all: readers see the old ones until the new ones are complete.
use crate::Failure;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Makes the folder, and sees that files can be written into it: asked before long work, so that a bad place is not found out
/// after it.
///
/// # Errors
/// [`Failure::Usage`] with the folder's name and the system's reason.
pub fn folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|e| Failure::file("create", path, e))?;
    let probe = unfinished(path, "writable");
    fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)).map_err(|e| Failure::file("write into", path, e))
}

/// Writes all files, or none: each under another name first, to its end and to the disk, and only then each in its place.
///
/// # Errors
/// [`Failure::Usage`] with the file's name and the system's reason. Nothing unfinished is left behind.
pub fn write(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), Failure> {
    let done = files.iter().try_for_each(|(name, bytes)| {
        let save = |path: &Path| -> io::Result<()> {
            let mut file = fs::File::create(path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        save(&unfinished(folder, name)).map_err(|e| Failure::file("write", &folder.join(name), e))
    });
    let placed = done.and_then(|()| {
        files.iter().try_for_each(|(name, _)| {
            let to = folder.join(name);
            fs::rename(unfinished(folder, name), &to).map_err(|e| Failure::file("write", &to, e))
        })
    });
    placed.inspect_err(|_| {
        for (name, _) in files {
            // The first error is the one to tell.
            let _ = fs::remove_file(unfinished(folder, name));
        }
    })
}

fn unfinished(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".{name}.{}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_or_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        folder(&path).unwrap();
        write(&path, &[("one", b"1"), ("two", b"2")]).unwrap();
        assert_eq!(fs::read(path.join("two")).unwrap(), b"2");
        // The second cannot be written: the first stays as it was.
        let why = write(&path, &[("one", b"3"), ("no/such", b"4")]).unwrap_err().to_string();
        assert!(why.starts_with("cannot write ") && why.contains("no/such"), "{why}");
        assert_eq!(fs::read(path.join("one")).unwrap(), b"1");
        assert_eq!(fs::read_dir(&path).unwrap().count(), 2, "something unfinished was left");
        assert!(folder(&path.join("one")).unwrap_err().to_string().starts_with("cannot create "));
    }
}
