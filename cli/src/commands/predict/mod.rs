//! Applies a saved model to a table.
mod score;

use crate::{
    Failure, Ui,
    data::{self, Layout},
    files,
    model::{self, Kind, Model, Predicted, Strength},
    number::{exact, significant},
    text,
};
use std::path::{Path, PathBuf};

/// Predicts the rows of a table with a model that `path`, `study` or `tune` has saved, on the host.
///
/// The table's columns are found by name. Each of its rows has a row of the output, in the same order: link (the linear predictor, or the
/// outputs of a network), response (a number, or the probability of each class) and class. If the table has the column that the model
/// predicts, the error is printed too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The model: model.json in the folder of `path`, `study` or `tune`. That of a network names its tensors, which are beside it
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The table: CSV with a header line, UTF-8 or UTF-16, gzip-compressed or not
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    data: PathBuf,
    #[command(flatten)]
    layout: Layout,
    /// Which model of a path: best (the least error in cross-validation), one-se (the largest λ within one standard error of it), or a λ of
    /// the path, to the five digits that its tables show [default: best]
    #[arg(long, value_name = "best|one-se|VALUE", allow_negative_numbers = true)]
    lambda: Option<Strength>,
    /// Where the predictions go, as CSV [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  ridgepole predict ridgepole-path/model.json --data new.csv --out predicted.csv
  ridgepole predict ridgepole-path/model.json --data new.csv --lambda one-se
  ridgepole predict ridgepole-tune/model.json --data new.csv.gz > predicted.csv";

/// Predicts and writes.
///
/// # Errors
/// [`Failure::Usage`] for a model, a table or an output that is none or does not fit, with the file, the line and the column.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let model = model::read(&args.model, &args.layout)?;
    let fit = chosen(&model, args.lambda)?;
    apart(args)?;
    let found = data::apply(&args.data, &model.wanted(), &args.layout)?;
    found.notices.iter().for_each(|notice| ui.note(notice));
    let rows = found.lines.len();
    let predicted = model.predict(found.features, rows, fit)?;
    if let Some(row) = predicted.endless() {
        return Err(Failure::usage(format!(
            "{}: line {}: its prediction is no finite number: a value in it is too far from those that the model was fitted to",
            text::path(&args.data),
            found.lines[row]
        )));
    }
    let csv = csv(&predicted, &model);
    let mut said = vec![what(&model, fit, rows)];
    if let Some(target) = &found.target {
        said.extend(score::lines(&model, &predicted, target, &found.lines));
    }
    match &args.out {
        Some(out) => {
            files::write(out, csv.as_bytes())?;
            said.iter().try_for_each(|line| ui.line(line))?;
            ui.line(format_args!("predictions: {}", text::path(out)))
        }
        None => {
            ui.lines(&csv)?;
            said.iter().for_each(|line| ui.note(line));
            Ok(())
        }
    }
}

/// The place of the model of a path; 0 for a network.
fn chosen(model: &Model, lambda: Option<Strength>) -> Result<usize, Failure> {
    match (&model.kind, lambda) {
        (Kind::Linear(linear), lambda) => linear.at(lambda.unwrap_or(Strength::Best)),
        (Kind::Network(_), None) => Ok(0),
        (Kind::Network(_), Some(_)) => {
            Err(Failure::usage("--lambda chooses a model of a path, and this one is a network: leave it out"))
        }
    }
}

/// The output is none of the inputs, which it would replace.
fn apart(args: &Args) -> Result<(), Failure> {
    let Some(out) = &args.out else { return Ok(()) };
    let same = |input: &Path| same_file::is_same_file(input, out).unwrap_or(false);
    match [("the model", &args.model), ("--data", &args.data)].into_iter().find(|(_, input)| same(input)) {
        Some((what, _)) => Err(Failure::file("write", out, format!("it is {what}, too: choose another --out"))),
        None => Ok(()),
    }
}

/// The model in a line.
fn what(model: &Model, fit: usize, rows: usize) -> String {
    let name = match &model.kind {
        Kind::Linear(linear) => {
            let why = match fit {
                _ if fit == linear.best && fit == linear.one_se => " (best, one standard error)",
                _ if fit == linear.best => " (best)",
                _ if fit == linear.one_se => " (one standard error)",
                _ => "",
            };
            let kind = if model.classes.is_some() { "logistic" } else { "linear" };
            format!("{kind} model at λ = {}{why}", significant(linear.path[fit].lambda, 5))
        }
        Kind::Network(network) => format!("network of {}", text::count(network.layers.len(), "layer")),
    };
    format!(
        "{} of {}: {name} of {}, {}",
        text::count(rows, "row"),
        text::quoted(&model.target),
        text::short(&model.data),
        model.fitted
    )
}

/// The predictions, a row for each row of the table.
fn csv(predicted: &Predicted, model: &Model) -> String {
    let classes = model.classes.as_deref().unwrap_or_default();
    let mut head = Vec::new();
    for (what, columns) in [("link", predicted.links), ("response", predicted.responses)] {
        match columns {
            1 => head.push(what.to_string()),
            _ => head.extend(classes.iter().map(|class| format!("{what}={class}"))),
        }
    }
    head.extend(predicted.class.as_ref().map(|_| "class".to_string()));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&head).expect("memory takes all");
    let (mut links, mut responses) =
        (predicted.link.chunks_exact(predicted.links), predicted.response.chunks_exact(predicted.responses));
    for row in 0..predicted.link.len() / predicted.links {
        let numbers = links.next().into_iter().chain(responses.next()).flatten();
        let class = predicted.class.as_ref().map(|of| classes[of[row] as usize].clone());
        writer.write_record(numbers.map(|v| exact(*v)).chain(class)).expect("as many cells in each row");
    }
    let bytes = writer.into_inner().expect("memory takes all");
    String::from_utf8(bytes).expect("numbers, and names that are text")
}
