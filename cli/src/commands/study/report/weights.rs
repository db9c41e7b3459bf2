//! What the weights look like: a histogram per treatment, and how many are zero.
use crate::{
    commands::study::results::{SMALL, Study},
    html,
    number::{self, significant},
    svg::{Anchor, Axis, BLUE, GREY, INK, ORANGE, PALE, Pen, Svg},
};

const PANEL: [f64; 2] = [320.0, 150.0];

/// One histogram per treatment, all on the same axes, without exact zeros: their share is written beside.
pub fn histograms(study: &Study) -> String {
    let all = study.histograms();
    let most = all.iter().flat_map(|h| &h.shares).copied().fold(1e-9, f64::max);
    let mut panels = Vec::new();
    for (i, (o, h)) in study.outcomes.iter().zip(&all).enumerate() {
        let mut svg = Svg::new(PANEL[0], PANEL[1]);
        let x = Axis::exact([-h.range, h.range], [12.0, PANEL[0] - 12.0]);
        // Roots keep the tails in sight beside a tall middle.
        let y = Axis::exact([0.0, most.sqrt()], [PANEL[1] - 26.0, 30.0]);
        let bins = h.shares.len() as f64;
        for (b, &share) in h.shares.iter().enumerate().filter(|(_, s)| **s > 0.0) {
            let edge = |b: f64| x.at(-h.range + 2.0 * h.range * b / bins);
            let (from, to) = (edge(b as f64), edge(b as f64 + 1.0));
            let high = y.at(share.sqrt());
            svg.rect([from, high], [to - from - 0.6, y.at(0.0) - high], BLUE, "none");
        }
        svg.line([x.at(-h.range), y.at(0.0)], [x.at(h.range), y.at(0.0)], Pen(INK, 1.0, ""));
        for (v, text) in x.ticks(6) {
            svg.line([x.at(v), y.at(0.0)], [x.at(v), y.at(0.0) + 4.0], Pen(INK, 1.0, ""));
            svg.text([x.at(v), y.at(0.0) + 17.0], Anchor::Middle, "tick", text);
        }
        svg.text([12.0, 18.0], Anchor::Start, "head", o.treatment.title());
        let zeros = o.zeros().mean;
        let text = if zeros > 0.0 { format!("{} exactly 0", number::percent(zeros)) } else { "none exactly 0".into() };
        svg.text([PANEL[0] - 12.0, 18.0], Anchor::End, "tick", &text);
        let said = format!(
            "A histogram of the weights, all seeds together, heights by the square root of the share of weights, from {} to {}; {text}.",
            significant(-h.range, 2),
            significant(h.range, 2)
        );
        panels.push(svg.finish(&format!("weights-{i}"), &format!("Weights: {}", o.treatment.title()), &said));
    }
    html::panels(&panels)
}

const WIDTH: f64 = 960.0;
const ROW: f64 = 30.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 230.0;

/// A bar per treatment: weights that are exactly 0 (filled), and those within [`SMALL`] of it (outlined).
pub fn sparsity(study: &Study) -> String {
    let bottom = 10.0 + ROW * study.outcomes.len() as f64;
    let mut svg = Svg::new(WIDTH, bottom + 44.0);
    let most = study.outcomes.iter().map(|o| o.small().mean).fold(0.01, f64::max);
    let x = Axis::exact([0.0, (100.0 * most * 1.05).min(100.0)], [LEFT, WIDTH - RIGHT]);
    for (v, text) in x.ticks(6) {
        svg.line([x.at(v), 10.0], [x.at(v), bottom], Pen(PALE, 1.0, ""));
        svg.text([x.at(v), bottom + 16.0], Anchor::Middle, "tick", text);
    }
    let axis = format!("% of the weights: filled = exactly 0, outlined = at most {SMALL} in magnitude");
    svg.text([(LEFT + WIDTH - RIGHT) / 2.0, bottom + 36.0], Anchor::Middle, "tick", axis);
    for (i, o) in study.outcomes.iter().enumerate() {
        let y = 10.0 + ROW * i as f64;
        let (zeros, small) = (o.zeros(), o.small());
        svg.text([LEFT - 14.0, y + 20.0], Anchor::End, "name", o.treatment.title());
        svg.rect([LEFT, y + 5.0], [x.at(100.0 * small.mean) - LEFT, 20.0], "none", GREY);
        svg.rect([LEFT, y + 5.0], [x.at(100.0 * zeros.mean) - LEFT, 20.0], ORANGE, "none");
        let label = format!("{} zero, {} small", study.share(zeros), number::percent(small.mean));
        svg.text([WIDTH - RIGHT + 14.0, y + 20.0], Anchor::Start, "tick", label);
    }
    svg.line([LEFT, 10.0], [LEFT, bottom], Pen(INK, 1.0, ""));
    svg.finish(
        "sparsity",
        "Sparsity",
        "One bar per treatment: the share of weights that are exactly 0, and of those that are small.",
    )
}
