//! Text of the encodings that files come in: UTF-8 and UTF-16. Any other is an error, since it could only be guessed.

/// The text in `bytes`, without a byte order mark, and a notice where its encoding had to be told from the bytes.
///
/// # Errors
/// Says in which line bytes are no text, or what kind of file it seems to be.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<(String, Option<String>), String> {
    let kind = foreign(&bytes);
    read(bytes).map_err(|why| kind.map_or(why, |kind| format!("is {kind}, must be text")))
}

fn read(bytes: Vec<u8>) -> Result<(String, Option<String>), String> {
    // Of letters, digits and signs in UTF-16 one byte is zero, always on the same side; other letters are fewer, in a table.
    let few = bytes.len().min(HEAD) / 4;
    let (text, notice) = match bytes.get(..2) {
        Some([0xff, 0xfe]) => (wide(&bytes[2..], u16::from_le_bytes)?, None),
        Some([0xfe, 0xff]) => (wide(&bytes[2..], u16::from_be_bytes)?, None),
        _ => match zeros(&bytes) {
            [0, n] if n > few => (wide(&bytes, u16::from_le_bytes)?, Some(told("little"))),
            [n, 0] if n > few => (wide(&bytes, u16::from_be_bytes)?, Some(told("big"))),
            _ => (narrow(bytes)?, None),
        },
    };
    if let Some(at) = text.find('\0') {
        return Err(format!("line {}: has a NUL character: it is no text", line(&text, at)));
    }
    let marks = text.len() - text.trim_start_matches('\u{feff}').len();
    Ok((if marks > 0 { text[marks..].to_string() } else { text }, notice))
}

fn told(end: &str) -> String {
    format!("notice: taken for UTF-16, {end}-endian, since every other byte is zero; it has no byte order mark")
}

/// The line, counted from 1, of the byte at `at`. A line ends with LF, CR LF or CR.
pub(crate) fn line(text: impl AsRef<[u8]>, at: usize) -> usize {
    let before = &text.as_ref()[..at];
    let ends = |(i, b): (usize, &u8)| *b == b'\r' || *b == b'\n' && (i == 0 || before[i - 1] != b'\r');
    1 + before.iter().enumerate().filter(|e| ends(*e)).count()
}

/// The lines that have more than blanks, with their numbers as [`line`] counts them.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let all = text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'));
    (1..).zip(all).filter(|(_, line)| !line.trim().is_empty())
}

/// Bytes that tell the encoding.
const HEAD: usize = 4096;

/// How many of the first bytes are zero, at even and at odd places.
fn zeros(bytes: &[u8]) -> [usize; 2] {
    let mut count = [0; 2];
    bytes.iter().take(HEAD).enumerate().filter(|(_, b)| **b == 0).for_each(|(i, _)| count[i % 2] += 1);
    count
}

fn narrow(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|e| {
        let (at, bytes) = (e.utf8_error().valid_up_to(), e.as_bytes());
        let start = bytes[..at].iter().rposition(|b| b"\r\n".contains(b)).map_or(0, |end| end + 1);
        format!(
            "line {}: is not UTF-8 text (byte 0x{:02x}, the {}. of the line): if the file is in another encoding, convert it first, for \
             example with iconv -f WINDOWS-1252 -t UTF-8",
            line(bytes, at),
            bytes[at],
            at - start + 1
        )
    })
}

fn wide(bytes: &[u8], word: fn([u8; 2]) -> u16) -> Result<String, String> {
    let (words, rest) = bytes.as_chunks::<2>();
    let mut text = String::new();
    // Each word takes one byte at least; those that take more are reserved as they come.
    let short = |_| "memory does not suffice for its text".to_string();
    text.try_reserve(words.len()).map_err(short)?;
    for c in char::decode_utf16(words.iter().map(|w| word(*w))) {
        let wrong = |e: std::char::DecodeUtf16Error| {
            format!("line {}: is not UTF-16 text (0x{:04x} is half a character)", line(&text, text.len()), e.unpaired_surrogate())
        };
        let c = c.map_err(wrong)?;
        text.try_reserve(c.len_utf8()).map_err(short)?;
        text.push(c);
    }
    if !rest.is_empty() {
        return Err(format!("line {}: ends within a character of UTF-16", line(&text, text.len())));
    }
    Ok(text)
}

/// What the first bytes of a file that is no text say that it is.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    // A text may begin so too, and then it is read.
    const KINDS: [(&[u8], &str); 9] = [
        (b"PK\x03\x04", "a zip archive, as Excel's xlsx is (save it as CSV)"),
        (b"\xd0\xcf\x11\xe0", "an Excel workbook (save it as CSV)"),
        (b"\x1f\x8b", "gzip within gzip (unpack it once)"),
        (b"BZh", "packed by bzip2 (unpack it first; gzip is read as it is)"),
        (b"\xfd7zXZ", "packed by xz (unpack it first; gzip is read as it is)"),
        (b"\x28\xb5\x2f\xfd", "packed by zstd (unpack it first; gzip is read as it is)"),
        (b"PAR1", "a Parquet file (save it as CSV)"),
        (b"\xff\xfe\x00\x00", "UTF-32 (convert it to UTF-8)"),
        (b"\x00\x00\xfe\xff", "UTF-32 (convert it to UTF-8)"),
    ];
    KINDS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bytes: &[u8]) -> String {
        let (text, notice) = decode(bytes.to_vec()).unwrap();
        assert_eq!(notice, None);
        text
    }

    #[test]
    fn utf_8_and_utf_16_with_and_without_their_marks() {
        let text = "ä,y\r\n1,𝄞\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [b"\xff\xfe", &le[..]].concat(),
            [b"\xfe\xff", &be[..]].concat(),
        ] {
            assert_eq!(plain(&bytes), text);
        }
        for (bytes, end) in [(le, "little"), (be, "big")] {
            let (got, notice) = decode(bytes).unwrap();
            assert_eq!(got, text);
            assert!(notice.unwrap().contains(&format!("UTF-16, {end}-endian")));
        }
        assert_eq!(plain(b""), "");
        assert_eq!(plain(b"\xff\xfe"), "");
        assert_eq!(plain(b"a"), "a");
    }

    #[test]
    fn what_is_no_text_is_named_by_line_and_byte() {
        let why = |bytes: &[u8]| decode(bytes.to_vec()).unwrap_err();
        let latin = why(b"a,y\r1,2\r\n\ncaf\xe9,1\n");
        assert!(latin.starts_with("line 4: is not UTF-8 text (byte 0xe9, the 4. of the line): "), "{latin}");
        assert_eq!(why(b"a,y\n1\0,2\n\0"), "line 2: has a NUL character: it is no text");
        assert_eq!(why(b"\xff\xfea\0\n\0\x00\xd8b\0"), "line 2: is not UTF-16 text (0xd800 is half a character)");
        assert_eq!(why(b"\xff\xfea\0\n"), "line 1: ends within a character of UTF-16");
        assert!(why(b"PK\x03\x04\x14\0").contains("xlsx"));
        assert!(why(b"\xff\xfe\0\0a\0\0\0").contains("UTF-32"));
    }

    #[test]
    fn lines_end_in_three_ways() {
        for ends in ["\n", "\r", "\r\n"] {
            let text = ["a", "", "\"b", "c\"", "d"].join(ends);
            assert_eq!(line(&text, text.len() - 1), 5, "{ends:?}");
            assert_eq!(line(&text, 0), 1);
            let all: Vec<_> = lines(&text).collect();
            assert_eq!(all, [(1, "a"), (3, "\"b"), (4, "c\""), (5, "d")], "{ends:?}");
            assert!(all.iter().all(|(number, l)| line(&text, l.as_ptr() as usize - text.as_ptr() as usize) == *number));
        }
    }
}
