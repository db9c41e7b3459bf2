//! `ridgepole bench --html`: the measurements as pictures, with the table below.
use crate::{
    html::{self, Cell, Head, Table, escape},
    number::{percent, significant},
    svg::{Anchor, Axis, BLUE, GREY, INK, ORANGE, PALE, Pen, Svg},
    timing::{short, time},
};
use ridgepole::bench::Timing;
use std::fmt::Write;

const WIDTH: f64 = 960.0;
const ROW: f64 = 18.0;
const LEFT: f64 = 420.0;
const COLUMNS: usize = 3;
const PANEL: [f64; 2] = [320.0, 205.0];
/// Left, top, right and bottom of the plot within a panel.
const MARGIN: [f64; 4] = [52.0, 26.0, 10.0, 34.0];

/// The page, for measurements on this device by this version.
pub(super) fn page(device: &str, version: &str, timings: &[Timing]) -> String {
    let mut out = String::new();
    let text = format!(
        "{device}, ridgepole {version}. Each op has to move a minimum number of bytes; a plain copy of as many, timed alternately with \
         it, is the reference for this size."
    );
    writeln!(out, "<p>{}</p>", escape(&text)).expect("a String takes all");
    let growth = growth(timings);
    let mut section = |title: &str, picture: String, caption: &str| out.push_str(&html::figure(title, &picture, caption));
    // Of each case the largest size.
    let largest = |t: &&Timing| !timings.iter().any(|u| u.elements > t.elements && series(&u.case) == series(&t.case));
    let roofed: Vec<&Timing> = timings.iter().filter(largest).collect();
    section(
        "Under the roof",
        shares(&roofed),
        "Bandwidth relative to the copy, the roof at 100 %, each case at its largest size. Thin lines: the quartiles of the op's times. An op whose data stay in a \
         cache, or that reads more than it writes, can exceed it.",
    );
    if let Some(growth) = growth {
        section(
            "Growth",
            growth,
            "Bandwidth over the number of elements, both logarithmic: small tensors are bound by launch overhead, large ones by memory \
             bandwidth. Solid lines are f32, dashed f16, dotted bf16; grey: the copies. An op has a line for each shape and type.",
        );
    }
    out.push_str(&table(timings));
    html::page("How fast ridgepole is here", &out)
}

/// A bar for each case.
fn shares(timings: &[&Timing]) -> String {
    let mut svg = Svg::new(WIDTH, 30.0 + ROW * timings.len() as f64);
    let most = timings.iter().map(|t| t.share * t.seconds / t.quartiles[0]).fold(1.0, f64::max);
    let x = Axis::exact([0.0, 100.0 * most], [LEFT, WIDTH - 120.0]);
    let bottom = 24.0 + ROW * timings.len() as f64;
    for (v, text) in x.ticks(6) {
        svg.line([x.at(v), 20.0], [x.at(v), bottom], Pen(PALE, 1.0, ""));
        svg.text([x.at(v), 14.0], Anchor::Middle, "tick", format_args!("{text} %"));
    }
    for (i, t) in timings.iter().enumerate() {
        let y = 24.0 + ROW * i as f64;
        svg.text([LEFT - 6.0, y + 12.0], Anchor::End, "tick", shorter(&t.case, 60));
        svg.rect([LEFT, y + 2.0], [x.at(100.0 * t.share) - LEFT, ROW - 5.0], BLUE, "none");
        let [fast, slow] = t.quartiles.map(|q| x.at(100.0 * t.share * t.seconds / q));
        svg.line([slow, y + 0.5 * ROW], [fast, y + 0.5 * ROW], Pen(INK, 1.0, ""));
        svg.text(
            [WIDTH, y + 12.0],
            Anchor::End,
            "tick",
            format_args!("{} {} GB/s", time(t.seconds), significant(t.gb_per_s(), 3)),
        );
    }
    svg.line([x.at(100.0), 20.0], [x.at(100.0), bottom], Pen(ORANGE, 1.5, "6 3"));
    let said = "A bar for each case: its bandwidth relative to a copy, with a dashed line at 100 percent.";
    svg.finish("shares", "Bandwidth relative to the copy", said)
}

/// What is the same for all sizes of a case: its text without the numbers that grow.
fn series(case: &str) -> String {
    const GROWING: [&str; 9] = [" rows: ", " n: ", " c: ", " s: ", " start: ", " len: ", " width: ", " batch: ", " count: "];
    let (mut out, mut rest) = (String::new(), case);
    while let Some(c) = rest.chars().next() {
        let digit = c.is_ascii_digit() && GROWING.iter().any(|g| out.ends_with(g));
        let n = if digit { rest.chars().take_while(char::is_ascii_digit).count() } else { c.len_utf8() };
        out.push_str(if digit { "#" } else { &rest[..n] });
        rest = &rest[n..];
    }
    // Lists of tensors differ in length.
    match (out.find('['), out.rfind(']')) {
        (Some(a), Some(b)) if out.contains("Segment {") && b - a > 200 => format!("{}[...]{}", &out[..a], &out[b + 1..]),
        _ => out,
    }
}

/// What is the same for all sizes of a case, and the sizes.
type Line<'a> = (String, Vec<&'a Timing>);

/// A panel for each op that was timed at several sizes; `None` if there is no such op.
fn growth(timings: &[Timing]) -> Option<String> {
    let mut ops: Vec<(&str, Vec<Line>)> = Vec::new();
    for t in timings {
        if ops.last().is_none_or(|(op, _)| *op != t.op) && !ops.iter().any(|(op, _)| *op == t.op) {
            ops.push((&t.op, Vec::new()));
        }
        let (_, lines) = ops.iter_mut().find(|(op, _)| *op == t.op)?;
        let key = series(&t.case);
        match lines.iter_mut().find(|(k, _)| *k == key) {
            Some((_, line)) => line.push(t),
            None => lines.push((key, vec![t])),
        }
    }
    for (_, lines) in &mut ops {
        lines.retain(|(_, line)| line.len() > 1);
    }
    ops.retain(|(_, lines)| !lines.is_empty());
    if ops.is_empty() {
        return None;
    }
    let all = || ops.iter().flat_map(|(_, lines)| lines).flat_map(|(_, line)| line.iter().copied());
    let rows = ops.len().div_ceil(COLUMNS);
    let mut svg = Svg::new(PANEL[0] * COLUMNS as f64, PANEL[1] * rows as f64);
    for (i, (op, lines)) in ops.iter().enumerate() {
        let (left, top) = (PANEL[0] * (i % COLUMNS) as f64, PANEL[1] * (i / COLUMNS) as f64);
        let (right, bottom) = (left + PANEL[0] - MARGIN[2], top + PANEL[1] - MARGIN[3]);
        let x = Axis::log(all().map(|t| t.elements as f64), [left + MARGIN[0], right]);
        let y = Axis::log(all().flat_map(|t| [t.gb_per_s(), t.copy_gb_per_s()]), [bottom, top + MARGIN[1]]);
        svg.text([left + MARGIN[0], top + 17.0], Anchor::Start, "head", op);
        for (v, text) in y.ticks(4) {
            svg.line([left + MARGIN[0], y.at(v)], [right, y.at(v)], Pen(PALE, 1.0, ""));
            svg.text([left + MARGIN[0] - 5.0, y.at(v) + 4.0], Anchor::End, "tick", text);
        }
        svg.line([left + MARGIN[0], bottom], [right, bottom], Pen(INK, 1.0, ""));
        for (v, text) in x.ticks(4) {
            svg.text([x.at(v), bottom + 15.0], Anchor::Middle, "tick", text);
        }
        svg.text([right, bottom + 29.0], Anchor::End, "tick", "elements; GB/s");
        for (key, line) in lines {
            let mut line = line.clone();
            line.sort_by_key(|t| t.elements);
            let points = |of: fn(&Timing) -> f64| line.iter().map(|t| [x.at(t.elements as f64), y.at(of(t))]).collect::<Vec<_>>();
            svg.path(&points(Timing::copy_gb_per_s), Pen(GREY, 1.2, "1 3"));
            svg.path(&points(Timing::gb_per_s), Pen(BLUE, 1.6, dash(key)));
        }
    }
    let said = "A panel for each op: bandwidth over the number of elements, with that of the copy dotted.";
    Some(svg.finish("growth", "Growth with size", said))
}

/// Types by dashes.
fn dash(case: &str) -> &'static str {
    match () {
        () if case.contains("dtype: Bf16") => "2 3",
        () if case.contains("dtype: F16") => "7 3",
        () => "",
    }
}

fn table(timings: &[Timing]) -> String {
    let heads = ["elements", "time", "spread", "GB/s", "copy", "share", "dispatches"].map(Head::Number);
    let caption = "Time of one execution, bandwidth in GB/s beside the copy's";
    let mut table = Table::sortable(caption, &[&[Head::Text("case")][..], &heads].concat());
    for t in timings {
        table.row([
            short(&t.case).into(),
            t.elements.into(),
            Cell::of(time(t.seconds), t.seconds),
            percent(t.spread()).into(),
            significant(t.gb_per_s(), 3).into(),
            significant(t.copy_gb_per_s(), 3).into(),
            percent(t.share).into(),
            t.dispatches.into(),
        ]);
    }
    format!("<h2>Numbers</h2>\n{}", table.finish())
}

fn shorter(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_string() } else { text.chars().take(most - 1).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_a_case_are_one_line() {
        let case = |rows: u32, cols: u32| format!("LayerNorm {{ dtype: F32, rows: {rows}, cols: {cols}, eps: 1e-5 }}");
        assert_eq!(series(&case(4, 1024)), "LayerNorm { dtype: F32, rows: #, cols: 1024, eps: 1e-5 }");
        assert_eq!(series(&case(4, 1024)), series(&case(4096, 1024)));
        assert_ne!(series(&case(4, 1024)), series(&case(4, 16_384)));
        assert_eq!(series("Space { n: 21, c: 64, s: 3136 }"), "Space { n: #, c: #, s: # }");
    }
}
