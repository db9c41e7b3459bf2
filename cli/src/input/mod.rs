//! Reads what a user names as input, whatever command it is for: within a limit, whatever it is (a pipe, a device, a small file that unpacks
//! to a huge one), gunzipped, and as text. Where memory ends this is an error.
mod gzip;
mod text;

pub(crate) use text::{decode, line, lines};

use crate::Failure;
use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
    str::FromStr,
};

/// The most bytes that an input may have, as it is and unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(pub u64);

impl Limit {
    /// If nothing is said. A gibibyte of cells takes four in memory, at most.
    pub(crate) const DEFAULT: Self = Self(1 << 30);
    /// Of descriptions of ops.
    pub(crate) const OPS: Self = Self(64 << 20);
}

impl Default for Limit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match [("Gi", 30), ("Mi", 20), ("Ki", 10)].iter().find(|(_, bits)| self.0 > 0 && self.0.trailing_zeros() >= *bits) {
            Some((unit, bits)) => write!(f, "{}{unit}", self.0 >> bits),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const UNITS: [(&str, u64); 8] = [
            ("", 1),
            ("k", 1000),
            ("m", 1_000_000),
            ("g", 1_000_000_000),
            ("ki", 1 << 10),
            ("mi", 1 << 20),
            ("gi", 1 << 30),
            ("ti", 1 << 40),
        ];
        let wrong = || "must be a number of bytes from 1 on, such as 500000, 512Mi or 8Gi".to_string();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let unit = text[digits..].to_ascii_lowercase();
        let unit = unit.strip_suffix('b').unwrap_or(&unit);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let bytes = text[..digits].parse::<u64>().ok().and_then(|n| n.checked_mul(*factor)).filter(|n| *n > 0);
        bytes.map(Self).ok_or_else(wrong)
    }
}

/// What is read instead of a file's bytes.
enum Stop {
    /// There are more than the limit.
    Past,
    /// The system's word.
    Io(io::Error),
}

/// The bytes of a file, unpacked if they start as gzip does. A pipe is read to its end, once somebody writes to it. `raise` names the option
/// that raises the limit.
///
/// # Errors
/// [`Failure::Usage`] with the file's name: it cannot be read, is a directory, is larger than the limit or than memory, or is packed wrongly.
pub(crate) fn read(path: &Path, limit: Limit, raise: &str) -> Result<Vec<u8>, Failure> {
    let over = over(limit, raise);
    unpacked(path, raw(path, limit, &over)?, limit, &over)
}

fn over(limit: Limit, raise: &str) -> impl Fn(&str) -> String {
    move |has| format!("{has} more than {limit} bytes: {raise} raises the limit, if memory suffices for it")
}

/// As [`read`], but nothing is unpacked.
///
/// # Errors
/// As [`read`].
pub(crate) fn plain(path: &Path, limit: Limit, raise: &str) -> Result<Vec<u8>, Failure> {
    raw(path, limit, &over(limit, raise))
}

/// The text of a file, or of stdin (`-`), packed or not, and a notice where its encoding had to be told from its bytes. Messages say that
/// `what` may have no more: no option raises the limit.
///
/// # Errors
/// As [`read`]; and if it is no text.
pub(crate) fn text(path: &Path, limit: Limit, what: &str) -> Result<(String, Option<String>), Failure> {
    let over = |_: &str| format!("has more than {} bytes, the most that {what} may have", limit.0);
    let name = shown(path);
    let bytes = if name == path {
        raw(path, limit, &over)?
    } else {
        bounded(io::stdin().lock(), limit, Vec::new()).map_err(|stop| refused(name, &stop, &over))?
    };
    decode(unpacked(name, bytes, limit, &over)?).map_err(|why| Failure::file("read", name, why))
}

/// What messages call an input that [`text`] reads.
pub(crate) fn shown(path: &Path) -> &Path {
    if path.as_os_str() == "-" { Path::new("stdin") } else { path }
}

/// The bytes of a file that this program writes, as they are.
///
/// # Errors
/// As [`read`].
pub(crate) fn own_file(path: &Path, limit: Limit) -> Result<Vec<u8>, Failure> {
    raw(path, limit, &|has| format!("{has} more than {limit} bytes, which none has that this program writes"))
}

/// All that another program writes.
///
/// # Errors
/// Says what it wrote instead: more than the limit, or what the system says.
pub(crate) fn stream(from: impl Read, limit: Limit) -> Result<Vec<u8>, String> {
    bounded(from, limit, Vec::new()).map_err(|stop| match stop {
        Stop::Past => format!("more than {limit} bytes"),
        Stop::Io(e) => format!("what cannot be read: {e}"),
    })
}

/// What to say where there are more bytes than the limit, after "it has" or "it unpacks to".
type Over<'a> = &'a dyn Fn(&str) -> String;

fn refused(path: &Path, stop: &Stop, over: Over) -> Failure {
    match stop {
        Stop::Past => Failure::file("read", path, over("it has")),
        Stop::Io(e) => Failure::file("read", path, e),
    }
}

fn raw(path: &Path, limit: Limit, over: Over) -> Result<Vec<u8>, Failure> {
    let failed = |e: io::Error| Failure::file("read", path, e);
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.is_dir() {
        return Err(Failure::file("read", path, "it is a directory, must be a file"));
    }
    if about.is_file() && about.len() > limit.0 {
        return Err(Failure::file("read", path, over(&format!("it has {} bytes,", about.len()))));
    }
    bounded(file, limit, Vec::new()).map_err(|stop| refused(path, &stop, over))
}

fn unpacked(path: &Path, bytes: Vec<u8>, limit: Limit, over: Over) -> Result<Vec<u8>, Failure> {
    if !gzip::is(&bytes) {
        return Ok(bytes);
    }
    gzip::inflate(&bytes, limit).map_err(|stop| match stop {
        Stop::Past => Failure::file("read", path, over("it unpacks to")),
        Stop::Io(e) => Failure::file("decompress", path, e),
    })
}

/// Unpacked data that come with the program.
pub(crate) fn own(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    gzip::inflate(bytes, Limit::DEFAULT).map_err(|_| Failure::found("data of the program cannot be decompressed"))
}

/// All that `from` has, behind what is there already. `read_to_end` reports it if memory is short.
fn bounded(from: impl Read, limit: Limit, mut out: Vec<u8>) -> Result<Vec<u8>, Stop> {
    let room = limit.0.saturating_sub(out.len() as u64).saturating_add(1);
    from.take(room).read_to_end(&mut out).map_err(Stop::Io)?;
    if out.len() as u64 > limit.0 { Err(Stop::Past) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn why(path: &Path, limit: u64) -> String {
        read(path, Limit(limit), "--max-input").expect_err("too much was read").to_string()
    }

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut to = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        to.write_all(bytes).unwrap();
        to.finish().unwrap()
    }

    #[test]
    fn sizes_are_read_and_written() {
        let of = |text: &str| text.parse::<Limit>().map(|l| l.0);
        assert_eq!([of("1"), of("512Mi"), of("8GiB"), of("3k")], [Ok(1), Ok(512 << 20), Ok(8 << 30), Ok(3000)]);
        for bad in ["", "0", "0Gi", "-1", "1.5G", "G", "1Xi", "99999999999999999999", "99999999Ti", "1é"] {
            assert!(of(bad).is_err(), "{bad}");
        }
        assert_eq!([Limit(1 << 30), Limit(1000), Limit(3 << 20)].map(|l| l.to_string()), ["1Gi", "1000", "3Mi"]);
        assert_eq!(Limit::DEFAULT.to_string().parse(), Ok(Limit::DEFAULT));
    }

    #[test]
    fn the_limit_holds_at_its_last_byte_packed_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        std::fs::write(&file, [b'1'; 100]).unwrap();
        assert_eq!(read(&file, Limit(100), "").unwrap().len(), 100);
        assert!(
            why(&file, 99)
                .ends_with("it has 100 bytes, more than 99 bytes: --max-input raises the limit, if memory suffices for it")
        );
        std::fs::write(&file, gz(&[b'1'; 100_000])).unwrap();
        assert_eq!(read(&file, Limit(100_000), "").unwrap().len(), 100_000);
        assert!(why(&file, 99_999).contains("it unpacks to more than 99999 bytes"), "{}", why(&file, 99_999));
        // The sum over the members counts.
        std::fs::write(&file, [gz(&[b'1'; 60]), gz(&[b'2'; 60])].concat()).unwrap();
        assert_eq!(read(&file, Limit(120), "").unwrap().len(), 120);
        assert!(why(&file, 119).contains("it unpacks to more than 119 bytes"));
    }

    #[test]
    fn files_of_our_own_have_a_limit_and_are_read_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        let packed = gz(&[7; 100_000]);
        std::fs::write(&file, &packed).unwrap();
        let len = packed.len() as u64;
        assert_eq!(own_file(&file, Limit(len)).unwrap(), packed);
        let why = own_file(&file, Limit(len - 1)).unwrap_err().to_string();
        assert!(why.contains(&format!("it has {len} bytes, more than {} bytes, which none has", len - 1)), "{why}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_read_within_the_limit_or_refused() {
        assert!(why(Path::new("/dev/zero"), 1 << 16).contains("it has more than 64Ki bytes"));
        assert!(why(Path::new("/"), 1 << 16).ends_with("it is a directory, must be a file"));
        assert!(read(Path::new("/dev/null"), Limit(5), "").unwrap().is_empty());
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let to = pipe.clone();
        let writer = std::thread::spawn(move || std::fs::write(to, b"a,y\n"));
        assert_eq!(read(&pipe, Limit(1 << 16), "").unwrap(), b"a,y\n");
        writer.join().unwrap().unwrap();
    }

    #[test]
    fn members_padding_and_what_is_wrong_with_a_packed_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f.gz");
        let of = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            read(&file, Limit::DEFAULT, "--max-input").map_err(|e| e.to_string())
        };
        let (one, two) = (gz(b"a,y\n"), gz(b"1,2\n"));
        assert_eq!(of(&[&one[..], &two].concat()).unwrap(), b"a,y\n1,2\n");
        assert_eq!(of(&[&one[..], &[0; 1000]].concat()).unwrap(), b"a,y\n");
        assert_eq!(of(&[&one[..], &[0; 512], &two, &[0; 7]].concat()).unwrap(), b"a,y\n1,2\n");
        let why = of(&[&one[..], b"junk"].concat()).unwrap_err();
        assert!(
            why.starts_with("cannot decompress ") && why.ends_with("4 bytes follow its end that are neither gzip nor zeros"),
            "{why}"
        );
        for cut in 1..one.len() {
            let whole = [&two[..], &one[..one.len() - cut]].concat();
            assert!(cut == one.len() || of(&whole).is_err(), "{cut} bytes short");
        }
        let mut flipped = one.clone();
        let crc = one.len() - 6;
        flipped[crc] ^= 1;
        assert!(of(&flipped).unwrap_err().starts_with("cannot decompress "));
    }
}
