//! The documents agree with the code. `RIDGEPOLE_BLESS=1 cargo test --test readme` rewrites the README's table of ops.
use ridgepole::ops;
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

const BEGIN: &str = "<!-- ops: generated, see tests/readme.rs -->\n";
const END: &str = "<!-- /ops -->";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    text.replace("\r\n", "\n")
}

/// Every document that a reader is sent to.
fn documents() -> Vec<String> {
    let docs = ["docs", "docs/numerics"].into_iter().flat_map(|dir| {
        let files = std::fs::read_dir(root().join(dir)).expect("the folder is there");
        let names = files.map(|e| e.expect("readable").file_name().into_string().expect("UTF-8"));
        names.filter(|n| n.ends_with(".md")).map(move |n| format!("{dir}/{n}"))
    });
    let top = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(String::from);
    top.into_iter().chain(docs).collect()
}

/// A cell of a table: a bar inside code still ends a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn table() -> String {
    let mut out = String::new();
    for family in ops::FAMILIES {
        write!(out, "### {}\n\n| op | what it does | formula |\n|---|---|---|\n", family.title).expect("a String takes all");
        for e in family.ops {
            writeln!(out, "| `{}` | {} | `{}` |", e.name, cell(e.summary), cell(e.formula)).expect("a String takes all");
        }
        out.push('\n');
    }
    out
}

#[test]
fn the_table_of_ops_is_that_of_the_code() {
    let readme = read("README.md");
    let (head, rest) = readme.split_once(BEGIN).expect("the README has the mark before the table");
    let (old, tail) = rest.split_once(END).expect("the README has the mark behind the table");
    if old == table() {
        return;
    }
    assert!(
        std::env::var_os("RIDGEPOLE_BLESS").is_some(),
        "the README's table of ops is stale: RIDGEPOLE_BLESS=1 cargo test --test readme"
    );
    std::fs::write(root().join("README.md"), format!("{head}{BEGIN}{}{END}{tail}", table())).expect("the README can be written");
}

#[test]
fn every_op_has_its_paragraph_on_numerics() {
    for family in ops::FAMILIES {
        let file = format!("docs/numerics/{}.md", family.name);
        let text = read(&file);
        let said: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("## `")?.strip_suffix('`')).collect();
        for e in family.ops {
            assert!(said.contains(&e.name), "{file} has no heading for `{}`", e.name);
        }
        for name in said {
            assert!(family.ops.iter().any(|e| e.name == name), "{file} describes `{name}`, which is no op of the family");
        }
    }
}

#[test]
fn every_link_to_a_file_leads_somewhere() {
    let mut links = 0;
    for name in documents() {
        let (text, path) = (read(&name), root().join(&name));
        let folder: PathBuf = path.parent().expect("a file is in a folder").into();
        for target in text.split("](").skip(1).filter_map(|t| t.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") {
                links += 1;
                assert!(folder.join(file).exists(), "{name}: `{target}` leads nowhere");
            }
        }
    }
    assert!(links > 5, "the search for links finds none");
}

/// A code block behind the line `<!-- from FILE -->` is an excerpt: its lines stand in FILE in the same order, one after the
/// other; a line `...` or `// ...` leaves some out. Indentation may differ.
#[test]
fn every_excerpt_is_what_the_file_says() {
    let mut excerpts = 0;
    for name in documents() {
        let text = read(&name);
        for part in text.split("<!-- from ").skip(1) {
            let (file, rest) = part.split_once(" -->\n```").unwrap_or_else(|| panic!("{name}: an excerpt without a block"));
            let block = rest.split_once('\n').and_then(|(_, t)| t.split_once("\n```")).expect("a block ends").0;
            let source = read(file);
            let source: Vec<&str> = source.lines().map(str::trim).collect();
            let (mut at, mut free) = (0, true);
            for line in block.lines().map(str::trim) {
                if line == "..." || line == "// ..." {
                    free = true;
                    continue;
                }
                let found = source[at..].iter().position(|l| *l == line).map(|n| at + n);
                match found {
                    Some(n) if free || n == at => at = n + 1,
                    _ => panic!("{name}: the excerpt of {file} differs at: {line}"),
                }
                free = false;
            }
            excerpts += 1;
        }
    }
    assert!(excerpts > 3, "the search for excerpts finds none");
}
