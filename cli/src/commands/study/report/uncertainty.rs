//! The report's sections on bias and variance, and on Monte-Carlo dropout.
use super::{
    calibration,
    decomposition::{self, Series, Strength, loss_name},
};
use crate::{
    commands::study::{
        bias_variance::{Decomposition, Loss},
        decompose::Decomposed,
        monte_carlo::{Found, MonteCarlo},
        results::Study,
        treatments::Treatment,
    },
    html, number,
};

/// The sections that there are.
pub fn write(out: &mut String, study: &Study) {
    if let Some(d) = &study.decomposition {
        let squared = "Test error decomposed into bias² (with the irreducible error) and variance, over the strength of each treatment: \
                       every network was trained on a bootstrap sample of one training part. Shaded: one standard error over the test rows. \
                       Bias² and variance add up to the error.";
        section(out, "Bias and variance", d, &d.squared, squared);
        let zero_one = "The same for 0–1 loss, after Domingos (2000): bias is the error of the majority vote, net variance what single \
                        networks that differ from it add; where the majority is wrong they reduce the error.";
        section(out, "Bias and variance of the class", d, &d.zero_one, zero_one);
    }
    let unit = crate::text::short(study.data.target.as_deref().unwrap_or(""));
    study.monte_carlo.iter().for_each(|m| uncertainty(out, m, &unit));
}

fn section(out: &mut String, title: &str, d: &Decomposed, of: &[Decomposition], caption: &str) {
    let Some(first) = of.first() else { return };
    let id = if first.loss == Loss::ZeroOne { "zero-one" } else { "squared" };
    let series = series(d, of);
    let caption = format!("{caption} {}; {} networks for each strength.", loss_name(first.loss), d.samples);
    out.push_str(&html::figure(title, &decomposition::draw(id, &series), &caption));
    out.push_str(&decomposition::table(&series));
}

/// A series for each treatment; one with a λ starts at 0 if the study has networks without any.
fn series(d: &Decomposed, of: &[Decomposition]) -> Vec<Series> {
    let mut out: Vec<(Treatment, Series)> = Vec::new();
    let none = d.points.iter().position(|p| p.treatment == Treatment::None);
    for (point, one) in d.points.iter().zip(of) {
        let known = out.iter().position(|(t, _)| *t == point.treatment).unwrap_or_else(|| {
            let log = point.name() != "p";
            let strength = point.strength.map(|_| Strength { name: point.name().into(), log });
            // The combined treatment without dropout is still regularized: its 0 is another network.
            let zero = none.filter(|_| strength.is_some() && point.treatment != Treatment::Combined);
            let points = zero.map(|i| (0.0, of[i])).into_iter().collect();
            out.push((point.treatment, Series { title: point.treatment.title().into(), strength, points }));
            out.len() - 1
        });
        out[known].1.points.push((point.strength.unwrap_or(0.0), *one));
    }
    out.into_iter().map(|(_, s)| s).collect()
}

fn uncertainty(out: &mut String, m: &MonteCarlo, unit: &str) {
    let (title, key, passes) = (m.treatment.title(), m.treatment.key(), m.passes);
    let head = format!("Monte-Carlo dropout: {title}");
    match &m.found {
        Found::Classes { plain, sampled, variance, rejection: [confidence, entropy, by_variance] } => {
            let both = [("no dropout", plain), ("mean of passes", sampled)];
            let curves = [("confidence", &confidence[..]), ("entropy", entropy), ("variance", by_variance)];
            let pictures = [
                calibration::reliability(&format!("{key}-reliability"), &both),
                calibration::rejection(&format!("{key}-rejection"), &curves),
            ];
            let caption = format!(
                "{passes} passes over the test rows with dropout left on, all seeds together. Left: accuracy over confidence; a calibrated \
                 network is on the diagonal. Right: accuracy on the rows that remain when the most uncertain ones are set aside, by the \
                 confidence without dropout, by the entropy of the mean, and by the variance over the passes. Variance of a row, summed over \
                 the classes: {} on average.",
                number::significant(*variance, 3)
            );
            out.push_str(&html::figure(&head, &html::panels(&pictures), &caption));
            out.push_str(&calibration::table(&both));
        }
        Found::Values { plain_rmse, sampled } => {
            let picture = calibration::spread(&format!("{key}-spread"), sampled, unit);
            let caption = format!(
                "{passes} passes over the test rows with dropout left on, all seeds together: absolute error over the standard deviation of \
                 the predictions. Root of the mean squared error: {} without dropout, {} of the mean of the passes. Within one standard \
                 deviation: {} of the rows, within two: {}. This is the uncertainty of the model alone, without the noise of the \
                 target.",
                number::significant(*plain_rmse, 4),
                number::significant(sampled.rmse, 4),
                number::percent(sampled.coverage[0]),
                number::percent(sampled.coverage[1])
            );
            out.push_str(&html::figure(&head, &html::panels(&[picture]), &caption));
        }
        Found::Diverged => {
            let text = format!("<h2>{}</h2>\n<p>Diverged: a network's output is not a number.</p>\n", html::escape(&head));
            out.push_str(&text);
        }
    }
}
