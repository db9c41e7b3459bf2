//! The path plot: a line for each feature over the strength of the penalty.
use crate::{
    commands::path::results::Paths,
    svg::{Anchor, Axis, BLUE, GREY, INK, ORANGE, PALE, Pen, Svg},
};

const SIZE: [f64; 2] = [960.0, 480.0];
/// Left, top, right and bottom of the plot.
const MARGIN: [f64; 4] = [64.0, 16.0, 150.0, 52.0];
/// Number of features, those with the largest coefficients, that have a name and a dash pattern of their own.
const NAMED: usize = 16;
const DASHES: [&str; 4] = ["", "7 3", "2 3", "10 3 2 3"];
/// Between two names.
const LINE: f64 = 15.0;

/// Places over λ, strong at the left; and where the plot ends below.
pub(super) fn strengths(paths: &Paths, [width, height]: [f64; 2], [left, _, right, bottom]: [f64; 4]) -> (Axis, f64) {
    (Axis::log(paths.fits.iter().map(|f| f.lambda), [width - right, left]), height - bottom)
}

/// The axis below, with marks at both choices.
pub(super) fn below(svg: &mut Svg, paths: &Paths, x: &Axis, [left, right]: [f64; 2], [top, bottom]: [f64; 2]) {
    for (v, text) in x.ticks(8) {
        svg.line([x.at(v), bottom], [x.at(v), bottom + 5.0], Pen(INK, 1.0, ""));
        svg.text([x.at(v), bottom + 19.0], Anchor::Middle, "tick", text);
    }
    svg.line([left, bottom], [right, bottom], Pen(INK, 1.0, ""));
    svg.text([(left + right) / 2.0, bottom + 40.0], Anchor::Middle, "tick", "λ, strength of the penalty");
    let [best, simple] = [paths.choice.best, paths.choice.one_se];
    for (at, dash, name) in [(best, "5 3", "best"), (simple, "2 3", "one se")] {
        let place = x.at(paths.fits[at].lambda);
        svg.line([place, top], [place, bottom], Pen(GREY, 1.3, dash));
        if at == best || best != simple {
            let anchor = if at == best { Anchor::Start } else { Anchor::End };
            let side = if at == best { 4.0 } else { -4.0 };
            svg.text([place + side, top + 11.0], anchor, "tick", name);
        }
    }
}

/// The picture.
pub fn draw(paths: &Paths) -> String {
    let mut svg = Svg::new(SIZE[0], SIZE[1]);
    let [left, top, right, _] = MARGIN;
    let (x, bottom) = strengths(paths, SIZE, MARGIN);
    let all = paths.fits.iter().flat_map(|f| f.standardized.iter().copied());
    let y = Axis::linear(all.chain([0.0]), [bottom, top]);
    for (v, text) in y.ticks(7) {
        svg.line([left, y.at(v)], [SIZE[0] - right, y.at(v)], Pen(PALE, 1.0, ""));
        svg.text([left - 6.0, y.at(v) + 4.0], Anchor::End, "tick", text);
    }
    svg.line([left, y.at(0.0)], [SIZE[0] - right, y.at(0.0)], Pen(INK, 1.0, ""));
    below(&mut svg, paths, &x, [left, SIZE[0] - right], [top, bottom]);

    let most = |j: usize| paths.fits.iter().map(|f| f.standardized[j].abs()).fold(0.0, f64::max);
    let mut order: Vec<usize> = (0..paths.columns.len()).collect();
    order.sort_by(|&a, &b| most(b).total_cmp(&most(a)));
    let points = |j: usize| paths.fits.iter().map(|f| [x.at(f.lambda), y.at(f.standardized[j])]).collect::<Vec<_>>();
    for &j in order.iter().skip(NAMED) {
        svg.path(&points(j), Pen(GREY, 0.8, ""));
    }
    let mut names = Vec::new();
    for (i, &j) in order.iter().take(NAMED).enumerate() {
        let (color, class) = if i % 2 == 0 { (BLUE, "label blue") } else { (ORANGE, "label orange") };
        svg.path(&points(j), Pen(color, 1.8, DASHES[i / 2 % 4]));
        if let Some(last) = paths.fits.last() {
            names.push((y.at(last.standardized[j]), class, j, last.standardized[j]));
        }
    }
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Pushed down until none is on another; then up again from the bottom.
    for i in 1..names.len() {
        names[i].0 = names[i].0.max(names[i - 1].0 + LINE);
    }
    let mut limit = bottom + 4.0;
    for name in names.iter_mut().rev() {
        name.0 = name.0.min(limit);
        limit = name.0 - LINE;
    }
    let last = paths.fits.last().map_or(0.0, |f| x.at(f.lambda));
    for (place, class, j, value) in names {
        let start = SIZE[0] - right + 24.0;
        svg.line([last, y.at(value)], [start - 4.0, place], Pen(PALE, 1.0, ""));
        svg.text([start, place + 4.0], Anchor::Start, class, shortened(&paths.columns[j]));
    }
    svg.finish("path", "Regularization path", &spoken(paths))
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= 16 { name.into() } else { name.chars().take(15).chain(['…']).collect() }
}

/// The order in which features enter, for screen readers.
fn spoken(paths: &Paths) -> String {
    let first = |j: usize| paths.fits.iter().position(|f| f.standardized[j] != 0.0);
    let mut joined: Vec<(usize, &str)> =
        paths.columns.iter().enumerate().filter_map(|(j, c)| Some((first(j)?, c.as_str()))).collect();
    joined.sort_by_key(|(at, _)| *at);
    let names: Vec<_> = joined.iter().take(NAMED).map(|(_, c)| crate::text::short(c)).collect();
    format!(
        "A line for each feature: its standardized coefficient, from a strong penalty at the left to a weak one at the right. They leave \
         zero in this order: {}{}.",
        names.join(", "),
        if joined.len() > NAMED { ", and others" } else { "" }
    )
}
