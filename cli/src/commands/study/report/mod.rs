//! `report.html`: first the answer, in two sentences, a picture and a table; then how it came about.
pub mod calibration;
pub mod decomposition;
mod differences;
#[cfg(test)]
mod gallery;
mod gap;
mod overfitting;
mod results;
mod settings;
mod tuned;
mod uncertainty;
mod weights;

use super::results::Study;
use crate::{
    html::{self, escape},
    number::percent,
    text,
};
use std::fmt::Write;

/// The page.
pub fn html(study: &Study) -> String {
    let mut out = String::new();
    body(&mut out, study).expect("a String takes all");
    html::page(&format!("Overfitting, and what helps: {}", study.data.name), &out)
}

fn body(out: &mut String, study: &Study) -> std::fmt::Result {
    writeln!(out, "<p class=\"note\">{}</p>", escape(&task(study)))?;
    let said = study.sentences();
    for sentence in [said.cost, said.help] {
        writeln!(out, "<p class=\"answer\">{}</p>", escape(&sentence))?;
    }
    if let Some(picture) = differences::draw(study) {
        out.push_str(&html::figure("Difference to the plain network", &picture, &results::of_differences(study)));
    }
    results::table(out, study)?;
    if let Some(picture) = overfitting::pair(study) {
        out.push_str(&html::figure("Overfitting in one picture", &picture, &of_overfitting(study)));
    }
    let sections = [
        (
            "Each treatment over the epochs",
            overfitting::all(study),
            "As above, for every treatment, all on the same scales, evaluated without dropout and with running statistics; shaded: from the \
             lowest to the highest seed; dotted grey: the plain network. Early stopping trains as none does, and keeps the network of the \
             best epoch.",
        ),
        (
            "The gap",
            gap::draw(study),
            "The score of each network on the training part as it was given, with its noise (circle), and on the test part (diamond). The \
             line between them is the generalization gap; thin ticks are single seeds.",
        ),
        (
            "Weights",
            weights::histograms(study),
            "The weights at the end, all seeds together, without biases and normalization. Heights are square \
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
    results::more(out, study)?;
    settings::write(out, study)
}

/// What the networks had to do, in a sentence.
fn task(study: &Study) -> String {
    let [rows, _, tests] = study.data.parts;
    let noise = settings::share(study);
    let wrong = match (study.classes(), study.noise > 0.0) {
        (_, false) => String::new(),
        (true, _) => format!(", {noise} of them labelled wrongly on purpose,"),
        (false, _) => format!(", with noise of {noise} of the target's deviation added,"),
    };
    let one = match &study.data.target {
        _ if study.things() == "digits" => format!("to read handwritten digits from {rows} examples"),
        Some(name) => format!("to predict {} from {rows} rows", text::short(name)),
        None => format!("to tell {} classes apart from {rows} rows", study.data.classes.len()),
    };
    format!("A network learns {one}{wrong} and is tested on {tests} new ones.")
}

fn of_overfitting(study: &Study) -> String {
    let mut out = String::from("Above: how often the network is right on new rows (solid); ");
    if !study.classes() {
        out = "Above: how far off the network is on new rows. ".into();
    } else if study.noise > 0.0 {
        out.push_str("and how many of the wrong labels it has learned by heart (dashed). ");
    } else {
        out = "Above: how often the network is right on new rows. ".into();
    }
    out.push_str(
        "Below: the loss on its own training rows, which keeps falling (dashed), and on the validation rows (solid). The dashed vertical \
         line is the best epoch, that of the lowest validation loss, the median of the seeds. Dotted grey: the plain network, beside the \
         treatment that gives back most of what changes the training.",
    );
    if let Some(share) = study.none().and_then(|none| study.by_heart(none)) {
        let wrong = study.wrong.iter().sum::<usize>() as f64 / study.wrong.len().max(1) as f64;
        out.push_str(&format!(
            " What a network learns by heart costs it new rows: at the end the plain one has learned {} of about {wrong:.0} wrong labels by heart ({}).",
            (share.mean * wrong).round(),
            percent(share.mean)
        ));
    }
    out
}
