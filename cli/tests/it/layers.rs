//! The folders of `src` are layers: a command imports no other command, what commands share imports no command, and modules side by
//! side, at the top or within a folder, import each other in one direction only.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const COMMANDS: [&str; 9] = ["bench", "check", "devices", "ops", "path", "race", "run", "study", "tune"];

/// `["commands", "tune", "search"]`; the root is empty.
type Module = Vec<String>;

/// A path in a file.
struct Found {
    by: Module,
    file: String,
    path: Vec<String>,
    /// The name by which `by` then has it, if it is imported.
    name: Option<String>,
}

/// From which module to which there is an import, and in which files.
type Edges = BTreeMap<(Module, Module), BTreeSet<String>>;

/// Identifiers, `::`, and single characters otherwise; no comments and no literals, in which anything may stand.
fn tokens(text: &str) -> Vec<String> {
    let c: Vec<char> = text.chars().collect();
    let at = |i: usize| c.get(i).copied().unwrap_or('\0');
    let word = |ch: char| ch.is_alphanumeric() || ch == '_';
    let (mut i, mut out) = (0, Vec::new());
    while i < c.len() {
        let start = i;
        match at(i) {
            '/' if at(i + 1) == '/' => i += c[i..].iter().position(|&ch| ch == '\n').unwrap_or(c.len() - i),
            '"' => {
                i += 1;
                while i < c.len() && at(i) != '"' {
                    i += if at(i) == '\\' { 2 } else { 1 };
                }
                i += 1;
            }
            'r' if at(i + 1) == '"' || at(i + 1) == '#' && (at(i + 2) == '#' || at(i + 2) == '"') => {
                let hashes = c[i + 1..].iter().take_while(|&&ch| ch == '#').count();
                let end = |j: &usize| at(*j) == '"' && c[j + 1..].iter().take_while(|&&ch| ch == '#').count() >= hashes;
                i = (i + hashes + 2..c.len()).find(end).map_or(c.len(), |j| j + 1 + hashes);
            }
            '\'' if at(i + 1) == '\\' => i += 4 + c[i + 3..].iter().position(|&ch| ch == '\'').unwrap_or(0),
            '\'' if at(i + 2) == '\'' => i += 3,
            ch if word(ch) => {
                i += c[i..].iter().take_while(|&&ch| word(ch)).count();
                out.push(c[start..i].iter().collect());
            }
            ':' if at(i + 1) == ':' => {
                i += 2;
                out.push("::".into());
            }
            ch => {
                i += 1;
                if !ch.is_whitespace() {
                    out.push(ch.into());
                }
            }
        }
    }
    out
}

/// All paths of a use tree that begins at token `i`, each with the name that it introduces; and the token behind it.
fn tree(tokens: &[String], mut i: usize, prefix: &[String], out: &mut Vec<(Module, String)>) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(i).map_or("", String::as_str) {
            "::" => i += 1,
            "{" => {
                i += 1;
                while tokens.get(i).is_some_and(|t| t != "}") {
                    i = tree(tokens, i, &path, out);
                    match tokens.get(i).map_or("", String::as_str) {
                        "," => i += 1,
                        "}" => {}
                        other => panic!("a use tree has {other:?} behind {path:?}"),
                    }
                }
                return i + 1;
            }
            "as" => {
                out.push((path, tokens[i + 1].clone()));
                return i + 2;
            }
            "," | "}" | ";" | "" => {
                let name = path.last().cloned().unwrap_or_default();
                out.push((path, name));
                return i;
            }
            // Of `module::{self, item}`.
            "self" if !prefix.is_empty() => i += 1,
            word => {
                path.push(word.into());
                i += 1;
            }
        }
    }
}

/// The modules within a file, and all paths in it that can lead to another.
fn scan(file: &str, module: Module, text: &str, modules: &mut BTreeSet<Module>, out: &mut Vec<Found>) {
    let tokens = tokens(text);
    // Of each module that is open: how deep in braces it ends.
    let (mut by, mut ends, mut depth, mut i) = (module, Vec::new(), 0, 0);
    while i < tokens.len() {
        let next = |k: usize| tokens.get(i + k).map_or("", String::as_str);
        let mut paths = Vec::new();
        match next(0) {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if ends.last() == Some(&depth) {
                    ends.pop();
                    by.pop();
                }
            }
            "mod" if next(2) == "{" => {
                by.push(next(1).into());
                modules.insert(by.clone());
                ends.push(depth);
                depth += 1;
                i += 2;
            }
            // Not the captures of `impl Trait + use<>`.
            "use" if next(1) != "<" => i = tree(&tokens, i + 1, &[], &mut paths),
            "crate" | "super" | "self" if next(1) == "::" => {
                let words =
                    (0..).step_by(2).take_while(|k| *k == 0 || next(k - 1) == "::" && next(*k).starts_with(char::is_alphabetic));
                paths.push((words.map(|k| next(k).to_string()).collect(), String::new()));
                i += 1;
            }
            _ => {}
        }
        let found = |(path, name): (_, String)| Found {
            by: by.clone(),
            file: file.into(),
            path,
            name: (!["", "*"].contains(&name.as_str())).then_some(name),
        };
        out.extend(paths.into_iter().map(found));
        i += 1;
    }
}

/// The path from the root on; `None` if it begins with another crate.
fn absolute(modules: &BTreeSet<Module>, by: &[String], path: &[String]) -> Option<Module> {
    let climbs = path.iter().take_while(|p| *p == "super").count();
    let base: &[String] = match path.first()?.as_str() {
        "crate" => &[],
        "self" | "super" => &by[..by.len() - climbs],
        first if modules.contains(&[by, &[first.to_string()]].concat()) => return Some([by, path].concat()),
        _ => return None,
    };
    Some([base, &path[climbs.max(1)..]].concat())
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

fn graph(src: &Path) -> (BTreeSet<Module>, Edges) {
    let (mut all, mut modules, mut found) = (Vec::new(), BTreeSet::new(), Vec::new());
    files(src, &mut all);
    for path in &all {
        let file = path.strip_prefix(src).expect("below src");
        let mut module: Module = file.with_extension("").iter().map(|p| p.to_str().expect("UTF-8").into()).collect();
        if ["mod", "lib", "main"].contains(&module[module.len() - 1].as_str()) {
            module.pop();
        }
        modules.insert(module.clone());
        let text = fs::read_to_string(path).expect("readable");
        scan(&file.display().to_string(), module, &text, &mut modules, &mut found);
    }
    let found: Vec<(Found, Module)> =
        found.into_iter().filter_map(|f| absolute(&modules, &f.by, &f.path).map(|to| (f, to))).collect();
    // Names that a module has of another: who takes them from there depends on where they come from.
    let mut passed_on: BTreeMap<Module, &Module> = BTreeMap::new();
    for (f, to) in &found {
        if let Some(name) = &f.name {
            let here = [&f.by[..], std::slice::from_ref(name)].concat();
            if !modules.contains(&here) && here != *to {
                passed_on.insert(here, to);
            }
        }
    }
    let mut edges = Edges::new();
    for (f, to) in &found {
        let mut to = to.clone();
        while let Some((n, home)) = (1..=to.len()).find_map(|n| passed_on.get(&to[..n]).map(|home| (n, *home))) {
            to = [&home[..], &to[n..]].concat();
        }
        let len = (0..=to.len()).rev().find(|&n| modules.contains(&to[..n])).expect("the root is a module");
        edges.entry((f.by.clone(), to[..len].to_vec())).or_default().insert(f.file.clone());
    }
    (modules, edges)
}

/// In one folder: which of its modules imports which, and in which files.
type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The imports of a circle, if there is one.
fn circle(arrows: &Arrows) -> Option<String> {
    let mut left = arrows.clone();
    // Whoever imports none of those that are left is on no circle.
    while let Some(leaf) = left.iter().find(|(_, to)| !to.keys().any(|t| left.contains_key(t))).map(|(name, _)| name.clone()) {
        left.remove(&leaf);
    }
    let mut path = vec![left.keys().next()?];
    loop {
        let next = left[path[path.len() - 1]].keys().find(|t| left.contains_key(*t)).expect("each imports one that is left");
        let first = path.iter().position(|p| *p == next);
        path.push(next);
        if let Some(first) = first {
            let step = |pair: &[&String]| {
                let files: Vec<&str> = left[pair[0]][pair[1]].iter().map(String::as_str).collect();
                format!("{} imports {} ({})", pair[0], pair[1], files.join(", "))
            };
            return Some(path[first..].windows(2).map(step).collect::<Vec<_>>().join(", "));
        }
    }
}

#[test]
fn imports_have_one_direction() {
    let (modules, edges) = graph(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let commands: Vec<&str> = modules.iter().filter(|m| m.len() == 2 && m[0] == "commands").map(|m| m[1].as_str()).collect();
    assert_eq!(commands, COMMANDS, "a module of `commands` for each subcommand");
    assert!(modules.len() > 80 && edges.len() > 200, "{} modules, {} imports: read wrongly", modules.len(), edges.len());
    let mut wrong = Vec::new();
    let mut folders: BTreeMap<Module, Arrows> = BTreeMap::new();
    for ((by, to), files) in &edges {
        let common = by.iter().zip(to).take_while(|(a, b)| a == b).count();
        let place = files.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match (by.get(common), to.get(common)) {
            (Some(a), Some(b)) if by[..common] == ["commands"] => {
                wrong.push(format!("{place}: the command {a} imports another, {b}"));
            }
            (Some(a), Some(b)) if common == 0 && b == "commands" => {
                wrong.push(format!("{place}: {a} is for all commands and imports {}", to.join("::")));
            }
            (Some(a), Some(b)) => {
                let arrows = folders.entry(by[..common].to_vec()).or_default();
                arrows.entry(a.clone()).or_default().entry(b.clone()).or_default().extend(files.iter().cloned());
            }
            // A module may import its own folder's `mod.rs`, but nothing imports the list of commands or the root.
            (Some(_), None) if to.is_empty() || *to == ["commands"] => {
                wrong.push(format!(
                    "{place}: imports from `{}`, which is above it",
                    if to.is_empty() { "lib.rs" } else { "commands" }
                ));
            }
            _ => {}
        }
    }
    for (folder, arrows) in &folders {
        if let Some(steps) = circle(arrows) {
            wrong.push(format!("a circle in src/{}: {steps}", folder.join("/")));
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}
