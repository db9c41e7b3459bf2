//! Pictures in SVG and the pages around them: files that need nothing else, no network and no library. Lines differ by dashes,
//! points by shape, and both are named where they are drawn, so that no colour has to be told from another. The one script is in the
//! page and sorts tables; all that a page says it says without it.
mod axis;
mod color;
#[cfg(test)]
mod gallery;
pub mod heat;
mod plot;
mod svg;
mod table;

pub(crate) use axis::Axis;
pub(crate) use plot::{LEGEND, Mark, Plot, STYLES, Style, legend};
pub(crate) use svg::{Anchor, Pen, Svg, escape};
pub(crate) use table::{Cell, Head, Table};

// Okabe and Ito's blue and vermilion, told apart in every common kind of colour vision, and greys.
pub(crate) const BLUE: &str = "#0072b2";
pub(crate) const ORANGE: &str = "#b84a00";
pub(crate) const INK: &str = "#333";
pub(crate) const GREY: &str = "#8a8a8a";
pub(crate) const PALE: &str = "#e4e4e4";

const STYLE: &str = include_str!("page.css");
/// Makes tables sort; without it they are plain tables.
const SORT: &str = include_str!("sort.js");

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

/// Pictures beside each other as far as there is place, else below each other.
pub(crate) fn panels(pictures: &[String]) -> String {
    format!("<div class=\"panels\">\n{}</div>\n", pictures.concat())
}

/// A number with so many significant digits, without trailing powers of ten where it has none.
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
