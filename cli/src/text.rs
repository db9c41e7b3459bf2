//! Text that came from elsewhere: names of columns, classes, files, ops and adapters. What would move a cursor, colour a terminal or turn
//! the direction of writing is shown by its number instead.
//!
//! There are three ways out of the program, and each goes through here: [`crate::Ui`] for a terminal, `html::escape` for pages and their
//! pictures, and [`json`] for what other programs read. So whoever makes a message need not think of it. Colours of our own are no text:
//! [`crate::Ui::painted`] adds them behind this.
use std::{borrow::Cow, fmt::Write, path::Path};
use unicode_properties::{GeneralCategory as Category, UnicodeGeneralCategory};

/// Whether a character is not to be seen, or changes how others are: control characters (C0, delete, C1), format characters (direction,
/// zero width, tags), line and paragraph separators.
pub(crate) fn hidden(c: char) -> bool {
    use Category::{Control, Format, LineSeparator, ParagraphSeparator};
    !matches!(c, ' '..='~')
        && (matches!(c.general_category(), Control | Format | LineSeparator | ParagraphSeparator) || noncharacter(c))
}

/// Code points that are no characters and that XML and HTML forbid.
fn noncharacter(c: char) -> bool {
    matches!(u32::from(c), 0xfdd0..=0xfdef) || u32::from(c) & 0xfffe == 0xfffe
}

/// On one line, with hidden characters as a string literal of Rust has them: `\n`, `\u{1b}`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// As [`visible`], for text of several lines: those after the first are indented, so that a name with a newline in it cannot begin what
/// looks like another message.
pub(crate) fn paragraph(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
            if !line.is_empty() && !line.starts_with(' ') {
                out.push_str("  ");
            }
        }
        out.push_str(&visible(line));
    }
    out
}

/// As [`visible`], for a whole text of lines, such as CSV.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n')
}

/// A path, on one line.
pub(crate) fn path(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}

/// A value as JSON that a terminal can be shown: JSON has escapes of its own for hidden characters.
pub(crate) fn json(value: &serde_json::Value) -> String {
    let text = format!("{value:#}");
    if !text.chars().any(|c| c != '\n' && hidden(c)) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // A raw newline is one between values: those within are escaped already.
        if c == '\n' || !hidden(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}").expect("a String takes all");
        }
    }
    out
}

/// Characters of a name or a cell that a sentence shows.
const SHOWN: usize = 100;

/// A name or a cell within a sentence: whole, or its beginning and its length.
pub(crate) fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}... ({} characters)", &text[..end], text.chars().count())),
    }
}

/// As [`short`], in quotes.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}... ({} characters)", &text[..end], text.chars().count()),
    }
}

/// "1 seed", "3 seeds".
pub(crate) fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn escaped(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| hidden(c) && !keep(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if !hidden(c) || keep(c) {
            out.push(c);
        } else if matches!(c, '\n' | '\r' | '\t') {
            out.extend(c.escape_debug());
        } else {
            out.extend(c.escape_unicode());
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Something of each kind that must not come out.
    pub(crate) const HOSTILE: &str =
        "a\u{1b}[31mred\u{7}\u{8}\r\u{7f}\u{9b}2J\u{85}\u{202e}evil\u{2066}\u{200b}\u{feff}\u{2028}\n\t\u{0}\u{e0041}z";

    /// What reaches a terminal is characters that are seen, and newlines.
    pub(crate) fn harmless(text: &str) -> bool {
        let bad = |c: char| matches!(c, '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        !text.chars().any(|c| c != '\n' && bad(c))
    }

    #[test]
    fn hidden_characters_are_shown_by_their_numbers() {
        assert_eq!(visible("plain, λ, 列 and é"), "plain, λ, 列 and é");
        assert_eq!(visible("a\u{1b}[0m\n\u{202e}"), "a\\u{1b}[0m\\n\\u{202e}");
        for text in [visible(HOSTILE).into_owned(), paragraph(HOSTILE), lines(HOSTILE).into_owned()] {
            assert!(harmless(&text), "{text:?}");
            assert!(text.contains("red") && text.ends_with('z'), "nothing is dropped: {text:?}");
        }
        assert!(!visible(HOSTILE).contains('\n'));
        // Every character that Rust's own `{:?}` takes for unprintable in these ranges, and no combining mark or wide blank.
        assert!(!['\u{301}', '\u{3000}', '\u{a0}', 'ก', '👍'].into_iter().any(hidden));
        assert!(('\0'..=char::MAX).filter(|c| c.is_control()).all(hidden));
    }

    #[test]
    fn a_newline_in_a_name_begins_no_message() {
        assert_eq!(paragraph("x\nerror: all is lost\n\n  two"), "x\n  error: all is lost\n\n  two");
    }

    #[test]
    fn json_says_the_same_with_escapes_of_its_own() {
        let value = serde_json::json!({ HOSTILE: [HOSTILE, 1.5] });
        let text = json(&value);
        assert!(harmless(&text), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn long_names_are_shown_by_their_beginning_and_length() {
        let long = "λ".repeat(101);
        assert_eq!([short(&long[2..]), quoted(&long[2..]).into()], [long[2..].to_string(), format!("\"{}\"", &long[2..])]);
        assert_eq!(short(&long), format!("{}... (101 characters)", &long[2..]));
        assert_eq!(quoted(&long), format!("\"{}\"... (101 characters)", &long[2..]));
        assert_eq!(quoted("a\n\"\u{1b}"), r#""a\n\"\u{1b}""#);
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!([count(1, "seed"), count(0, "seed"), count(3, "seed")], ["1 seed", "0 seeds", "3 seeds"]);
    }
}
