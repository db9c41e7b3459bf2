//! The study from end to end: small ones, twice, and what the program says when it cannot.
use assert_cmd::Command;
use predicates::str::contains;
use std::path::Path;

fn study(args: &[&str], out: &Path) -> Command {
    let mut command = Command::cargo_bin("ridgepole").expect("the program was built");
    command.arg("study").args(args).arg("--out").arg(out);
    command
}

/// `results.json` without the times.
fn results(folder: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join("results.json")).expect("results.json was written");
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    value.as_object_mut().expect("an object").remove("times").expect("times are apart");
    value
}

#[test]
fn the_same_study_twice_gives_the_same_bits() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // An odd batch, several submissions an epoch (more than 16 steps), an incomplete batch left over.
    let args = ["--treatments", "l1-prox,combined", "--epochs", "3", "--seeds", "1", "--batch", "7", "--hidden", "16,8"];
    for folder in [&a, &b] {
        study(&args, folder.path()).assert().success().stdout(contains("dropout + BN + L2").and(contains("report.html")));
    }
    let (one, two) = (results(a.path()), results(b.path()));
    assert_eq!(one, two);
    let runs = |k: usize| &one["treatments"][k]["runs"];
    assert_eq!(runs(0).as_array().map(Vec::len), Some(1));
    assert_eq!(runs(1)[0]["curve"]["train_loss"].as_array().map(Vec::len), Some(3));
    let other = tempfile::tempdir().unwrap();
    study(&[&args[..], &["--seed", "2"]].concat(), other.path()).assert().success();
    assert_ne!(results(other.path())["treatments"], one["treatments"], "another seed is another study");
    // Nothing but the two files.
    let mut files: Vec<_> = std::fs::read_dir(a.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["report.html", "results.json"]);
}

use predicates::boolean::PredicateBooleanExt;

#[test]
fn a_network_learns_and_an_unregularized_one_overfits() {
    let out = tempfile::tempdir().unwrap();
    let args = ["--treatments", "none", "--epochs", "40", "--seeds", "1", "--train-rows", "100", "--batch", "25"];
    study(&args, out.path()).assert().success();
    let run = &results(out.path())["treatments"][0]["runs"][0];
    let score = |part: &str| run[part]["score"].as_f64().expect("a number");
    assert!(score("train") == 1.0, "training accuracy {}", score("train"));
    assert!((0.8..0.99).contains(&score("test")), "test accuracy {}", score("test"));
}

#[test]
fn anyones_table_is_studied_and_its_text_is_no_markup() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("a<b>&\"c\".csv");
    let mut text = String::from("u;v;<script>alert(1)</script>\n");
    for i in 0..120 {
        let (u, v) = (f64::from(i % 11) - 5.0, f64::from(i * 7 % 13) / 3.0);
        text += &format!("{u};{v};{}\n", 100.0 + 30.0 * u + 5.0 * u * v);
    }
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let label = "<script>alert(1)</script>";
    let args = ["--data", path, "--label", label, "--treatments", "none,l2", "--epochs", "60", "--seeds", "2", "--batch", "10"];
    study(&args, out.path()).assert().success().stdout(contains("train RMSE"));
    let json = results(out.path());
    assert_eq!(json["score"], "rmse");
    let [train, spread] = ["train", "test"].map(|p| json["treatments"][0][p]["mean"].as_f64().unwrap());
    assert!(train < 60.0 && spread < 90.0, "the target's own spread is about 100: {train}, {spread}");
    let html = std::fs::read_to_string(out.path().join("report.html")).unwrap();
    assert_eq!(html.matches("<script").count(), 1, "the page's own script, no other");
    assert!(!html.contains("<script>alert") && !html.contains("a<b>"), "the user's text became markup");
    assert!(html.contains("a&lt;b&gt;&amp;&quot;c&quot;.csv"));
    for outside in ["http", "src=", "@import", "url("] {
        assert!(!html.contains(outside), "the report refers to something outside: {outside}");
    }
    // Two of all treatments, two for each.
    assert_eq!(html.matches("<svg").count(), 2 + 2 * 2);
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
}

#[test]
fn what_does_not_fit_is_said_before_anything_runs() {
    let out = tempfile::tempdir().unwrap();
    let bad = |args: &[&str], why: &str| {
        study(args, out.path()).assert().code(2).stderr(contains(why));
    };
    bad(&["--p", "1.5"], "--p is 1.5, must be from 0 to 1");
    bad(&["--l1", "nan"], "--l1 is NaN, must be from 0 to 1e6");
    bad(&["--hidden", "10"], "--hidden is 10, must be multiples of 4 up to 8192");
    bad(&["--batch", "1"], "--batch is 1, must be from 2 to 8192");
    bad(&["--epochs", "0"], "--epochs is 0");
    bad(&["--seeds", "0"], "--seeds is 0");
    bad(&["--lr", "0"], "--lr is 0");
    bad(&["--treatments", "l1,l1"], "--treatments names l1 twice");
    bad(&["--treatments", "l3"], "invalid value 'l3'");
    bad(&["--train-rows", "1797"], "1797 rows are too few for 1797 to train with");
    bad(&["--data", "x.csv"], "--label");
    let file = out.path().join("bad.csv");
    std::fs::write(&file, "a,y\n1,0\n2\n").unwrap();
    bad(&["--data", file.to_str().unwrap(), "--label", "y"], "bad.csv: line 3: has 1 cells, the header has 2");
    bad(&["--mnist", out.path().to_str().unwrap()], "has neither train-images-idx3-ubyte nor");
    // A file where the folder should be.
    study(&["--epochs", "1"], &file).assert().code(2).stderr(contains("cannot create"));
}
