//! Files of our own that are read back: a hash over all of it, so that a file that was damaged, cut or edited is refused and never changes
//! a result. It protects from accidents, not from somebody who makes a file on purpose.
use sha2::{Digest, Sha256};

/// What a sealed file begins with, behind its kind: the hash of the rest, and how long the content is.
const HEAD: usize = 32 + 8;

/// A hash of anything that prints itself, for comparing: 64 hexadecimal digits of SHA-256.
#[derive(Default)]
pub(crate) struct Fingerprint(Sha256);

impl std::fmt::Write for Fingerprint {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

impl Fingerprint {
    /// The digits.
    pub fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

/// The first sixteen hexadecimal digits of the hash of these bytes: enough to find damage.
pub(crate) fn short(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..8])
}

/// All 64 hexadecimal digits of the hash of these bytes: that of another file.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The content with its kind, a line such as "ridgepole checkpoint 2", and its hash.
pub(crate) fn sealed(kind: &str, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let mut out = Vec::with_capacity(kind.len() + 1 + HEAD + content.len());
    out.extend(kind.as_bytes());
    out.push(b'\n');
    out.extend(hash(kind, &length, content));
    out.extend(length);
    out.extend(content);
    out
}

/// The content of what [`sealed`] made, of this kind.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn opened<'a>(kind: &str, bytes: &'a [u8]) -> Result<&'a [u8], &'static str> {
    let rest = bytes.strip_prefix(kind.as_bytes()).and_then(|b| b.strip_prefix(b"\n"));
    let rest = rest.ok_or("it is no checkpoint of this version of ridgepole, or its first bytes are damaged")?;
    let (Some(expected), Some(length), Some(content)) = (rest.get(..32), rest.get(32..HEAD), rest.get(HEAD..)) else {
        return Err("it is cut off");
    };
    let said = length.try_into().map_or(0, u64::from_le_bytes);
    if hash(kind, length, content) == expected {
        return Ok(content);
    }
    Err(match (content.len() as u64).cmp(&said) {
        std::cmp::Ordering::Less => "it is cut off, or damaged",
        std::cmp::Ordering::Greater => "something was added to it, or it is damaged",
        std::cmp::Ordering::Equal => "it is damaged: its content does not have the hash that it was written with",
    })
}

fn hash(kind: &str, length: &[u8], content: &[u8]) -> Vec<u8> {
    let hash = Sha256::new().chain_update(kind).chain_update(b"\n").chain_update(length).chain_update(content);
    hash.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn the_published_value_comes_out() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let mut print = Fingerprint::default();
        write!(print, "a").and_then(|()| write!(print, "bc")).unwrap();
        assert_eq!((print.hex().as_str(), short(b"abc").as_str(), digest(b"abc").as_str()), (abc, &abc[..16], abc));
    }

    #[test]
    fn whatever_is_changed_is_found() {
        for content in [&b""[..], b"some content\n"] {
            let good = sealed("kind 2", content);
            assert_eq!(opened("kind 2", &good), Ok(content));
            assert!(opened("kind 3", &good).is_err() && opened("kind", &good).is_err());
            for bit in 0..8 * good.len() {
                let mut bad = good.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                assert!(opened("kind 2", &bad).is_err(), "bit {bit}");
            }
            for end in 0..good.len() {
                assert!(opened("kind 2", &good[..end]).is_err(), "cut at {end}");
            }
            for more in [&b"\0"[..], b"x", &good] {
                assert!(opened("kind 2", &[&good[..], more].concat()).is_err());
            }
        }
    }
}
