//! `report.html`.
pub mod calibration;
mod curves;
pub mod decomposition;
#[cfg(test)]
mod gallery;
mod gap;
mod tuned;
mod uncertainty;
mod weights;

use super::results::Study;
use crate::{
    html::{self, Cell, Head, Table, escape},
    number, text,
};
use std::fmt::Write;

/// The page.
pub fn html(study: &Study) -> String {
    let mut out = String::new();
    body(&mut out, study).expect("a String takes all");
    html::page(&format!("What regularization does: {}", study.data.name), &out)
}

fn body(out: &mut String, study: &Study) -> std::fmt::Result {
    let (d, h) = (&study.data, &study.hyper);
    let what = match &d.target {
        Some(name) => format!("predicting {}", text::short(name)),
        None => format!("{} classes", d.classes.len()),
    };
    let layers: Vec<String> = h.hidden.iter().map(ToString::to_string).collect();
    let text = format!(
        "{} rows of {} features, {what}: {} for training, {} for validation, {} for testing. A network with {} {} of {} units is \
         trained for {}, once per treatment and seed ({}), all of it on the GPU.",
        d.rows,
        d.features,
        d.parts[0],
        d.parts[1],
        d.parts[2],
        h.hidden.len(),
        if h.hidden.len() == 1 { "hidden layer" } else { "hidden layers" },
        layers.join(" and "),
        text::count(h.epochs, "epoch"),
        text::count(study.seeds.len(), "seed")
    );
    writeln!(out, "<p>{}</p>", escape(&text))?;
    results(out, study)?;
    let sections = [
        (
            "The gap",
            gap::draw(study),
            "The score of each network on the training part (circle) and on the test part (diamond). The line between them is the \
             generalization gap; thin ticks are single seeds.",
        ),
        (
            "Learning curves",
            curves::draw(study),
            "Mean loss after each epoch, logarithmic, evaluated without dropout and with running statistics; shaded: from the \
             lowest to the highest seed. A network that overfits keeps lowering its training loss while the validation loss \
             stalls or rises. Dotted grey: the validation loss without regularization.",
        ),
        (
            "Weights",
            weights::histograms(study),
            "The weights after the last epoch, all seeds together, without biases and normalization. Heights are square \
             roots of shares. Exact zeros are not drawn; their share is given as text.",
        ),
        (
            "Sparsity",
            weights::sparsity(study),
            "A subgradient of L1 pushes weights towards zero and past it; only a proximal step lands on it exactly.",
        ),
    ];
    for (title, picture, caption) in sections {
        out.push_str(&html::figure(title, &picture, caption));
    }
    tuned::write(out, study);
    uncertainty::write(out, study);
    settings(out, study)
}

fn results(out: &mut String, study: &Study) -> std::fmt::Result {
    let classes = study.classes();
    let score = if classes { "Accuracy" } else { "Root of the mean squared error" };
    let spread = match study.seeds.len() {
        1 => "1 seed".to_string(),
        n => format!("mean ± standard deviation over {n} seeds"),
    };
    let caption = format!("{score}, {spread}");
    let [first, rest] = [Head::Text("treatment"), Head::Number("training")];
    let heads = ["validation", "test", "gap", "test loss", "exact zeros"].map(Head::Number);
    let mut table = Table::sortable(&caption, &[&[first, rest][..], &heads].concat());
    for o in &study.outcomes {
        let [train, validation, test] = [0, 1, 2].map(|p| study.score(o.score(p)));
        let (loss, gap) = (o.loss(2), study.score(o.gap(classes)));
        let (loss, zeros) = (study.number(loss), number::percent(o.zeros().mean));
        let cells = [o.treatment.title().into(), train, validation, test, gap, loss, zeros];
        table.row(cells.map(Cell::from));
    }
    writeln!(out, "<h2>Results</h2>\n{}", table.finish())?;
    let best = if classes { "higher is better" } else { "lower is better" };
    writeln!(
        out,
        "<p class=\"note\">{score} ({best}) of each part, and how much worse the test part is than \
         the training part; {spread}. Each seed draws its own split, initial \
         weights, batches and dropout masks, the same for every treatment. The test part was used once, after the last epoch.</p>"
    )
}

fn settings(out: &mut String, study: &Study) -> std::fmt::Result {
    let h = &study.hyper;
    let mut table = Table::plain("What each treatment does", &[Head::Text("treatment"), Head::Text("what it does")]);
    for o in &study.outcomes {
        table.row([o.treatment.title().into(), study.settings(o.treatment).into()]);
    }
    writeln!(out, "<h2>Settings</h2>\n{}", table.finish())?;
    let optimizer = match h.optimizer {
        crate::training::Optimizer::AdamW => "AdamW (β 0.9, 0.999)",
        crate::training::Optimizer::Sgd => "SGD (momentum 0.9)",
    };
    let text = format!(
        "{optimizer}, learning rate {}, {} rows per step; seeds {}; penalties apply to weights, not to biases and \
         normalization. Device: {}. Took {:.1} s. The same command on the same device gives the same numbers, bit for bit; \
         all of them are in results.json. Made by ridgepole {}.",
        number::exact(h.lr),
        h.batch,
        study.seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        study.device,
        study.seconds,
        env!("CARGO_PKG_VERSION")
    );
    writeln!(out, "<p class=\"note\">{}</p>", escape(&text))
}
