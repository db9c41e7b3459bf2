//! What plots share: the frame with its grid, names at the ends of lines, and a legend where there is no room for these.
use super::{Anchor, Axis, BLUE, INK, ORANGE, PALE, Pen, Svg};
use std::fmt::Display;

/// Styles by which lines differ: in pen and mark, and in colour as well.
pub(crate) const STYLES: [Style; 3] = [
    Style { pen: Pen(ORANGE, 2.0, "6 3"), mark: Mark::Circle, class: "label orange" },
    Style { pen: Pen(BLUE, 2.0, ""), mark: Mark::Diamond, class: "label blue" },
    Style { pen: Pen(INK, 2.0, "2 3"), mark: Mark::Square, class: "label" },
];

/// A line's pen, the mark at its points, and the class of its name.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    pub pen: Pen,
    pub mark: Mark,
    pub class: &'static str,
}

/// A mark at a point.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    Circle,
    Diamond,
    Square,
}

/// Axes and the area between them.
pub(crate) struct Plot {
    pub x: Axis,
    pub y: Axis,
    pub left: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Style {
    /// A mark at this place, unless it is not finite.
    pub fn point(&self, svg: &mut Svg, at: [f64; 2]) {
        let color = self.pen.0;
        match self.mark {
            _ if !at.iter().all(|v| v.is_finite()) => {}
            Mark::Circle => svg.circle(at, 3.5, "#fff", color),
            Mark::Diamond => svg.diamond(at, 4.8, color),
            Mark::Square => svg.rect([at[0] - 3.0, at[1] - 3.0], [6.0, 6.0], color, "none"),
        }
    }
}

impl Plot {
    /// Grid lines and numbers of the vertical axis, at the left.
    pub fn rows(&self, svg: &mut Svg, count: usize) {
        for (v, text) in self.y.ticks(count) {
            svg.line([self.left, self.y.at(v)], [self.right, self.y.at(v)], Pen(PALE, 1.0, ""));
            svg.text([self.left - 5.0, self.y.at(v) + 4.0], Anchor::End, "tick", text);
        }
    }

    /// The horizontal axis with its numbers.
    pub fn columns(&self, svg: &mut Svg, count: usize) {
        for (v, text) in self.x.ticks(count) {
            svg.line([self.x.at(v), self.bottom], [self.x.at(v), self.bottom + 4.0], Pen(INK, 1.0, ""));
            svg.text([self.x.at(v), self.bottom + 17.0], Anchor::Middle, "tick", text);
        }
    }

    /// The horizontal axis, and its name.
    pub fn floor(&self, svg: &mut Svg, name: impl Display) {
        svg.line([self.left, self.bottom], [self.right, self.bottom], Pen(INK, 1.0, ""));
        svg.text([0.5 * (self.left + self.right), self.bottom + 34.0], Anchor::Middle, "tick", name);
    }

    /// Names right of the plot, as near to these heights as they can be without touching.
    pub fn names(&self, svg: &mut Svg, mut names: Vec<(f64, &str, &str)>) {
        const LINE: f64 = 14.0;
        names.retain(|n| n.0.is_finite());
        names.sort_by(|a, b| a.0.total_cmp(&b.0));
        for i in 1..names.len() {
            names[i].0 = names[i].0.max(names[i - 1].0 + LINE);
        }
        let mut limit = self.bottom;
        for name in names.iter_mut().rev() {
            name.0 = name.0.min(limit);
            limit = name.0 - LINE;
        }
        for (y, class, name) in names {
            svg.text([self.right + 7.0, y + 4.0], Anchor::Start, class, name);
        }
    }
}

/// Height of a legend's line.
pub(crate) const LEGEND: f64 = 18.0;

/// A line of a legend that begins here: a piece of the line, a mark, a text.
pub(crate) fn legend(svg: &mut Svg, [x, y]: [f64; 2], style: &Style, text: impl Display) {
    svg.line([x, y], [x + 28.0, y], style.pen);
    style.point(svg, [x + 14.0, y]);
    svg.text([x + 35.0, y + 4.0], Anchor::Start, style.class, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_touch_and_stay_inside() {
        let axis = Axis::exact([0.0, 1.0], [0.0, 100.0]);
        let plot = Plot { x: axis, y: axis, left: 0.0, right: 100.0, bottom: 100.0 };
        let mut svg = Svg::new(100.0, 100.0);
        plot.names(&mut svg, vec![(99.0, "a", "A"), (98.0, "b", "B"), (10.0, "c", "C"), (f64::NAN, "d", "D")]);
        let out = svg.finish("a", "", "");
        for (y, name) in [(90.0, "B"), (104.0, "A"), (14.0, "C")] {
            assert!(
                out.contains(&format!("y=\"{y:.1}\" text-anchor=\"start\" class=\"{}\">{name}", name.to_lowercase())),
                "{out}"
            );
        }
        assert!(!out.contains(">D<"));
    }
}
