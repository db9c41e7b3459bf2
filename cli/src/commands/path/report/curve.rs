//! The error of cross-validation over the strength of the penalty.
use super::lines::{below, strengths};
use crate::{
    commands::path::results::{Paths, short},
    number::pair,
    svg::{Anchor, Axis, BLUE, PALE, Pen, Svg},
};

const SIZE: [f64; 2] = [960.0, 340.0];
const MARGIN: [f64; 4] = [74.0, 16.0, 150.0, 52.0];

/// The picture.
pub fn draw(paths: &Paths) -> String {
    let mut svg = Svg::new(SIZE[0], SIZE[1]);
    let [left, top, right, _] = MARGIN;
    let (x, bottom) = strengths(paths, SIZE, MARGIN);
    let curve = &paths.choice.curve;
    let y = Axis::linear(curve.iter().flat_map(|[mean, error]| [mean - error, mean + error]), [bottom, top]);
    for (v, text) in y.ticks(6) {
        svg.line([left, y.at(v)], [SIZE[0] - right, y.at(v)], Pen(PALE, 1.0, ""));
        svg.text([left - 6.0, y.at(v) + 4.0], Anchor::End, "tick", text);
    }
    let points = |sign: f64| -> Vec<[f64; 2]> {
        paths.fits.iter().zip(curve).map(|(f, [mean, error])| [x.at(f.lambda), y.at(mean + sign * error)]).collect()
    };
    let mut band = points(1.0);
    band.extend(points(-1.0).into_iter().rev());
    svg.area(&band, BLUE, 0.18);
    svg.path(&points(0.0), Pen(BLUE, 2.0, ""));
    below(&mut svg, paths, &x, [left, SIZE[0] - right], [top, bottom]);
    let [best, simple] = [paths.choice.best, paths.choice.one_se];
    svg.circle([x.at(paths.fits[best].lambda), y.at(curve[best][0])], 5.0, BLUE, BLUE);
    svg.diamond([x.at(paths.fits[simple].lambda), y.at(curve[simple][0])], 6.0, BLUE);
    let name = |i: usize| format!("{} at λ = {}", pair(curve[i][0], curve[i][1], 5), short(paths.fits[i].lambda));
    let spoken = format!(
        "The {} on held-out rows, with its standard error, over λ. The lowest is {}; one standard error above it: {}.",
        paths.error_name()[1],
        name(best),
        name(simple)
    );
    svg.finish("cv", "Cross-validation", &spoken)
}
