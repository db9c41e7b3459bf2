//! Texts of a caller's own in messages.

/// A caller's text as it may stand in a message: what a terminal would obey or not show is escaped, and of more than 80 characters the
/// first 80 stay, with their number.
pub fn excerpt(text: &str) -> String {
    let (shown, all) = (80, text.chars().count());
    let start = escaped(text.chars().take(shown));
    if all > shown { format!("{start}... ({all} characters)") } else { start }
}

/// A message with texts of a caller's own in it: escaped likewise, and of more than 2000 characters start and end stay.
pub(crate) fn message(text: &str) -> String {
    let all = text.chars().count();
    if all <= 2000 {
        return escaped(text.chars());
    }
    let (start, end) = (escaped(text.chars().take(200)), escaped(text.chars().skip(all - 1500)));
    format!("{start}... ({all} characters) ...{end}")
}

fn escaped(text: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    for c in text {
        match c {
            // Not to be taken for what they look like twice.
            '"' | '\'' | '\\' => out.push(c),
            c => out.extend(c.escape_debug()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_and_what_terminals_obey() {
        assert_eq!(excerpt("naïve \"λ\""), "naïve \"λ\"");
        assert_eq!(excerpt("\u{1b}[2J\n\u{202e}"), "\\u{1b}[2J\\n\\u{202e}");
        assert_eq!(excerpt(&"x".repeat(80)), "x".repeat(80));
        assert_eq!(excerpt(&"λ".repeat(2_000_000)), format!("{}... (2000000 characters)", "λ".repeat(80)));
        let long = message(&format!("unknown field `{}`, expected `p`", "x".repeat(2_000_000)));
        assert!(
            long.chars().count() < 2000 && long.starts_with("unknown field `x") && long.ends_with("x`, expected `p`"),
            "{long}"
        );
        assert!(long.contains("... (2000030 characters) ..."), "{long}");
        assert_eq!(message("a\tb"), "a\\tb");
    }
}
