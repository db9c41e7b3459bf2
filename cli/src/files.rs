//! Files that a command writes: whole or not at all, so that readers see the old ones until the new ones are complete.
use crate::Failure;
use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Writes a file whole or not at all: to one beside it, which then takes its name, so that a reader never meets half of it.
///
/// # Errors
/// [`Failure::Usage`] names the file and the reason, such as a full disk; an earlier file stays as it was.
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
    let name = target.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
    let unfinished = unfinished(target.parent().unwrap_or(Path::new("")), name);
    save(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &target)).inspect_err(|_| {
        // A partial file is useless; a failure to remove it does not change the error.
        let _ = fs::remove_file(&unfinished);
    })
}

/// Creates the folder and checks that files can be written into it. Called before long work, so that this is not found out after it.
///
/// # Errors
/// [`Failure::Usage`] with the folder's name and the system's reason.
pub(crate) fn folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|e| Failure::file("create", path, e))?;
    let probe = unfinished(path, OsStr::new("writable"));
    fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)).map_err(|e| Failure::file("write into", path, e))
}

/// Writes all files, or none: each under another name first, to its end and to the disk, and only then each in its place.
///
/// # Errors
/// [`Failure::Usage`] with the file's name and the system's reason. Nothing unfinished is left behind.
pub(crate) fn all(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), Failure> {
    let done = files.iter().try_for_each(|(name, bytes)| {
        save(&unfinished(folder, name.as_ref()), bytes).map_err(|e| Failure::file("write", &folder.join(name), e))
    });
    let placed = done.and_then(|()| {
        files.iter().try_for_each(|(name, _)| {
            let to = folder.join(name);
            fs::rename(unfinished(folder, name.as_ref()), &to).map_err(|e| Failure::file("write", &to, e))
        })
    });
    placed.inspect_err(|_| {
        for (name, _) in files {
            // The first error is the one to report.
            let _ = fs::remove_file(unfinished(folder, name.as_ref()));
        }
    })
}

/// Writes the numbers of a command and the page that shows them, both or none. Where drawing the page fails, which is a fault of this
/// program, the numbers are written all the same.
///
/// # Errors
/// As [`all`]; [`Failure::Found`] if there is no page.
pub(crate) fn report(
    folder: &Path,
    (numbers, json): (&str, &serde_json::Value),
    (page, draw): (&str, impl FnOnce() -> String),
) -> Result<(), Failure> {
    let json = serde_json::to_vec_pretty(json).map_err(|e| Failure::found(format!("{numbers}: {e}")))?;
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(draw)) {
        Ok(html) => all(folder, &[(numbers, &json), (page, html.as_bytes())]),
        Err(_) => {
            all(folder, &[(numbers, &json)])?;
            let kept = folder.join(numbers);
            Err(Failure::found(format!(
                "{page} could not be drawn, a fault of this program; the numbers are in {}",
                kept.display()
            )))
        }
    }
}

/// A new file, on the disk to its end.
fn save(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The file beside it that is to take this name.
fn unfinished(folder: &Path, name: &OsStr) -> PathBuf {
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    folder.join(hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_cannot_be_drawn_does_not_cost_the_numbers() {
        let dir = tempfile::tempdir().unwrap();
        let json = serde_json::json!({ "best": 0.5 });
        let why = report(dir.path(), ("x.json", &json), ("x.html", || panic!("planted"))).unwrap_err().to_string();
        assert!(why.starts_with("x.html could not be drawn") && why.contains("x.json"), "{why}");
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&fs::read(dir.path().join("x.json")).unwrap()).unwrap(), json);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        report(dir.path(), ("x.json", &json), ("x.html", || "page".to_string())).unwrap();
        assert_eq!(fs::read(dir.path().join("x.html")).unwrap(), b"page");
    }

    #[test]
    fn all_files_or_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        folder(&path).unwrap();
        all(&path, &[("one", b"1"), ("two", b"2")]).unwrap();
        assert_eq!(fs::read(path.join("two")).unwrap(), b"2");
        // The second cannot be written: the first stays as it was.
        let why = all(&path, &[("one", b"3"), ("no/such", b"4")]).unwrap_err().to_string();
        assert!(why.starts_with("cannot write ") && why.contains("no/such"), "{why}");
        assert_eq!(fs::read(path.join("one")).unwrap(), b"1");
        assert_eq!(fs::read_dir(&path).unwrap().count(), 2, "something unfinished was left");
        assert!(folder(&path.join("one")).unwrap_err().to_string().starts_with("cannot create "));
    }
}
