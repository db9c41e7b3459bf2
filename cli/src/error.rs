//! Why the program fails, with its exit codes.
use crate::text;
use std::{fmt::Display, io, path::Path, process::ExitCode};

/// Why a subcommand did not succeed. The texts are for people: what is wrong, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A check failed, or the device did. Exit code 1.
    #[error("{0}")]
    Found(String),
    /// The command line, a file or the machine does not allow the work to start. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The user interrupted it; the text says what is kept. Exit code 130, as in a shell.
    #[error("{0}")]
    Interrupted(String),
    /// The reader of stdout is gone (`ridgepole ops | head -1`). Ends quietly, with the exit code that a shell gives to a program
    /// ended by a closed pipe: 141.
    #[error("stdout was closed")]
    Closed,
}

impl Failure {
    /// A [`Failure::Found`].
    pub fn found(text: impl Into<String>) -> Self {
        Self::Found(text.into())
    }

    /// A [`Failure::Usage`].
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// A [`Failure::Usage`] about a file: "cannot read digits.csv: No such file or directory".
    pub fn file(doing: &str, path: &Path, why: impl Display) -> Self {
        Self::Usage(format!("cannot {doing} {}: {why}", text::path(path)))
    }

    /// A failure to write to stdout.
    pub fn stdout(e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Found(format!("cannot write to stdout: {e}")),
        }
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Found(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Interrupted(_) => 130,
            Failure::Closed => 141,
        })
    }

    /// A [`Failure::Usage`]: a filter matches no op and no case.
    pub fn no_case(filter: &str) -> Self {
        let names: Vec<&str> = ridgepole::ops::all().map(|e| e.name).collect();
        Self::Usage(format!("no op and no case contains {filter:?}; the ops are: {}", names.join(", ")))
    }
}

impl From<ridgepole::Error> for Failure {
    fn from(e: ridgepole::Error) -> Self {
        use ridgepole::Error::*;
        match e {
            Argument { .. } | Unsupported { .. } | NoAdapter { .. } | Json { .. } | HostMemory { .. } => {
                Self::Usage(e.to_string())
            }
            _ => Self::Found(e.to_string()),
        }
    }
}
