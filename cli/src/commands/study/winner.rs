//! The network that a study saves: of the treatment with the best validation score, the mean over all seeds, that of the first seed. Test
//! rows decide nothing here, so what the study says of them holds for it too.
use super::{Config, results::Outcome, train::Parameters, treatments::Treatment};
use crate::{
    data::{Table, Targets, noise::Given, split::Split},
    model::{Model, Trained},
    text,
    training::Shape,
};
use std::collections::BTreeMap;

/// The networks of the first seed: their last parameters and their best ones.
pub type Kept = BTreeMap<Treatment, [Parameters; 2]>;

/// The files of its model; `first` is the split of the first seed, and the targets that its training rows were given.
///
/// # Errors
/// Says why there is none.
pub fn save(
    mut kept: Kept,
    outcomes: &[Outcome],
    table: &Table,
    config: &Config,
    (split, given): (&Split, &Given),
) -> Result<Vec<(&'static str, Vec<u8>)>, String> {
    let classes = match &table.targets {
        Targets::Classes { names, .. } => names.len(),
        Targets::Values(_) => 0,
    };
    let score = |o: &Outcome| if classes > 0 { o.score(1).mean } else { -o.score(1).mean };
    let finite = outcomes.iter().filter(|o| score(o).is_finite());
    // The first of equals.
    let best = finite.reduce(|best, o| if score(o) > score(best) { o } else { best });
    let treatment = best.ok_or("every network has diverged")?.treatment;
    let [last, best] = kept.remove(&treatment.trained_as()).ok_or("its network was not kept")?;
    let (params, running) = if treatment == Treatment::EarlyStopping { best } else { last };
    let seeds = match config.seeds.len() {
        1 => String::new(),
        n => format!(", in the mean of {n} seeds; its network of seed {}", config.seeds[0]),
    };
    let noise = if config.noise > 0.0 { ", with the label noise of the study" } else { "" };
    let fitted = format!(
        "trained by study with the best treatment by validation score, {}{seeds}; {}{noise}",
        treatment.key(),
        text::count(split.train.len(), "training row")
    );
    let shape = &Shape {
        inputs: table.columns.len().next_multiple_of(4),
        hidden: config.hyper.hidden.clone(),
        outputs: classes.max(1),
        batch_norm: treatment.recipe(&config.strengths).batch_norm,
    };
    let trained = Trained { shape, params: &params, running: &running };
    Ok(Model::of_network(table, &split.train, &given.targets, trained, fitted)?.files())
}
