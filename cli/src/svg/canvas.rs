//! A picture as text: SVG elements, escaped, in a fixed coordinate system.
use crate::html::escape;
use std::fmt::{Display, Write};

/// Where a text is anchored.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture under construction.
pub struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// How a line is drawn: colour, width, dashes (none if empty).
#[derive(Clone, Copy)]
pub struct Pen(pub &'static str, pub f64, pub &'static str);

impl Svg {
    /// An empty picture of this size.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    fn add(&mut self, text: impl Display) {
        writeln!(self.body, "{text}").expect("a String takes all");
    }

    /// A line.
    pub fn line(&mut self, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2], Pen(color, width, dash): Pen) {
        let dash = dashes(dash);
        self.add(format_args!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{color}" stroke-width="{width}"{dash}/>"#
        ));
    }

    /// A line through points; interrupted where a point is not finite.
    pub fn path(&mut self, points: &[[f64; 2]], Pen(color, width, dash): Pen) {
        let (mut d, mut open) = (String::new(), false);
        for [x, y] in points {
            if x.is_finite() && y.is_finite() {
                write!(d, "{}{x:.1} {y:.1}", if open { "L" } else { "M" }).expect("a String takes all");
                open = true;
            } else {
                open = false;
            }
        }
        let dash = dashes(dash);
        self.add(format_args!(
            r#"<path d="{d}" fill="none" stroke="{color}" stroke-width="{width}" stroke-linejoin="round"{dash}/>"#
        ));
    }

    /// A filled area between points.
    pub fn area(&mut self, points: &[[f64; 2]], fill: &str, opacity: f64) {
        let list: Vec<String> =
            points.iter().filter(|p| p.iter().all(|v| v.is_finite())).map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
        self.add(format_args!(r#"<polygon points="{}" fill="{fill}" fill-opacity="{opacity}"/>"#, list.join(" ")));
    }

    /// A rectangle.
    pub fn rect(&mut self, [x, y]: [f64; 2], [w, h]: [f64; 2], fill: &str, stroke: &str) {
        self.add(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{:.1}" height="{:.1}" fill="{fill}" stroke="{stroke}"/>"#,
            w.max(0.0),
            h.max(0.0)
        ));
    }

    /// A circle.
    pub fn circle(&mut self, [x, y]: [f64; 2], r: f64, fill: &str, stroke: &str) {
        self.add(format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="{r}" fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>"#));
    }

    /// A square on its corner.
    pub fn diamond(&mut self, [x, y]: [f64; 2], r: f64, fill: &str) {
        let points = [[x, y - r], [x + r, y], [x, y + r], [x - r, y]];
        self.area(&points, fill, 1.0);
    }

    /// Text of a class of the style sheet.
    pub fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, class: &str, text: impl Display) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(&text.to_string());
        self.add(format_args!(r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" class="{class}">{text}</text>"#));
    }

    /// The element. `id` must be unique in the page; title and description are for screen readers.
    pub fn finish(self, id: &str, title: &str, description: &str) -> String {
        let Self { width, height, body } = self;
        let (title, description) = (escape(title), escape(description));
        format!(
            "<svg viewBox=\"0 0 {width} {height}\" style=\"--w: {width}px\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
             <title id=\"{id}-t\">{title}</title>\n<desc id=\"{id}-d\">{description}</desc>\n{body}</svg>\n"
        )
    }
}

fn dashes(dash: &str) -> String {
    if dash.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{dash}""#) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_becomes_markup() {
        assert_eq!(escape("<b a=\"1\" c='2'>&\u{7}"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;\\u{7}");
        let mut svg = Svg::new(10.0, 10.0);
        svg.text([0.0, 0.0], Anchor::Start, "t", "</text><script>");
        let out = svg.finish("a", "<t>", "<d>");
        assert!(!out.contains("<script>") && out.contains("&lt;/text&gt;&lt;script&gt;") && out.contains("&lt;t&gt;"));
    }

    #[test]
    fn gaps_in_the_data_are_gaps_in_the_line() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.path(&[[0.0, 1.0], [1.0, f64::NAN], [2.0, 1.0], [3.0, 2.0]], Pen("#000", 1.0, ""));
        assert!(svg.finish("a", "", "").contains(r#"d="M0.0 1.0M2.0 1.0L3.0 2.0""#));
    }
}
