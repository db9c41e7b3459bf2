//! What each treatment gives over the plain network: a dot with its interval beside the line of no difference.
use crate::{
    commands::study::{
        differences::{Difference, Verdict},
        results::Study,
    },
    svg::{Anchor, Axis, BLUE, GREY, INK, ORANGE, PALE, Pen, Svg},
};

/// How the picture is laid out: for a desktop, or for a phone.
struct Layout {
    id: &'static str,
    width: f64,
    /// Left and right end of the axis.
    ends: [f64; 2],
    top: f64,
    row: f64,
    /// Where a row's dot is, from its top.
    dot: f64,
    ticks: usize,
    narrow: bool,
}

const WIDE: Layout =
    Layout { id: "differences", width: 960.0, ends: [190.0, 640.0], top: 40.0, row: 34.0, dot: 17.0, ticks: 7, narrow: false };
const NARROW: Layout = Layout {
    id: "differences-narrow",
    width: 340.0,
    ends: [8.0, 332.0],
    top: 38.0,
    row: 42.0,
    dot: 29.0,
    ticks: 5,
    narrow: true,
};

/// Twice the same picture: one for each width of a page, of which a style sheet shows one. Nothing if there is nothing to compare.
pub fn draw(study: &Study) -> Option<String> {
    let differences = study.differences();
    if differences.iter().all(Option::is_none) {
        return None;
    }
    let one = |l: &Layout, class: &str| format!("<div class=\"{class}\">\n{}</div>\n", picture(study, &differences, l));
    Some(one(&WIDE, "wide") + &one(&NARROW, "narrow"))
}

fn picture(study: &Study, differences: &[Option<Difference>], l: &Layout) -> String {
    let unit = study.unit();
    let order: Vec<usize> = study.order(differences).into_iter().filter(|&i| differences[i].is_some()).collect();
    let known = |d: &&Difference| !matches!(d.verdict, Verdict::Diverged(_));
    let all = differences.iter().flatten().filter(known);
    let values = all.flat_map(|d| d.score.found.map_or([d.score.mean; 2], |f| f.ends).into_iter().chain(d.each.iter().copied()));
    let x = Axis::linear(values.map(|v| unit * v).chain([0.0]), l.ends);
    let bottom = l.top + l.row * order.len() as f64;
    let mut svg = Svg::new(l.width, bottom + 40.0);
    // Where names stand between the rows, lines keep out of them.
    let spans: Vec<[f64; 2]> = if l.narrow {
        (0..order.len()).map(|k| l.top + l.row * k as f64 + l.dot).map(|y| [y - 10.0, y + 10.0]).collect()
    } else {
        vec![[l.top, bottom]]
    };
    for (v, text) in x.ticks(l.ticks) {
        for [from, to] in &spans {
            svg.line([x.at(v), *from], [x.at(v), *to], Pen(PALE, 1.0, ""));
        }
        svg.text([x.at(v), bottom + 16.0], Anchor::Middle, "tick", text);
    }
    let axis = if study.classes() { "points of accuracy on the test part" } else { "RMSE on the test part" };
    svg.text([0.5 * (l.ends[0] + l.ends[1]), bottom + 34.0], Anchor::Middle, "tick", axis);
    let (better, worse) = if study.sign() > 0.0 { ("better →", "← worse") } else { ("worse →", "← better") };
    svg.text([l.ends[0], 14.0], Anchor::Start, "label", worse);
    svg.text([l.ends[1], 14.0], Anchor::End, "label", better);
    let zero = x.at(0.0);
    for [from, to] in &spans {
        svg.line([zero, *from], [zero, *to], Pen(INK, 1.5, ""));
    }
    svg.text([zero.clamp(l.ends[0] + 42.0, l.ends[1] - 42.0), l.top - 9.0], Anchor::Middle, "tick", "plain network");
    let mut said = Vec::new();
    for (k, &i) in order.iter().enumerate() {
        let Some(d) = &differences[i] else { continue };
        let title = study.outcomes[i].treatment.title();
        let top = l.top + l.row * k as f64;
        said.push(row(&mut svg, study, (title, d), (l, &x, top)));
    }
    svg.line([l.ends[0], bottom], [l.ends[1], bottom], Pen(INK, 1.0, ""));
    let text = format!(
        "A mark for the mean difference to the plain network, with its 95 % interval; small ticks are seeds. {}.",
        said.join(". ")
    );
    svg.finish(l.id, "Difference to none", &text)
}

/// A row, and what it says.
fn row(svg: &mut Svg, study: &Study, (title, d): (&str, &Difference), (l, x, top): (&Layout, &Axis, f64)) -> String {
    let (unit, y) = (study.unit(), top + l.dot);
    let [difference, interval, word] = study.cells(Some(d));
    let numbers = if d.score.found.is_some() { format!("{difference} ({interval})") } else { difference.clone() };
    // What was told apart is written in bold, so that nothing depends on colour or shape.
    let (mark, class) = match d.verdict {
        Verdict::Better => (BLUE, "label blue"),
        Verdict::Worse => (ORANGE, "label orange"),
        _ => (GREY, "tick"),
    };
    if l.narrow {
        svg.text([l.ends[0], top + 15.0], Anchor::Start, "tick strong", title);
        let mean = study.shown(&d.score).mean;
        let text = if d.score.mean.is_finite() { format!("{mean}, {word}") } else { word.clone() };
        svg.text([l.ends[1], top + 15.0], Anchor::End, class, text);
    } else {
        svg.text([l.ends[0] - 14.0, y + 5.0], Anchor::End, "name", title);
        svg.text([l.ends[1] + 16.0, y + 5.0], Anchor::Start, "name", &numbers);
        svg.text([l.width - 8.0, y + 5.0], Anchor::End, class, &word);
        svg.line([l.ends[0], top + l.row], [l.ends[1], top + l.row], Pen(PALE, 1.0, ""));
    }
    if matches!(d.verdict, Verdict::Diverged(_)) {
        return format!("{title}: {word}");
    }
    for v in d.each.iter().filter(|v| v.is_finite()) {
        svg.line([x.at(unit * v), y - 5.0], [x.at(unit * v), y + 5.0], Pen(GREY, 1.0, ""));
    }
    if let Some(f) = d.score.found {
        let [low, high] = f.ends.map(|v| x.at(unit * v));
        svg.line([low, y], [high, y], Pen(mark, 3.0, ""));
        for end in [low, high] {
            svg.line([end, y - 6.0], [end, y + 6.0], Pen(mark, 2.0, ""));
        }
    }
    let at = [x.at(unit * d.score.mean), y];
    match d.verdict {
        Verdict::Better => svg.diamond(at, 7.0, BLUE),
        Verdict::Worse => svg.rect([at[0] - 5.0, y - 5.0], [10.0, 10.0], ORANGE, "none"),
        _ => svg.circle(at, 5.0, "#fff", GREY),
    }
    format!("{title}: {numbers}, {word}")
}
