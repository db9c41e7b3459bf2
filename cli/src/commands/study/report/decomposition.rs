//! Bias, variance and error over the strength of a treatment: a small picture for each, all on the same scale, and a table.
use crate::{
    commands::study::bias_variance::{Decomposition, Loss, Term},
    html::{self, Cell, Head, Table},
    number::{exact, pair, significant},
    svg::{Anchor, Axis, BLUE, GREY, INK, Mark, Pen, Plot, STYLES, Style, Svg},
};

const PANEL: [f64; 2] = [320.0, 230.0];
/// Left, top, right and bottom of the plot within a panel.
const MARGIN: [f64; 4] = [46.0, 28.0, 72.0, 42.0];
/// Strength 0 is drawn at this distance left of the logarithmic axis.
const ZERO: f64 = 34.0;

/// A treatment at one or several strengths.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name.
    pub title: String,
    /// How strong it is; `None` for one that is only there or not, which has one point.
    pub strength: Option<Strength>,
    /// Strengths in ascending order, each with what came out; the strength is ignored where there is none.
    pub points: Vec<(f64, Decomposition)>,
}

/// What the strength of a treatment is.
#[derive(Clone, Debug)]
pub struct Strength {
    /// Its name: λ, or p.
    pub name: String,
    /// On a logarithmic axis, with 0 apart at the left; else on a linear one.
    pub log: bool,
}

/// The three lines, each with a name, a term and a style.
type Terms = [(&'static str, fn(&Decomposition) -> Term, Style); 3];

fn terms(loss: Loss) -> Terms {
    let [bias, variance] = if loss == Loss::ZeroOne { ["bias", "net var."] } else { ["bias²", "variance"] };
    [
        (bias, |d| d.bias, STYLES[0]),
        (variance, |d| d.variance, Style { pen: Pen(BLUE, 2.0, "2 3"), ..STYLES[1] }),
        ("error", |d| d.error, Style { pen: Pen(INK, 2.0, ""), mark: Mark::Square, class: "label" }),
    ]
}

fn loss_of(series: &[Series]) -> Loss {
    series.iter().flat_map(|s| &s.points).next().map_or(Loss::Squared, |p| p.1.loss)
}

/// The name of the loss, for captions.
pub fn loss_name(loss: Loss) -> &'static str {
    match loss {
        Loss::Squared => "squared error",
        Loss::Brier => "Brier score",
        Loss::ZeroOne => "0–1 loss",
    }
}

/// A panel per treatment with a strength, and one with bars for all that have none: HTML, for a figure. All points are taken for
/// the same loss. `id` begins the pictures' ids, which must be unique in a page.
pub fn draw(id: &str, series: &[Series]) -> String {
    let terms = terms(loss_of(series));
    let all = || series.iter().flat_map(|s| &s.points).flat_map(|(_, d)| terms.map(|(_, of, _)| of(d)));
    let values: Vec<f64> = all().flat_map(|t| [t.mean - t.se, t.mean + t.se]).chain([0.0]).collect();
    let (fixed, varied): (Vec<&Series>, Vec<&Series>) = series.iter().partition(|s| s.strength.is_none());
    let mut panels = Vec::new();
    if !fixed.is_empty() {
        panels.push(bars(&format!("{id}-bars"), &fixed, &terms, &values));
    }
    for (i, s) in varied.iter().enumerate() {
        panels.push(lines(&format!("{id}-{i}"), s, &terms, &values));
    }
    html::panels(&panels)
}

fn lines(id: &str, s: &Series, terms: &Terms, values: &[f64]) -> String {
    let [left, top, right, bottom] = [MARGIN[0], MARGIN[1], PANEL[0] - MARGIN[2], PANEL[1] - MARGIN[3]];
    let strength = s.strength.as_ref().expect("the panels with lines are of those that have a strength");
    let strengths = || s.points.iter().map(|p| p.0);
    let zero = strength.log && strengths().any(|v| v == 0.0);
    let ends = [left + if zero { ZERO } else { 4.0 }, right - 4.0];
    let x = if strength.log { Axis::log(strengths(), ends) } else { Axis::linear(strengths(), ends) };
    let plot = Plot { x, y: Axis::linear(values.iter().copied(), [bottom, top]), left, right, bottom };
    let mut svg = Svg::new(PANEL[0], PANEL[1]);
    plot.rows(&mut svg, 5);
    plot.columns(&mut svg, 4);
    plot.floor(&mut svg, &strength.name);
    let place = |v: f64| if strength.log && v == 0.0 { left + 10.0 } else { plot.x.at(v) };
    if zero {
        svg.text([place(0.0), bottom + 17.0], Anchor::Middle, "tick", "0");
        // The axis is broken here: no line crosses it.
        let broken = left + ZERO - 9.0;
        svg.line([broken, top], [broken, bottom + 5.0], Pen(GREY, 1.0, "1 3"));
    }
    svg.text([left, 17.0], Anchor::Start, "head", &s.title);
    let mut names = Vec::new();
    for (name, of, style) in terms {
        let at = |(v, d): &(f64, Decomposition), sign: f64| [place(*v), plot.y.at(of(d).mean + sign * of(d).se)];
        let (zeros, rest): (Vec<_>, Vec<_>) = s.points.iter().partition(|p| zero && p.0 == 0.0);
        let band = rest.iter().map(|p| at(p, 1.0)).chain(rest.iter().rev().map(|p| at(p, -1.0)));
        svg.area(&band.collect::<Vec<_>>(), style.pen.0, 0.15);
        svg.path(&rest.iter().map(|p| at(p, 0.0)).collect::<Vec<_>>(), style.pen);
        for p in &zeros {
            svg.line(at(p, -1.0), at(p, 1.0), Pen(style.pen.0, 1.2, ""));
        }
        s.points.iter().for_each(|p| style.point(&mut svg, at(p, 0.0)));
        let last = s.points.iter().rev().map(|p| at(p, 0.0)[1]).find(|y| y.is_finite());
        names.push((last.unwrap_or(f64::NAN), style.class, *name));
    }
    for (v, _) in s.points.iter().filter(|(_, d)| !d.error.mean.is_finite()) {
        svg.text([place(*v), bottom - 5.0], Anchor::Middle, "tick", "diverged");
    }
    plot.names(&mut svg, names);
    svg.finish(id, &s.title, &spoken(s, &strength.name, terms))
}

/// What the lines say: their first and last values, and where the error is least.
fn spoken(s: &Series, strength: &str, terms: &Terms) -> String {
    let [Some(first), Some(last)] = [s.points.first(), s.points.last()] else { return "No points.".into() };
    let ends = terms
        .map(|(name, of, _)| format!("{name} {} to {}", significant(of(&first.1).mean, 3), significant(of(&last.1).mean, 3)));
    let finite = s.points.iter().filter(|p| p.1.error.mean.is_finite());
    let least = finite.min_by(|a, b| a.1.error.mean.total_cmp(&b.1.error.mean)).map_or(String::new(), |(v, d)| {
        format!(" The error is least, {}, at {strength} = {}.", significant(d.error.mean, 3), exact(*v))
    });
    format!("From {strength} = {} to {}: {}.{least}", exact(first.0), exact(last.0), ends.join(", "))
}

/// Three bars for each treatment, all from the same zero.
fn bars(id: &str, series: &[&Series], terms: &Terms, values: &[f64]) -> String {
    const HEAD: f64 = 26.0;
    const BAR: f64 = 18.0;
    const LEFT: f64 = 70.0;
    const APART: f64 = 8.0;
    let each = HEAD + terms.len() as f64 * BAR + APART;
    let mut svg = Svg::new(PANEL[0], (8.0 + each * series.len() as f64).max(PANEL[1]));
    let x = Axis::linear(values.iter().copied(), [LEFT, PANEL[0] - 66.0]);
    let mut said = Vec::new();
    for (i, s) in series.iter().enumerate() {
        let top = each * i as f64;
        svg.text([6.0, top + 17.0], Anchor::Start, "head", &s.title);
        let Some((_, d)) = s.points.first() else { continue };
        for (k, (name, of, style)) in terms.iter().enumerate() {
            let (y, term) = (top + HEAD + BAR * k as f64, of(d));
            svg.text([LEFT - 6.0, y + 12.0], Anchor::End, style.class, name);
            let text = if term.mean.is_finite() { significant(term.mean, 3) } else { "diverged".into() };
            svg.text([PANEL[0] - 58.0, y + 12.0], Anchor::Start, "tick", &text);
            said.push(format!("{}: {name} {text}", s.title));
            if term.mean.is_finite() {
                let [from, to] = [f64::min(0.0, term.mean), f64::max(0.0, term.mean)].map(|v| x.at(v));
                svg.rect([from, y + 2.0], [to - from, BAR - 5.0], style.pen.0, "none");
                let [low, high] = [-1.0, 1.0].map(|sign| x.at(term.mean + sign * term.se));
                svg.line([low, y + 0.5 * BAR - 0.5], [high, y + 0.5 * BAR - 0.5], Pen(GREY, 2.0, ""));
            }
        }
        svg.line([x.at(0.0), top + HEAD - 2.0], [x.at(0.0), top + each - APART - 1.0], Pen(INK, 1.0, ""));
    }
    svg.finish(id, "Without a strength", &format!("{}.", said.join("; ")))
}

/// A row for each treatment and strength, which can be sorted.
pub fn table(series: &[Series]) -> String {
    let loss = loss_of(series);
    let mut heads = vec![Head::Text("treatment"), Head::Number("strength")];
    heads.extend(if loss == Loss::ZeroOne { ["bias", "net variance"] } else { ["bias²", "variance"] }.map(Head::Number));
    if loss == Loss::ZeroOne {
        heads.extend(["unbiased", "biased"].map(Head::Number));
    }
    heads.push(Head::Number("error"));
    let mut table = Table::sortable(&format!("Parts of the {}, mean ± standard error over rows", loss_name(loss)), &heads);
    let cell = |t: Term| {
        let text = pair(t.mean, t.se, 3);
        if t.mean.is_finite() { Cell::of(text, t.mean) } else { "diverged".into() }
    };
    for s in series {
        for (v, d) in &s.points {
            let strength =
                s.strength.as_ref().map_or(Cell::from("none"), |n| Cell::of(format_args!("{} = {}", n.name, exact(*v)), *v));
            let mut cells = vec![Cell::from(&s.title), strength, cell(d.bias), cell(d.variance)];
            cells.extend(d.split.iter().flat_map(|split| [cell(split.unbiased), cell(split.biased)]));
            cells.push(cell(d.error));
            table.row(cells);
        }
    }
    table.finish()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::commands::study::bias_variance::Split;

    fn at(loss: Loss, bias: f64, variance: f64) -> Decomposition {
        let term = |mean: f64| Term { mean, se: 0.05 * mean.abs() };
        let split = (loss == Loss::ZeroOne).then(|| Split { unbiased: term(2.0 * variance), biased: term(variance) });
        Decomposition {
            loss,
            rows: 400,
            models: 20,
            bias: term(bias),
            variance: term(variance),
            error: term(bias + variance),
            split,
        }
    }

    pub(crate) fn sample(loss: Loss) -> Vec<Series> {
        let strength = |name: &str, log| Some(Strength { name: name.into(), log });
        let swept = |v: f64| (v, at(loss, 0.02 + 0.1 * v.sqrt(), 0.08 / (1.0 + 60.0 * v)));
        let mut broken = at(loss, 0.1, 0.1);
        broken.error.mean = f64::NAN;
        broken.bias.mean = f64::NAN;
        vec![
            Series { title: "none".into(), strength: None, points: vec![(0.0, at(loss, 0.02, 0.08))] },
            Series { title: "batch <norm>".into(), strength: None, points: vec![(0.0, at(loss, 0.025, 0.06))] },
            Series {
                title: "L2".into(),
                strength: strength("λ", true),
                points: [0.0, 1e-4, 1e-3, 0.01, 0.1, 1.0].map(swept).to_vec(),
            },
            Series {
                title: "dropout".into(),
                strength: strength("p", false),
                points: [0.0, 0.1, 0.3, 0.5, 0.8].map(swept).to_vec(),
            },
            Series { title: "L1".into(), strength: strength("λ", true), points: vec![swept(0.01), (0.1, broken)] },
        ]
    }

    #[test]
    fn panels_name_their_lines_and_say_what_they_show() {
        let out = draw("squared", &sample(Loss::Squared));
        assert_eq!(
            (out.matches("<svg").count(), out.matches("<desc").count()),
            (4, 4),
            "one for those without a strength, three others"
        );
        for name in ["bias²", "variance", "error"] {
            assert_eq!(out.matches(&format!(">{name}</text>")).count(), 2 + 3, "{name}");
        }
        assert!(out.contains("From λ = 0 to 1: bias² 0.0200 to 0.120, variance 0.0800 to 0.00131, error 0.100 to 0.121."));
        assert!(
            out.contains("The error is least, 0.0") && out.contains("batch &lt;norm&gt;") && out.contains(">diverged</text>")
        );
        assert!(!out.contains("\"NaN") && !out.contains("<norm>"));
    }

    #[test]
    fn the_table_sorts_by_value() {
        let out = table(&sample(Loss::ZeroOne));
        assert_eq!(out.matches("<tr>").count(), 1 + 2 + 6 + 5 + 2);
        assert!(out.contains("net variance") && out.contains("data-sort=\"number\">biased"));
        assert!(out.contains("<td>none</td>") && out.contains("<td data-value=\"1e-4\">λ = 0.0001</td>"));
        assert!(!table(&sample(Loss::Brier)).contains("net"));
        assert_eq!(loss_name(Loss::Brier), "Brier score");
    }
}
