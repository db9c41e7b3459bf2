//! A command imports no other command, what commands share imports no command, and nothing imports what lies above it; the modules of
//! the program, and the files of a folder, import each other in one direction only.
#[path = "../../../tests/layers/sources.rs"]
#[allow(dead_code, reason = "the library's test uses all of it")]
mod sources;

use sources::{Need, Sources, cycles};
use std::path::Path;

const COMMANDS: [&str; 11] = ["bench", "check", "devices", "lower", "ops", "path", "predict", "race", "run", "study", "tune"];

/// The module of a file at the top of `src`, or its command.
fn module(file: &str) -> String {
    let file = file.trim_end_matches(".rs");
    let parts = if file.starts_with("commands/") { 2 } else { 1 };
    file.split('/').take(parts).collect::<Vec<_>>().join("/")
}

/// Where the subcommands are listed and begun.
fn above(module: &str) -> bool {
    ["lib", "main", "commands/mod"].contains(&module)
}

fn faults(needs: &[Need]) -> Vec<String> {
    let mut out = Vec::new();
    for n in needs {
        let (from, to) = (module(&n.from), module(&n.to));
        let why = match (from.starts_with("commands/"), to.starts_with("commands/")) {
            _ if above(&from) || from == to => continue,
            _ if above(&to) => "which is above it",
            (true, true) => "which is another command",
            (false, true) => "which is a command, and it is for all of them",
            _ => continue,
        };
        out.push(format!("{} imports {}, {why}", n.from, n.path));
    }
    // Modules as wholes, then files.
    let whole = |n: &Need| Need { from: module(&n.from), to: module(&n.to), module: false, ..n.clone() };
    let modules: Vec<Need> = needs.iter().map(whole).filter(|n| n.from != n.to && !above(&n.from)).collect();
    // A folder's files may import what its `mod.rs` defines, and that begins them.
    let own = |n: &&Need| n.to.strip_suffix("mod.rs").is_some_and(|folder| n.from.starts_with(folder));
    let files: Vec<Need> = needs.iter().filter(|n| !own(n)).cloned().collect();
    for circle in cycles(&modules).into_iter().chain(cycles(&files)) {
        out.push(format!("a circle: {}", circle.join(", ")));
    }
    out
}

#[test]
fn imports_have_one_direction() {
    let sources = Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let (needs, lost) = (sources.needs(), sources.lost());
    assert!(lost.is_empty(), "this test cannot follow {} paths, so it reads wrongly:\n{}", lost.len(), lost.join("\n"));
    assert!(sources.len() > 80 && needs.len() > 500, "{} files, {} imports: it reads wrongly", sources.len(), needs.len());
    let mut commands: Vec<String> = needs.iter().map(|n| module(&n.from)).filter(|m| m.starts_with("commands/")).collect();
    commands.sort();
    commands.dedup();
    commands.retain(|m| !above(m));
    assert_eq!(commands, COMMANDS.map(|c| format!("commands/{c}")), "a module of `commands` for each subcommand");
    let wrong = faults(&needs);
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_fault_of_each_kind_is_named() {
    let planted_all = |planted: &[(&str, &str)]| {
        let right = [
            ("lib.rs", "pub mod commands; mod error; mod svg; mod html; pub use error::Failure; pub use commands::Command;"),
            ("commands/mod.rs", "mod study; mod tune; pub enum Command { Study(study::Args) }"),
            ("commands/study.rs", "use crate::{Failure, svg}; pub struct Args; fn f() -> Failure { svg::draw() }"),
            ("commands/tune/mod.rs", "mod search; use search::Search; fn f(of: Search) {}"),
            ("commands/tune/search.rs", "use crate::html::page; pub struct Search; fn f() { page() }"),
            ("error.rs", "pub struct Failure;"),
            ("svg.rs", "use crate::Failure; pub fn draw() -> Failure { Failure }"),
            ("html.rs", "use crate::svg::draw; pub fn page() { draw() }"),
            ("commands/tune/grid.rs", "pub struct Grid;"),
        ];
        let more = |(file, text): (&str, &str)| {
            let extra = planted.iter().filter(|(f, _)| *f == file).map(|(_, t)| *t);
            (file.to_string(), std::iter::once(text).chain(extra).collect::<Vec<_>>().join("\n"))
        };
        faults(&Sources::of(right.map(more)).needs())
    };
    let planted = |file, text| planted_all(&[(file, text)]);
    assert_eq!(planted("", ""), [""; 0]);
    let command = planted("commands/tune/search.rs", "use crate::commands::study::Args;");
    assert_eq!(command, ["commands/tune/search.rs imports crate::commands::study::Args, which is another command"]);
    assert_eq!(
        planted("commands/tune/search.rs", "fn g() { super::super::study::Args; }").len(),
        1,
        "in code, by a relative path"
    );
    assert!(planted("svg.rs", "fn g() { crate::commands::study::Args; }")[0].ends_with("it is for all of them"));
    assert!(planted("svg.rs", "use crate::Command;")[0].ends_with("which is above it"));
    assert_eq!(planted("svg.rs", "use crate::html;\nfn g() { html::page() }")[0], "a circle: html, svg");
    assert_eq!(planted("commands/tune/search.rs", "fn g() { super::f() }"), [""; 0], "a folder's own module");
    let grid = ("commands/tune/grid.rs", "use super::search::Search; fn g(of: Search) {}");
    assert_eq!(planted_all(&[grid]), [""; 0], "one direction");
    let both = planted_all(&[grid, ("commands/tune/search.rs", "use super::grid::Grid; fn g(of: Grid) {}")]);
    assert_eq!(both, ["a circle: commands/tune/grid.rs, commands/tune/search.rs"]);
}
