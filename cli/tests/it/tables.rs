//! Tables and images as people have them, in every command that reads them.
use crate::common::{command, files};
use assert_cmd::assert::Assert;
use predicates::{prelude::*, str::contains};
use std::path::Path;

/// A table of 60 rows: three features and what `y` gives for each row.
fn table(y: impl Fn(usize) -> String) -> String {
    let cell = |i: usize, k: usize| (i * k % 61) as f64 / 61.0 - 0.5;
    let row = |i: usize| format!("{:.4},{:.4},{:.4},{}\n", cell(i, 17), cell(i, 23), cell(i, 31), y(i));
    format!("a,b,c,y\n{}", (0..60).map(row).collect::<String>())
}

fn value(i: usize) -> String {
    format!("{:.3}", 4.0 + (i * 17 % 61) as f64 / 30.0)
}

/// `study`, `tune` or `path` on the table in `file`, as small as they come.
fn on(name: &str, file: &Path, more: &[&str], out: &Path) -> Assert {
    let file = file.to_str().unwrap();
    let small: &[[&str; 2]] = match name {
        "path" => &[["--folds", "3"], ["--lambdas", "3"]],
        "tune" => &[["--folds", "3"], ["--l2", "0"], ["--hidden", "8"], ["--epochs", "1"], ["--batch", "8"]],
        _ => &[["--treatments", "none"], ["--seeds", "1"], ["--hidden", "8"], ["--epochs", "1"], ["--batch", "8"]],
    };
    let data: &[&str] = if name == "path" { &[file, "--target", "y"] } else { &["--data", file, "--label", "y"] };
    let small = small.iter().filter(|[option, _]| !more.contains(option)).flatten();
    let args: Vec<&str> = data.iter().chain(small).chain(more).copied().collect();
    command(name, &args, out).assert()
}

const ALL: [&str; 3] = ["study", "tune", "path"];

fn first(text: &[u8]) -> String {
    String::from_utf8_lossy(text).lines().next().unwrap_or_default().to_string()
}

/// All three commands read `bytes`, say first what the target is, and have this to say of the rest.
fn read(bytes: &[u8], more: &[&str], target: &str, notice: Option<&str>) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t.csv");
    std::fs::write(&file, bytes).unwrap();
    for name in ALL {
        let out = dir.path().join(name);
        let done = on(name, &file, more, &out).success();
        let output = done.get_output().clone();
        assert!(first(&output.stderr).starts_with(target), "{name}: {}", first(&output.stderr));
        assert_eq!(first(&output.stdout), first(&output.stderr), "{name}");
        let said: Vec<String> =
            String::from_utf8_lossy(&output.stderr).lines().filter(|l| l.starts_with("notice")).map(String::from).collect();
        assert_eq!(said, notice.into_iter().map(String::from).collect::<Vec<_>>(), "{name}");
        // The page, its numbers, and the model; that of a network has its tensors beside it.
        assert_eq!(files(&out).len(), if name == "path" { 3 } else { 4 }, "{name}");
    }
}

/// All three commands refuse `bytes` before they begin.
fn refused(bytes: &[u8], more: &[&str], why: &str) {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("t.csv"), dir.path().join("out"));
    std::fs::write(&file, bytes).unwrap();
    for name in ALL {
        on(name, &file, more, &out).code(2).stdout("").stderr(contains(why));
        assert!(!out.exists(), "{name}: something was written");
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    std::io::Write::write_all(&mut to, bytes).unwrap();
    to.finish().unwrap()
}

#[test]
fn tables_of_many_kinds_are_read_by_all_commands() {
    let plain = table(value);
    let target = "target y: numbers from 4 to 6, 60 rows";
    // Decimal points keep semicolons, tabs and bars apart from the numbers.
    let quoted = plain.replacen("a,b", "\"a, cm, x\",b", 1);
    let semicolons: String = quoted
        .lines()
        .map(|l| if l.starts_with('"') { "\"a, cm, x\";b;c;y\n".into() } else { l.replace(',', ";") + "\n" })
        .collect();
    read(semicolons.as_bytes(), &[], target, None);
    let trailing = plain.replace('\n', ",\r");
    read(trailing.as_bytes(), &[], target, Some("notice: column 5 has no name and no values and is left out"));
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(plain.replace(',', "\t").encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let padded = [packed(&wide[..1000]), packed(&wide[1000..]), vec![0; 700]].concat();
    read(&padded, &[], target, None);
    let indexed: String = plain
        .lines()
        .enumerate()
        .map(|(i, l)| if i == 0 { format!(":{}\n", l.replace(',', ":")) } else { format!("{}:{}\n", i - 1, l.replace(',', ":")) })
        .collect();
    let notice = "notice: column 1 has no name and numbers the rows; it is left out (give it a name to keep it)";
    read(indexed.as_bytes(), &["--delimiter", ":"], target, Some(notice));
}

#[test]
fn a_target_is_never_decided_by_a_few_cells() {
    for odd in ["NA", "?", "<3.0", "\"6,095.9\"", ""] {
        let with = |y: fn(usize) -> String| table(|i| if i == 9 { odd.to_string() } else { y(i) });
        refused(with(value).as_bytes(), &[], "t.csv: line 11: column \"y\" is ");
    }
    // No model of numbers, these.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t.csv");
    for (y, classes) in [
        ((|i| ["0.0", "1.0"][i % 2].into()) as fn(usize) -> String, "target y: 2 classes, 0 (30 rows), 1 (30 rows)"),
        (|i| ["1", "1.0", "2"][i % 3].into(), "target y: 2 classes, 1 (40 rows), 2 (20 rows)"),
    ] {
        std::fs::write(&file, table(y)).unwrap();
        for name in ["study", "tune"] {
            on(name, &file, &[], &dir.path().join("out")).success().stderr(predicates::str::starts_with(classes));
        }
        on("path", &file, &["--model", "logistic"], &dir.path().join("out"))
            .success()
            .stderr(predicates::str::starts_with(classes));
        std::fs::write(&file, table(|i| if i == 9 { "NA".into() } else { y(i) })).unwrap();
        let why = contains("t.csv: line 11: column \"y\" is missing (\"NA\"): ");
        on("study", &file, &[], &dir.path().join("out")).code(2).stderr(why.clone().and(contains("--task classify")));
        on("path", &file, &["--model", "logistic"], &dir.path().join("out")).code(2).stderr(why);
    }
    let forced = on("study", &file, &["--task", "classify"], &dir.path().join("out")).success();
    forced.stderr(contains("\"NA\" is a class of its own, in 1 rows, as asked for"));
}

#[test]
fn features_of_any_size_are_standardized_before_they_are_rounded() {
    // The same numbers in other units give the same results, and so does a large offset.
    let dir = tempfile::tempdir().unwrap();
    let rmse = |unit: f64, offset: f64| {
        let file = dir.path().join("t.csv");
        let row = |i: usize| {
            let a = (i * 17 % 61) as f64;
            format!("{:e},{:e},{}\n", a * unit + offset, (i * 23 % 61) as f64 * unit, a / 60.0 - 0.5)
        };
        std::fs::write(&file, format!("a,b,y\n{}", (0..60).map(row).collect::<String>())).unwrap();
        let out = dir.path().join("out");
        on("study", &file, &["--epochs", "30"], &out).success();
        on("path", &file, &[], &out).success();
        let text = std::fs::read_to_string(out.join("results.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["treatments"][0]["test"]["mean"].as_f64().unwrap()
    };
    let plain = rmse(1.0, 0.0);
    for (unit, offset) in [(1e-49, 0.0), (1e100, 0.0), (2f64.powi(-900), 0.0), (1.0, 1.7e9)] {
        let other = rmse(unit, offset);
        assert!((other / plain - 1.0).abs() < 1e-3, "unit {unit:e}, offset {offset:e}: {other}, plainly {plain}");
    }
}

#[test]
fn a_column_without_a_difference_in_the_training_rows_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t.csv");
    // One row alone has another value: in the fold that holds it out, and wherever it is no training row, the column is constant.
    let row = |i: usize| format!("{},{},{}\n", i * 17 % 61, u8::from(i == 7), i % 10);
    std::fs::write(&file, format!("a,once,y\n{}", (0..60).map(row).collect::<String>())).unwrap();
    let notice = || {
        contains("notice: column \"once\" (fold").and(contains("has one value in the training rows there, and is left out there"))
    };
    on("tune", &file, &["--task", "regress"], &dir.path().join("out")).success().stderr(notice());
    on("path", &file, &[], &dir.path().join("out")).success().stderr(notice());
    let some =
        on("study", &file, &["--seeds", "8", "--train-rows", "20", "--task", "regress"], &dir.path().join("out")).success();
    some.stderr(contains("notice: column \"once\" (seed"));
}

#[test]
fn an_input_has_a_limit() {
    let plain = table(value);
    refused(plain.as_bytes(), &["--max-input", "1Ki"], "more than 1Ki bytes: --max-input raises the limit");
    refused(
        &packed(&vec![b'1'; 3 << 20]),
        &["--max-input", "2Mi"],
        "it unpacks to more than 2Mi bytes: --max-input raises the limit",
    );
    refused(plain.as_bytes(), &["--max-input", "0"], "must be a number of bytes from 1 on");
    refused(plain.as_bytes(), &["--delimiter", "ab"], "must be one ASCII character");
    refused(b"a,y\n1,\0\n", &[], "line 2: has a NUL character");
    refused(b"a,y\n\xe9,1\n", &[], "line 2: is not UTF-8 text (byte 0xe9");
    #[cfg(unix)]
    for name in ALL {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        on(name, Path::new("/dev/zero"), &["--max-input", "1Mi"], &out).code(2).stderr(contains("it has more than 1Mi bytes"));
        on(name, dir.path(), &[], &out).code(2).stderr(contains("it is a directory, must be a file"));
    }
    let dir = tempfile::tempdir().unwrap();
    for name in ALL {
        command(name, &["--delimiter", ";"], dir.path())
            .assert()
            .code(2)
            .stderr(contains("--delimiter says how a table is read"));
    }
}

#[test]
fn classes_of_images_are_the_labels_that_occur() {
    let dir = tempfile::tempdir().unwrap();
    for (part, rows) in [("train", 60), ("test", 20)] {
        let of = |i: usize| [0, 2, 5][i % 3];
        let pixels: Vec<u8> = (0..rows * 16).map(|i| (of(i / 16) * 40 + i * 7 % 50) as u8).collect();
        let head =
            |magic: u32, sizes: &[u32]| std::iter::once(&magic).chain(sizes).flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>();
        let write = |kind: &str, head: Vec<u8>, body: Vec<u8>| {
            std::fs::write(dir.path().join(format!("emnist-few-{part}-{kind}-ubyte.gz")), packed(&[head, body].concat()))
                .unwrap();
        };
        write("images-idx3", head(0x803, &[rows as u32, 4, 4]), pixels);
        // One label of the test part is in no training image.
        let labels = (0..rows).map(|i| if part == "test" && i == 0 { 9 } else { of(i) as u8 }).collect();
        write("labels-idx1", head(0x801, &[rows as u32]), labels);
    }
    let set = dir.path().join("emnist-few");
    let args = ["--mnist", set.to_str().unwrap(), "--hidden", "8", "--epochs", "1", "--batch", "8"];
    let unseen = "label \"9\" occurs in the test part only";
    let out = dir.path().join("out");
    let study = command("study", &[&args[..], &["--treatments", "none", "--seeds", "1"]].concat(), &out).assert().success();
    study.stderr(
        predicates::str::starts_with("target label: 4 classes, 0 (26 rows), 2 (27 rows), 5 (26 rows), 9 (1 row)")
            .and(contains(unseen)),
    );
    let tune = command("tune", &[&args[..], &["--folds", "2", "--l2", "0"]].concat(), &out).assert().success();
    tune.stderr(predicates::str::starts_with("target label: 3 classes, 0 (20 rows), 2 (20 rows), 5 (20 rows)"));
    let text = std::fs::read_to_string(out.join("tune.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["data"]["classes"], serde_json::json!(["0", "2", "5"]));
}

/// Names of megabytes, hostile besides, are shown by their beginning and length, and kept in the files for programs.
#[test]
fn long_names_are_short_in_lines_and_whole_in_files() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t.csv");
    let long = |c: &str| format!("{c}\u{1b}[31m<b>\u{202e}{}", c.repeat(1 << 20));
    let (feature, [p, q]) = (long("f"), ["p", "q"].map(long));
    for (y, model) in [(None, "linear"), (Some([&p, &q]), "logistic")] {
        let row = |i: usize| {
            let y = y.map_or_else(|| value(i), |names| if i < 2 { names[i].clone() } else { ["r", "s"][i % 2].into() });
            format!("{},{},{y}\n", i * 17 % 61, i * 23 % 61)
        };
        // Two classes are all that a logistic model takes.
        let rows = if y.is_some() { 0..2 } else { 0..60 };
        let twice = if y.is_some() { 30 } else { 1 };
        let rows: String = (0..twice).flat_map(|_| rows.clone().map(row).collect::<Vec<_>>()).collect();
        std::fs::write(&file, format!("{feature},b,y\n{rows}")).unwrap();
        for name in ALL {
            let out = dir.path().join(format!("{name} {model}"));
            let more: &[&str] = if name == "path" { &["--model", model] } else { &[] };
            let done = on(name, &file, more, &out);
            let output = done.get_output().clone();
            let [said, printed] = [&output.stderr, &output.stdout].map(|text| String::from_utf8_lossy(text).into_owned());
            assert!(said.len() < 10_000 && printed.len() < 20_000, "{name}: {} and {} bytes", said.len(), printed.len());
            assert!(!said.contains(['\u{1b}', '\u{202e}']) && !printed.contains(['\u{1b}', '\u{202e}']), "{name}");
            if y.is_some() {
                assert!(said.contains("pppp\"... (1048586 characters)"), "{name}: {said}");
            }
            if output.status.success() {
                for page in files(&out).into_iter().filter(|page| !page.ends_with(".safetensors")) {
                    let text = std::fs::read_to_string(out.join(&page)).unwrap();
                    let markup = page.ends_with("html") && text.contains("<b>\\");
                    assert!(!text.contains(['\u{1b}', '\u{202e}']) && !markup, "{name}: {page}");
                    if page.ends_with("json") && y.is_some() {
                        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
                        let classes = match (page.as_str(), name) {
                            ("model.json", _) => &json["target"]["classes"],
                            (_, "path") => &json["classes"],
                            _ => &json["data"]["classes"],
                        };
                        assert_eq!(classes, &serde_json::json!([p, q]), "{name}");
                    }
                }
            }
        }
    }
    // Where they are wrong, too.
    std::fs::write(&file, format!("{feature},{feature},y\n1,{p},2\n")).unwrap();
    for name in ALL {
        let done = on(name, &file, &[], &dir.path().join("no")).code(2);
        let text = String::from_utf8_lossy(&done.get_output().stderr).into_owned();
        assert!(text.len() < 5000 && text.contains("pppp\"... (1048586 characters), must be a number"), "{name}: {text:.3000}");
    }
}
