//! The same numbers as a table.
use super::{Factor, Heat};
use crate::picture::{Cell, Head, Table};

/// A row for each cell that was tried, which can be sorted.
///
/// # Panics
/// As [`draw`](super::draw).
pub fn table(heat: &Heat) -> String {
    heat.check();
    let factors: Vec<&Factor> = heat.panels.iter().chain([&heat.rows, &heat.columns]).collect();
    let head = |f: &&Factor| match f.values.iter().all(|v| v.parse::<f64>().is_ok()) {
        true => (false, f.name.clone()),
        false => (true, f.name.clone()),
    };
    let names: Vec<(bool, String)> = factors.iter().map(head).collect();
    let mut heads: Vec<Head> = names.iter().map(|(text, n)| if *text { Head::Text(n) } else { Head::Number(n) }).collect();
    heads.extend([Head::Number(&heat.score), Head::Text("choice")]);
    let mut table = Table::sortable(&format!("{}, mean ± standard error", heat.score), &heads);
    let d = heat.decimals;
    for (i, score) in heat.cells.iter().enumerate().filter_map(|(i, s)| Some((i, (*s)?))) {
        let place = heat.place(i);
        let mut cells: Vec<Cell> =
            factors.iter().zip(&place[3 - factors.len()..]).map(|(f, &v)| Cell::from(&f.values[v])).collect();
        let text = format!("{:.d$} ± {:.d$}", score.mean, score.se);
        cells.push(if score.mean.is_finite() { Cell::of(text, score.mean) } else { "diverged".into() });
        cells.push(heat.choice(i).into());
        table.row(cells);
    }
    table.finish()
}
