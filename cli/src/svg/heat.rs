//! A heat map of scores over two or three hyperparameters. Every cell has its value as text; the colour is for the overview.
use super::{Anchor, GREY, INK, Pen, Svg, color};
use crate::number::{pair, significant};

/// A hyperparameter and the values that were tried, in the order of the picture.
#[derive(Clone, Debug)]
pub struct Factor {
    /// Its name.
    pub name: String,
    /// Its values, as text.
    pub values: Vec<String>,
}

/// A mean score and its standard error.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// The mean; not finite where training diverged.
    pub mean: f64,
    /// The standard error.
    pub se: f64,
}

/// What a heat map shows.
#[derive(Clone, Debug)]
pub struct Heat {
    /// What the values are, with their unit: "validation accuracy, %".
    pub score: String,
    /// Whether larger values are better.
    pub higher_is_better: bool,
    /// A row for each value.
    pub rows: Factor,
    /// A column for each value.
    pub columns: Factor,
    /// A map for each value of this one, if there is one.
    pub panels: Option<Factor>,
    /// Map after map, row after row: (panel · rows + row) · columns + column. `None` for what was not tried.
    pub cells: Vec<Option<Score>>,
    /// The best cell.
    pub best: Option<usize>,
    /// The simplest cell within one standard error of the best.
    pub one_se: Option<usize>,
}

const CELL: [f64; 2] = [66.0, 54.0];
/// The gap between cells, in the page's colour, in which outlines run.
const GAP: f64 = 7.0;
const TOP: f64 = 62.0;

impl Heat {
    fn maps(&self) -> usize {
        self.panels.as_ref().map_or(1, |p| p.values.len())
    }

    fn index(&self, map: usize, row: usize, column: usize) -> usize {
        (map * self.rows.values.len() + row) * self.columns.values.len() + column
    }

    /// Map, row and column of a cell.
    fn place(&self, index: usize) -> [usize; 3] {
        let (rows, columns) = (self.rows.values.len(), self.columns.values.len());
        [index / (rows * columns), index / columns % rows, index % columns]
    }

    /// The hyperparameters of a cell, in words.
    fn names(&self, index: usize) -> String {
        let [map, row, column] = self.place(index);
        let panels = self.panels.iter().map(|p| (p, map));
        let all = panels.chain([(&self.rows, row), (&self.columns, column)]).filter(|(f, _)| !f.name.is_empty());
        all.map(|(f, i)| format!("{} = {}", f.name, f.values[i])).collect::<Vec<_>>().join(", ")
    }

    /// The worst and the best of the finite means.
    fn range(&self) -> Option<[f64; 2]> {
        let means = || self.cells.iter().flatten().map(|s| s.mean).filter(|m| m.is_finite());
        let [low, high] = [means().reduce(f64::min)?, means().reduce(f64::max)?];
        Some(if self.higher_is_better { [low, high] } else { [high, low] })
    }

    /// Which choice a cell is.
    fn choice(&self, index: usize) -> &'static str {
        match (self.best == Some(index), self.one_se == Some(index)) {
            (true, true) => "best, 1 se",
            (true, false) => "best",
            (false, true) => "1 se",
            (false, false) => "",
        }
    }

    fn check(&self) {
        let cells = self.maps() * self.rows.values.len() * self.columns.values.len();
        assert_eq!(self.cells.len(), cells, "a cell for each combination of values");
        assert!([self.best, self.one_se].iter().flatten().all(|&i| i < cells), "a choice is one of the cells");
    }
}

/// The maps and their colour scale: HTML, for a figure. It keeps its size, and its box scrolls where it is narrower. `id`
/// begins the ids of the pictures, which must be unique in a page.
///
/// # Panics
/// If there is not a cell for each combination of values, or a choice is no cell.
pub fn draw(id: &str, heat: &Heat) -> String {
    heat.check();
    let maps: String = (0..heat.maps()).map(|m| map(&format!("{id}-{m}"), heat, m)).collect();
    format!("<div class=\"fixed\">\n{maps}{}</div>\n", key(&format!("{id}-key"), heat))
}

fn map(id: &str, heat: &Heat, map: usize) -> String {
    let (rows, columns) = (&heat.rows.values, &heat.columns.values);
    // The name is bold and has an arrow behind it.
    let name = 8.0 * (heat.rows.name.chars().count() + 2) as f64;
    let longest = rows.iter().map(|v| 7.0 * v.chars().count() as f64).fold(name, f64::max);
    let left = (longest + 14.0).max(34.0);
    let place = |row: usize, column: usize| [left + (CELL[0] + GAP) * column as f64, TOP + (CELL[1] + GAP) * row as f64];
    let [right, bottom] = place(rows.len(), columns.len());
    let title = heat.panels.as_ref().map(|p| format!("{} = {}", p.name, p.values[map]));
    let needed = title.as_ref().map_or(0.0, |t| 8.5 * t.chars().count() as f64);
    let mut svg = Svg::new(right.max(needed), bottom);
    if let Some(title) = &title {
        svg.text([0.0, 15.0], Anchor::Start, "head", title);
    }
    svg.text([left, TOP - 28.0], Anchor::Start, "label", format_args!("{} →", heat.columns.name));
    // A single row without a name is no axis.
    if !heat.rows.name.is_empty() {
        svg.text([left - 9.0, TOP - 9.0], Anchor::End, "label", format_args!("{} ↓", heat.rows.name));
    }
    for (c, value) in columns.iter().enumerate() {
        svg.text([place(0, c)[0] + 0.5 * CELL[0], TOP - 9.0], Anchor::Middle, "tick", value);
    }
    for (r, value) in rows.iter().enumerate() {
        svg.text([left - 9.0, place(r, 0)[1] + 0.5 * CELL[1] + 4.0], Anchor::End, "tick", value);
        for c in 0..columns.len() {
            cell(&mut svg, heat, heat.index(map, r, c), place(r, c));
        }
    }
    svg.finish(id, title.as_ref().unwrap_or(&heat.score), &spoken(heat, map))
}

fn cell(svg: &mut Svg, heat: &Heat, index: usize, [x, y]: [f64; 2]) {
    let middle = x + 0.5 * CELL[0];
    match (heat.cells[index].filter(|s| s.mean.is_finite()), heat.range()) {
        (Some(score), Some([worst, best])) => {
            let share = if best == worst { 1.0 } else { (score.mean - worst) / (best - worst) };
            let fill = color::ramp(share);
            let class = if color::dark_text(fill) { "on-pale" } else { "on-deep" };
            svg.rect([x, y], CELL, &color::hex(fill), "none");
            let choice = heat.choice(index);
            let text = pair(score.mean, score.se, 3);
            let (mean, se) = text.split_once(' ').unwrap_or((&text, ""));
            let up = if choice.is_empty() { 0.0 } else { 7.0 };
            svg.text([middle, y + 24.0 - up], Anchor::Middle, &format!("name {class}"), mean);
            svg.text([middle, y + 41.0 - up], Anchor::Middle, &format!("tick {class}"), se);
            svg.text([middle, y + 49.0], Anchor::Middle, &format!("label {class}"), choice);
        }
        _ => {
            hatch(svg, [x, y], CELL);
            let text = if heat.cells[index].is_some() { "diverged" } else { "not tried" };
            svg.text([middle, y + 0.5 * CELL[1] + 4.0], Anchor::Middle, "tick", text);
        }
    }
    let frame = |svg: &mut Svg, pen: Pen| {
        let [left, top, right, bottom] = [x - 3.0, y - 3.0, x + CELL[0] + 3.0, y + CELL[1] + 3.0];
        svg.path(&[[left, top], [right, top], [right, bottom], [left, bottom], [left, top - 1.0]], pen);
    };
    if heat.best == Some(index) {
        frame(svg, Pen(INK, 3.0, ""));
    } else if heat.one_se == Some(index) {
        frame(svg, Pen(INK, 2.0, "5 4"));
    }
}

/// A cell that was not tried: a frame with its corners cut by lines.
fn hatch(svg: &mut Svg, [x, y]: [f64; 2], [w, h]: [f64; 2]) {
    svg.rect([x + 0.5, y + 0.5], [w - 1.0, h - 1.0], "none", GREY);
    // Only above and below the text.
    for i in 1..=3 {
        let s = 5.0 * f64::from(i);
        svg.line([x, y + s], [x + s, y], Pen(GREY, 1.0, ""));
        svg.line([x + w - s, y + h], [x + w, y + h - s], Pen(GREY, 1.0, ""));
    }
}

/// The colour scale, and the meaning of the outlines.
fn key(id: &str, heat: &Heat) -> String {
    const STEPS: usize = 24;
    let mut svg = Svg::new(330.0, 92.0);
    svg.text([0.0, 15.0], Anchor::Start, "tick", format_args!("{}, ± standard error", heat.score));
    if let Some([worst, best]) = heat.range() {
        for i in 0..STEPS {
            let share = i as f64 / (STEPS - 1) as f64;
            let fill = color::hex(color::ramp(share));
            svg.rect([9.0 * i as f64, 24.0], [9.5, 14.0], &fill, "none");
        }
        svg.text([0.0, 53.0], Anchor::Start, "tick", format_args!("{}, worst", significant(worst, 3)));
        svg.text([9.0 * STEPS as f64, 53.0], Anchor::End, "tick", format_args!("best, {}", significant(best, 3)));
    }
    for (x, pen, name) in [(2.0, Pen(INK, 3.0, ""), "best"), (84.0, Pen(INK, 2.0, "5 4"), "within one standard error")] {
        svg.path(&[[x, 66.0], [x + 24.0, 66.0], [x + 24.0, 84.0], [x, 84.0], [x, 65.0]], pen);
        svg.text([x + 32.0, 79.0], Anchor::Start, "tick", name);
    }
    svg.finish(
        id,
        "Key",
        "Deep colour is better. The best cell has a solid frame, the simplest within one standard error a dashed one.",
    )
}

fn spoken(heat: &Heat, map: usize) -> String {
    let here: Vec<usize> = (0..heat.cells.len()).filter(|&i| heat.place(i)[0] == map).collect();
    let values = here.iter().filter_map(|&i| Some((i, heat.cells[i]?))).filter(|(_, s)| s.mean.is_finite());
    let mut text = format!("{} for each {} (rows) and {} (columns).", heat.score, heat.rows.name, heat.columns.name);
    for (i, score) in values.filter(|(i, _)| !heat.choice(*i).is_empty()) {
        let [what, at] = [heat.choice(i).replace("1 se", "within one standard error"), heat.names(i)];
        text += &format!(" {what}: {} at {at}.", pair(score.mean, score.se, 3));
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn factor(name: &str, values: &[&str]) -> Factor {
        Factor { name: name.into(), values: values.iter().map(ToString::to_string).collect() }
    }

    pub(crate) fn sample() -> Heat {
        let mut cells: Vec<Option<Score>> = (0..2 * 3 * 4)
            .map(|i| Some(Score { mean: 80.0 + 13.0 * (f64::from(i) * 0.7).sin(), se: 0.4 + 0.05 * f64::from(i) }))
            .collect();
        cells[5] = None;
        cells[9] = Some(Score { mean: f64::NAN, se: 0.0 });
        Heat {
            score: "validation accuracy, %".into(),
            higher_is_better: true,
            rows: factor("λ", &["0", "1e-4", "0.001"]),
            columns: factor("p", &["0", "0.1", "0.3", "0.5"]),
            panels: Some(factor("optimizer", &["adamw", "<sgd>"])),
            cells,
            best: Some(2),
            one_se: Some(12),
        }
    }

    #[test]
    fn every_cell_says_its_value() {
        let out = draw("heat", &sample());
        assert_eq!((out.matches("<svg").count(), out.matches("</svg>").count()), (3, 3));
        assert_eq!(out.matches("± ").count() - out.matches("± standard").count(), 22 + 2, "22 cells, and both choices as spoken");
        assert_eq!((out.matches(">not tried<").count(), out.matches(">diverged<").count()), (1, 1));
        assert_eq!((out.matches(">best<").count(), out.matches(">1 se<").count()), (2, 1), "the key names the best as well");
        assert!(out.contains("best: 92.81 ± 0.50 at optimizer = adamw, λ = 0, p = 0.3."), "{out}");
        assert!(out.contains("within one standard error: 91.1 ± 1.0 at optimizer = &lt;sgd&gt;, λ = 0, p = 0."), "{out}");
        assert!(!out.contains("NaN") && !out.contains("<sgd>"));
    }

    #[test]
    fn lower_is_better_turns_the_colours() {
        let deep = color::hex(color::ramp(1.0));
        let fill = |higher_is_better, at: f64| {
            let cells = [1.0, 2.0].map(|mean| Some(Score { mean, se: 0.0 })).to_vec();
            let [rows, columns] = [factor("a", &["1"]), factor("b", &["1", "2"])];
            let (score, best) = ("loss".to_string(), None);
            let heat = Heat { score, higher_is_better, rows, columns, panels: None, cells, best, one_se: None };
            let out = draw("h", &heat);
            let deepest = out.split("<rect").find(|r| r.contains(&deep)).unwrap();
            deepest.contains(&format!(">{at:.2}</text>"))
        };
        assert!(fill(true, 2.0) && !fill(true, 1.0) && fill(false, 1.0));
    }

    #[test]
    #[should_panic(expected = "a cell for each combination")]
    fn cells_that_are_missing_are_a_mistake() {
        draw("h", &Heat { cells: Vec::new(), best: None, one_se: None, ..sample() });
    }
}
