//! The table of results, and what is to be said of the differences in it.
use crate::{
    commands::study::{
        differences::{Difference, Verdict},
        results::Study,
    },
    html::{Cell, Head, Table, escape},
    number,
    stats::LEVEL,
    text,
};
use std::fmt::Write;

/// What stands below the picture of differences.
pub fn of_differences(study: &Study) -> String {
    let n = study.seeds.len();
    let score = if study.classes() { "accuracy" } else { "error (RMSE)" };
    let mut out = format!(
        "How much each treatment changes the {score} on the test part: its network less the plain one (none) of the same seed, {}. ",
        if n == 1 { "one seed".into() } else { format!("mean of {n} seeds") }
    );
    if n > 1 {
        out.push_str(&format!(
            "The bar is the {:.0} % interval over the seeds, by Student's t; ticks are seeds. A diamond is better than none, a square worse; \
             a circle is not told apart: its interval reaches across none. ",
            100.0 * LEVEL
        ));
    } else {
        out.push_str("One seed has no interval: --seeds 2 or more. ");
    }
    out.push_str(&together(study, &study.differences()));
    out
}

/// That intervals are each for itself, and what stays apart when all are taken together.
fn together(study: &Study, differences: &[Option<Difference>]) -> String {
    let found: Vec<usize> =
        (0..differences.len()).filter(|&i| differences[i].as_ref().is_some_and(|d| d.score.found.is_some())).collect();
    let apart = |d: &Difference| matches!(d.verdict, Verdict::Better | Verdict::Worse);
    let single = found.iter().filter(|&&i| differences[i].as_ref().is_some_and(apart)).count();
    if found.len() < 2 || single == 0 {
        return String::new();
    }
    let holm: Vec<&str> = study
        .order(differences)
        .into_iter()
        .filter(|&i| differences[i].as_ref().is_some_and(|d| d.holm))
        .map(|i| study.outcomes[i].treatment.title())
        .collect();
    let which = match holm.len() {
        0 => "no treatment".into(),
        n if n == single && n > 1 => format!("all {n} that are told apart"),
        _ => holm.join(", "),
    };
    format!(
        "Each interval is for itself: a treatment that does nothing is told apart in one study of 20, and there are {} here. Held to 5 % \
         together (Holm), these still differ from none: {which}.",
        found.len()
    )
}

/// The table.
pub fn table(out: &mut String, study: &Study) -> std::fmt::Result {
    let classes = study.classes();
    let score = if classes { "Accuracy" } else { "Root of the mean squared error" };
    let spread = match study.seeds.len() {
        1 => "1 seed".to_string(),
        n => format!("mean ± standard deviation over {n} seeds"),
    };
    let caption = format!("{score}, {spread}");
    let differences = study.differences();
    let [treatment, against] = ["treatment", "against none"].map(Head::Text);
    let [test, difference, interval, training, gap] =
        ["test", "difference", "95 % interval", "training", "gap"].map(Head::Number);
    let heads = [treatment, test, difference, interval, against, training, gap];
    let mut table = Table::sortable(&caption, &heads);
    for i in study.order(&differences) {
        let o = &study.outcomes[i];
        let [train, test] = [0, 2].map(|p| study.score(o.score(p)));
        let [difference, interval, word] = study.cells(differences[i].as_ref());
        let cells = [o.treatment.title().into(), test, difference, interval, word, train, study.score(o.gap(classes))];
        table.row(cells.map(Cell::from));
    }
    writeln!(out, "<h2>Results</h2>\n{}", table.finish())?;
    let best = if classes { "higher is better" } else { "lower is better" };
    let text = format!(
        "{score} ({best}) on the test part, whose labels are as they are, and on the training part with its noise; the gap is how much \
         worse the first is. Each seed draws its own split, noise, initial weights, batches and dropout masks, the same for every \
         treatment, so a difference within a seed is due to the treatment. {} The test part was used for no choice.",
        match study.seeds.len() {
            1 => String::new(),
            n => format!(
                "Intervals: {:.0} %, Student's t with {} of freedom over the differences of {n} seeds.",
                100.0 * LEVEL,
                text::count(n - 1, "degree")
            ),
        }
    );
    writeln!(out, "<p class=\"note\">{}</p>", escape(&text))
}

/// The table of what else is known of each treatment.
pub fn more(out: &mut String, study: &Study) -> std::fmt::Result {
    let differences = study.differences();
    let heads =
        ["validation", "test loss", "difference in loss", "best epoch", "learned by heart", "exact zeros"].map(Head::Number);
    let caption = format!("Further numbers, {}", study.spread());
    let mut table = Table::sortable(&caption, &[&[Head::Text("treatment")][..], &heads].concat());
    for i in study.order(&differences) {
        let o = &study.outcomes[i];
        let loss = differences[i].as_ref().map_or("–".into(), |d| match d.loss.half() {
            Some(half) => number::pair(d.loss.mean, half, 3),
            None => number::significant(d.loss.mean, 3),
        });
        let mut best: Vec<usize> = o.runs.iter().map(|r| r.best_epoch).collect();
        best.sort_unstable();
        let best = match best[..] {
            [] | [0, ..] => "–".into(),
            [one] => one.to_string(),
            [least, .., most] => format!("{} ({least} to {most})", best[best.len() / 2]),
        };
        let heart = study.by_heart(o).map_or("–".into(), |s| study.share(s));
        let cells = [study.score(o.score(1)), study.number(o.loss(2)), loss, best, heart, number::percent(o.zeros().mean)];
        table.row([o.treatment.title().into()].into_iter().chain(cells).map(Cell::from));
    }
    writeln!(out, "<h2>Further numbers</h2>\n{}", table.finish())?;
    let [interval, seeds] = match study.seeds.len() {
        1 => ["", ""],
        _ => [", ± half of its interval", ", the median of the seeds, and the range"],
    };
    let text = format!(
        "Difference in loss: to none{interval}. Best epoch: that of the lowest validation loss{seeds}. Learned by heart: the share of the \
         wrong training labels that the network predicts as they are given. The file results.json has every number of every seed."
    );
    writeln!(out, "<p class=\"note\">{}</p>", escape(&text))
}
