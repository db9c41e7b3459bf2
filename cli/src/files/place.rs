//! Where an output goes: the one place where links are followed, and names of unfinished files are made.
use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Where an output goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A file, or the name of one that is to be.
    File(PathBuf),
    /// What is written into: a device, a pipe, an open file of a process.
    Stream(PathBuf),
    /// This program's stdout.
    Stdout,
    /// This program's stderr.
    Stderr,
}

/// Links that are followed, as many as Linux follows.
const LINKS: usize = 40;

impl Place {
    /// The place that a path leads to.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut at = path.to_path_buf();
        for _ in 0..LINKS {
            match at.to_str() {
                Some("/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1") if cfg!(unix) => return Ok(Self::Stdout),
                Some("/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2") if cfg!(unix) => return Ok(Self::Stderr),
                _ => {}
            }
            let is = match fs::symlink_metadata(&at) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return named(at),
                found => found?.file_type(),
            };
            match () {
                // A link of these is an open file, whatever the text says that it points to.
                () if is.is_symlink() && (at.starts_with("/proc") || at.starts_with("/dev/fd")) => return Ok(Self::Stream(at)),
                () if is.is_symlink() => at = next(&at)?,
                () if is.is_dir() => return Err(io::Error::other("it is a directory")),
                () if is.is_file() => return named(at),
                () => return Ok(Self::Stream(at)),
            }
        }
        Err(circle())
    }

    /// Writes into what is no file.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let all = |to: &mut dyn Write| {
            to.write_all(bytes)?;
            to.flush()
        };
        match self {
            Self::Stdout => all(&mut io::stdout().lock()),
            Self::Stderr => all(&mut io::stderr().lock()),
            // Behind what is there, should it be a file after all.
            Self::File(path) | Self::Stream(path) => all(&mut fs::OpenOptions::new().append(true).open(path)?),
        }
    }
}

fn circle() -> io::Error {
    io::Error::other(format!("it is a link, and more than {LINKS} links follow: they lead in a circle"))
}

fn named(at: PathBuf) -> io::Result<Place> {
    match at.file_name() {
        None => Err(io::Error::other("it names no file")),
        Some(_) if at.as_os_str().as_encoded_bytes().ends_with(b"/") => Err(io::Error::other("it names a folder, not a file")),
        // One text for one file, where its folder is there.
        Some(name) => Ok(Place::File(same_folder(&at).and_then(fs::canonicalize).map_or(at.clone(), |folder| folder.join(name)))),
    }
}

fn next(link: &Path) -> io::Result<PathBuf> {
    Ok(link.parent().unwrap_or(Path::new("")).join(fs::read_link(link)?))
}

/// The folder, or the name of one that is to be, at the end of a path's links.
pub(super) fn ends_at(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_path_buf();
    for _ in 0..LINKS {
        match fs::symlink_metadata(&at) {
            Ok(m) if m.file_type().is_symlink() => at = next(&at)?,
            _ => return Ok(at),
        }
    }
    Err(circle())
}

/// The folder that a file is in.
pub(super) fn same_folder(file: &Path) -> io::Result<&Path> {
    match file.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(folder) => Ok(folder),
        None => Err(io::Error::other("it names no file")),
    }
}

/// Makes something beside this file, under a name that cannot be guessed: ".tune.json.x7Kq2f".
pub(super) fn beside<T>(file: &Path, make: impl FnOnce(&mut tempfile::Builder<'_, '_>, &Path) -> io::Result<T>) -> io::Result<T> {
    // A name may be as long as a file system takes; this one is longer.
    const MOST: usize = 60;
    let name = file.file_name().unwrap_or_default();
    let mut prefix = OsString::from(".");
    match name.to_str() {
        Some(text) if text.len() > MOST => prefix.push(text.chars().take(MOST / 4).collect::<String>()),
        Some(text) => prefix.push(text),
        None => prefix.push("output"),
    }
    prefix.push(".");
    make(tempfile::Builder::new().prefix(&prefix), same_folder(file)?).map_err(cause)
}

/// The system's error, without the name of the unfinished file, which says nothing to anybody.
pub(super) fn cause(e: io::Error) -> io::Error {
    let inner = e.get_ref().and_then(|inner| inner.source()?.downcast_ref::<io::Error>());
    match inner.and_then(io::Error::raw_os_error) {
        Some(code) => io::Error::from_raw_os_error(code),
        None => e,
    }
}
