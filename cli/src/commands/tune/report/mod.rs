//! `tune.html`.
mod draws;
mod maps;

use super::results::Tuned;
use crate::{
    html::{self, Cell, Head, Table, escape},
    number, text,
};
use std::fmt::Write;

/// The page.
pub fn html(tuned: &Tuned) -> String {
    let mut out = String::new();
    body(&mut out, tuned).expect("a String takes all");
    html::page(&format!("Cross-validation: {}", tuned.data.name), &out)
}

fn body(out: &mut String, tuned: &Tuned) -> std::fmt::Result {
    let d = &tuned.data;
    let what = match &d.target {
        Some(name) => format!("predicting {}", text::short(name)),
        None => format!("{} classes", d.classes.len()),
    };
    let [best, simple] = [tuned.best, tuned.one_se].map(|i| &tuned.candidates[i]);
    let folds = best.outcomes.len();
    let text = format!(
        "{} rows of {} features, {what}, in {folds} folds. {}, each trained once per held-out fold: {} networks, \
         up to {} of them at once. The best setting is \u{201c}{}\u{201d}, with {}; {}.",
        d.rows,
        d.features,
        text::count(tuned.candidates.len(), "setting"),
        tuned.candidates.len() * folds,
        tuned.together,
        best.setting,
        tuned.score(best.score(2)),
        if tuned.best == tuned.one_se {
            "no more regularized one is within one standard error of it".into()
        } else {
            let (name, score) = (simple.setting, tuned.score(simple.score(2)));
            format!("the most regularized one within one standard error of it is \u{201c}{name}\u{201d}, with {score}")
        }
    );
    writeln!(out, "<p>{}</p>", escape(&text))?;
    writeln!(out, "<p>To retrain the best: <code>{}</code></p>", escape(&tuned.command(tuned.best)))?;
    if tuned.one_se != tuned.best {
        writeln!(out, "<p>The other choice: <code>{}</code></p>", escape(&tuned.command(tuned.one_se)))?;
    }
    if let Some((picture, caption)) = maps::draw_maps(tuned) {
        out.push_str(&html::figure("The grid", &picture, &caption));
    } else if let Some(picture) = draws::draw(tuned) {
        let caption =
            "Mean over the held-out folds of every setting, and one standard error to both sides; diamonds have batch norm.";
        out.push_str(&html::figure("The draws", &picture, caption));
    }
    settings(out, tuned)
}

fn settings(out: &mut String, tuned: &Tuned) -> std::fmt::Result {
    let score = if tuned.classes() { "accuracy" } else { "RMSE" };
    let caption =
        format!("All settings, best first: {score} and loss on the held-out folds, {score} in training; mean ± standard error");
    let heads = [
        Head::Text("setting"),
        Head::Text("choice"),
        Head::Number(score),
        Head::Number("loss"),
        // Short, so that all columns have room side by side.
        Head::Number("in training"),
        Head::Number("exact zeros"),
        Head::Number("epoch"),
    ];
    let mut table = Table::sortable(&caption, &heads);
    for i in tuned.ranking() {
        let c = &tuned.candidates[i];
        let loss = c.loss(2);
        let value = |text: String, v: f64| if v.is_finite() { Cell::of(text, v) } else { "diverged".into() };
        table.row([
            c.setting.to_string().into(),
            tuned.mark(i).into(),
            value(tuned.score(c.score(2)), c.score(2).mean),
            value(number::pair(loss.mean, loss.se, 4), loss.mean),
            value(tuned.score(c.score(0)), c.score(0).mean),
            Cell::of(number::percent(c.zeros()), c.zeros()),
            Cell::of(format!("{:.1}", c.best_epoch()), c.best_epoch()),
        ]);
    }
    writeln!(out, "<h2>Settings</h2>\n{}", table.finish())?;
    let h = &tuned.hyper;
    let layers: Vec<String> = h.hidden.iter().map(ToString::to_string).collect();
    let text = format!(
        "A network with hidden layers of {} units, {} rows per step, learning rate {}, at most {} epochs. Early stopping: after {} epochs \
         without a lower loss on a validation share of {} of the training folds the best weights are restored; \u{201c}epoch\u{201d} is \
         theirs. The held-out folds are used for scores alone, but the score of the best of many settings is optimistic: measure it on rows \
         that were not used to choose it. One standard error: Breiman et al., 1984. Seed {}. Device: {}. Took {:.1} s. Except for the time, \
         the same command on the same device gives the same numbers, bit for bit, however many networks are trained at once; all are in \
         tune.json. \
         Made by ridgepole {}.",
        layers.join(" and "),
        h.batch,
        number::exact(h.lr),
        h.epochs,
        tuned.patience,
        number::percent(tuned.stop_share),
        tuned.seed,
        tuned.device,
        tuned.seconds,
        env!("CARGO_PKG_VERSION")
    );
    writeln!(out, "<p class=\"note\">{}</p>", escape(&text))
}
