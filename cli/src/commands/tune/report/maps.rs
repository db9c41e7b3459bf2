//! The heat maps of a grid: the two hyperparameters with the most values span a map, and there is one for each combination of the others.
use crate::{
    commands::tune::{grid::Setting, results::Tuned},
    number::exact,
    svg::heat::{Factor, Heat, Score, draw},
};

/// A hyperparameter of a setting, as text.
type Read = fn(&Setting) -> String;

/// A hyperparameter that varies.
struct Varied {
    name: &'static str,
    of: Read,
    /// In ascending order.
    values: Vec<String>,
}

/// Every hyperparameter, as text.
const ALL: [(&str, Read); 7] = [
    ("l1", |s| exact(s.l1)),
    ("prox-l1", |s| exact(s.prox_l1)),
    ("l2", |s| exact(s.l2)),
    ("prox-l2", |s| exact(s.prox_l2)),
    ("decay", |s| exact(s.decay)),
    ("p", |s| exact(s.p)),
    ("batch norm", |s| if s.batch_norm { "on".into() } else { "off".into() }),
];

/// Beyond this many maps, only those with the best setting's other values are shown.
const MOST_MAPS: usize = 8;

fn varied(tuned: &Tuned) -> Vec<Varied> {
    let make = |(name, of): (&'static str, Read)| {
        let mut values: Vec<String> = tuned.candidates.iter().map(|c| of(&c.setting)).collect();
        let number = |v: &String| v.parse::<f64>().unwrap_or(0.0);
        values.sort_by(|a, b| number(a).total_cmp(&number(b)).then(a.cmp(b)));
        values.dedup();
        Varied { name, of, values }
    };
    let mut all: Vec<Varied> = ALL.map(make).into_iter().filter(|v| v.values.len() > 1).collect();
    all.sort_by_key(|v| std::cmp::Reverse(v.values.len()));
    all
}

/// The picture and its caption; nothing for draws and for a single setting, of which there is no map.
pub fn draw_maps(tuned: &Tuned) -> Option<(String, String)> {
    let all = varied(tuned);
    let cells: usize = all.iter().map(|v| v.values.len()).product();
    if cells != tuned.candidates.len() || all.is_empty() {
        return None;
    }
    let single = Varied { name: "", of: |_| String::new(), values: vec![String::new()] };
    let (columns, rows) = (&all[0], all.get(1).unwrap_or(&single));
    let mut others: Vec<&Varied> = all.iter().skip(2).collect();
    let mut fixed = Vec::new();
    while others.iter().map(|v| v.values.len()).product::<usize>() > MOST_MAPS {
        // The one with the fewest values is last.
        fixed.extend(others.pop());
    }
    let best = &tuned.candidates[tuned.best].setting;
    let text = |varied: &[&Varied], s: &Setting| varied.iter().map(|v| (v.of)(s)).collect::<Vec<_>>().join(", ");
    let mut combinations: Vec<String> = Vec::new();
    let mut cells = Vec::new();
    let mut places = Vec::new();
    for c in tuned.candidates.iter().filter(|c| fixed.iter().all(|v| (v.of)(&c.setting) == (v.of)(best))) {
        let combination = text(&others, &c.setting);
        if !combinations.contains(&combination) {
            combinations.push(combination);
        }
    }
    for (i, c) in tuned.candidates.iter().enumerate() {
        if fixed.iter().any(|v| (v.of)(&c.setting) != (v.of)(best)) {
            continue;
        }
        let at = |v: &Varied| v.values.iter().position(|x| *x == (v.of)(&c.setting)).unwrap_or(0);
        let map = combinations.iter().position(|x| *x == text(&others, &c.setting)).unwrap_or(0);
        places.push(((map * rows.values.len() + at(rows)) * columns.values.len() + at(columns), i));
    }
    cells.resize(combinations.len() * rows.values.len() * columns.values.len(), None);
    let unit = if tuned.classes() { 100.0 } else { 1.0 };
    for &(place, i) in &places {
        let m = tuned.candidates[i].score(2);
        cells[place] = Some(Score { mean: unit * m.mean, se: unit * m.se });
    }
    let place = |candidate: usize| places.iter().find(|(_, i)| *i == candidate).map(|(place, _)| *place);
    let factor = |v: &Varied| Factor { name: v.name.into(), values: v.values.clone() };
    let names: Vec<&str> = others.iter().map(|v| v.name).collect();
    let panels = (!others.is_empty()).then(|| Factor { name: names.join(", "), values: combinations });
    let heat = Heat {
        score: if tuned.classes() { "accuracy, %".into() } else { "RMSE".into() },
        higher_is_better: tuned.classes(),
        rows: factor(rows),
        columns: factor(columns),
        panels,
        cells,
        best: place(tuned.best),
        one_se: place(tuned.one_se),
    };
    let mut caption = String::from(
        "Mean over the held-out folds, and its standard error. Outlined: the best setting, and the most regularized one within one standard error of it.",
    );
    if !fixed.is_empty() {
        let values: Vec<String> = fixed.iter().map(|v| format!("{} = {}", v.name, (v.of)(best))).collect();
        caption += &format!(" Shown for {}, as in the best setting; all others are in the table.", values.join(", "));
    }
    Some((draw("heat", &heat), caption))
}
