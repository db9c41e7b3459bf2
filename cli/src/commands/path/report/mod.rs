//! `path.html`.
mod curve;
mod lines;

use super::results::{Paths, seconds, short, tiny};
use crate::{
    html::{self, Cell, Head, Table, escape},
    number::exact,
    text,
};
use std::fmt::Write;

/// The page.
pub fn html(paths: &Paths) -> String {
    let mut out = String::new();
    body(&mut out, paths).expect("a String takes all");
    html::page(&format!("Regularization path: {} from {}", text::short(&paths.target), paths.name), &out)
}

fn body(out: &mut String, paths: &Paths) -> std::fmt::Result {
    let target = text::short(&paths.target);
    let what = match paths.classes.as_ref().map(|both| both.each_ref().map(|name| text::short(name))) {
        Some([none, one]) => format!("a logistic model of {target}, {one} against {none},"),
        None => format!("a linear model of {target}"),
    };
    let [best, simple] = [paths.choice.best, paths.choice.one_se].map(|i| &paths.fits[i]);
    let folds = paths.choice.errors.first().map_or(0, Vec::len);
    let text = format!(
        "{} rows of {}; {what} with a penalty of {}, at {} λ. Cross-validation in {folds} folds finds λ = {} best, \
         with {}; λ = {} is the largest that is no more than one standard error worse, with {}.",
        paths.rows,
        text::count(paths.columns.len(), "feature"),
        paths.penalty_name(),
        text::count(paths.fits.len(), "strength"),
        short(best.lambda),
        text::count(best.nonzeros(), "feature"),
        short(simple.lambda),
        text::count(simple.nonzeros(), "feature")
    );
    writeln!(out, "<p>{}</p>", escape(&text))?;
    for notice in paths.notices() {
        writeln!(out, "<p><strong>{}</strong></p>", escape(&notice))?;
    }
    chosen(out, paths)?;
    let sections = [
        (
            "The path",
            lines::draw(paths),
            "Coefficients of the standardized features at each strength of the penalty, strong at the left. A feature enters where its \
             line leaves zero.",
        ),
        (
            "Cross-validation",
            curve::draw(paths),
            "Error on held-out rows: the mean over the folds, and one standard error to both sides.",
        ),
    ];
    for (title, picture, caption) in sections {
        out.push_str(&html::figure(title, &picture, caption));
    }
    strengths(out, paths)
}

fn chosen(out: &mut String, paths: &Paths) -> std::fmt::Result {
    let [best, simple] = [paths.choice.best, paths.choice.one_se].map(|i| &paths.fits[i]);
    let caption = format!("At λ = {} (best) and λ = {} (one standard error)", short(best.lambda), short(simple.lambda));
    let heads = [Head::Text("feature"), Head::Number("best λ"), Head::Number("one standard error")];
    let mut table = Table::sortable(&caption, &heads);
    let mut row = |name: &str, a: f64, b: f64| table.row([name.into(), Cell::of(short(a), a), Cell::of(short(b), b)]);
    row("intercept", best.intercept, simple.intercept);
    for (name, (a, b)) in paths.columns.iter().zip(best.coef.iter().zip(&simple.coef)) {
        row(name, *a, *b);
    }
    writeln!(out, "<h2>Coefficients</h2>\n{}<p class=\"note\">In the features' own units; 0 is exactly 0.</p>", table.finish())
}

fn strengths(out: &mut String, paths: &Paths) -> std::fmt::Result {
    let heads = ["λ", "features", "error", "standard error", "violation", "duality gap", "passes"].map(Head::Number);
    let caption = format!("{} of the penalty, from strong to weak", text::count(paths.fits.len(), "strength"));
    let mut table = Table::sortable(&caption, &[&heads[..], &[Head::Text("choice")]].concat());
    for (i, (fit, [mean, error])) in paths.fits.iter().zip(&paths.choice.curve).enumerate() {
        let choice = match i {
            i if i == paths.choice.best && i == paths.choice.one_se => "best, one standard error",
            i if i == paths.choice.best => "best",
            i if i == paths.choice.one_se => "one standard error",
            _ => "",
        };
        table.row([
            Cell::of(short(fit.lambda), fit.lambda),
            fit.nonzeros().into(),
            Cell::of(short(*mean), *mean),
            Cell::of(short(*error), *error),
            Cell::of(tiny(fit.violation), fit.violation),
            Cell::of(tiny(fit.gap), fit.gap),
            fit.passes.into(),
            choice.into(),
        ]);
    }
    writeln!(out, "<h2>All strengths</h2>\n{}", table.finish())?;
    let text = format!(
        "The error is the {}. Features are standardized over all rows, λ is on that scale, and the intercept is not penalized: \
         mean loss + λ·(r·Σ|b| + ½·(1 - r)·Σb²) with r = {}. The violation is that of the optimality conditions, by any feature, as a share of \
         the least λ·r that leaves no feature; the gap bounds how far the objective is above its minimum, as a share of the loss without \
         any feature. {}. Solver: {}. Took {} s. All numbers are in path.json. Made by ridgepole {}.",
        paths.error_name()[1],
        exact(paths.penalty.l1_ratio),
        capitalized(&paths.exactness()),
        paths.device,
        seconds(paths.seconds),
        env!("CARGO_PKG_VERSION")
    );
    writeln!(out, "<p class=\"note\">{}</p>", escape(&text))
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
