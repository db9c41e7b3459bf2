//! How the strengths were chosen: held-out scores over what was tried.
use crate::{
    commands::study::{
        results::Study,
        tuned::{Search, Tuned},
    },
    html::{self, Cell, Head, Table},
    number::exact,
    svg::{
        Anchor, Axis, GREY, Mark, Pen, Plot, STYLES, Svg,
        heat::{self, Factor, Heat, Score},
    },
};

/// The section, if strengths were chosen.
pub fn write(out: &mut String, study: &Study) {
    let Some(tuned) = &study.tuned else { return };
    let (single, double): (Vec<&Search>, Vec<&Search>) =
        tuned.searches.iter().filter(|s| !s.grid.axes.is_empty()).partition(|s| s.grid.axes.len() == 1);
    let seeds = match tuned.seeds.len() {
        1 => "of one seed".to_string(),
        n => format!("of {n} seeds together"),
    };
    let caption = format!(
        "Score over the strength, on held-out folds of the training rows {seeds}, with its standard error; diamond: the best one \
         over all seeds; grey: without regularization. Held-out labels are as they are given, so noise on them lowers these scores, \
         unlike those of the test part. Each seed uses its own choice, which its own training rows alone decide."
    );
    let panels: Vec<String> = single.iter().map(|s| panel(tuned, s)).collect();
    if !panels.is_empty() {
        out.push_str(&html::figure("How the strengths were chosen", &html::panels(&panels), &caption));
    }
    for search in double {
        let title = format!("How the strengths were chosen: {}", search.treatment.title());
        let caption =
            "Score on held-out folds of the training rows, over all seeds together, and its standard error. Outlined: the best.";
        out.push_str(&html::figure(&title, &map(tuned, search), caption));
    }
    table(out, tuned);
}

fn table(out: &mut String, tuned: &Tuned) {
    let heads = [
        Head::Text("treatment"),
        Head::Text("chosen (by so many seeds)"),
        Head::Text("best over all seeds"),
        Head::Number("its held-out score"),
        Head::Number("tried"),
    ];
    let mut rows = Table::plain("Strengths by cross-validation on the training rows", &heads);
    for s in &tuned.searches {
        let own = !s.grid.axes.is_empty();
        let held = s.score(s.overall, tuned.classes);
        rows.row([
            s.treatment.title().into(),
            if own { s.said(usize::MAX).into() } else { "nothing to choose".into() },
            s.grid.said(s.overall).into(),
            Cell::of(tuned.score(held), held.score),
            s.grid.count().into(),
        ]);
    }
    out.push_str(&rows.finish());
    let mut notes = vec![format!("Chosen by {}.", tuned.how())];
    notes.extend(tuned.notices().iter().map(|n| format!("{}.", n.strip_prefix("notice: --tuned: ").unwrap_or(n))));
    notes.iter().for_each(|note| out.push_str(&format!("<p class=\"note\">{}</p>\n", html::escape(note))));
}

const PANEL: [f64; 2] = [320.0, 205.0];
/// Left, top, right and bottom of the plot within a panel.
const MARGIN: [f64; 4] = [44.0, 26.0, 10.0, 44.0];

fn unit(tuned: &Tuned) -> (f64, &'static str) {
    if tuned.classes { (100.0, "accuracy, %") } else { (1.0, "RMSE") }
}

fn panel(tuned: &Tuned, search: &Search) -> String {
    let (unit, name) = unit(tuned);
    let axis = &search.grid.axes[0];
    let held: Vec<_> = (0..search.grid.count()).map(|c| search.score(c, tuned.classes)).collect();
    let none = tuned.searches.iter().find(|s| s.grid.axes.is_empty()).map_or(f64::NAN, |s| s.score(0, tuned.classes).score);
    let ends = held.iter().flat_map(|h| [h.score - h.se, h.score + h.se]).chain([none]).map(|v| unit * v);
    let (left, right, bottom) = (MARGIN[0], PANEL[0] - MARGIN[2], PANEL[1] - MARGIN[3]);
    let place = [left + 8.0, right - 8.0];
    let x = if axis.knob.is_share() {
        Axis::linear(axis.values.iter().copied(), place)
    } else {
        Axis::log(axis.values.iter().copied(), place)
    };
    let y = Axis::linear(ends, [bottom, MARGIN[1]]);
    let plot = Plot { x, y, left, right, bottom };
    let mut svg = Svg::new(PANEL[0], PANEL[1]);
    svg.text([left, 17.0], Anchor::Start, "head", search.treatment.title());
    svg.text([right, 17.0], Anchor::End, "tick", name);
    plot.rows(&mut svg, 4);
    plot.columns(&mut svg, 5);
    plot.floor(&mut svg, format_args!("{} (--{})", axis.knob.letter, axis.knob.option));
    if none.is_finite() {
        svg.line([left, y.at(unit * none)], [right, y.at(unit * none)], Pen(GREY, 1.2, "1 3"));
    }
    let at = |c: usize| [x.at(axis.values[c]), y.at(unit * held[c].score)];
    let finite: Vec<usize> = (0..held.len()).filter(|&c| held[c].score.is_finite()).collect();
    svg.path(&finite.iter().map(|&c| at(c)).collect::<Vec<_>>(), STYLES[1].pen);
    for &c in &finite {
        let [low, high] = [-1.0, 1.0].map(|sign| y.at(unit * (held[c].score + sign * held[c].se)));
        svg.line([at(c)[0], low], [at(c)[0], high], Pen(STYLES[1].pen.0, 1.2, ""));
        if c == search.overall {
            svg.diamond(at(c), 6.5, STYLES[1].pen.0);
        } else {
            crate::svg::Style { mark: Mark::Circle, ..STYLES[1] }.point(&mut svg, at(c));
        }
    }
    let said = format!(
        "Held-out score at {} values of {} from {} to {}; the best is {} with {}.",
        held.len(),
        axis.knob.letter,
        exact(axis.values[0]),
        exact(axis.values[axis.values.len() - 1]),
        search.grid.said(search.overall),
        tuned.score(held[search.overall])
    );
    svg.finish(
        &format!("tuned-{}", search.treatment.key()),
        &format!("Choice of the strength: {}", search.treatment.title()),
        &said,
    )
}

fn map(tuned: &Tuned, search: &Search) -> String {
    let (unit, name) = unit(tuned);
    let factor = |i: usize| {
        let axis = &search.grid.axes[i];
        Factor { name: axis.knob.letter.into(), values: axis.values.iter().map(|&v| exact(v)).collect() }
    };
    let cell = |c: usize| {
        let held = search.score(c, tuned.classes);
        Some(Score { mean: unit * held.score, se: unit * held.se })
    };
    let heat = Heat {
        score: format!("held-out {name}"),
        higher_is_better: tuned.classes,
        rows: factor(0),
        columns: factor(1),
        panels: None,
        cells: (0..search.grid.count()).map(cell).collect(),
        best: Some(search.overall),
        one_se: None,
    };
    heat::draw(&format!("tuned-{}", search.treatment.key()), &heat)
}
