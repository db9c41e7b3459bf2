//! The part of `docs/ops.md` that describes fields, made from the table of ops.
use ridgepole::{
    op::{Choice, Field, Kind},
    ops,
};
use std::{collections::BTreeMap, fmt::Write};

/// A cell of a table: a bar inside code still ends a cell, and what looks like a tag or a mark of emphasis is text.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*")
}

/// What is held, with a link to the type if it has a name; the named types are collected.
fn kind(of: &'static Kind, named: &mut BTreeMap<&'static str, &'static Kind>) -> String {
    match of {
        Kind::Bool => "true or false".into(),
        Kind::Whole { .. } => "whole number".into(),
        Kind::Number => "number".into(),
        Kind::Optional { of } => format!("{} or null", kind(of, named)),
        Kind::List { of, len } => {
            let (count, of) = (len.map(|n| format!("{n} ")).unwrap_or_default(), kind(of, named));
            let plural = if of.ends_with("number") { "s" } else { "" };
            format!("list of {count}{of}{plural}")
        }
        Kind::Object { name: "", fields, .. } => {
            let one = |f: &'static Field| {
                let text = [Some(kind(&f.kind, named)), range(&f.range.to_string()), default(f, false)];
                format!("`{}`: {} ({})", f.name, f.about, text.into_iter().flatten().collect::<Vec<_>>().join(", "))
            };
            format!("object of {}", fields.iter().map(one).collect::<Vec<_>>().join("; "))
        }
        Kind::Object { name, .. } | Kind::Choice { name, .. } => {
            if named.insert(name, of).is_none() {
                // Those within, for pages of their own.
                match of {
                    Kind::Object { fields, .. } => fields.iter().for_each(|f| drop(kind(&f.kind, named))),
                    Kind::Choice { choices, .. } => choices.iter().filter_map(|c| c.holds).for_each(|k| drop(kind(k, named))),
                    _ => {}
                }
            }
            format!("[{name}](#{})", name.to_lowercase())
        }
        other => panic!("{other:?} has no words here"),
    }
}

fn range(words: &str) -> Option<String> {
    Some(words.to_string()).filter(|w| !w.is_empty())
}

fn default(f: &Field, must: bool) -> Option<String> {
    (!f.default.is_empty() && !must).then(|| format!("default `{}`", f.default))
}

fn rows(fields: &'static [Field], named: &mut BTreeMap<&'static str, &'static Kind>) -> String {
    let mut out = String::from("| field | holds | default | what it is |\n|---|---|---|---|\n");
    for f in fields {
        let mut holds = kind(&f.kind, named);
        holds.extend(range(&f.range.to_string()).map(|w| format!(", {w}")));
        let within = |names: &[&str]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        holds.extend((!f.only.is_empty()).then(|| format!(": {}", within(f.only))));
        holds.extend((!f.must_give.is_empty()).then(|| format!(", with {}", within(f.must_give))));
        let default = if f.default.is_empty() { "must be given".to_string() } else { format!("`{}`", f.default) };
        writeln!(out, "| `{}` | {} | {default} | {} |", f.name, cell(&holds), cell(f.about)).expect("a String takes all");
    }
    out
}

fn choices(all: &'static [Choice], named: &mut BTreeMap<&'static str, &'static Kind>) -> String {
    let mut out = String::from("| choice | holds | what it means |\n|---|---|---|\n");
    for c in all {
        let mut holds = c.holds.map(|k| kind(k, named)).unwrap_or_default();
        holds.extend(range(&c.range.to_string()).map(|w| format!(", {w}")));
        writeln!(out, "| `{}` | {} | {} |", c.name, cell(&holds), cell(c.about)).expect("a String takes all");
    }
    out
}

/// The whole part.
pub fn section() -> String {
    let mut named = BTreeMap::new();
    let mut out = String::from(
        "## Fields\n\nThe fields of each op, in Rust and in JSON. A number is 0, or normal and finite in f32. A choice is its name in \
         JSON, or an object with its name and what it holds. `ridgepole ops NAME` says the same, and `ridgepole ops --json` as JSON \
         Schema.\n\n",
    );
    for e in ops::all() {
        write!(out, "### `{}`\n\n{}\n", e.name, rows(e.fields, &mut named)).expect("a String takes all");
    }
    out += "## Values of fields\n\n";
    let mut done = Vec::new();
    // Describing one may name others.
    while let Some((name, of)) = named.clone().into_iter().find(|(name, _)| !done.contains(name)) {
        done.push(name);
        let (about, table) = match of {
            Kind::Object { about, fields, .. } => (about, rows(fields, &mut named)),
            Kind::Choice { about, choices: all, .. } => (about, choices(all, &mut named)),
            other => panic!("{other:?} has no name"),
        };
        write!(out, "### {name}\n\n{}\n\n{table}\n", cell(about)).expect("a String takes all");
    }
    out
}
