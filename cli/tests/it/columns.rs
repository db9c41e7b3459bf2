//! Columns as people have them, in every command that reads tables: text, codes, missing values, folds and groups.
use crate::common::command;
use assert_cmd::assert::Assert;
use predicates::{prelude::*, str::contains};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const ALL: [&str; 3] = ["study", "tune", "path"];

/// A folder and a table in it.
struct Place(tempfile::TempDir);

impl Place {
    fn of(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("t.csv"), text).unwrap();
        Self(dir)
    }

    fn out(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `study`, `tune` or `path` on the table, as small as they come.
    fn run(&self, name: &str, more: &[&str]) -> Assert {
        self.into(name, more, name)
    }

    fn into(&self, name: &str, more: &[&str], out: &str) -> Assert {
        let file = self.0.path().join("t.csv");
        let file = file.to_str().unwrap();
        let small: &[&str] = match name {
            "path" => &["--lambdas", "3"],
            "tune" => &["--l2", "0", "--hidden", "8", "--epochs", "1", "--batch", "8"],
            _ => &["--treatments", "none", "--seeds", "2", "--hidden", "8", "--epochs", "1", "--batch", "8"],
        };
        let folds: &[&str] = if name == "study" || more.contains(&"--fold-column") { &[] } else { &["--folds", "3"] };
        let data: &[&str] =
            if name == "path" { &[file, "--target", "y"] } else { &["--data", file, "--label", "y", "--task", "regress"] };
        let args: Vec<&str> = [data, small, folds, more].concat();
        command(name, &args, &self.out(out)).assert()
    }

    fn json(&self, name: &str) -> Value {
        let file = match name {
            "path" => "path.json",
            "tune" => "tune.json",
            _ => "results.json",
        };
        serde_json::from_str(&std::fs::read_to_string(self.out(name).join(file)).unwrap()).unwrap()
    }

    /// All commands accept it and say all of this; the tables that they describe, without means.
    fn described(&self, more: &[&str], said: &[&str]) -> Vec<Value> {
        let one = |name: &&str| {
            let done = self.run(name, more).success();
            let text = String::from_utf8_lossy(&done.get_output().stderr).into_owned();
            said.iter().for_each(|what| assert!(text.contains(what), "{name}: no {what:?} in\n{text}"));
            let mut table = self.json(name)["table"].clone();
            for feature in table["features"].as_array_mut().unwrap() {
                assert_eq!(feature.as_object_mut().unwrap().remove("mean").is_some(), *name == "path");
            }
            table
        };
        ALL.iter().map(one).collect()
    }

    /// All commands refuse it before they begin.
    fn refused(&self, more: &[&str], why: &str) {
        for name in ALL {
            self.into(name, more, "refused").code(2).stdout("").stderr(contains(why));
            assert!(!self.out("refused").exists(), "{name}: something was written");
        }
    }
}

/// 60 rows of a city, whether a member, a code, a number, and what `cell` makes of each.
fn table(cell: impl Fn(usize, &str, String) -> String) -> String {
    let cities = ["Bern", "Lima", "Oslo"];
    let row = |i: usize| {
        let city = cities[i * i % 7 % 3];
        let member = ["no", "yes"][i * 5 % 7 % 2];
        let code = [3, 10, 7][i * 11 % 13 % 3];
        let y = (i * i % 7 % 3) as f64 * 2.0 + (i * 17 % 61) as f64 / 30.0;
        let of = |name: &str, text: String| cell(i, name, text);
        let cells = [of("city", city.into()), of("member", member.into()), of("code", code.to_string())];
        format!("{},{},{}\n", cells.join(","), of("a", (i * 23 % 61).to_string()), of("y", format!("{y:.3}")))
    };
    format!("city,member,code,a,y\n{}", (0..60).map(row).collect::<String>())
}

fn plain() -> String {
    table(|_, _, text| text)
}

#[test]
fn text_and_codes_become_indicator_columns_with_their_levels() {
    let all = Place::of(&plain());
    all.refused(
        &[],
        "t.csv: line 2: column \"city\" is \"Bern\", must be a number (--categorical auto makes indicator columns of text)",
    );
    let said = [
        "notice: column \"city\" has 3 levels, an indicator column each: Bern (",
        "notice: column \"member\" has 2 levels, one indicator column, of yes: no (",
    ];
    let features = |code: bool| {
        let mut all: Vec<Value> = ["Bern", "Lima", "Oslo"]
            .iter()
            .enumerate()
            .map(|(i, l)| json!({"name": format!("city={l}"), "column": 0, "level": i}))
            .collect();
        all.push(json!({"name": "member=yes", "column": 1, "level": 1}));
        if code {
            all.extend([3, 7, 10].iter().enumerate().map(|(i, l)| json!({"name": format!("code={l}"), "column": 2, "level": i})));
        } else {
            all.push(json!({"name": "code", "column": 2}));
        }
        all.push(json!({"name": "a", "column": 3}));
        all
    };
    for (option, code) in [("auto", false), ("auto,code", true), ("city,member", false), ("code, member,city", true)] {
        for table in all.described(&["--categorical", option], &said) {
            assert_eq!(table["features"], json!(features(code)), "{option}");
            assert_eq!(
                table["columns"][0],
                json!({"name": "city", "kind": "category", "levels": ["Bern", "Lima", "Oslo"], "missing": 0})
            );
            let kind = if code {
                json!({"name": "code", "kind": "category", "levels": ["3", "7", "10"], "missing": 0})
            } else {
                json!({"name": "code", "kind": "number", "missing": 0})
            };
            assert_eq!((&table["columns"][2], &table["missing"]), (&kind, &json!("refuse")), "{option}");
        }
    }
    let named = all.json("path")["columns"].clone();
    assert_eq!(named[0], "city=Bern");
    for (option, why) in [
        ("town", "t.csv: line 1: no column is called \"town\" (--categorical); there are: \"city\", \"member\""),
        ("y", "--categorical names \"y\", the column to predict ("),
        ("city,city", "names \"city\" twice"),
        ("", "must be auto, or names of columns"),
    ] {
        all.refused(&["--categorical", option], why);
    }
}

#[test]
fn what_auto_cannot_know_is_an_error() {
    let text = table(|i, name, text| if name == "city" { format!("city {i}") } else { text });
    let many = text.clone() + &(60..66).map(|i| format!("city {i},no,3,{i},{i}\n")).collect::<String>();
    Place::of(&many).refused(
        &["--categorical", "auto"],
        "t.csv: column \"city\" has 66 distinct values, and --categorical auto takes at most 64",
    );
    // Named, it is taken. One of up to 64 values is taken too, with a word where no row has the value of another.
    let all = Place::of(&many).described(&["--categorical", "auto,city"], &["column \"city\" has 66 levels"]);
    assert_eq!(all[0]["columns"][0]["levels"].as_array().map(Vec::len), Some(66));
    Place::of(&text).described(&["--categorical", "auto"], &["notice: column \"city\" has another value in every row"]);
    // A misspelt number makes no category of a column of numbers.
    let odd = table(|i, name, text| if name == "a" && i == 7 { "3O".into() } else { text });
    let all = Place::of(&odd);
    all.refused(&["--categorical", "auto"], "t.csv: line 9: column \"a\" is \"3O\", must be a number; the column holds numbers (with its name behind --categorical each text is a level)");
    all.described(&["--categorical", "auto,a"], &["notice: column \"a\" has 60 levels"]);
    // Levels that are equal as numbers are one.
    let codes = table(|i, name, text| if name == "code" && i % 2 == 0 { format!("{text}.0") } else { text });
    let all = Place::of(&codes).described(&["--categorical", "auto,code"], &["are one level, 3", "are one level, 10"]);
    assert_eq!(all[2]["columns"][2]["levels"], json!(["3", "7", "10"]));
}

#[test]
fn missing_values_are_refused_filled_or_left_out_with_a_word() {
    let gap = |i: usize, name: &str| matches!((i, name), (4 | 9, "a") | (9 | 11, "city") | (20, "code"));
    let text = table(|i, name, text| if gap(i, name) { ["", "NA", "?"][i % 3].into() } else { text });
    let all = Place::of(&text);
    all.refused(
        &["--categorical", "auto"],
        "t.csv: line 6: column \"a\" is missing (\"NA\"): fill in or remove rows with missing values first, or see --missing",
    );
    let filled =
        "notice: 3 missing cells filled in with the column's mean in the training rows: 1 in column \"code\", 2 in column \"a\"";
    let level = "notice: 2 missing cells taken for a level of its own: 2 in column \"city\"";
    for table in all.described(&["--categorical", "auto", "--missing", "mean"], &[filled, level]) {
        assert_eq!(
            table["columns"][0],
            json!({"name": "city", "kind": "category", "levels": ["Bern", "Lima", "Oslo", null], "missing": 2})
        );
        assert_eq!(table["features"][3], json!({"name": "city=(missing)", "column": 0, "level": 3}));
        assert_eq!((&table["columns"][3]["missing"], &table["missing"]), (&json!(2), &json!("mean")));
    }
    // The mean of the other rows, with as many rows as before.
    let path = all.json("path");
    let others: Vec<f64> = (0..60).filter(|i| ![4, 9].contains(i)).map(|i| f64::from(i * 23 % 61)).collect();
    let mean = path["table"]["features"][6]["mean"].as_f64().unwrap();
    assert!((mean - others.iter().sum::<f64>() / 58.0).abs() < 1e-12 && path["rows"] == 60, "{mean}");
    let dropped = "notice: 4 rows lack values and are left out, lines 6, 11, 13, 22: 2 in column \"city\", 1 in column \"code\", 2 in column \"a\"";
    for table in all.described(&["--categorical", "auto", "--missing", "drop-rows"], &[dropped]) {
        assert_eq!((&table["dropped_lines"], &table["missing"]), (&json!([6, 11, 13, 22]), &json!("drop-rows")));
    }
    assert_eq!(all.json("tune")["data"]["rows"], 56);
    // A target is never filled in.
    let target = Place::of(&table(|i, name, text| if name == "y" && i == 3 { "n/a".into() } else { text }));
    let why = "t.csv: line 5: column \"y\" is missing (\"n/a\"): fill in or remove rows with missing values first, or leave them out with --missing drop-rows";
    target.refused(&["--categorical", "auto", "--missing", "mean"], why);
    target.described(
        &["--categorical", "auto", "--missing", "drop-rows"],
        &["notice: 1 row lacks values and is left out, line 5: 1 in column \"y\""],
    );
    // A column without any value is left out, and drops no row.
    let empty = Place::of(&table(|_, name, text| if name == "a" { "NA".into() } else { text }));
    for policy in ["mean", "drop-rows"] {
        let all = empty.described(
            &["--categorical", "auto", "--missing", policy],
            &["notice: column \"a\" has no value in any row and is left out"],
        );
        assert_eq!((&all[0]["columns"][3], &all[0]["dropped_lines"]), (&Value::Null, &json!([])));
    }
    let none = Place::of(&table(|i, name, text| if name == ["a", "code"][i % 2] { String::new() } else { text }));
    none.refused(
        &["--categorical", "auto", "--missing", "drop-rows"],
        "t.csv: every row has a missing value, most of them 30 in column \"a\": --missing drop-rows leaves no row",
    );
    // Words that are neither missing nor numbers stay errors.
    let odd = Place::of(&table(|i, name, text| if name == "a" && i == 7 { "<3".into() } else { text }));
    odd.refused(&["--categorical", "auto", "--missing", "mean"], "line 9: column \"a\" is \"<3\", must be a number");
}

#[test]
fn folds_and_groups_are_those_of_a_column() {
    let key = |i: usize| (i * 7 + i / 9) % 12;
    let with = |fold: &dyn Fn(usize) -> String| {
        let rows = plain().lines().skip(1).enumerate().map(|(i, l)| format!("{l},g{},{}\n", key(i), fold(i))).collect::<String>();
        Place::of(&format!("city,member,code,a,y,who,part\n{rows}"))
    };
    let all = with(&|i| ["b", "a", "c", "d"][key(i) % 4].into());
    let text = ["--categorical", "auto"];
    for name in ["tune", "path"] {
        all.run(name, &[&text[..], &["--fold-column", "part", "--group-column", "who"]].concat()).success();
        let json = all.json(name);
        let expected: Vec<usize> = (0..60).map(|i| [1, 0, 2, 3][key(i) % 4]).collect();
        assert_eq!(json["folds"], json!(expected), "{name}");
        assert_eq!(
            (&json["table"]["fold_column"]["name"], &json["table"]["fold_column"]["values"]),
            (&json!("part"), &json!(["a", "b", "c", "d"]))
        );
        let features = json["table"]["features"].as_array().unwrap();
        assert!(features.iter().all(|f| !["who", "part"].contains(&f["name"].as_str().unwrap())), "a key became a feature");
        // Groups alone, in folds of 20 rows each: twelve groups of five rows.
        all.run(name, &["--categorical", "auto,part", "--group-column", "who"]).success();
        let folds = all.json(name)["folds"].clone();
        let of: Vec<u64> = folds.as_array().unwrap().iter().map(|f| f.as_u64().unwrap()).collect();
        (0..60).for_each(|i| assert_eq!(of[i], of[(0..60).find(|j| key(*j) == key(i)).unwrap()], "{name}, row {i}"));
        let sizes: Vec<usize> = (0..3).map(|f| of.iter().filter(|o| **o == f).count()).collect();
        assert!(sizes.iter().all(|n| (18..=22).contains(n)), "{name}: {sizes:?}");
        let bad = |more: &[&str], why: &str| {
            all.run(name, &[&["--categorical", "auto,part"], more].concat()).code(2).stdout("").stderr(contains(why));
        };
        bad(
            &["--group-column", "member"],
            "column \"member\" (--group-column) has 2 groups, fewer than --folds, 3: each fold needs one",
        );
        bad(&["--fold-column", "nobody"], "no column is called \"nobody\" (--fold-column)");
        bad(&["--fold-column", "y"], "--fold-column names \"y\", the column to predict (");
        bad(&["--fold-column", "part"], "--categorical names \"part\", which is no feature, since --fold-column names it too");
        all.run(name, &["--categorical", "auto", "--fold-column", "part", "--folds", "4"])
            .code(2)
            .stderr(contains("cannot be used with"));
        all.run(name, &["--categorical", "auto", "--fold-column", "part", "--group-column", "member"])
            .code(2)
            .stderr(contains("group \"yes\" of column \"member\" (--group-column) is in folds "));
    }
    all.run("study", &["--categorical", "auto", "--group-column", "who"])
        .success()
        .stderr(contains("notice: groups of column \"who\" stay together, which makes "));
    all.run("study", &["--categorical", "auto", "--fold-column", "part"])
        .code(2)
        .stderr(contains("unexpected argument '--fold-column'"));
    // Missing keys are never filled in.
    let gaps = with(&|i| if i == 5 { "?".into() } else { ["a", "b"][i % 2].into() });
    let options = ["--categorical", "auto", "--fold-column", "part", "--missing"];
    let why = "t.csv: line 7: column \"part\" is missing (\"?\"): fill in or remove rows with missing values first, or leave them out with --missing drop-rows (--fold-column says it of every row)";
    gaps.run("path", &[&options[..], &["mean"]].concat()).code(2).stderr(contains(why));
    gaps.run("path", &[&options[..], &["drop-rows"]].concat())
        .success()
        .stderr(contains("left out, line 7: 1 in column \"part\""));
}

#[test]
fn a_fold_or_a_group_without_a_class_is_named() {
    let rows = (0..60)
        .map(|i| format!("{},{},{},{}\n", i * 17 % 61, i % 4, i % 5, if i % 4 == 3 { i / 4 % 2 } else { 0 }))
        .collect::<String>();
    let all = Place::of(&format!("a,part,who,y\n{rows}"));
    let file = all.out("t.csv");
    let run = |name: &str, more: &[&str]| {
        let data: &[&str] = if name == "path" {
            &[file.to_str().unwrap(), "--target", "y", "--model", "logistic"]
        } else {
            &["--data", file.to_str().unwrap(), "--label", "y", "--task", "classify"]
        };
        command(name, &[data, more].concat(), &all.out("no")).assert()
    };
    for name in ["tune", "path"] {
        run(name, &["--fold-column", "part"]).code(2).stderr(contains(
            "t.csv: fold \"0\" of column \"part\" (--fold-column) has no row of class \"1\" of column \"y\": each fold needs one",
        ));
        run(name, &["--group-column", "part", "--folds", "2"]).code(2).stderr(contains(
            "t.csv: class \"1\" of column \"y\" is in 1 group of column \"part\" (--group-column), fewer than --folds, 2",
        ));
    }
    assert!(!all.out("no").exists());
}

#[test]
fn a_level_that_training_rows_lack_is_named() {
    let text = table(|i, name, text| if name == "city" && i == 30 { "Rome".into() } else { text });
    let all = Place::of(&text);
    let lacks = || {
        contains("notice: level \"city=Rome\" (fold")
            .and(contains("has no training row there: all indicators that are learned there are 0 in its rows"))
    };
    for name in ["tune", "path"] {
        all.run(name, &["--categorical", "auto"]).success().stderr(lacks());
    }
}

/// What `tune` prints gives a shell the same options, whatever the columns are called, and trains the same networks.
#[cfg(unix)]
#[test]
fn the_printed_command_reads_the_table_in_the_same_way() {
    let text = plain()
        .replacen("city,member", "\"the city, 'x'\",-m", 1)
        .lines()
        .enumerate()
        .map(|(i, l)| format!("{l},{}\n", if i == 0 { "$who".into() } else { (i % 9).to_string() }))
        .collect::<String>();
    let all = Place::of(&text);
    let options = ["--categorical=\"the city, 'x'\",-m", "--missing", "mean", "--group-column", "$who"];
    all.run("tune", &options).success();
    let json = all.json("tune");
    let line = json["settings"][0]["command"].as_str().unwrap();
    assert!(line.contains(r#" --categorical '"the city, '\''x'\''",-m' --missing mean --group-column '$who'"#), "{line}");
    let program = assert_cmd::cargo::cargo_bin("ridgepole");
    let again = all.out("again");
    let script = format!("\"$0\" {} --out \"$1\"", line.strip_prefix("ridgepole ").unwrap());
    let status = std::process::Command::new("sh").arg("-c").arg(script).arg(program).arg(&again).status().unwrap();
    assert!(status.success());
    let again: Value = serde_json::from_str(&std::fs::read_to_string(again.join("tune.json")).unwrap()).unwrap();
    assert_eq!((&again["settings"], &again["table"]), (&json["settings"], &json["table"]));
}

#[test]
fn without_a_table_nothing_is_said_of_columns() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["study", "tune"] {
        for option in ["--categorical=auto", "--missing=mean", "--group-column=a"] {
            let why = contains(" says how the columns of a table are read, but none is given");
            command(name, &[option], &dir.path().join("out")).assert().code(2).stderr(why);
            command(name, &[option, "--mnist", "there"], &dir.path().join("out"))
                .assert()
                .code(2)
                .stderr(contains("cannot be used with"));
        }
    }
    // The data of `path` are a table.
    command("path", &["--categorical", "sex", "--lambdas", "2", "--folds", "2"], &dir.path().join("out"))
        .assert()
        .success()
        .stderr(contains("column \"sex\" has 2 levels, one indicator column, of 2"));
}

/// Indicators by pandas, paths by scikit-learn (`tests/golden/columns.py`): the features by name, means, coefficients within 1e-4 of the
/// largest at each strength, errors of cross-validation in the folds that a column names, and the λ chosen.
#[test]
fn paths_of_a_mixed_table_are_those_of_pandas_and_scikit_learn() {
    let golden: Value = serde_json::from_str(include_str!("../golden/columns.json")).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/columns.csv");
    let floats = |v: &Value| v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<f64>>();
    let names: Vec<&str> = golden["features"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    for case in golden["cases"].as_array().unwrap() {
        let dir = tempfile::tempdir().unwrap();
        let grid = floats(&case["lambdas"]).iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        let ratio = case["l1_ratio"].as_f64().unwrap().to_string();
        let options =
            ["--categorical", "auto,code", "--missing", "mean", "--fold-column", "fold", "--grid", &grid, "--l1-ratio", &ratio];
        command("path", &[&[file.to_str().unwrap(), "--target", "y"], &options[..]].concat(), dir.path()).assert().success();
        let json: Value = serde_json::from_str(&std::fs::read_to_string(dir.path().join("path.json")).unwrap()).unwrap();
        assert_eq!(json["columns"], golden["features"]);
        for (feature, mean) in json["table"]["features"].as_array().unwrap().iter().zip(floats(&golden["means"])) {
            assert!((feature["mean"].as_f64().unwrap() / mean - 1.0).abs() < 1e-12, "{feature}: pandas says {mean}");
        }
        let wanted = case["coefficients"].as_array().unwrap().iter().zip(floats(&case["cv_mean"]));
        for (fit, (coefficients, cv)) in json["path"].as_array().unwrap().iter().zip(wanted) {
            let (got, want) = (floats(&fit["standardized"]), floats(coefficients));
            let largest = want.iter().fold(0.0, |m: f64, b| m.max(b.abs()));
            for ((got, want), name) in got.iter().zip(&want).zip(&names) {
                let at = format!("l1_ratio {ratio}, λ {}, {name}: got {got}, scikit-learn says {want}", fit["lambda"]);
                assert!((got - want).abs() <= 1e-4 * largest && (*got == 0.0) == (*want == 0.0), "{at}");
            }
            let mean = fit["cv_mean"].as_f64().unwrap();
            assert!(
                (mean - cv).abs() <= 1e-5 * cv,
                "l1_ratio {ratio}, λ {}: error {mean}, scikit-learn says {cv}",
                fit["lambda"]
            );
        }
        assert_eq!(json["best"]["lambda"], case["cv_best"]);
    }
}
