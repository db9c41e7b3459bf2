//! Commands to copy into a shell. Words are quoted for `sh` and all that understand it (bash, zsh, ksh, dash, busybox): the command that
//! is printed gives the program the bytes that it was given.
//!
//! A crate (`shlex`, `shell-words`) quotes what a shell takes apart, but leaves control characters as they are, and those must not be
//! printed; none takes a path that is no Unicode.
use crate::text::hidden;
use std::{ffi::OsStr, fmt::Write};

/// A command under construction.
#[derive(Clone, Debug)]
pub(crate) struct Command(String);

impl Command {
    /// A command and its subcommand.
    pub fn new(words: &str) -> Self {
        Self(words.into())
    }

    /// An option with its value: "--label y", or "--label=-y" where a value would be taken for an option.
    pub fn option(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        let value = value.as_ref();
        let between = if value.as_encoded_bytes().starts_with(b"-") { '=' } else { ' ' };
        write!(self.0, " --{name}{between}{}", word(value)).expect("a String takes all");
        self
    }

    /// An argument without a name; behind `--` where it would be taken for an option.
    pub fn argument(&mut self, value: impl AsRef<OsStr>) -> &mut Self {
        let value = value.as_ref();
        let dashes = if value.as_encoded_bytes().starts_with(b"-") { "-- " } else { "" };
        write!(self.0, " {dashes}{}", word(value)).expect("a String takes all");
        self
    }

    /// The line.
    pub fn line(&self) -> &str {
        &self.0
    }
}

/// A word as a shell reads it back: as it is, in single quotes, or, where it has what cannot be printed, written by `printf`. `$'...'` is
/// shorter, but dash and other small shells do not know it; it is used where a word ends in a newline, which `$(...)` takes away.
pub(crate) fn word(word: &OsStr) -> String {
    if let Some(text) = word.to_str().filter(|t| !t.chars().any(hidden)) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:+@%".contains(c);
        return match text {
            // An empty word, and what a shell takes apart, expands, or takes for an assignment, a home or a comment.
            _ if text.is_empty() || !text.chars().all(plain) => format!("'{}'", text.replace('\'', r"'\''")),
            _ => text.into(),
        };
    }
    let bytes = word.as_encoded_bytes();
    if bytes.ends_with(b"\n") {
        format!("$'{}'", octal(bytes, "\\"))
    } else {
        format!("\"$(printf %b '{}')\"", octal(bytes, "\\0"))
    }
}

/// Bytes, those that a shell might take apart as octal digits behind this.
fn octal(bytes: &[u8], escape: &str) -> String {
    let mut out = String::new();
    for &b in bytes {
        if b.is_ascii_alphanumeric() || b" -_./,:+@%=[]{}()<>;?*#~|&".contains(&b) {
            out.push(char::from(b));
        } else {
            write!(out, "{escape}{b:03o}").expect("a String takes all");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tests::{HOSTILE, harmless};

    #[test]
    fn words_are_quoted_where_they_must_be() {
        let said = |text: &str| word(OsStr::new(text));
        assert_eq!(said("a/b-c_1.csv"), "a/b-c_1.csv");
        assert_eq!([said(""), said("a b"), said("it's"), said("$x"), said("~")], ["''", "'a b'", r"'it'\''s'", "'$x'", "'~'"]);
        assert_eq!(said("a\nb"), r#""$(printf %b 'a\0012b')""#);
        assert_eq!(said("a\n"), r"$'a\012'");
        let mut command = Command::new("ridgepole tune");
        command.option("data", "-x.csv").option("label", "--target").option("l2", "1e-3").argument("-n").argument("m");
        assert_eq!(command.line(), "ridgepole tune --data=-x.csv --label=--target --l2 1e-3 -- -n m");
    }

    /// The words that `sh` makes of a line.
    #[cfg(unix)]
    fn read_back(line: &str) -> Vec<Vec<u8>> {
        // NUL between words: none can contain it.
        let script = format!("printf '%s\\0' {line}");
        let out = std::process::Command::new("sh").arg("-c").arg(&script).output().unwrap();
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
        let mut words: Vec<Vec<u8>> = out.stdout.split(|b| *b == 0).map(<[u8]>::to_vec).collect();
        assert_eq!(words.pop(), Some(Vec::new()));
        words
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_every_word_back() {
        use std::os::unix::ffi::OsStrExt;
        let hostile = HOSTILE.replace('\0', "");
        let texts = [
            "",
            " ",
            "a b",
            "it's",
            "\"",
            "\\",
            "\\n",
            "$HOME",
            "`id`",
            "$(id)",
            "!",
            "!!",
            "a!b'c",
            "*",
            "?",
            "[a]",
            "{a,b}",
            "~",
            "~root",
            "a=b",
            "#c",
            "a;b",
            "a|b",
            "a&b",
            "<",
            ">",
            "(",
            "%s",
            "%",
            "-",
            "--",
            "--label",
            "-n",
            "λ",
            "列 名",
            "é\u{301}",
            "a\nb",
            "\na",
            "a\tb",
            "\r",
            "\u{1b}[31m",
            "-\u{1b}",
            "--\n-",
            "%\u{1}%s",
            "'\n'",
            "!\n!",
            "\\\n\\",
            "\u{202e}x",
            "\u{200d}",
            &hostile,
        ];
        let words: Vec<&OsStr> = texts.iter().map(OsStr::new).chain([OsStr::from_bytes(b"\xff\xfe a'\x80")]).collect();
        for w in &words {
            let mut line = Command::new("ridgepole");
            line.option("label", w).argument(w);
            assert!(harmless(line.line()) && !line.line().contains('\n'), "{:?}", line.line());
            let read = read_back(line.line());
            let given = w.as_bytes();
            let dash = given.starts_with(b"-");
            let option = if dash { vec![[b"--label=", given].concat()] } else { vec![b"--label".to_vec(), given.to_vec()] };
            let argument = if dash { vec![b"--".to_vec(), given.to_vec()] } else { vec![given.to_vec()] };
            assert_eq!(read, [vec![b"ridgepole".to_vec()], option, argument].concat(), "{}", line.line());
        }
    }
}
