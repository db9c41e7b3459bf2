//! What a cell is: missing, a number, something that was meant to be one, or a word.
use crate::text::quoted;

/// What stands for a missing value, in lower case: what pandas takes for one, the errors of Excel, and what databases and statistics
/// programs write.
const MISSING: [&str; 38] = [
    "", "na", "n/a", "n.a.", "#n/a", "#na", "#n/a n/a", "<na>", "nan", "+nan", "-nan", "1.#ind", "-1.#ind", "1.#qnan",
    "-1.#qnan", "nat", "null", "(null)", "#null!", "\\n", "none", "nil", "missing", "?", "??", "-", "--", "---", ".", "..",
    "...", "*", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "<null>",
];

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// Nothing is known.
    Missing,
    /// A number, as [`number`] reads it.
    Number(f64),
    /// A number was meant: a limit (<3.0), thousands separated (6,095.9), a decimal comma, a unit of money, percent, beyond what 64 bits
    /// hold.
    Meant,
    /// Anything else.
    Text,
}

/// Whether a value is missing.
pub(super) fn absent(cell: &str) -> bool {
    MISSING.iter().any(|word| word.eq_ignore_ascii_case(cell))
}

pub(super) fn kind(cell: &str) -> Kind {
    if absent(cell) {
        return Kind::Missing;
    }
    match cell.parse::<f64>() {
        Ok(_) => number(cell).map_or(Kind::Meant, Kind::Number),
        Err(_) if meant(cell) => Kind::Meant,
        Err(_) => Kind::Text,
    }
}

/// The number in a cell.
///
/// # Errors
/// Says what it is instead, to follow "column "a"".
pub(super) fn number(cell: &str) -> Result<f64, String> {
    match cell.parse::<f64>() {
        Ok(v) if v.is_nan() => Err(missing(cell)),
        // A number whose digits do not fit is read as infinity.
        Ok(v) if !v.is_finite() => Err(format!("is {}, must be finite and below 1.8e308 in magnitude", quoted(cell))),
        // Digits were lost if it is not normal, all of them if it is 0.
        Ok(v) if !v.is_normal() && cell.split(['e', 'E']).any(|part| nonzero(part, cell)) => {
            Err(format!("is {}, must be 0 or at least 2.3e-308 in magnitude", quoted(cell)))
        }
        Ok(v) => Ok(v),
        Err(_) if kind(cell) == Kind::Missing => Err(missing(cell)),
        Err(_) if meant(cell) => {
            let what = "must be a number such as 6095.9: with a decimal point, without other signs or separators";
            Err(format!("is {}, {what}", quoted(cell)))
        }
        Err(_) => Err(format!("is {}, must be a number", quoted(cell))),
    }
}

/// Whether this is the part of `cell` before its exponent, with a digit other than 0.
fn nonzero(part: &str, cell: &str) -> bool {
    cell.starts_with(part) && part.bytes().any(|b| (b'1'..=b'9').contains(&b))
}

/// What to say of a missing value.
pub(super) fn missing(cell: &str) -> String {
    let what = if cell.is_empty() { "is empty".into() } else { format!("is missing ({})", quoted(cell)) };
    format!("{what}: fill in or remove rows with missing values first")
}

/// Whether a number was meant: digits with separators, signs of comparison, money or percent, but no letters and no range.
fn meant(cell: &str) -> bool {
    const BEFORE: &str = "<>=≤≥~≈±$€£¥'+- \u{a0}\u{2212}";
    const WITHIN: &str = ",.' \u{a0}\u{202f}\u{2009}_";
    let body =
        cell.trim_start_matches(|c| BEFORE.contains(c)).trim_end_matches(['%', '$', '€', '£', '¥', '*', '\'', ' ', '\u{a0}']);
    let (digits, exponent) = body.split_once(['e', 'E']).unwrap_or((body, "0"));
    let parts: Vec<&str> = digits.split(|c| WITHIN.contains(c)).collect();
    let all = |parts: &[&str]| parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    // One separator may stand anywhere; of several all but the last one divide thousands, so 1.2.3 and 192.168.0.1 are none.
    let thousands = parts.len() < 3 || parts[0].len() <= 3 && parts[1..parts.len() - 1].iter().all(|part| part.len() == 3);
    let exponent = exponent.trim_start_matches(['+', '-']);
    thousands && all(&parts) && parts.iter().any(|part| !part.is_empty()) && !exponent.is_empty() && all(&[exponent])
}

/// Whether a cell is a number but for its separators, 1,5 or 6,095.9, and so no label.
pub(super) fn separated(cell: &str) -> bool {
    const SEPARATORS: [char; 5] = [',', '.', '\'', '\u{a0}', '\u{202f}'];
    kind(cell) == Kind::Meant && !cell.starts_with(['<', '>', '≤', '≥', '~', '≈']) && cell.contains(SEPARATORS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_missing_numbers_meant_as_such_or_words() {
        for cell in [
            "", "NA", "n/a", "NaN", "nan", "-NaN", "NULL", "None", "?", "-", ".", "#N/A", "missing", "<NA>", "\\N", "NaT",
            "#DIV/0!",
        ] {
            assert_eq!(kind(cell), Kind::Missing, "{cell:?}");
            assert!(number(cell).unwrap_err().contains("missing"), "{cell:?}");
        }
        for (cell, v) in [
            ("1", 1.0),
            ("-0.50", -0.5),
            ("+1e3", 1e3),
            (".5", 0.5),
            ("5.", 5.0),
            ("007", 7.0),
            ("1e308", 1e308),
            ("0e-999", 0.0),
        ] {
            assert_eq!((kind(cell), number(cell)), (Kind::Number(v), Ok(v)), "{cell:?}");
        }
        let meant = [
            "<3.0",
            "> 5",
            "6,095.9",
            "1,5",
            "1 234",
            "1'234.5",
            "$12.50",
            "12 €",
            "5%",
            "3.2*",
            "~4",
            "\u{2212}5",
            "1,5e3",
            "1e999",
            "inf",
            "-Infinity",
            "1e-400",
            "1e-310",
            "≤0.05",
            "- 5",
        ];
        for cell in meant {
            assert_eq!(kind(cell), Kind::Meant, "{cell:?}");
            assert!(number(cell).unwrap_err().starts_with(&format!("is {cell:?}, must be ")), "{cell:?}");
        }
        for cell in [
            "cat",
            "3+",
            "18-25",
            "2021-03-01",
            "12:30",
            "A1",
            "1b",
            "0x10",
            "e",
            "e5",
            "192.168.0.1",
            "1.2.3",
            "01.02.2021",
            "True",
            "1/2",
            "v1.0",
            "1e",
            "#1",
        ] {
            assert_eq!(kind(cell), Kind::Text, "{cell:?}");
        }
        assert_eq!(number("inf").unwrap_err(), "is \"inf\", must be finite and below 1.8e308 in magnitude");
        assert_eq!(number("1e-400").unwrap_err(), "is \"1e-400\", must be 0 or at least 2.3e-308 in magnitude");
    }
}
