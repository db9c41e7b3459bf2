//! The generalization gap: how much worse the test part is than the training part, per treatment.
use crate::{
    commands::study::results::Study,
    svg::{Anchor, Axis, BLUE, GREY, INK, ORANGE, PALE, Pen, Svg},
};

const WIDTH: f64 = 960.0;
const ROW: f64 = 40.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 34.0;

/// A row per treatment: training and test score, joined by the gap; a tick for each seed.
pub fn draw(study: &Study) -> String {
    let classes = study.classes();
    let unit = if classes { 100.0 } else { 1.0 };
    let scores = study.outcomes.iter().flat_map(|o| &o.runs).flat_map(|r| [r.last[0].score, r.last[2].score]);
    let x = Axis::linear(scores.map(|s| unit * s), [LEFT, WIDTH - RIGHT]);
    let bottom = TOP + ROW * study.outcomes.len() as f64;
    let mut svg = Svg::new(WIDTH, bottom + 46.0);
    for (v, text) in x.ticks(8) {
        svg.line([x.at(v), TOP], [x.at(v), bottom], Pen(PALE, 1.0, ""));
        svg.text([x.at(v), bottom + 16.0], Anchor::Middle, "tick", text);
    }
    let axis = match (&study.data.target, classes) {
        (Some(name), false) => format!("root of the mean squared error of {}, in its own unit", crate::text::short(name)),
        _ => "accuracy, %".to_string(),
    };
    svg.text([(LEFT + WIDTH - RIGHT) / 2.0, bottom + 36.0], Anchor::Middle, "tick", axis);
    svg.text(
        [WIDTH - RIGHT + 16.0, TOP - 12.0],
        Anchor::Start,
        "tick",
        if study.seeds.len() == 1 { "gap" } else { "gap, mean ± sd" },
    );
    for (i, o) in study.outcomes.iter().enumerate() {
        let y = TOP + ROW * (i as f64 + 0.5);
        svg.text([LEFT - 14.0, y + 5.0], Anchor::End, "name", o.treatment.title());
        svg.line([LEFT, y + ROW / 2.0], [WIDTH - RIGHT, y + ROW / 2.0], Pen(PALE, 1.0, ""));
        let ends = [0, 2].map(|part| unit * o.score(part).mean);
        if !ends.iter().all(|e| e.is_finite()) {
            svg.text([LEFT + 10.0, y + 5.0], Anchor::Start, "label", "diverged: the loss is not a number");
            continue;
        }
        svg.line([x.at(ends[0]), y], [x.at(ends[1]), y], Pen(GREY, 4.0, ""));
        for run in &o.runs {
            for (part, color) in [(0, ORANGE), (2, BLUE)] {
                let at = x.at(unit * run.last[part].score);
                svg.line([at, y - 11.0], [at, y + 11.0], Pen(color, 1.5, ""));
            }
        }
        svg.circle([x.at(ends[0]), y], 6.0, "#fff", ORANGE);
        svg.diamond([x.at(ends[1]), y], 7.5, BLUE);
        if i == 0 {
            svg.text([x.at(ends[0]) + 6.0, TOP - 12.0], Anchor::End, "label orange", "training ○");
            svg.text([x.at(ends[1]), TOP - 12.0], Anchor::Middle, "label blue", "test ◆");
        }
        svg.text([WIDTH - RIGHT + 16.0, y + 5.0], Anchor::Start, "name", study.score(o.gap(classes)));
    }
    svg.line([LEFT, bottom], [WIDTH - RIGHT, bottom], Pen(INK, 1.0, ""));
    svg.finish(
        "gap",
        "Generalization gap",
        "One row per treatment: mean score on the training part (circle) and on the test part (diamond), joined by a line; \
         a tick for each seed.",
    )
}
