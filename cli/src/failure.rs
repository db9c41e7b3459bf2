//! How the program ends when it does not end well.
use crate::Ui;
use std::{fmt::Display, io, path::Path, process::ExitCode};

/// Why a subcommand did not succeed. The texts are for people: what is wrong, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was to be found out is bad: a check failed, the device failed. Exit code 1.
    #[error("{0}")]
    Found(String),
    /// The command line, a file or the machine does not allow the work to start. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The user broke it off; what was done is kept. Exit code 130, as a shell has it.
    #[error("{0}")]
    Interrupted(String),
    /// Nobody reads stdout any more (`ridgepole ops | head -1`). Ends quietly, with the code that a shell gives to any
    /// program that a closed pipe ends: 141.
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
        Self::Usage(format!("cannot {doing} {}: {why}", path.display()))
    }

    /// What writing to stdout ended with.
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

    /// Says on stderr what is wrong.
    pub fn report(&self, ui: &Ui) {
        if !matches!(self, Failure::Closed) {
            ui.note(format_args!("error: {self}"));
        }
    }
}

impl From<ridgepole::Error> for Failure {
    fn from(e: ridgepole::Error) -> Self {
        use ridgepole::Error::*;
        match e {
            Argument { .. } | Unsupported { .. } | NoAdapter { .. } | Json { .. } => Self::Usage(e.to_string()),
            _ => Self::Found(e.to_string()),
        }
    }
}
