//! Tables of a page. Those of results can be sorted: heads say how, and `sort.js` makes buttons of them.
use super::escape;
use std::fmt::{Display, Write};

/// The head of a column: what is in it decides how it is aligned and sorted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Head<'a> {
    /// Numbers: to the right, sorted by value.
    Number(&'a str),
    /// Words: to the left, sorted as words.
    Text(&'a str),
}

/// A cell: its text, and the number that it is sorted by where the text does not begin with it.
pub(crate) struct Cell {
    text: String,
    value: Option<f64>,
}

impl<T: Display> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.to_string(), value: None }
    }
}

impl Cell {
    /// A text sorted by this value, as "12 µs" is by seconds.
    pub fn of(text: impl Display, value: f64) -> Self {
        Self { text: text.to_string(), value: Some(value) }
    }
}

/// A table under construction.
pub(crate) struct Table {
    texts: Vec<bool>,
    out: String,
}

impl Table {
    /// A table of results, which can be sorted by any of its columns. The first column names the rows. `caption` is text.
    pub fn sortable(caption: &str, heads: &[Head]) -> Self {
        Self::new(caption, heads, true)
    }

    /// A table that cannot be sorted, because its order has a meaning.
    pub fn plain(caption: &str, heads: &[Head]) -> Self {
        Self::new(caption, heads, false)
    }

    fn new(caption: &str, heads: &[Head], sortable: bool) -> Self {
        let (caption, plain) = (escape(caption), if sortable { "" } else { " class=\"plain\"" });
        // A box that scrolls must be reached by keys, and then says what it is.
        let mut out = format!(
            "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table{plain}>\n\
             <caption>{caption}</caption>\n<thead><tr>"
        );
        for head in heads {
            let (class, kind, text) = match head {
                Head::Number(text) => ("", "number", text),
                Head::Text(text) => (" class=\"text\"", "text", text),
            };
            let sort = if sortable { format!(" data-sort=\"{kind}\"") } else { String::new() };
            write!(out, "<th scope=\"col\"{class}{sort}>{}</th>", escape(text)).expect("a String takes all");
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        Self { texts: heads.iter().map(|h| matches!(h, Head::Text(_))).collect(), out }
    }

    /// A row, with as many cells as there are heads.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<Cell> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.texts.len(), "a cell for each head");
        self.out.push_str("<tr>");
        for (i, (Cell { text, value }, words)) in cells.iter().zip(&self.texts).enumerate() {
            let value = value.map_or(String::new(), |v| format!(" data-value=\"{v:e}\""));
            let class = if *words && i > 0 { " class=\"text\"" } else { "" };
            let (open, close) = if i == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
            write!(self.out, "<{open}{class}{value}>{}</{close}>", escape(text)).expect("a String takes all");
        }
        self.out.push_str("</tr>\n");
    }

    /// The element.
    pub fn finish(mut self) -> String {
        self.out.push_str("</tbody>\n</table></div>\n");
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::page;

    #[test]
    fn heads_say_how_to_sort_and_texts_are_no_markup() {
        let mut table = Table::sortable("a <b>", &[Head::Text("name"), Head::Number("time"), Head::Text("why")]);
        table.row(["<i>".into(), Cell::of("12 µs", 1.2e-5), "&".into()]);
        let out = table.finish();
        assert!(out.contains(
            "<th scope=\"col\" class=\"text\" data-sort=\"text\">name</th><th scope=\"col\" data-sort=\"number\">time"
        ));
        assert!(out.contains(
            "<tr><th scope=\"row\">&lt;i&gt;</th><td data-value=\"1.2e-5\">12 µs</td><td class=\"text\">&amp;</td></tr>"
        ));
        assert!(out.contains("<caption>a &lt;b&gt;</caption>") && !out.contains("<b>"));
        assert!(!Table::plain("a", &[Head::Number("n")]).finish().contains("data-sort"));
    }

    #[test]
    fn a_page_has_the_script_once_and_needs_nothing_else() {
        let page = page("<t>", &Table::sortable("a", &[Head::Number("n")]).finish());
        assert_eq!((page.matches("<script>").count(), page.matches("</script>").count()), (1, 1));
        assert!(page.contains("aria-sort"));
        for outside in ["http", "src=", "href", "@import", "url(", "fetch(", "import("] {
            assert!(!page.contains(outside), "the page refers to something outside: {outside}");
        }
    }

    #[test]
    #[should_panic(expected = "a cell for each head")]
    fn a_row_of_another_length_is_a_mistake() {
        Table::plain("a", &[Head::Number("n")]).row([]);
    }
}
