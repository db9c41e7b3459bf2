//! FNV-1a of 64 bits: two things of the same hash are the same, but for a chance of 2⁻⁶⁴.
use std::fmt;

/// A hash of bytes, or of what is written into it as text.
pub(crate) struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// With these bytes behind the ones before.
    pub fn bytes(self, bytes: impl IntoIterator<Item = u8>) -> Self {
        Self(bytes.into_iter().fold(self.0, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)))
    }

    /// Sixteen digits.
    pub fn hex(&self) -> String {
        format!("{:016x}", self.0)
    }
}

impl fmt::Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = Self(self.0).bytes(text.bytes()).0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn the_published_value_comes_out_by_bytes_and_by_text() {
        // draft-eastlake-fnv: "foobar".
        assert_eq!(Hash::default().bytes(*b"foobar").hex(), "85944171f73967e8");
        let mut text = Hash::default();
        write!(text, "foo").and_then(|()| write!(text, "bar")).unwrap();
        assert_eq!(text.hex(), "85944171f73967e8");
    }
}
