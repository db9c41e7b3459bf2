//! Results of a race: a table for the terminal, and lines of CSV.
use super::entry::{Entry, Verdict, middle, range};
use crate::{
    Colour, Failure, Ui,
    number::{decimals, percent},
    timing::{csv_line, time},
};
use ridgepole::bench::Timing;
use serde::Serialize;

/// A line of the record.
#[derive(Serialize)]
struct Row<'a> {
    device: &'a str,
    version: &'a str,
    elements: usize,
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
    host_floor: Option<f64>,
    decided: Option<bool>,
}

/// A case per line, and below it a line for each variant of a peer.
pub(super) fn print(device: &str, entries: &[Entry], ui: &Ui) -> Result<(), Failure> {
    let elements = entries.first().map_or(0, |e| e.elements);
    ui.line(format_args!("{device}, {elements} elements"))?;
    ui.line(format_args!("{:<58}{:>12}{:>8}{:>9}   ratios", "case", "time", "share", "ratio"))?;
    let number = |ratio: f64| decimals(ratio, 2);
    for e in entries {
        if let Some(why) = &e.error {
            ui.line(format_args!("{:<58}WRONG: {why}", e.case))?;
            continue;
        }
        let seconds = middle(e.ours.iter().map(|t| t.seconds)).map_or("-".into(), time);
        let share = middle(e.ours.iter().map(|t| t.share)).map_or("-".into(), percent);
        ui.line(format_args!("{:<58}{seconds:>12}{share:>8}", e.case))?;
        for t in &e.theirs {
            let name = format!("  {} {}", t.peer, t.variant);
            let (Some(verdict), Some(seconds)) = (t.verdict(), t.middle(|l| l.seconds)) else {
                let why = if t.error().is_empty() { "-".into() } else { format!("WRONG: {}", t.error()) };
                ui.line(format_args!("{name:<58}{why}"))?;
                continue;
            };
            let floor = || format!("its host floor is {}", t.middle(|l| l.host_floor).map_or("-".into(), time));
            let before = format!("{name:<58}{:>12}{:>8}", time(seconds), "");
            let (ratio, after) = match verdict {
                Verdict::Ratio([least, ratio, most]) => (ratio, format!("   {} to {}", number(least), number(most))),
                Verdict::Ahead(ratio) => (ratio, format!("   or less: {}", floor())),
                Verdict::Undecided => {
                    ui.line(format_args!("{before}        -   not decided: {}", floor()))?;
                    continue;
                }
            };
            let colour = if ratio >= 1.0 { Colour::Green } else { Colour::Red };
            ui.painted(&before, (colour, &format!("{:>9}", number(ratio))), &after)?;
        }
    }
    Ok(())
}

/// The same as CSV.
pub(super) fn csv(device: &str, version: &str, entries: &[Entry]) -> String {
    let mut out = String::new();
    let mut push = |row: Row<'_>| out += &csv_line(&row, out.is_empty());
    for e in entries {
        let of = |f: fn(&Timing) -> f64| middle(e.ours.iter().map(f));
        push(Row {
            device,
            version,
            elements: e.elements,
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
            host_floor: None,
            decided: None,
        });
        for t in &e.theirs {
            let ratios = range(&t.ratios).filter(|_| t.verdict() != Some(Verdict::Undecided));
            push(Row {
                device,
                version,
                elements: e.elements,
                case: &e.case,
                who: &t.peer,
                variant: &t.variant,
                seconds: t.middle(|l| l.seconds),
                lower_quartile: t.middle(|l| l.lower_quartile),
                upper_quartile: t.middle(|l| l.upper_quartile),
                gb_per_s: None,
                share: None,
                ratio: ratios.map(|r| r[1]),
                least_ratio: ratios.map(|r| r[0]),
                greatest_ratio: ratios.map(|r| r[2]),
                turns: t.lines.len(),
                error: t.error(),
                host_floor: t.middle(|l| l.host_floor),
                decided: t.decided(),
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            entry::tests::{line, timing},
            peer::Line,
        },
        *,
    };

    #[test]
    fn a_record_has_a_line_for_each_variant() {
        let mut e = Entry::new(7, "a", None);
        for (turn, (ours, theirs)) in [(1.0, 2.0), (2.0, 6.0), (1.0, 1.0)].into_iter().enumerate() {
            e.ours.push(timing(ours));
            e.theirs(turn, line("eager", Some(theirs), ""));
            e.theirs(turn, line("compiled", None, "off by 3"));
        }
        let text = csv("card", "1", &[e]);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 4);
        assert!(rows[1].starts_with("card,1,7,a,ridgepole,,1.0,"), "{text}");
        assert!(rows[2].starts_with("card,1,7,a,torch,eager,2.0,") && rows[2].ends_with(",2.0,1.0,3.0,3,,,"), "{text}");
        assert!(rows[3].starts_with("card,1,7,a,torch,compiled,,") && rows[3].ends_with(",,,,3,off by 3,,"), "{text}");
    }

    #[test]
    fn a_record_has_no_ratio_that_is_not_decided() {
        let row = |theirs: f64, host_floor| {
            let mut e = Entry::new(7, "a", None);
            e.ours.push(timing(1.0));
            e.theirs(0, Line { host_floor, ..line("eager", Some(theirs), "") });
            let text = csv("card", "1", &[e]);
            text.lines().last().unwrap().split(',').skip(11).map(String::from).collect::<Vec<_>>().join(",")
        };
        assert_eq!(row(3.0, Some(2.0)), "3.0,3.0,3.0,1,,2.0,true");
        assert_eq!(row(2.5, Some(2.0)), ",,,1,,2.0,false");
        assert_eq!(row(0.5, Some(0.4)), "0.5,0.5,0.5,1,,0.4,false");
        assert_eq!(row(2.5, None), "2.5,2.5,2.5,1,,,");
    }
}
