//! What separates cells: said by an option or by the file, or tried on the first rows.
use std::{cell::LazyCell, fmt, str::FromStr};

/// A character that separates cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiter(u8);

/// The names of those that are hard to type.
const NAMES: [(&str, u8); 8] = [
    ("tab", b'\t'),
    ("\\t", b'\t'),
    ("space", b' '),
    ("comma", b','),
    ("semicolon", b';'),
    ("bar", b'|'),
    ("pipe", b'|'),
    ("colon", b':'),
];
/// Those that are tried; the first of equals is taken.
const TRIED: [u8; 4] = *b",;\t|";
/// Rows that they are tried on, and the bytes: each delimiter is tried on all of them.
const ROWS: usize = 200;
const BYTES: usize = 1 << 20;

impl Delimiter {
    pub(super) fn byte(self) -> u8 {
        self.0
    }

    /// The value of the option that says it.
    pub(crate) fn typed(self) -> String {
        let name = NAMES.iter().find(|(_, byte)| *byte == self.0);
        name.map_or_else(|| char::from(self.0).into(), |(name, _)| (*name).into())
    }

    /// As a sentence names it.
    pub(super) fn word(self) -> String {
        let name = NAMES.iter().find(|(_, byte)| *byte == self.0);
        name.map_or_else(|| format!("'{}'", char::from(self.0)), |(name, _)| (*name).to_string())
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.word())
    }
}

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, byte)) = NAMES.iter().find(|(name, _)| *name == text.to_ascii_lowercase()) {
            return Ok(Self(*byte));
        }
        match text.as_bytes() {
            [byte] if possible(*byte) => Ok(Self(*byte)),
            _ => Err("must be one ASCII character that is no part of numbers or names (; or : for example), or one of tab, space, comma, \
                      semicolon, bar"
                .into()),
        }
    }
}

/// Whether cells can be told apart by it.
fn possible(byte: u8) -> bool {
    byte == b'\t' || (b' '..0x7f).contains(&byte) && !byte.is_ascii_alphanumeric() && !b"\"'.+-_\\".contains(&byte)
}

/// The length of a first line `sep=;`, as Excel writes it, with the delimiter that it names.
pub(super) fn first_line(text: &str) -> (usize, Option<Delimiter>) {
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    let line = text[..end].trim_matches('"').as_bytes();
    let [s, e, p, b'=', byte] = line else { return (0, None) };
    if ![*s, *e, *p].eq_ignore_ascii_case(b"sep") || !possible(*byte) {
        return (0, None);
    }
    let rest = &text[end..];
    let ends = if rest.starts_with("\r\n") { 2 } else { rest.len().min(1) };
    (end + ends, Some(Delimiter(*byte)))
}

/// Cells between `delimiter`, quoted or not. Line ends are LF, CR LF or CR.
pub(super) fn cells(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    let mut builder = csv::ReaderBuilder::new();
    builder.delimiter(delimiter).flexible(true).has_headers(false).trim(csv::Trim::All).from_reader(text.as_bytes())
}

/// The delimiter that divides the first rows into as many cells each as the header has, one of which is `column`.
pub(super) fn tried(text: &str, column: &str) -> Delimiter {
    tried_on(text, column, BYTES)
}

/// As [`tried`], on about so many bytes.
fn tried_on(text: &str, column: &str, bytes: usize) -> Delimiter {
    let end = (0..=bytes.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    let head = &text[..end];
    let cut = head.len() < text.len();
    // Only of a header that is longer than all that is looked at.
    let sides = LazyCell::new(|| sides(header_line(text, head.len()), column));
    let score = |delimiter: &u8| {
        let mut reader = cells(head, *delimiter);
        let mut record = csv::StringRecord::new();
        // Nothing at the end, and where the head ends within a row: its last cells are not known.
        let mut next = |record: &mut csv::StringRecord| {
            let more = reader.read_record(record).unwrap_or(false);
            more && !(cut && reader.position().byte() as usize >= head.len())
        };
        if !next(&mut record) {
            // A header that is longer than all that is looked at, or nothing at all.
            let found = cut && sides.contains(delimiter);
            return (found, record.len() > 1, record.len());
        }
        let header = record.clone();
        let named = header.len() - header.iter().rev().take_while(|cell| cell.is_empty()).count();
        let even = |row: &csv::StringRecord| {
            let filled = row.len() - row.iter().rev().take_while(|cell| cell.is_empty()).count();
            // Empty cells at the end are no sign of anything: delimiters may stand behind the last one, and blank lines are no rows.
            filled == 0 || row.len() >= named && filled <= header.len()
        };
        let found = header.len() > 1 && header.iter().any(|name| name == column);
        let all = (1..ROWS).all(|_| !next(&mut record) || even(&record));
        (found, header.len() > 1 && all, header.len())
    };
    // `max_by_key` takes the last of equals.
    Delimiter(TRIED.into_iter().rev().max_by_key(score).expect("there are some"))
}

/// The first line of a text that has no end of a line before `from`, or only within quotes.
fn header_line(text: &str, from: usize) -> &str {
    let bytes = text.as_bytes();
    let end = bytes[from..].iter().position(|b| b"\r\n".contains(b)).map_or(bytes.len(), |at| from + at);
    text.get(..end).unwrap_or(text)
}

/// The delimiters between which a name stands in a line as a cell does, told without taking the line apart.
fn sides(line: &str, name: &str) -> Vec<u8> {
    let blank = |c: char| c == '"' || c == ' ';
    let mut found = Vec::new();
    for (at, _) in line.match_indices(name).filter(|_| !name.is_empty()) {
        let (before, behind) = (line[..at].trim_end_matches(blank), line[at + name.len()..].trim_start_matches(blank));
        let (before, behind) = (before.as_bytes().last(), behind.as_bytes().first());
        let edge = |c: Option<&u8>, delimiter: u8| c.is_none_or(|c| *c == delimiter || b"\r\n".contains(c));
        let apart = |d: &u8| edge(before, *d) && edge(behind, *d) && (before == Some(d) || behind == Some(d));
        found.extend(TRIED.into_iter().filter(apart));
        if found.len() > 64 {
            found.sort_unstable();
            found.dedup();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_typed_as_it_is_or_by_its_name() {
        let of = |text: &str| text.parse::<Delimiter>().map(Delimiter::byte);
        assert_eq!(
            [of("tab"), of("\\t"), of("\t"), of(";"), of("Space"), of("|")],
            [b'\t', b'\t', b'\t', b';', b' ', b'|'].map(Ok)
        );
        for bad in ["", ";;", "a", "1", ".", "-", "\"", "\n", "é", "tabs"] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
        for d in (0..=255).filter(|b| possible(*b)).map(Delimiter) {
            assert_eq!(d.typed().parse(), Ok(d));
        }
    }

    #[test]
    fn the_first_line_may_name_it() {
        let of = |text: &str| {
            let (len, d) = first_line(text);
            (len, d.map(Delimiter::byte))
        };
        assert_eq!(of("sep=;\r\na;y"), (7, Some(b';')));
        assert_eq!(of("SEP=\t\ra\ty"), (6, Some(b'\t')));
        assert_eq!(of("\"sep=|\"\na|y"), (8, Some(b'|')));
        assert_eq!(of("sep=,"), (5, Some(b',')));
        for other in ["", "sep=\na", "sep=;;\n", "sep=a\n", "sepal,y\n", "sep,y\n"] {
            assert_eq!(of(other), (0, None), "{other:?}");
        }
    }

    #[test]
    fn it_is_found_on_the_first_rows() {
        let of = |text: &str| char::from(tried(text, "y").byte());
        assert_eq!(of("a,y\n1,2\n"), ',');
        assert_eq!(of("\"len, cm, x\";\"wid, cm, x\";y\n1;2;3\n"), ';');
        assert_eq!(of("a;y\n1,5;2,5\n1,7;2,8\n"), ';', "decimal commas");
        assert_eq!(of("a;b;y\n1,5,1;2;3\n"), ';');
        assert_eq!(of("a b, c;y\n1;2\n"), ';', "commas in names without quotes");
        assert_eq!(of("a, b, c, d;y\n1;2\n"), ';', "although there are more commas");
        assert_eq!(of("a\ty\n\"1\t\",2\n1\t2\n"), '\t');
        assert_eq!(of("a|y|\n1|2|\n"), '|');
        assert_eq!(of("a,y\n1,2,\n1,2\n\n,,,\n"), ',');
        assert_eq!(of("\"a\nb\";y\r1;2\r"), ';', "a name of two lines");
        // Neither column nor rows help: the header alone.
        assert_eq!(of("a;b;c\n1\n"), ';');
        assert_eq!(of("y\n1\n"), ',');
        assert_eq!(of(""), ',');
        // The column's name tells more than a row that is broken.
        assert_eq!(of("a,b,y\n1,2,3\n1,2\n"), ',');
    }
    #[test]
    fn a_part_of_the_text_tells_it_as_the_whole_does() {
        let tables = [
            "a,y\n1,2\n1,2\n",
            "\"len, cm, x\";\"wid, cm, x\";y\n1;2;3\n1;2;3\n",
            "a;y\n1,5;2,5\n1,7;2,8\n",
            "a, b, c, d;y\n1;2\n",
            "a b, c; y \n1;2\n",
            "a|\"y\"|\n1|2|\n",
            "é\tλ,x\ty\n1\t2\t3\n",
        ];
        for text in tables {
            // Cut anywhere: within the header, a row, a character.
            for bytes in 4..=text.len() {
                assert_eq!(tried_on(text, "y", bytes), tried(text, "y"), "{bytes} bytes of {text:?}");
            }
        }
        // A row that is cut is not uneven.
        assert_eq!(char::from(tried_on("a,b|c|d\n1,2\n1,2\n", "z", 13).byte()), ',');
        // A name that is part of another one is none.
        assert_eq!([sides("a;xy;\"y\" ", "y"), sides("y,a;y;", "y")], [vec![b';'], vec![b',', b';']]);
        assert!(["a;xy;yz", "y", "a,y;", ""].into_iter().all(|line| sides(line, "y").is_empty() && sides(line, "").is_empty()));
    }

    /// One line of hundreds of megabytes is not read once for each delimiter.
    #[test]
    fn a_header_of_any_length_has_its_delimiter() {
        for (delimiter, other) in [(';', ','), ('\t', ';'), ('|', ','), (',', ';')] {
            let text = format!("{}y\n1\n", format!("aaa{other} b{delimiter}").repeat(1 << 18));
            assert_eq!(char::from(tried(&text, "y").byte()), delimiter);
        }
    }
}
