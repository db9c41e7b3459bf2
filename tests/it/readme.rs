//! The documents agree with the code. `RIDGEPOLE_BLESS=1 cargo test --test readme` rewrites the README's table of ops, and the Chinese
//! README's but for the descriptions in it.
use ridgepole::ops;
use std::{
    collections::BTreeSet,
    fmt::Write,
    path::{Path, PathBuf},
};

const BEGIN: &str = "<!-- ops: generated, see tests/readme.rs -->\n";
const CHINESE: &str = "README.zh-CN.md";
const CHINESE_BEGIN: &str = "<!-- ops: the descriptions are written here, the rest is generated, see tests/readme.rs -->\n";
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
    let top = ["README.md", CHINESE, "CHANGELOG.md", "CONTRIBUTING.md"].map(String::from);
    top.into_iter().chain(docs).collect()
}

/// A cell of a table: a bar inside code still ends a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// What stands before a table, the table, and what stands behind it.
fn around<'a>(text: &'a str, begin: &str) -> [&'a str; 3] {
    let (head, rest) = text.split_once(begin).expect("the README has the mark before the table");
    let (table, tail) = rest.split_once(END).expect("the README has the mark behind the table");
    [head, table, tail]
}

fn bless() -> bool {
    std::env::var_os("RIDGEPOLE_BLESS").is_some()
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
    let [head, old, tail] = around(&readme, BEGIN);
    if old == table() {
        return;
    }
    assert!(bless(), "the README's table of ops is stale: RIDGEPOLE_BLESS=1 cargo test --test readme");
    std::fs::write(root().join("README.md"), format!("{head}{BEGIN}{}{END}{tail}", table())).expect("the README can be written");
}

fn files(family: &ops::Family, op: &ops::Entry) -> [String; 2] {
    [format!("src/ops/{}/{}.rs", family.name, op.name), format!("shaders/{}/{}.wgsl", family.name, op.name)]
}

/// The row of an op in Chinese: only its description is of the document's own.
fn chinese_row(family: &ops::Family, op: &ops::Entry, description: &str) -> String {
    let [rust, wgsl] = files(family, op);
    format!("| `{}` | {description} | `{}` | [Rust]({rust}) · [WGSL]({wgsl}) |", op.name, cell(op.formula))
}

/// Name, description and the whole row, for each row that begins as that of an op.
fn chinese_rows(table: &str) -> Vec<[&str; 3]> {
    let rows = table.lines().filter_map(|row| {
        let (name, rest) = row.strip_prefix("| `")?.split_once("` |")?;
        Some([name, rest.split(" | ").next()?.trim(), row])
    });
    rows.collect()
}

/// The Chinese table as it should be, with the headings and descriptions that the old one has; the English ones, where it has none.
fn chinese_table(old: &str) -> String {
    let (mut out, rows) = (String::new(), chinese_rows(old));
    for family in ops::FAMILIES {
        let end = format!("（{}）", family.title);
        let heading = old.lines().find(|l| l.starts_with("### ") && l.ends_with(&end)).map_or(format!("### {end}"), String::from);
        write!(out, "{heading}\n\n| 算子 | 作用 | 公式 | 源码 |\n|---|---|---|---|\n").expect("a String takes all");
        for op in family.ops {
            let description = rows.iter().find(|r| r[0] == op.name).map_or(cell(op.summary), |r| r[1].to_string());
            writeln!(out, "{}", chinese_row(family, op, &description)).expect("a String takes all");
        }
        out.push('\n');
    }
    out
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[test]
fn the_chinese_table_of_ops_is_that_of_the_code() {
    let readme = read(CHINESE);
    let [head, mut old, tail] = around(&readme, CHINESE_BEGIN);
    let due = chinese_table(old);
    if bless() && old != due {
        let text = format!("{head}{CHINESE_BEGIN}{due}{END}{tail}");
        std::fs::write(root().join(CHINESE), text).expect("the README can be written");
        old = &due;
    }
    let (rows, mut faults) = (chinese_rows(old), Vec::new());
    for [name, ..] in &rows {
        if !ops::all().any(|op| op.name == *name) {
            faults.push(format!("`{name}` is no op: remove its row"));
        }
    }
    for family in ops::FAMILIES {
        if !old.lines().any(|l| l.ends_with(&format!("（{}）", family.title)) && is_chinese(l)) {
            faults.push(format!("the family has no Chinese heading: write `### ...（{}）`", family.title));
        }
        for op in family.ops {
            let (name, row) = (op.name, chinese_row(family, op, "..."));
            match rows.iter().filter(|r| r[0] == name).collect::<Vec<_>>()[..] {
                [] => faults.push(format!("`{name}` has no row: add it, described in Chinese\n  {row}")),
                [[_, text, is]] if *is != chinese_row(family, op, text) => {
                    faults.push(format!("the row of `{name}` has not the code's formula and links: mend it\n  {is}\n  {row}"));
                }
                [[_, text, _]] if !is_chinese(text) => faults.push(format!("`{name}` is not described in Chinese: describe it")),
                [_] => {}
                [..] => faults.push(format!("`{name}` has more than one row: keep one")),
            }
            for file in files(family, op).iter().filter(|f| !root().join(f).is_file()) {
                faults.push(format!("`{name}`: {file} is linked and is no file: an op has its files under its family and name"));
            }
        }
    }
    let misplaced = old.lines().zip(due.lines()).find(|(is, due)| is != due);
    if let (true, Some((is, due))) = (faults.is_empty(), misplaced) {
        faults.push(format!("the order is not that of the code; first\n  {is}\n  in the place of\n  {due}"));
    }
    let remedy = "RIDGEPOLE_BLESS=1 cargo test --test readme mends all but headings and descriptions";
    assert!(faults.is_empty(), "{CHINESE}, table of ops:\n{}\n{remedy}", faults.join("\n"));
    assert!(old == due, "{CHINESE}: the table of ops has lines too many or too few: {remedy}");
}

/// The sections of a README without its table of ops: code blocks, and the text between them.
fn sections(name: &str, begin: &str) -> Vec<(Vec<String>, String)> {
    let readme = read(name);
    let [head, _, tail] = around(&readme, begin);
    let split = |section: &str| {
        let parts: Vec<&str> = section.split("\n```").collect();
        assert!(parts.len() % 2 == 1, "{name}: a code block without an end");
        let part = |odd| parts.iter().skip(odd).step_by(2).map(ToString::to_string).collect::<Vec<_>>();
        (part(1), part(0).join("\n"))
    };
    format!("{head}{tail}").split("\n## ").map(split).collect()
}

/// What a text says in any language: code, targets of links, and words with a digit in them.
fn facts(text: &str) -> BTreeSet<String> {
    let code = text.split('`').skip(1).step_by(2).map(|c| format!("`{c}`"));
    let links = text.split("](").skip(1).filter_map(|t| t.split(')').next());
    let links = links.filter(|l| !l.starts_with("README")).map(String::from);
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').map(|w| w.trim_matches('.'));
    let numbers = words.filter(|w| w.contains(|c: char| c.is_ascii_digit())).map(String::from);
    code.chain(links).chain(numbers).collect()
}

/// A sentence that one language has and the other has not goes unseen only where it has none of the facts.
#[test]
fn the_chinese_readme_says_what_the_readme_says() {
    let (english, chinese) = (sections("README.md", BEGIN), sections(CHINESE, CHINESE_BEGIN));
    let mut faults = Vec::new();
    for ((blocks, text), (chinese_blocks, chinese_text)) in english.iter().zip(&chinese) {
        let titles = format!("`{}`, `{}`", text.lines().next().unwrap_or(""), chinese_text.lines().next().unwrap_or(""));
        for block in blocks.iter().filter(|b| !chinese_blocks.contains(b)) {
            faults.push(format!("{titles}: {CHINESE} has not this block of README.md, word by word:\n```{block}\n```"));
        }
        for block in chinese_blocks.iter().filter(|b| !blocks.contains(b)) {
            faults.push(format!("{titles}: README.md has not this block of {CHINESE}:\n```{block}\n```"));
        }
        let (due, said) = (facts(text), facts(chinese_text));
        for fact in due.difference(&said) {
            faults.push(format!("{titles}: README.md speaks of {fact}, {CHINESE} does not: translate it"));
        }
        // The Chinese text may explain what the blocks show.
        let (shown, blocks) = (facts(&blocks.join("\n")), blocks.join("\n"));
        for fact in said.difference(&due).filter(|f| !shown.contains(*f) && !blocks.contains(f.trim_matches('`'))) {
            faults.push(format!("{titles}: {CHINESE} speaks of {fact}, README.md does not: translate what it says now"));
        }
    }
    if english.len() != chinese.len() {
        faults.push(format!("README.md has {} sections, {CHINESE} has {}", english.len(), chinese.len()));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(english.iter().map(|s| s.0.len()).sum::<usize>() > 5, "the search for code blocks finds none");
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
