//! How reliable probabilities and standard deviations are: small pictures, and a table.
use crate::{
    commands::study::calibration::{Calibration, Spread},
    html::{Cell, Head, Table},
    number::{percent, significant},
    svg::{Anchor, Axis, GREY, INK, LEGEND, Pen, Plot, STYLES, Style, Svg, legend},
};

const WIDTH: f64 = 320.0;
/// Left and right end of a plot.
const ENDS: [f64; 2] = [46.0, 306.0];
/// Of a plot.
const HEIGHT: f64 = 220.0;

/// Styles of up to three lines.
fn style(i: usize) -> &'static Style {
    &STYLES[i % STYLES.len()]
}

/// The reliability diagram of one to three predictors, each with its name: accuracy over confidence with the diagonal, and the rows
/// in each bin below. A small picture with this id.
pub fn reliability(id: &str, predictors: &[(&str, &Calibration)]) -> String {
    const COUNTS: f64 = 60.0;
    let top = 32.0 + 2.0 * LEGEND * predictors.len() as f64;
    let bottom = top + HEIGHT;
    let floor = bottom + 24.0 + COUNTS;
    let x = Axis::exact([0.0, 100.0], ENDS);
    let plot = Plot { x, y: Axis::exact([0.0, 100.0], [bottom, top]), left: ENDS[0], right: ENDS[1], bottom };
    let mut svg = Svg::new(WIDTH, floor + 42.0);
    svg.text([6.0, 17.0], Anchor::Start, "head", "Reliability");
    svg.text([ENDS[1], 17.0], Anchor::End, "tick", "accuracy, %, over confidence");
    plot.rows(&mut svg, 5);
    svg.line([ENDS[0], bottom], [ENDS[1], bottom], Pen(INK, 1.0, ""));
    svg.line([ENDS[0], bottom], [ENDS[1], top], Pen(GREY, 1.2, "1 3"));
    let most = predictors.iter().flat_map(|(_, c)| &c.bins).map(|b| b.count).max().unwrap_or(1).max(1);
    // Roots keep bins with a few rows in sight beside full ones.
    let count = Axis::exact([0.0, (most as f64).sqrt()], [floor, floor - COUNTS]);
    let mut said = Vec::new();
    for (i, (name, c)) in predictors.iter().enumerate() {
        let style = style(i);
        let line = 38.0 + 2.0 * LEGEND * i as f64;
        legend(&mut svg, [6.0, line], style, name);
        let text = format!("accuracy {}, ECE {}, NLL {}", percent(c.accuracy), percent(c.ece), significant(c.nll, 3));
        svg.text([41.0, line + LEGEND + 2.0], Anchor::Start, "tick", &text);
        said.push(format!("{name}: {text}"));
        let points: Vec<[f64; 2]> = c
            .bins
            .iter()
            .filter(|b| b.count > 0)
            .map(|b| [plot.x.at(100.0 * b.confidence), plot.y.at(100.0 * b.accuracy)])
            .collect();
        svg.path(&points, style.pen);
        points.iter().for_each(|&p| style.point(&mut svg, p));
        for b in c.bins.iter().filter(|b| b.count > 0) {
            let [from, to] = [b.from, b.to].map(|v| plot.x.at(100.0 * v));
            let wide = (to - from - 2.0) / predictors.len() as f64;
            let high = count.at((b.count as f64).sqrt());
            // The first is outlined, so that they differ without colour.
            let (fill, stroke) = if i == 0 { ("none", style.pen.0) } else { (style.pen.0, "none") };
            svg.rect([from + 1.0 + wide * i as f64, high], [wide - 1.0, floor - high], fill, stroke);
        }
    }
    svg.text([ENDS[0] - 5.0, floor - COUNTS + 5.0], Anchor::End, "tick", most);
    svg.text([ENDS[0] - 5.0, floor], Anchor::End, "tick", "rows");
    let counts = Plot { bottom: floor, ..plot };
    counts.columns(&mut svg, 5);
    counts.floor(&mut svg, "confidence (top probability), %");
    let spoken = format!("Accuracy over confidence, beside the diagonal on which they agree. {}.", said.join(". "));
    svg.finish(id, "Reliability", &spoken)
}

/// The numbers of these predictors, in a table that can be sorted.
pub fn table(predictors: &[(&str, &Calibration)]) -> String {
    let heads = ["accuracy", "calibration error", "negative log-likelihood", "Brier score"].map(Head::Number);
    let mut table = Table::sortable("Calibration", &[&[Head::Text("predictor")][..], &heads].concat());
    for (name, c) in predictors {
        let numbers = [percent(c.accuracy), percent(c.ece), significant(c.nll, 4), significant(c.brier, 4)];
        table.row([Cell::from(name)].into_iter().chain(numbers.map(Cell::from)));
    }
    table.finish()
}

/// One to three rejection curves, each with its name: accuracy of the rows kept over the share set aside. A small picture with this
/// id.
pub fn rejection(id: &str, curves: &[(&str, &[[f64; 2]])]) -> String {
    let top = 32.0 + LEGEND * curves.len() as f64;
    let bottom = top + HEIGHT;
    let values = curves.iter().flat_map(|(_, c)| c.iter().map(|p| 100.0 * p[1]));
    let y = Axis::linear(values, [bottom, top]);
    let plot = Plot { x: Axis::exact([0.0, 100.0], ENDS), y, left: ENDS[0], right: ENDS[1], bottom };
    let mut svg = Svg::new(WIDTH, bottom + 42.0);
    svg.text([6.0, 17.0], Anchor::Start, "head", "Rejection");
    svg.text([ENDS[1], 17.0], Anchor::End, "tick", "accuracy of rows kept, %");
    plot.rows(&mut svg, 6);
    plot.columns(&mut svg, 5);
    plot.floor(&mut svg, "most uncertain rows set aside, %");
    let mut said = Vec::new();
    for (i, (name, curve)) in curves.iter().enumerate() {
        let style = style(i);
        legend(&mut svg, [6.0, 36.0 + LEGEND * i as f64], style, name);
        let points: Vec<[f64; 2]> = curve.iter().map(|p| [plot.x.at(100.0 * (1.0 - p[0])), plot.y.at(100.0 * p[1])]).collect();
        svg.path(&points, style.pen);
        // A mark at about each tenth, no more.
        let mut next = 0.0;
        for (p, place) in curve.iter().zip(&points) {
            if 1.0 - p[0] >= next {
                style.point(&mut svg, *place);
                next = 1.0 - p[0] + 0.1;
            }
        }
        let at = |kept: f64| curve.iter().rfind(|p| p[0] >= kept).map_or("unknown".into(), |p| percent(p[1]));
        said.push(format!("{name}: {} of all rows, {} of the more certain half", at(1.0), at(0.5)));
    }
    let spoken = format!("Accuracy of the rows that are kept when the most uncertain ones are set aside. {}.", said.join(". "));
    svg.finish(id, "Rejection", &spoken)
}

/// Absolute error over predicted standard deviation, binned, and how many values are within one and two of these. `unit` is what the
/// axes are in. A small picture with this id.
pub fn spread(id: &str, spread: &Spread, unit: &str) -> String {
    // The mean absolute value of a normal number, in standard deviations: √(2/π).
    const NORMAL: f64 = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;
    let top = 72.0;
    let bottom = top + HEIGHT;
    let x = Axis::linear(spread.bins.iter().map(|b| b.sd).chain([0.0]), ENDS);
    let most = spread.bins.iter().map(|b| b.sd).fold(0.0, f64::max);
    let y = Axis::linear(spread.bins.iter().map(|b| b.error).chain([0.0, NORMAL * most]), [bottom, top]);
    let plot = Plot { x, y, left: ENDS[0], right: ENDS[1], bottom };
    let mut svg = Svg::new(WIDTH, bottom + 42.0);
    svg.text([6.0, 17.0], Anchor::Start, "head", "Predicted spread");
    let [one, two] = spread.coverage.map(percent);
    svg.text([6.0, 37.0], Anchor::Start, "tick", format_args!("within 1 sd: {one} (68.3 % if normal and calibrated)"));
    svg.text([6.0, 54.0], Anchor::Start, "tick", format_args!("within 2 sd: {two} (95.4 %)"));
    plot.rows(&mut svg, 5);
    plot.columns(&mut svg, 5);
    plot.floor(&mut svg, format_args!("standard deviation; error upwards, in {unit}"));
    svg.line([plot.x.at(0.0), plot.y.at(0.0)], [plot.x.at(most), plot.y.at(NORMAL * most)], Pen(GREY, 1.2, "1 3"));
    let points: Vec<[f64; 2]> = spread.bins.iter().map(|b| [plot.x.at(b.sd), plot.y.at(b.error)]).collect();
    svg.path(&points, STYLES[1].pen);
    points.iter().for_each(|&p| STYLES[1].point(&mut svg, p));
    let spoken = format!(
        "Mean absolute error over predicted standard deviation, in {} bins, beside the line of normal errors. {one} of the values are \
         within one standard deviation, {two} within two.",
        spread.bins.len()
    );
    svg.finish(id, "Predicted spread", &spoken)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::commands::study::calibration::{Bin, SpreadBin};

    pub(crate) fn calibration(shift: f64) -> Calibration {
        let bin = |i: usize| {
            let from = i as f64 / 10.0;
            let count = if i == 2 { 0 } else { 3 * i * i + 1 };
            Bin { from, to: from + 0.1, count, confidence: from + 0.05, accuracy: (from + 0.05 + shift).clamp(0.0, 1.0) }
        };
        Calibration { rows: 865, accuracy: 0.91, ece: shift.abs(), nll: 0.31, brier: 0.14, bins: (0..10).map(bin).collect() }
    }

    pub(crate) fn spreads() -> Spread {
        let bins = (1..=8).map(|i| SpreadBin { count: 10, sd: f64::from(i), error: 1.1 * f64::from(i) }).collect();
        Spread { rows: 80, rmse: 6.0, coverage: [0.55, 0.85], bins }
    }

    #[test]
    fn two_predictors_are_told_apart_without_colour() {
        let (a, b) = (calibration(-0.08), calibration(0.02));
        let out = reliability("reliability", &[("weights <scaled>", &a), ("mean of 50 masks", &b)]);
        assert!(out.contains("stroke-dasharray=\"6 3\"") && out.contains("weights &lt;scaled&gt;"));
        assert!(out.contains("ECE 8.00 %, NLL 0.310") && out.contains("mean of 50 masks: accuracy 91.0 %, ECE 2.00 %"));
        // Nine bins with rows, and the mark in the legend.
        assert_eq!((out.matches("<circle").count(), out.matches("<polygon").count()), (10, 10));
        let table = table(&[("a", &a), ("b", &b)]);
        assert!(table.contains("data-sort=\"number\">Brier score") && table.contains("<td>8.00 %</td>"));
    }

    #[test]
    fn rejection_says_what_half_of_the_rows_give() {
        let curve = [[1.0, 0.9], [0.75, 0.95], [0.5, 0.99], [0.2, 1.0]];
        let out = rejection("rejection", &[("entropy", &curve[..]), ("none", &[][..])]);
        assert!(out.contains("entropy: 90.0 % of all rows, 99.0 % of the more certain half. none: unknown"), "{out}");
        assert!(!out.contains("NaN"));
    }

    #[test]
    fn spread_says_how_much_it_covers() {
        let out = spread("spread", &spreads(), "mm");
        assert!(out.contains("within 1 sd: 55.0 %") && out.contains("85.0 % within two") && out.contains("in mm"));
    }
}
