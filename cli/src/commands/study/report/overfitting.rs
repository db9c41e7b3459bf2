//! Overfitting in one picture: over the epochs, how well a network does on new rows, how many wrong labels it has learned by heart, and
//! the losses below.
use crate::{
    commands::study::{
        results::{Outcome, Run, Study},
        treatments::Treatment,
    },
    html,
    number::significant,
    svg::{Anchor, Axis, BLUE, GREY, INK, ORANGE, Pen, Plot, STYLES, Style, Svg},
};

/// A panel's size.
const PANEL: [f64; 2] = [330.0, 332.0];
const ENDS: [f64; 2] = [42.0, 320.0];
/// Top and bottom of the plot of scores, and of that of losses.
const UPPER: [f64; 2] = [66.0, 186.0];
const LOWER: [f64; 2] = [226.0, 306.0];
/// How what a network has learned of its training rows is drawn, and what it does on others.
const HEART: Style = Style { pen: Pen(ORANGE, 2.0, "6 3"), ..STYLES[0] };
const OTHERS: Style = Style { pen: Pen(BLUE, 2.2, ""), ..STYLES[1] };

/// A line over the epochs: mean, least and greatest over the seeds at each.
struct Line(Vec<[f64; 4]>);

impl Line {
    /// Of what `get` finds in a run, as epoch and value. A seed that has no number there leaves no number.
    fn of(o: &Outcome, get: impl Fn(&Run) -> Vec<(usize, f64)>) -> Self {
        let all: Vec<Vec<(usize, f64)>> = o.runs.iter().map(get).collect();
        let count = all.iter().map(Vec::len).min().unwrap_or(0);
        let at = |k: usize| {
            let values = || all.iter().map(move |line| line[k].1);
            let mean = values().sum::<f64>() / all.len() as f64;
            [all[0][k].0 as f64, mean, values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)]
        };
        Self((0..count).map(at).collect())
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.0.iter().flat_map(|p| [p[2], p[3]])
    }

    fn ends(&self) -> String {
        let one = |p: Option<&[f64; 4]>| p.map_or("unknown".into(), |p| significant(p[1], 3));
        format!("{} to {}", one(self.0.first()), one(self.0.last()))
    }

    fn draw(&self, svg: &mut Svg, plot: &Plot, pen: Pen) {
        let place = |p: &[f64; 4], k: usize| [plot.x.at(p[0]), plot.y.at(p[k])];
        let band = self.0.iter().map(|p| place(p, 3)).chain(self.0.iter().rev().map(|p| place(p, 2)));
        svg.area(&band.collect::<Vec<_>>(), pen.0, 0.13);
        svg.path(&self.0.iter().map(|p| place(p, 1)).collect::<Vec<_>>(), pen);
    }
}

/// What a panel shows of a treatment.
struct Lines {
    score: Line,
    heart: Option<Line>,
    train: Line,
    validation: Line,
    /// The best epoch of each seed, in ascending order.
    best: Vec<usize>,
}

impl Lines {
    fn of(study: &Study, o: &Outcome) -> Self {
        let unit = study.unit();
        let heart = || {
            let wrong = |run: &Run| o.runs.iter().position(|r| std::ptr::eq(r, run)).and_then(|i| study.wrong.get(i)).copied();
            Line::of(o, |r| {
                let of = wrong(r).unwrap_or(0) as f64;
                r.looks.iter().filter_map(|l| Some((l.epoch, 100.0 * l.learned? as f64 / of))).collect()
            })
        };
        let some = study.by_heart(o).is_some() && study.wrong.iter().all(|&w| w > 0);
        let curve = |part: usize| Line::of(o, |r| r.curve.iter().enumerate().map(|(e, c)| (e + 1, c[part].loss)).collect());
        let mut best: Vec<usize> = o.runs.iter().map(|r| r.best_epoch).filter(|&e| e > 0).collect();
        best.sort_unstable();
        Self {
            score: Line::of(o, |r| r.looks.iter().map(|l| (l.epoch, unit * l.test.score)).collect()),
            heart: some.then(heart),
            train: curve(0),
            validation: curve(1),
            best,
        }
    }

    /// The middle one of the seeds' best epochs.
    fn median(&self) -> Option<usize> {
        self.best.get(self.best.len() / 2).copied()
    }
}

/// The plain network beside the one that is helped most: HTML, for a figure.
pub fn pair(study: &Study) -> Option<String> {
    let none = study.outcomes.iter().position(|o| o.treatment == Treatment::None)?;
    let best = study.most_helpful(&study.differences(), |t| t != Treatment::EarlyStopping);
    let panels = draw(study, "overfitting", &[Some(none), best].into_iter().flatten().collect::<Vec<_>>());
    Some(format!("<div class=\"pair\">\n{}</div>\n", panels.concat()))
}

/// A panel for each treatment that trains in its own way, all on the same axes.
pub fn all(study: &Study) -> String {
    let own = |&i: &usize| study.outcomes[i].treatment != Treatment::EarlyStopping || study.none().is_none();
    html::panels(&draw(study, "epochs", &(0..study.outcomes.len()).filter(own).collect::<Vec<_>>()))
}

fn draw(study: &Study, id: &str, which: &[usize]) -> Vec<String> {
    let lines: Vec<Lines> = study.outcomes.iter().map(|o| Lines::of(study, o)).collect();
    let y = if study.classes() {
        Axis::exact([0.0, 100.0], [UPPER[1], UPPER[0]])
    } else {
        Axis::linear(lines.iter().flat_map(|l| l.score.values()), [UPPER[1], UPPER[0]])
    };
    let losses = lines.iter().flat_map(|l| l.train.values().chain(l.validation.values())).filter(|v| v.is_finite());
    let loss = Axis::log(losses.collect::<Vec<_>>(), [LOWER[1], LOWER[0]]);
    let none = study.outcomes.iter().position(|o| o.treatment == Treatment::None);
    let panel = |&i: &usize| {
        let plain = none.filter(|&n| n != i).map(|n| &lines[n]);
        panel(study, (&format!("{id}-{i}"), study.outcomes[i].treatment), (&lines[i], plain), [y, loss])
    };
    which.iter().map(panel).collect()
}

fn panel(
    study: &Study,
    (id, treatment): (&str, Treatment),
    (lines, plain): (&Lines, Option<&Lines>),
    [y, loss]: [Axis; 2],
) -> String {
    let epochs = study.hyper.epochs.max(2) as f64;
    let x = Axis::exact([1.0, epochs], ENDS);
    let plot = |y: Axis, bottom: f64| Plot { x, y, left: ENDS[0], right: ENDS[1], bottom };
    let (upper, lower) = (plot(y, UPPER[1]), plot(loss, LOWER[1]));
    let mut svg = Svg::new(PANEL[0], PANEL[1]);
    svg.text([6.0, 17.0], Anchor::Start, "head", treatment.title());
    upper.rows(&mut svg, 4);
    lower.rows(&mut svg, 3);
    let median = lines.median();
    if let Some(best) = median {
        let at = x.at(best as f64);
        for [top, bottom] in [UPPER, LOWER] {
            svg.line([at, top], [at, bottom], Pen(GREY, 1.5, "4 3"));
        }
        svg.text([ENDS[1], 17.0], Anchor::End, "tick", format_args!("best epoch (grey): {best}"));
    }
    if let Some(plain) = plain {
        upper_and_lower(&mut svg, plain, [&upper, &lower]);
    }
    if let Some(heart) = &lines.heart {
        heart.draw(&mut svg, &upper, HEART.pen);
        named(&mut svg, [6.0, 55.0], &HEART, "wrong labels learned by heart, %");
    }
    lines.score.draw(&mut svg, &upper, OTHERS.pen);
    lines.train.draw(&mut svg, &lower, HEART.pen);
    lines.validation.draw(&mut svg, &lower, OTHERS.pen);
    let score = if study.classes() { "right on new rows, %" } else { "error (RMSE) on new rows" };
    named(&mut svg, [6.0, if lines.heart.is_some() { 37.0 } else { 46.0 }], &OTHERS, score);
    named(&mut svg, [6.0, 214.0], &HEART, "training loss");
    named(&mut svg, [ENDS[1] - 155.0, 214.0], &OTHERS, "validation loss");
    let diverged = [(&lines.score, 0.5 * (UPPER[0] + UPPER[1])), (&lines.train, 0.5 * (LOWER[0] + LOWER[1]))];
    for (line, y) in diverged {
        if line.0.last().is_some_and(|p| !p[1].is_finite()) {
            svg.text([ENDS[1] - 6.0, y], Anchor::End, "label", "diverged: not a number");
        }
    }
    for plot in [&upper, &lower] {
        svg.line([plot.left, plot.bottom], [plot.right, plot.bottom], Pen(INK, 1.0, ""));
    }
    svg.text([ENDS[0], LOWER[1] + 16.0], Anchor::Start, "tick", "epoch 1");
    svg.text([ENDS[1], LOWER[1] + 16.0], Anchor::End, "tick", study.hyper.epochs);
    let heart = lines.heart.as_ref().map_or(String::new(), |h| format!(", wrong labels learned by heart {} %", h.ends()));
    let best = median.map_or("no epoch is best".into(), |e| format!("the best epoch is {e} (median of the seeds)"));
    let said = format!(
        "Over the epochs: {score} {}{heart}; training loss {}, validation loss {}; {best}.",
        lines.score.ends(),
        lines.train.ends(),
        lines.validation.ends()
    );
    svg.finish(id, &format!("Over the epochs: {}", treatment.title()), &said)
}

/// The plain network's score and validation loss, dotted, to compare with.
fn upper_and_lower(svg: &mut Svg, plain: &Lines, [upper, lower]: [&Plot; 2]) {
    for (line, plot) in [(&plain.score, upper), (&plain.validation, lower)] {
        svg.path(&line.0.iter().map(|p| [plot.x.at(p[0]), plot.y.at(p[1])]).collect::<Vec<_>>(), Pen(GREY, 1.6, "1 3"));
    }
}

/// A line of a legend: a piece of the line, and its name.
fn named(svg: &mut Svg, [x, y]: [f64; 2], style: &Style, text: &str) {
    svg.line([x, y], [x + 28.0, y], style.pen);
    svg.text([x + 35.0, y + 4.0], Anchor::Start, style.class, text);
}
