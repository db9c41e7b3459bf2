//! An output that one process at a time writes into: a lock that says who holds it, and that the system takes from a process that dies.
use super::place::{Place, same_folder};
use crate::{Failure, text};
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// The name of a folder's lock.
const NAME: &str = ".ridgepole.lock";

/// An output that is held until this is dropped.
///
/// What locks is the open file, not that the file is there: after a crash or `kill -9` the system has let go of it, and what is left of the
/// file is taken over. On a network file system a lock holds as far as that system's locks do: NFS and SMB share them between machines if
/// their server does; where there are none, a notice says so.
#[derive(Debug)]
pub(crate) struct Held {
    path: PathBuf,
    /// Open as long as the lock is held; none where the file system has no locks.
    file: Option<File>,
    /// Why it is not locked after all.
    notice: Option<String>,
}

/// What the file says of its holder.
#[derive(Serialize, Deserialize)]
struct Holder {
    command: String,
    pid: u32,
    host: String,
    /// Seconds since 1970.
    since: u64,
}

impl Held {
    /// A folder, by the name that it was asked for, for a command.
    pub(super) fn folder(asked: &Path, folder: &Path, command: &str) -> Result<Self, Failure> {
        Self::take(asked, folder.join(NAME), command)
    }

    /// A file that is written at the end of long work, or again and again; nothing where it is no file.
    ///
    /// # Errors
    /// [`Failure::Usage`] says who holds it, or why it cannot be locked.
    pub fn file(path: &Path, command: &str) -> Result<Option<Self>, Failure> {
        let Place::File(to) = Place::of(path).map_err(|e| Failure::file("write", path, e))? else { return Ok(None) };
        let mut name = OsString::from(".");
        name.push(to.file_name().unwrap_or_default());
        name.push(".lock");
        let folder = same_folder(&to).map_err(|e| Failure::file("write", path, e))?;
        Self::take(path, folder.join(name), command).map(Some)
    }

    /// What the user should know, if it is not locked after all.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    fn take(asked: &Path, path: PathBuf, command: &str) -> Result<Self, Failure> {
        let failed = |e| Failure::file("write", asked, format!("its lock, {}: {e}", text::path(&path)));
        // A few times, for a holder that ends removes the file.
        for _ in 0..100 {
            let mut file = open(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Failure::usage(format!(
                        "{} is in use by {}; wait for it, or choose another place",
                        text::path(asked),
                        holder(&mut file)
                    )));
                }
                Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {
                    let notice = format!(
                        "notice: the file system of {} has no locks: let no other command write there until this one is done",
                        text::path(asked)
                    );
                    return Ok(Self { path, file: None, notice: Some(notice) });
                }
                Err(TryLockError::Error(e)) => return Err(failed(e)),
            }
            // Whoever held it may have removed the file after it was opened here: then it is nobody's any more.
            if is_at(&file, &path) {
                sign(&mut file, command).map_err(failed)?;
                return Ok(Self { path, file: Some(file), notice: None });
            }
        }
        Err(failed(io::Error::other("it is made and removed again and again")))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Removed while it is held, so that it is not another one's. What is left is taken over by the next.
        if self.file.as_ref().is_none_or(|file| is_at(file, &self.path)) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Opens the lock, or makes it. It is a file of ours: never a link to another, nor a pipe.
fn open(path: &Path) -> io::Result<File> {
    let ours = || match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(m) if !m.is_file() => Err(io::Error::other("it is no ordinary file; remove it")),
        found => found.map(drop),
    };
    ours()?;
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    ours()?;
    Ok(file)
}

/// Whether the open file is the one of this name.
fn is_at(file: &File, path: &Path) -> bool {
    let open = file.try_clone().and_then(same_file::Handle::from_file);
    matches!((open, same_file::Handle::from_path(path)), (Ok(a), Ok(b)) if a == b)
}

fn sign(file: &mut File, command: &str) -> io::Result<()> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let holder = Holder { command: command.into(), pid: std::process::id(), host, since };
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", serde_json::to_string(&holder)?)
}

/// Who holds it, in words.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(4096).read_to_string(&mut text));
    match read.ok().and_then(|_| serde_json::from_str::<Holder>(&text).ok()) {
        // Just begun, or on a system where what is locked cannot be read.
        None => "another process".into(),
        Some(Holder { command, pid, host, since }) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(since, |d| d.as_secs());
            let [command, host] = [command, host].map(|t| text::visible(&t).into_owned());
            format!("`ridgepole {command}`, process {pid} on {host}, which began {} s ago", now.saturating_sub(since))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_a_folder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let take = || Held::folder(dir.path(), dir.path(), "tune");
        let first = take().unwrap();
        assert!(first.notice().is_none());
        let why = take().unwrap_err().to_string();
        let said = format!("is in use by `ridgepole tune`, process {} on ", std::process::id());
        assert!(cfg!(windows) || why.contains(&said), "{why}");
        drop(first);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "the lock is gone");
        drop(take().unwrap());
        // What a crash leaves is no lock, whatever it says.
        fs::write(dir.path().join(NAME), r#"{"command":"tune","pid":1,"host":"x","since":0}"#).unwrap();
        drop(take().unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_lock_that_was_removed_is_nobodys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        let file = open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path));
        fs::write(&path, "").unwrap();
        assert!(!is_at(&file, &path), "another file of that name");
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_is_a_file_of_ours() {
        let dir = tempfile::tempdir().unwrap();
        let other = dir.path().join("other");
        fs::write(&other, "kept").unwrap();
        std::os::unix::fs::symlink(&other, dir.path().join(NAME)).unwrap();
        let why = Held::folder(dir.path(), dir.path(), "tune").unwrap_err().to_string();
        assert!(why.contains("no ordinary file"), "{why}");
        assert_eq!(fs::read(&other).unwrap(), b"kept");
    }

    #[test]
    fn files_have_locks_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a.csv", "b.csv"].map(|n| dir.path().join(n));
        let first = Held::file(&a, "race").unwrap();
        assert!(first.is_some() && Held::file(&a, "race").is_err() && Held::file(&b, "race").is_ok());
        #[cfg(unix)]
        assert!(Held::file(Path::new("/dev/null"), "race").unwrap().is_none());
    }
}
