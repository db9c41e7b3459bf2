//! The network that a search ends with: the best setting, trained on all rows.
use super::{grid::Setting, search::Search};
use crate::{
    Failure, Ui,
    data::{Table, folds, prepare},
    interrupt,
    model::{Model, Trained},
    text,
    training::{self, Shape},
};
use ridgepole::Session;
use std::path::Path;

/// What is trained again.
pub struct Winner<'a> {
    /// The best setting.
    pub setting: Setting,
    /// The rows of the search.
    pub table: &'a Table,
    /// The share of them that early stopping validates on.
    pub stop_share: f64,
}

impl Winner<'_> {
    /// Trains the setting once more, on the rows of all folds, stopped early by a share of them as in each fold. Gives the files of the model:
    /// none, with a notice, where no file could hold it. `checkpoint` is where the search is kept meanwhile.
    ///
    /// # Errors
    /// What the device reports, and an interrupt.
    pub fn refit(
        &self,
        session: &Session,
        search: &Search,
        checkpoint: &Path,
        ui: &Ui,
    ) -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
        let Self { setting, table, stop_share } = *self;
        let Search { hyper, classes, patience, seed, .. } = *search;
        let progress = ui.progress("refit", hyper.epochs as u64);
        let none = |why: &dyn std::fmt::Display| {
            ui.note(format_args!("notice: no model is saved: {why}"));
            Ok(Vec::new())
        };
        let split = match folds::all_rows(table, table.rows(), stop_share, seed) {
            Ok(split) => split,
            Err(why) => return none(&why),
        };
        let data = match prepare::prepare(table, &split) {
            Ok(data) => [data],
            Err(why) => return none(&why),
        };
        if let Err(why) = training::room(session.gpu().caps(), &data, "use fewer with --rows") {
            return none(&why);
        }
        let all = Search { splits: &data, settings: &[setting], hyper, classes, patience, seed, together: None };
        let state = all.refit(session, &setting, &mut |epochs| {
            progress.done(epochs as u64);
            progress.on("epochs of the best setting, on all rows");
            let path = text::path(checkpoint);
            match interrupt::heard() {
                true => Err(Failure::Interrupted(format!(
                    "interrupted; {path} has the progress, and the same command resumes from it"
                ))),
                false => Ok(()),
            }
        })?;
        drop(progress);
        let epoch = state.best_epoch();
        let (params, running) = state.best.as_ref().expect("with early stopping the best is kept");
        let fitted = format!(
            "trained by tune with its best setting, {setting}, on {} of {}, the others to stop it early, which kept epoch {epoch}; seed {seed}",
            split.train.len(),
            text::count(table.rows(), "row")
        );
        let shape = &Shape::new(&data[0], hyper, setting.batch_norm);
        match Model::of_network(table, &split.train, &table.targets, Trained { shape, params, running }, fitted) {
            Ok(model) => Ok(model.files()),
            Err(why) => none(&why),
        }
    }
}
