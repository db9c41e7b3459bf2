//! Files that a command writes: whole or not at all, so that readers see the old ones until the new ones are complete.
//!
//! What holds for every output, whichever command writes it:
//!
//! - It is written to a new file beside its place, under a name that cannot be guessed and that is made only if nothing has it, and then
//!   takes its place. A reader never meets half of it.
//! - A link is followed, to its end, and stays: the file that it points to is replaced, or made. Links in a circle are an error.
//! - A file keeps its permissions; a new one gets those of the process (umask). Owner, access lists and other names of the same file (hard
//!   links) belong to the old file and stay with it: another name keeps the old content.
//! - What is no ordinary file (`/dev/null`, `/dev/stdout`, a pipe) is written into as it is. Opening a pipe waits for its reader.
mod held;
mod place;

pub(crate) use held::Held;

use crate::{Failure, text};
use place::{Place, beside, cause, same_folder};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use tempfile::TempPath;

/// Writes a file whole or not at all: to one beside it, which then takes its name, so that a reader never meets half of it.
///
/// # Errors
/// [`Failure::Usage`] names the file and the reason, such as a full disk; an earlier file stays as it was.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    place_all(&[(path.to_path_buf(), bytes)], &mut |from, to| fs::rename(from, to))
}

/// Creates the folder, checks that files can be written into it, and takes it: as long as what this gives lives, no other command can.
/// Called before long work, so that none of this is found out after it.
///
/// # Errors
/// [`Failure::Usage`] with the folder's name and the system's reason, or with who writes into it.
pub(crate) fn folder(path: &Path, command: &str) -> Result<Held, Failure> {
    let real = place::ends_at(path).map_err(|e| Failure::file("create", path, e))?;
    fs::create_dir_all(&real).map_err(|e| Failure::file("create", path, e))?;
    tempfile::Builder::new()
        .prefix(".writable.")
        .tempfile_in(&real)
        .and_then(tempfile::NamedTempFile::close)
        .map_err(|e| Failure::file("write into", path, cause(e)))?;
    Held::folder(path, &real, command)
}

/// Writes all files, or none: each under another name first, to its end and to the disk, and only then each in its place. Should a place
/// not be taken, the files before it are put back as they were, and are gone where there were none.
///
/// If the machine stops between two renames, the first files are new and the others are old, each of them whole, and copies of the old
/// ones may be left under names that begin with a dot: no system call renames two files at once.
///
/// # Errors
/// [`Failure::Usage`] with the file's name and the system's reason. Nothing unfinished is left behind.
pub(crate) fn all(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), Failure> {
    let files: Vec<(PathBuf, &[u8])> = files.iter().map(|(name, bytes)| (folder.join(name), *bytes)).collect();
    place_all(&files, &mut |from, to| fs::rename(from, to))
}

/// Writes the numbers of a command, the page that shows them, and what else there is: all or none. Where drawing the page fails, which is
/// a fault of this program, the others are written all the same.
///
/// # Errors
/// As [`all`]; [`Failure::Found`] if there is no page.
pub(crate) fn report(
    folder: &Path,
    (numbers, json): (&str, &serde_json::Value),
    (page, draw): (&str, impl FnOnce() -> String),
    more: &[(&str, Vec<u8>)],
) -> Result<(), Failure> {
    let json = text::json(json);
    let mut files = vec![(numbers, json.as_bytes())];
    files.extend(more.iter().map(|(name, bytes)| (*name, &bytes[..])));
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(draw)) {
        Ok(html) => {
            files.push((page, html.as_bytes()));
            all(folder, &files)
        }
        Err(_) => {
            all(folder, &files)?;
            let kept = text::path(&folder.join(numbers));
            Err(Failure::found(format!("{page} could not be drawn, a fault of this program; the numbers are in {kept}")))
        }
    }
}

/// Removes a file that [`write`] wrote, if it is there; a link to it stays.
///
/// # Errors
/// [`Failure::Usage`] with the file's name and the system's reason.
pub(crate) fn remove(path: &Path) -> Result<(), Failure> {
    let removed = Place::of(path).and_then(|place| match place {
        Place::File(to) => fs::remove_file(to),
        _ => Ok(()),
    });
    match removed {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Failure::file("remove", path, e)),
        _ => Ok(()),
    }
}

/// A file under another name that waits to take its place.
struct Waiting<'a> {
    /// As it was asked for.
    asked: &'a Path,
    new: TempPath,
    to: PathBuf,
    /// The file that it replaces, once it has.
    old: Option<TempPath>,
    placed: bool,
}

type Rename<'a> = &'a mut dyn FnMut(&Path, &Path) -> io::Result<()>;

fn place_all(files: &[(PathBuf, &[u8])], rename: Rename) -> Result<(), Failure> {
    let failed = |path: &Path, e: io::Error| Failure::file("write", path, e);
    // Every place is looked at before anything is written.
    let mut places = Vec::new();
    for (path, bytes) in files {
        let place = Place::of(path).map_err(|e| failed(path, e))?;
        let same = |(other, _, _): &&(Place, &Path, &[u8])| matches!((other, &place), (Place::File(a), Place::File(b)) if a == b);
        if let Some((_, other, _)) = places.iter().find(same) {
            return Err(failed(path, io::Error::other(format!("{} is the same file", text::path(other)))));
        }
        places.push((place, path.as_path(), *bytes));
    }
    let (mut waiting, mut streams) = (Vec::new(), Vec::new());
    for (place, asked, bytes) in places {
        match place {
            Place::File(to) => {
                let new = saved(&to, bytes).map_err(|e| failed(asked, e))?;
                waiting.push(Waiting { asked, new, to, old: None, placed: false });
            }
            stream => streams.push((stream, asked, bytes)),
        }
    }
    let placed = waiting.iter_mut().try_for_each(|w| w.place(rename).map_err(|e| failed(w.asked, e)));
    // What is written into a pipe cannot be taken back, so it comes last.
    let done =
        placed.and_then(|()| streams.iter().try_for_each(|(s, asked, bytes)| s.write(bytes).map_err(|e| failed(asked, e))));
    done.map_err(|e| back(waiting, e))
}

impl Waiting<'_> {
    fn place(&mut self, rename: Rename) -> io::Result<()> {
        self.old = kept(&self.to)?;
        rename(&self.new, &self.to)?;
        self.placed = true;
        same_folder(&self.to).and_then(sync_folder)
    }
}

/// Puts back what was replaced, last first. What cannot be put back is named, and left beside its place.
fn back(waiting: Vec<Waiting>, why: Failure) -> Failure {
    let mut lost = String::new();
    // Those that never took their place are removed with what they are in.
    for w in waiting.into_iter().rev().filter(|w| w.placed) {
        let undone = match w.old {
            None => fs::remove_file(&w.to),
            Some(old) => match fs::rename(&old, &w.to) {
                Ok(()) => Ok(()),
                Err(e) => {
                    let left = old.keep().map_or_else(|e| text::path(&e.path), |p| text::path(&p));
                    lost += &format!("; the earlier {} is {left}", text::path(w.asked));
                    Err(e)
                }
            },
        };
        if let Err(e) = undone {
            lost += &format!("; {} could not be put back as it was: {e}", text::path(w.asked));
        }
    }
    match why {
        Failure::Usage(text) => Failure::Usage(text + &lost),
        other => other,
    }
}

/// A second name for the file at this place, to put it back; a copy where the file system has no second names. Nothing if there is none.
fn kept(to: &Path) -> io::Result<Option<TempPath>> {
    if !to.try_exists()? {
        return Ok(None);
    }
    if let Ok(linked) = beside(to, |new, folder| new.make_in(folder, |name| fs::hard_link(to, name))) {
        return Ok(Some(linked.into_temp_path()));
    }
    let copy = beside(to, |new, folder| new.tempfile_in(folder))?.into_temp_path();
    fs::copy(to, &copy)?;
    Ok(Some(copy))
}

/// A new file beside this place, on the disk to its end, with the permissions of the one that is there.
fn saved(to: &Path, bytes: &[u8]) -> io::Result<TempPath> {
    let earlier = match fs::metadata(to) {
        Ok(m) => Some(m.permissions()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    let mut file = beside(to, |new, folder| {
        #[cfg(unix)]
        if earlier.is_none() {
            // For everyone whom the process's umask lets.
            new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        }
        new.tempfile_in(folder)
    })?;
    file.write_all(bytes)?;
    if let Some(permissions) = earlier {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// So that the name is on the disk, too. Not every file system does that for a folder.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match fs::File::open(folder).and_then(|f| f.sync_all()) {
        Err(e)
            if !matches!(
                e.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
            ) =>
        {
            Err(e)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
