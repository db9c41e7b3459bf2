//! How the study was made.
use crate::{
    commands::study::results::Study,
    html::{Head, Table, escape},
    number, text,
    training::Optimizer,
};
use std::fmt::Write;

/// The section on settings.
pub fn write(out: &mut String, study: &Study) -> std::fmt::Result {
    let (d, h) = (&study.data, &study.hyper);
    let mut table = Table::plain("What each treatment does", &[Head::Text("treatment"), Head::Text("what it does")]);
    for o in &study.outcomes {
        table.row([o.treatment.title().into(), study.settings(o.treatment).into()]);
    }
    writeln!(out, "<h2>Settings</h2>\n{}", table.finish())?;
    let what = match &d.target {
        Some(name) => format!("predicting {}", text::short(name)),
        None => format!("{} classes", d.classes.len()),
    };
    let layers: Vec<String> = h.hidden.iter().map(ToString::to_string).collect();
    let optimizer = match h.optimizer {
        Optimizer::AdamW => "AdamW (β 0.9, 0.999)",
        Optimizer::Sgd => "SGD (momentum 0.9)",
    };
    let data = format!(
        "{} rows of {} features, {what}: {} for training, {} for validation, {} for testing. {}A network with {} {} of {} units is \
         trained for {}, once per treatment and seed ({}), all of it on the GPU.",
        d.rows,
        d.features,
        d.parts[0],
        d.parts[1],
        d.parts[2],
        noise(study),
        h.hidden.len(),
        if h.hidden.len() == 1 { "hidden layer" } else { "hidden layers" },
        layers.join(" and "),
        text::count(h.epochs, "epoch"),
        text::count(study.seeds.len(), "seed")
    );
    let rest = format!(
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
    for text in [data, rest] {
        writeln!(out, "<p class=\"note\">{}</p>", escape(&text))?;
    }
    Ok(())
}

/// The noise on the training part, as a sentence with a blank behind it; empty where there is none.
fn noise(study: &Study) -> String {
    let share = share(study);
    match (study.classes(), study.noise > 0.0) {
        (_, false) => String::new(),
        (true, _) => {
            let (least, most) = (study.wrong.iter().min(), study.wrong.iter().max());
            let count = match (least, most) {
                (Some(a), Some(b)) if a == b => format!("{a} in each seed"),
                (Some(a), Some(b)) => format!("{a} to {b}, by the seed"),
                _ => "drawn by the seed".into(),
            };
            format!(
                "{share} of the training labels are wrong on purpose ({count}); those for validation and testing are as they are. "
            )
        }
        (false, _) => format!(
            "Normal noise with {share} of the target's standard deviation is added to the training rows' targets; those for validation \
             and testing are as they are. "
        ),
    }
}

/// The noise as it was asked for, in percent.
pub(super) fn share(study: &Study) -> String {
    // Rounded to what a decimal share times 100 has.
    format!("{} %", number::exact((1e8 * study.noise).round() / 1e6))
}
