//! `docs/from-frameworks.md` agrees with the table of ops, with the frameworks' signatures (`tests/golden/defaults.py`) and with the
//! names of the golden cases.
use crate::readme::{read, root};
use ridgepole::{ElasticNet, Group, Running, ops};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "docs/from-frameworks.md";
const MUST: &str = "must be given";

/// Theirs: for each function or class its parameters with their defaults.
fn signatures() -> BTreeMap<String, BTreeMap<String, Value>> {
    let file: Value = serde_json::from_str(&read("tests/golden/defaults/frameworks.json")).expect("JSON");
    let pins = read("tests/golden/requirements.txt");
    for (name, version) in file["versions"].as_object().expect("versions") {
        let package = if name == "sklearn" { "scikit-learn" } else { name };
        let pin = format!("{package}=={}", version.as_str().expect("text"));
        assert!(pins.lines().any(|l| l == pin), "the signatures are of {pin}, requirements.txt has another: run defaults.py");
    }
    serde_json::from_value(file["parameters"].clone()).expect("names, parameters and defaults")
}

/// The cells of a row, without the bars at both ends. Inside code there is no bar.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(row.split('|').map(str::trim).collect())
}

fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`').filter(|c| !c.contains('`'))
}

/// Equal as numbers, whatever their spelling.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn json(text: &str, at: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{at}: `{text}` is no JSON: {e}"))
}

/// Our default of a field, or of a field within one; none if it must be given.
fn ours(op: &ops::Entry, field: &str, at: &str) -> Option<Value> {
    let find = |name: &str| op.fields.iter().find(|f| f.name == name).unwrap_or_else(|| panic!("{at}: no field `{name}`"));
    let Some((outer, inner)) = field.split_once('.') else {
        let default = find(field).default;
        return (!default.is_empty()).then(|| json(default, at));
    };
    if find(outer).must_give.contains(&inner) {
        return None;
    }
    let whole = match (outer, op.name) {
        ("groups", "penalty" | "penalty_grad" | "prox") => serde_json::to_value(ElasticNet::default()),
        ("groups", _) => serde_json::to_value(Group::default()),
        ("running", _) => serde_json::to_value(Running::default()),
        _ => panic!("{at}: nothing is known of what is in `{outer}`"),
    };
    let pointer = format!("/{}", inner.replace('.', "/"));
    let whole = whole.expect("plain values");
    Some(whole.pointer(&pointer).unwrap_or_else(|| panic!("{at}: {whole} has no {inner}")).clone())
}

/// What a cell says of one framework: parameters with their defaults, none for those that must be given.
fn theirs<'a>(cell: &'a str, at: &str) -> Vec<(&'a str, Option<Value>)> {
    if cell == "–" {
        return vec![];
    }
    let one = |part: &'a str| {
        let part = part.trim();
        let (name, default) = part.strip_prefix('`').and_then(|p| p.split_once('`')).unwrap_or_else(|| panic!("{at}: {part}"));
        let default = default.trim();
        let value = code(default).map(|d| json(d, at));
        assert!(value.is_some() || default == MUST, "{at}: `{name}` has neither a default nor \"{MUST}\": {default}");
        (name, value)
    };
    cell.split(';').map(one).collect()
}

/// The default of `betas[0]` and the like.
fn parameter<'a>(all: &'a BTreeMap<String, Value>, name: &str, at: &str) -> &'a Value {
    let (plain, index) = match name.strip_suffix(']').and_then(|n| n.split_once('[')) {
        Some((plain, index)) => (plain, Some(index.parse::<usize>().expect("an index"))),
        None => (name, None),
    };
    let value = all.get(plain).unwrap_or_else(|| panic!("{at}: its signature has no `{plain}`"));
    index.map_or(value, |i| &value[i])
}

struct Table<'a> {
    heading: &'a str,
    /// The op; none for a command of the program.
    op: Option<&'static ops::Entry>,
    objects: Vec<&'a str>,
    rows: Vec<Vec<&'a str>>,
}

/// The tables whose second column is `here`, by the headings above them.
fn tables(page: &str) -> Vec<Table<'_>> {
    let (mut out, mut heading, mut within): (Vec<Table>, _, _) = (vec![], "", false);
    for line in page.lines() {
        if let Some(h) = line.strip_prefix('#') {
            (heading, within) = (h.trim_start_matches('#').trim(), false);
        }
        let Some(row) = cells(line) else {
            within = false;
            continue;
        };
        if row.len() > 3 && row[1] == "here" {
            let name = code(row[0]).unwrap_or_else(|| panic!("{line}: no op"));
            let op = ops::find(name);
            assert!(op.is_some() || name == "path", "`{name}` is no op");
            let objects: Vec<&str> = row[2..row.len() - 1].iter().filter_map(|c| code(c)).collect();
            assert_eq!(objects.len(), row.len() - 3, "{line}: a column without a name");
            out.push(Table { heading, op, objects, rows: vec![] });
            within = true;
        } else if within && !row[0].starts_with("---") {
            out.last_mut().expect("a header came first").rows.push(row);
        }
    }
    out
}

#[test]
fn defaults_are_those_of_the_code_and_of_the_frameworks() {
    let (page, signatures) = (read(PAGE), signatures());
    let (tables, mut compared) = (tables(&page), 0);
    for table in &tables {
        for row in &table.rows {
            assert_eq!(row.len(), table.objects.len() + 3, "{}: {row:?}", table.heading);
            let (at, remark) = (format!("{PAGE}, {}, {}", table.heading, row[0]), row[row.len() - 1]);
            let here = table.op.map(|op| {
                let field = code(row[0]).unwrap_or_else(|| panic!("{at}: no field"));
                let (due, said) = (ours(op, field, &at), code(row[1]).map(|c| json(c, &at)));
                assert!(said.is_some() || row[1] == MUST, "{at}: {}", row[1]);
                let equal = due.as_ref().zip(said.as_ref()).map_or(due.is_none() && said.is_none(), |(a, b)| same(a, b));
                assert!(equal, "{at}: the page says {}, the table of ops {due:?}", row[1]);
                due
            });
            for (object, cell) in table.objects.iter().zip(&row[2..]) {
                let all = signatures.get(*object).unwrap_or_else(|| panic!("{at}: defaults.py does not ask for {object}"));
                for (name, said) in theirs(cell, &at) {
                    let is = parameter(all, name, &at);
                    let required = is.get("required").is_some();
                    let right = said.as_ref().map_or(required, |s| !required && same(s, is));
                    assert!(right, "{at}: {object} has {name} = {is}, the page says {said:?}");
                    let differs = here.as_ref().is_some_and(|h| {
                        h.as_ref().zip(said.as_ref()).map_or(h.is_some() != said.is_some(), |(a, b)| !same(a, b))
                    });
                    assert!(!differs || !remark.is_empty(), "{at}: {object} differs, and no remark says what to do");
                    compared += 1;
                }
            }
        }
    }
    assert!(tables.len() > 25 && compared > 150, "the search for tables finds {} with {compared} defaults", tables.len());
}

/// The text below each heading.
fn sections(page: &str) -> BTreeMap<&str, String> {
    let (mut out, mut heading) = (BTreeMap::new(), "");
    for line in page.lines() {
        match line.strip_prefix('#') {
            Some(h) => heading = h.trim_start_matches('#').trim(),
            None => *out.entry(heading).or_insert_with(String::new) += &format!("{line}\n"),
        }
    }
    out
}

/// What is in code, without an index.
fn words(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).map(|c| c.split('[').next().unwrap_or(c)).collect()
}

#[test]
fn no_parameter_of_theirs_is_left_out() {
    let (page, signatures) = (read(PAGE), signatures());
    let (sections, mut missing, mut seen) = (sections(&page), vec![], BTreeSet::new());
    let optimizers = ops::FAMILIES.iter().find(|f| f.name == "optimizers").expect("a family");
    for table in tables(&page) {
        let mut said = words(&sections[table.heading]);
        for object in &table.objects {
            seen.insert(*object);
            if table.op.is_some_and(|op| optimizers.ops.iter().any(|o| o.name == op.name)) {
                said.extend(words(&sections["All optimizers"]));
            }
            let names = signatures[*object].keys().filter(|name| !said.contains(name.as_str()));
            missing.extend(names.map(|name| format!("{object}: {name}, below `{}`", table.heading)));
        }
    }
    missing.extend(signatures.iter().filter(|(n, all)| !all.is_empty() && !seen.contains(n.as_str())).map(|(n, _)| n.clone()));
    assert!(missing.is_empty(), "{PAGE} does not speak of\n{}", missing.join("\n"));
}

/// A row that says who computes the same names a golden case by that framework.
#[test]
fn what_is_the_same_is_held_by_a_golden_case() {
    let page = read(PAGE);
    let section = &sections(&page)["The same word, another thing"];
    let rows: Vec<Vec<&str>> = section.lines().filter_map(cells).skip(2).collect();
    assert!(rows.len() > 15, "the search for rows finds {}", rows.len());
    for row in rows {
        assert_eq!(row.len(), 3, "{row:?}");
        for case in row[2].split("; ") {
            let (file, rest) = case.split_once(": ").unwrap_or_else(|| panic!("no case: {case}"));
            let file = code(file).unwrap_or_else(|| panic!("no file: {case}"));
            let (name, by) =
                rest.strip_suffix(')').and_then(|r| r.rsplit_once(" (")).unwrap_or_else(|| panic!("by whom: {case}"));
            let golden: Value = serde_json::from_str(&read(&format!("tests/golden/{file}"))).expect("golden values");
            let cases = golden["cases"].as_array().expect("cases").iter().filter(|c| c["name"] == name);
            let made = cases.map(|c| c["frameworks"].to_string()).collect::<String>();
            assert!(!made.is_empty(), "{file} has no case named {name}");
            by.split(", ").for_each(|who| assert!(made.contains(who), "{file}, {name}: made by {made}, not by {who}"));
        }
    }
    assert!(root().join("cli/tests/golden/path.json").is_file());
}
