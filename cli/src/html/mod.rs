//! Pages: self-contained files, without network or libraries. The one script is in the page and sorts tables; without it nothing is
//! missing.
mod table;

pub(crate) use table::{Cell, Head, Table};

const STYLE: &str = include_str!("page.css");
/// Makes tables sort; without it they are plain tables.
const SORT: &str = include_str!("sort.js");

/// Text that is safe inside HTML and SVG, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Neither HTML nor XML allows other control characters.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A page with this title and what `body`, HTML itself, puts below it.
pub(crate) fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n<script>\n{SORT}</script>\n</body>\n</html>\n"
    )
}

/// A section: its title, a picture in a box that scrolls where it is narrow, and a caption. Title and caption are text.
pub(crate) fn figure(title: &str, picture: &str, caption: &str) -> String {
    let (title, caption) = (escape(title), escape(caption));
    format!(
        "<h2>{title}</h2>\n<figure>\n<div class=\"scroll\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\">\n{picture}</div>\n\
         <figcaption>{caption}</figcaption>\n</figure>\n"
    )
}

/// Pictures side by side where there is room, else below each other.
pub(crate) fn panels(pictures: &[String]) -> String {
    format!("<div class=\"panels\">\n{}</div>\n", pictures.concat())
}

/// A number with this many significant digits, without trailing powers of ten where it has none.
pub(crate) fn significant(v: f64, digits: usize) -> String {
    if v == 0.0 || !v.is_finite() {
        return if v == 0.0 { "0".into() } else { v.to_string() };
    }
    // Rounding may carry into a new digit: the exponent is that of the rounded number.
    let rounded = format!("{v:.*e}", digits - 1);
    let exponent: i32 = rounded.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    if (-4..7).contains(&exponent) { format!("{v:.*}", (digits as i32 - 1 - exponent).max(0) as usize) } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::significant;

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let all = [0.0, 1.0, -0.099_96, 123.4, 98_765.4, 1e9, 1.234e-5, f64::NAN].map(|v| significant(v, 3));
        assert_eq!(all, ["0", "1.00", "-0.100", "123", "98765", "1.00e9", "1.23e-5", "NaN"]);
    }
}
