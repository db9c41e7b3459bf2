//! Each family of ops has a page in the documentation: what it is for, a runnable example, and a table of its ops that is generated
//! from the code. `RIDGEPOLE_BLESS=1 cargo test --test it families` rewrites the tables.
use ridgepole::ops;
use std::{fmt::Write, path::PathBuf};

const BEGIN: &str = "//! <!-- ops: generated, see tests/it/families.rs -->\n";
const END: &str = "//! <!-- /ops -->\n";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/ops").join(name)
}

fn read(name: &str) -> String {
    let text = std::fs::read_to_string(path(name)).unwrap_or_else(|e| panic!("src/ops/{name}: {e}"));
    text.replace("\r\n", "\n")
}

fn page(family: &ops::Family) -> String {
    read(&format!("{}/mod.rs", family.name))
}

/// The text of the page itself, without the marks of comments.
fn prose(source: &str) -> String {
    let lines = source.lines().map_while(|l| l.strip_prefix("//!"));
    lines.map(|l| format!("{}\n", l.strip_prefix(' ').unwrap_or(l))).collect()
}

/// A feature of each family, all of them in `families`, and none that is no family's.
#[test]
fn each_family_has_a_feature() {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).expect("the manifest");
    let features = manifest.split("\n[").find_map(|table| table.strip_prefix("features]\n")).expect("features");
    let (list, _) = features.split_once("\nfamilies = [").and_then(|(_, rest)| rest.split_once(']')).expect("all families");
    let mut listed: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    let mut names: Vec<&str> = ops::FAMILIES.iter().map(|f| f.name).collect();
    let features: Vec<&str> = features.lines().filter_map(|l| l.split_once(" = [")).map(|(name, _)| name).collect();
    assert_eq!(names.iter().find(|name| !features.contains(name)), None, "no feature of this name");
    listed.sort_unstable();
    names.sort_unstable();
    assert_eq!(listed, names, "the feature `families`");
}

/// A cell of a table: a bar inside code still ends a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The type of an op, by the line `op::Type` of its family's list; its own file declares it.
fn type_of(family: &ops::Family, source: &str, op: &str) -> String {
    let lines = source.lines().filter_map(|l| l.trim().strip_prefix(op)?.strip_prefix("::")?.strip_suffix(','));
    let [name] = lines.collect::<Vec<_>>()[..] else {
        panic!("src/ops/{}/mod.rs lists `{op}` not once", family.name);
    };
    let file = read(&format!("{}/{op}.rs", family.name));
    let declared = file
        .lines()
        .any(|l| l.trim().strip_prefix("pub struct ").is_some_and(|l| l == format!("{name} {{") || l == format!("{name} {{}}")));
    assert!(declared, "src/ops/{}/{op}.rs does not declare `pub struct {name}`", family.name);
    name.to_string()
}

fn ops_table(family: &ops::Family) -> String {
    let source = page(family);
    let mut out = String::from("//! | op | what it computes | formula |\n//! |---|---|---|\n");
    for e in family.ops {
        let (name, summary, formula) = (type_of(family, &source, e.name), cell(e.summary), cell(e.formula));
        writeln!(out, "//! | [`{name}`]<br>`{}` | {summary} | `{formula}` |", e.name).expect("a String takes all");
    }
    out
}

fn families_table() -> String {
    let mut out = String::from("//! | family | ops | what it is for |\n//! |---|---|---|\n");
    for f in ops::FAMILIES {
        let text = prose(&page(f));
        let first = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        writeln!(out, "//! | [`{}`] | {} | {} |", f.name, f.ops.len(), cell(&first)).expect("a String takes all");
    }
    out
}

/// Holds the table of a page against what it should be, or writes it.
fn compare(name: &str, due: &str) {
    let source = read(name);
    let (head, rest) = source.split_once(BEGIN).unwrap_or_else(|| panic!("src/ops/{name}: no line `{}`", BEGIN.trim()));
    let (table, tail) = rest.split_once(END).unwrap_or_else(|| panic!("src/ops/{name}: no line `{}`", END.trim()));
    let due = format!("//!\n{due}//!\n");
    if table == due {
        return;
    }
    let remedy = "RIDGEPOLE_BLESS=1 cargo test --test it families";
    let (is, should) = table.lines().zip(due.lines()).find(|(a, b)| a != b).unwrap_or(("fewer or more lines", ""));
    assert!(
        std::env::var_os("RIDGEPOLE_BLESS").is_some(),
        "src/ops/{name}: the table is stale: {remedy}\n  is:     {is}\n  should: {should}"
    );
    std::fs::write(path(name), format!("{head}{BEGIN}{due}{END}{tail}")).expect("the page can be written");
}

#[test]
fn the_tables_of_all_pages_are_those_of_the_code() {
    ops::FAMILIES.iter().for_each(|f| compare(&format!("{}/mod.rs", f.name), &ops_table(f)));
    compare("mod.rs", &families_table());
}

/// `cargo test --doc` runs what stands in such a block, so it is enough that there is one that does something.
#[test]
fn every_page_has_an_example_that_runs() {
    let named = |f: &ops::Family| (format!("{}/mod.rs", f.name), format!("ridgepole::ops::{}::", f.name));
    let pages = ops::FAMILIES.iter().map(named).chain([("mod.rs".into(), "ops::from_json(".into())]);
    for (name, uses) in pages {
        let text = prose(&read(&name));
        let blocks: Vec<[&str; 2]> =
            text.split("```").skip(1).step_by(2).filter_map(|b| b.split_once('\n').map(|(info, code)| [info, code])).collect();
        // With `no_run`, `ignore` or another language it would not run.
        let runs = |[info, code]: &[&str; 2]| {
            *info == "rust" && [&*uses, "Session::new()", ".run(", "assert"].iter().all(|part| code.contains(part))
        };
        assert!(blocks.iter().any(runs), "src/ops/{name}: no example (```rust) runs an op by `{uses}` and asserts its result");
    }
}

#[test]
fn a_summary_is_one_short_phrase() {
    let mut faults = Vec::new();
    for e in ops::all() {
        let (name, s) = (e.name, e.summary);
        if s.contains('\n') || s.trim() != s || s.ends_with('.') {
            faults.push(format!("{name}: is a phrase in one line, without a full stop: {s}"));
        }
        if !(10..=120).contains(&s.chars().count()) {
            faults.push(format!("{name}: has 10 to 120 characters: {s}"));
        }
        // A word with an underscore is the name of an op.
        for word in s.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| w.contains('_')) {
            if ops::find(word).is_none() {
                faults.push(format!("{name}: speaks of `{word}`, which is no op: {s}"));
            }
        }
    }
    assert!(faults.is_empty(), "summaries:\n{}", faults.join("\n"));
}
