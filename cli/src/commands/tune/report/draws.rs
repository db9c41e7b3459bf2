//! Draws from ranges: the score of each setting over each hyperparameter that varies.
use crate::{
    commands::tune::{
        grid::NAMES,
        results::{Candidate, Tuned},
    },
    html, number,
    svg::{Anchor, Axis, Pen, Plot, STYLES, Svg},
};

const PANEL: [f64; 2] = [320.0, 230.0];
/// Left, top, right and bottom of the plot within a panel.
const MARGIN: [f64; 4] = [50.0, 28.0, 14.0, 42.0];

/// A panel for each hyperparameter; nothing if none varies.
pub fn draw(tuned: &Tuned) -> Option<String> {
    let differs =
        |k: &usize| tuned.candidates.iter().any(|c| c.setting.numbers()[*k] != tuned.candidates[0].setting.numbers()[*k]);
    let panels: Vec<String> = (0..NAMES.len()).filter(differs).map(|k| panel(tuned, k)).collect();
    (!panels.is_empty()).then(|| html::panels(&panels))
}

fn panel(tuned: &Tuned, k: usize) -> String {
    let [left, top, right, bottom] = [MARGIN[0], MARGIN[1], PANEL[0] - MARGIN[2], PANEL[1] - MARGIN[3]];
    let unit = if tuned.classes() { 100.0 } else { 1.0 };
    let value = |c: &Candidate| c.setting.numbers()[k];
    // A λ that may be 0 has no place on a logarithmic axis.
    let log = NAMES[k] != "p" && tuned.candidates.iter().all(|c| value(c) > 0.0);
    let ends = [left + 4.0, right - 4.0];
    let values = tuned.candidates.iter().map(value);
    let x = if log { Axis::log(values, ends) } else { Axis::linear(values, ends) };
    let means = tuned.candidates.iter().map(|c| unit * c.score(2).mean).filter(|v| v.is_finite());
    let plot = Plot { x, y: Axis::linear(means, [bottom, top]), left, right, bottom };
    let mut svg = Svg::new(PANEL[0], PANEL[1]);
    plot.rows(&mut svg, 5);
    plot.columns(&mut svg, 4);
    plot.floor(&mut svg, NAMES[k]);
    svg.text([left, 17.0], Anchor::Start, "head", if tuned.classes() { "accuracy, %" } else { "RMSE" });
    for (i, c) in tuned.candidates.iter().enumerate() {
        let m = c.score(2);
        let at = |sign: f64| [plot.x.at(value(c)), plot.y.at(unit * (m.mean + sign * m.se))];
        if !m.mean.is_finite() {
            continue;
        }
        // The mark shows batch norm.
        let style = STYLES[usize::from(c.setting.batch_norm)];
        svg.line(at(-1.0), at(1.0), Pen(style.pen.0, 0.8, ""));
        style.point(&mut svg, at(0.0));
        if i == tuned.best {
            svg.text([at(0.0)[0], at(1.0)[1] - 4.0], Anchor::Middle, "label", "best");
        }
    }
    let best = &tuned.candidates[tuned.best];
    let spoken = format!(
        "A mark for each of {} settings, circles without batch norm and diamonds with it: the score over {}. The best has {} {}.",
        tuned.candidates.len(),
        NAMES[k],
        NAMES[k],
        number::exact(value(best))
    );
    svg.finish(&format!("draws-{}", NAMES[k]), NAMES[k], &spoken)
}
