//! `report.html`: one file that needs nothing else, neither a network nor scripts. Lines differ by dashes, points by shape,
//! and both are named where they are drawn, so that no colour has to be told from another.
mod axis;
mod curves;
mod gap;
mod svg;
mod weights;

use super::results::Study;
use std::fmt::Write;
use svg::escape;

// Okabe and Ito's blue and vermilion, told apart in every common kind of colour vision, and greys.
const BLUE: &str = "#0072b2";
const ORANGE: &str = "#b84a00";
const INK: &str = "#333";
const GREY: &str = "#8a8a8a";
const PALE: &str = "#e4e4e4";

const STYLE: &str = "
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: #fff; color: #1c1c1c;
  font: 1rem/1.5 system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0.2rem 0 0.6rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 0.4rem; }
figure { margin: 0; } figcaption, .note { color: #444; max-width: 46rem; }
svg { width: 100%; height: auto; display: block; margin: 0.6rem 0; }
svg text { font-family: inherit; fill: #1c1c1c; }
.tick { font-size: 12px; fill: #444; } .name { font-size: 14px; } .head { font-size: 14px; font-weight: 600; }
.label { font-size: 12px; font-weight: 600; } svg .blue { fill: #005a8e; } svg .orange { fill: #9a3d00; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; margin: 0.6rem 0; }
th, td { padding: 0.25rem 0.8rem 0.25rem 0; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th:first-child, td:first-child, td.text, th.text { text-align: left; }
td.text { white-space: normal; }
@media print { body { max-width: none; } h2 { break-after: avoid; } figure { break-inside: avoid; } }
";

/// The page.
pub fn html(study: &Study) -> String {
    let mut out = String::new();
    page(&mut out, study).expect("a String takes all");
    out
}

fn page(out: &mut String, study: &Study) -> std::fmt::Result {
    let (d, h) = (&study.data, &study.hyper);
    let title = format!("What regularization does: {}", d.name);
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>{}</h1>",
        escape(&title),
        escape(&title)
    )?;
    let what = match &d.target {
        Some(name) => format!("predicting {name}"),
        None => format!("{} classes", d.classes.len()),
    };
    let layers: Vec<String> = h.hidden.iter().map(ToString::to_string).collect();
    let text = format!(
        "{} rows of {} features, {what}: {} to train with, {} to validate, {} to test. A network with {} {} of {} units learns \
         for {} epochs, once per treatment and seed ({} seeds), all of it on the GPU.",
        d.rows,
        d.features,
        d.parts[0],
        d.parts[1],
        d.parts[2],
        h.hidden.len(),
        if h.hidden.len() == 1 { "hidden layer" } else { "hidden layers" },
        layers.join(" and "),
        h.epochs,
        study.seeds.len()
    );
    writeln!(out, "<p>{}</p>", escape(&text))?;
    results(out, study)?;
    let sections = [
        (
            "The gap",
            gap::draw(study),
            "How well each network does on what it has seen (circle) and on what it has not (diamond). The line between is \
             the generalisation gap; thin ticks are single seeds.",
        ),
        (
            "Learning curves",
            curves::draw(study),
            "Mean loss after each epoch, logarithmic, evaluated without dropout and with running statistics; shaded: from the \
             least to the greatest seed. A network that overfits keeps lowering its training loss while the validation loss \
             stands or rises. Dotted grey: the validation loss without regularization.",
        ),
        (
            "Weights",
            weights::histograms(study),
            "The weights after the last epoch, all seeds together, without biases and normalisation. Heights are square \
             roots of shares. Exact zeros are not drawn but written beside.",
        ),
        (
            "Sparsity",
            weights::sparsity(study),
            "A subgradient of L1 pushes weights towards zero and past it; only a proximal step lands on it exactly.",
        ),
    ];
    for (title, picture, caption) in sections {
        writeln!(out, "<h2>{title}</h2>\n<figure>\n{picture}<figcaption>{caption}</figcaption>\n</figure>")?;
    }
    settings(out, study)?;
    writeln!(out, "</main>\n</body>\n</html>")
}

fn results(out: &mut String, study: &Study) -> std::fmt::Result {
    let classes = study.classes();
    let score = if classes { "Accuracy" } else { "Root of the mean squared error" };
    writeln!(
        out,
        "<h2>Results</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">treatment</th><th scope=\"col\">training</th>\
         <th scope=\"col\">validation</th><th scope=\"col\">test</th><th scope=\"col\">gap</th><th scope=\"col\">test loss</th><th scope=\"col\">exact zeros</th><th scope=\"col\">time</th></tr></thead>\n<tbody>"
    )?;
    for o in &study.outcomes {
        let [train, validation, test] = [0, 1, 2].map(|p| study.score(o.score(p)));
        let (loss, gap) = (o.loss(2), study.score(o.gap(classes)));
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{train}</td><td>{validation}</td><td>{test}</td><td>{gap}</td>\
             <td>{:.3} ± {:.3}</td><td>{:.1} %</td><td>{:.1} s</td></tr>",
            escape(o.treatment.title()),
            loss.mean,
            loss.sd,
            100.0 * o.zeros().mean,
            o.seconds()
        )?;
    }
    let best = if classes { "higher is better" } else { "lower is better" };
    writeln!(
        out,
        "</tbody></table></div>\n<p class=\"note\">{score} ({best}) of each part, and how much worse the test part comes off than \
         the training part; mean ± standard deviation over {} seeds. Each seed draws its own split, first \
         weights, batches and masks, the same for every treatment. The test part was looked at once, after the last epoch.</p>",
        study.seeds.len()
    )
}

fn settings(out: &mut String, study: &Study) -> std::fmt::Result {
    let h = &study.hyper;
    writeln!(
        out,
        "<h2>Settings</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">treatment</th><th scope=\"col\" \
         class=\"text\">what it does</th></tr></thead>\n<tbody>"
    )?;
    for o in &study.outcomes {
        let (title, text) = (escape(o.treatment.title()), escape(&o.treatment.settings(&study.strengths)));
        writeln!(out, "<tr><th scope=\"row\">{title}</th><td class=\"text\">{text}</td></tr>")?;
    }
    let optimizer = match h.optimizer {
        super::train::Optimizer::AdamW => "AdamW (β 0.9, 0.999)",
        super::train::Optimizer::Sgd => "SGD (momentum 0.9)",
    };
    let text = format!(
        "{optimizer}, learning rate {}, {} rows a step; seeds {}; penalties apply to weights, not to biases and \
         normalisation. Device: {}. Took {:.1} s. The same command on the same device gives the same numbers, bit for bit; \
         all of them are in results.json. Made by ridgepole {}.",
        h.lr,
        h.batch,
        study.seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        study.device,
        study.seconds,
        env!("CARGO_PKG_VERSION")
    );
    writeln!(out, "</tbody></table></div>\n<p class=\"note\">{}</p>", escape(&text))
}
