//! Results of a race: a table for the terminal, and lines of CSV.
use super::peer::Line;
use crate::{
    Failure, Ui,
    timing::{csv_line, time},
};
use ridgepole::{
    Op, Session,
    bench::{self, Inputs, Options, Timing},
};
use serde::Serialize;

/// A case, with the times of all turns.
pub(super) struct Entry {
    pub case: String,
    pub error: Option<String>,
    ours: Vec<Timing>,
    theirs: Vec<Theirs>,
}

/// A peer's variant of a case: for each turn its line and, if both have a time, its ratio to ours.
struct Theirs {
    peer: String,
    variant: String,
    lines: Vec<Line>,
    ratios: Vec<f64>,
}

/// A line of the record.
#[derive(Serialize)]
struct Row<'a> {
    device: &'a str,
    version: &'a str,
    elements: u64,
    case: &'a str,
    who: &'a str,
    variant: &'a str,
    seconds: Option<f64>,
    lower_quartile: Option<f64>,
    upper_quartile: Option<f64>,
    gb_per_s: Option<f64>,
    share: Option<f64>,
    ratio: Option<f64>,
    least_ratio: Option<f64>,
    greatest_ratio: Option<f64>,
    turns: usize,
    error: &'a str,
}

impl Entry {
    pub fn new(case: &str, error: Option<String>) -> Self {
        Self { case: case.to_string(), error, ours: Vec::new(), theirs: Vec::new() }
    }

    /// Times ours, unless it is wrong.
    pub fn ours(&mut self, session: &Session, op: &dyn Op, inputs: &Inputs, options: &Options) {
        if self.error.is_none() {
            match bench::time(session.gpu(), session.queue(), op, inputs, options) {
                Ok(t) => self.ours.push(t),
                Err(e) => self.error = Some(e.to_string()),
            }
        }
    }

    /// Takes a peer's line of a turn.
    pub fn theirs(&mut self, turn: usize, line: Line) {
        let same = |t: &Theirs| t.peer == line.peer && t.variant == line.variant;
        let at = self.theirs.iter().position(same).unwrap_or_else(|| {
            let (peer, variant) = (line.peer.clone(), line.variant.clone());
            self.theirs.push(Theirs { peer, variant, lines: Vec::new(), ratios: Vec::new() });
            self.theirs.len() - 1
        });
        if let (Some(theirs), Some(ours)) = (line.seconds, self.ours.get(turn)) {
            self.theirs[at].ratios.push(theirs / ours.seconds);
        }
        self.theirs[at].lines.push(line);
    }
}

/// Median, minimum and maximum, as [minimum, median, maximum].
fn range(values: &[f64]) -> Option<[f64; 3]> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some([*sorted.first()?, bench::quantile(&sorted, 0.5), *sorted.last()?])
}

fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    range(&values.collect::<Vec<_>>()).map(|r| r[1])
}

/// A case per line, and below it a line for each variant of a peer.
pub(super) fn print(device: &str, entries: &[Entry], colour: bool, ui: &Ui) -> Result<(), Failure> {
    ui.line(format_args!("{device}\n{:<58}{:>12}{:>8}{:>9}   ratios", "case", "time", "share", "ratio"))?;
    let paint = |ratio: f64, text: String| match (colour, ratio) {
        (false, _) => text,
        (true, r) if r >= 1.0 => format!("\x1b[32m{text}\x1b[0m"),
        (true, _) => format!("\x1b[31m{text}\x1b[0m"),
    };
    for e in entries {
        if let Some(why) = &e.error {
            ui.line(format_args!("{:<58}WRONG: {why}", e.case))?;
            continue;
        }
        let seconds = middle(e.ours.iter().map(|t| t.seconds)).map_or("-".into(), time);
        let share = middle(e.ours.iter().map(|t| 100.0 * t.share)).map_or("-".into(), |s| format!("{s:.0}%"));
        ui.line(format_args!("{:<58}{seconds:>12}{share:>8}", e.case))?;
        for t in &e.theirs {
            let name = format!("  {} {}", t.peer, t.variant);
            let seconds = middle(t.lines.iter().filter_map(|l| l.seconds));
            match (range(&t.ratios), seconds) {
                (Some([least, ratio, most]), Some(seconds)) => {
                    let ratio = paint(ratio, format!("{ratio:>9.2}"));
                    ui.line(format_args!("{name:<58}{:>12}{:>8}{ratio}   {least:.2} to {most:.2}", time(seconds), ""))?;
                }
                _ => ui.line(format_args!("{name:<58}{}", wrong(t)))?,
            }
        }
    }
    Ok(())
}

fn wrong(theirs: &Theirs) -> String {
    theirs.lines.iter().map(|l| &l.error).find(|e| !e.is_empty()).map_or("-".into(), |e| format!("WRONG: {e}"))
}

/// The same as CSV.
pub(super) fn csv(device: &str, version: &str, elements: u64, entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut push = |row: Row<'_>| out.extend(csv_line(&row, out.is_empty()));
    for e in entries {
        let of = |f: fn(&Timing) -> f64| middle(e.ours.iter().map(f));
        push(Row {
            device,
            version,
            elements,
            case: &e.case,
            who: "ridgepole",
            variant: "",
            seconds: of(|t| t.seconds),
            lower_quartile: of(|t| t.quartiles[0]),
            upper_quartile: of(|t| t.quartiles[1]),
            gb_per_s: of(Timing::gb_per_s),
            share: of(|t| t.share),
            ratio: None,
            least_ratio: None,
            greatest_ratio: None,
            turns: e.ours.len(),
            error: e.error.as_deref().unwrap_or(""),
        });
        for t in &e.theirs {
            let of = |f: fn(&Line) -> Option<f64>| middle(t.lines.iter().filter_map(f));
            let ratios = range(&t.ratios);
            push(Row {
                device,
                version,
                elements,
                case: &e.case,
                who: &t.peer,
                variant: &t.variant,
                seconds: of(|l| l.seconds),
                lower_quartile: of(|l| l.lower_quartile),
                upper_quartile: of(|l| l.upper_quartile),
                gb_per_s: None,
                share: None,
                ratio: ratios.map(|r| r[1]),
                least_ratio: ratios.map(|r| r[0]),
                greatest_ratio: ratios.map(|r| r[2]),
                turns: t.lines.len(),
                error: t.lines.iter().map(|l| l.error.as_str()).find(|e| !e.is_empty()).unwrap_or(""),
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(variant: &str, seconds: Option<f64>, error: &str) -> Line {
        let (peer, case) = ("torch".to_string(), "a".to_string());
        let error = error.to_string();
        Line { peer, variant: variant.to_string(), case, seconds, lower_quartile: seconds, upper_quartile: seconds, error }
    }

    fn timing(seconds: f64) -> Timing {
        Timing {
            op: "x".into(),
            case: "a".into(),
            bytes: 8,
            elements: 1,
            dispatches: 1,
            seconds,
            quartiles: [seconds; 2],
            copy_seconds: seconds,
            copy_bytes: 8,
            share: 0.5,
            cpu_seconds: None,
            cpu_share: None,
            rounds: 1,
            clock: bench::Clock::Wall,
        }
    }

    #[test]
    fn ratios_are_taken_turn_by_turn() {
        let mut e = Entry::new("a", None);
        for (turn, (ours, theirs)) in [(1.0, 2.0), (2.0, 6.0), (1.0, 1.0)].into_iter().enumerate() {
            e.ours.push(timing(ours));
            e.theirs(turn, line("eager", Some(theirs), ""));
            e.theirs(turn, line("compiled", None, "off by 3"));
        }
        assert_eq!(e.theirs[0].ratios, [2.0, 3.0, 1.0]);
        let text = String::from_utf8(csv("card", "1", 7, &[e])).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 4);
        assert!(rows[1].starts_with("card,1,7,a,ridgepole,,1.0,"), "{text}");
        assert!(rows[2].starts_with("card,1,7,a,torch,eager,2.0,") && rows[2].ends_with(",2.0,1.0,3.0,3,"), "{text}");
        assert!(rows[3].starts_with("card,1,7,a,torch,compiled,,") && rows[3].ends_with(",,,,3,off by 3"), "{text}");
    }
}
