//! Pages: self-contained files, without network or libraries. The one script is in the page and sorts tables; without it nothing is
//! missing.
mod table;

use crate::text;

pub(crate) use table::{Cell, Head, Table};

const STYLE: &str = include_str!("page.css");
/// Makes tables sort; without it they are plain tables.
const SORT: &str = include_str!("sort.js");

/// Text that is safe inside HTML and SVG, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Neither HTML nor XML allows control characters, and others would turn what follows around.
    for c in text::visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
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
