//! `ridgepole tune` from end to end, and what it says when it cannot.
use crate::common::{self, command, files, numbers};
use assert_cmd::Command;
use predicates::{boolean::PredicateBooleanExt, str::contains};
use std::{path::Path, time::Duration};

fn tune(args: &[&str], out: &Path) -> Command {
    command("tune", args, out)
}

fn results(folder: &Path) -> serde_json::Value {
    numbers(folder, "tune.json", "times")
}

/// Small enough for a test: 4 settings, 3 folds, both kinds of network.
const SMALL: [&str; 14] = [
    "--rows",
    "240",
    "--folds",
    "3",
    "--hidden",
    "16,8",
    "--epochs",
    "6",
    "--p",
    "0,0.3",
    "--batch-norm",
    "off,on",
    "--patience",
    "2",
];

#[test]
fn numbers_do_not_depend_on_how_many_are_trained_together() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    for (folder, together) in folders.iter().zip(["1", "4", "1000"]) {
        let args = [&SMALL[..], &["--together", together]].concat();
        tune(&args, folder.path())
            .assert()
            .success()
            .stdout(contains("best:   ridgepole tune --rows 240").and(contains("tune.html")));
        assert_eq!(
            files(folder.path()),
            ["model.json", "model.safetensors", "tune.html", "tune.json"],
            "nothing but these files"
        );
    }
    let all = folders.each_ref().map(|f| results(f.path()));
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0], all[2]);
    let json = &all[0];
    assert_eq!(json["settings"].as_array().map(Vec::len), Some(4));
    assert_eq!(json["folds"].as_array().map(Vec::len), Some(240));
    assert_eq!(json["settings"][3]["folds"].as_array().map(Vec::len), Some(3));
    let other = tempfile::tempdir().unwrap();
    tune(&[&SMALL[..], &["--seed", "2"]].concat(), other.path()).assert().success();
    assert_ne!(results(other.path())["folds"], json["folds"], "another seed draws other folds");
}

#[test]
fn the_command_of_a_setting_trains_it_again() {
    let (all, one) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    tune(&SMALL, all.path()).assert().success();
    let json = results(all.path());
    let best = &json["settings"][json["best"].as_u64().unwrap() as usize];
    let command = best["command"].as_str().unwrap();
    let args: Vec<&str> = command.strip_prefix("ridgepole tune ").expect("it is a command").split(' ').collect();
    tune(&args, one.path()).assert().success();
    let again = results(one.path());
    assert_eq!(again["settings"][0]["setting"], best["setting"]);
    assert_eq!(again["settings"][0]["folds"], best["folds"]);
}

/// Interrupted by the user after its first round of training: it resumes from the checkpoint, to the same result.
#[cfg(unix)]
#[test]
fn an_interrupted_search_resumes() {
    use std::process::{Command as Process, Stdio};
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let args = [&SMALL[..6], &["--epochs", "40", "--p", "0,0.3", "--patience", "40", "--together", "3"]].concat();
    tune(&args, whole.path()).assert().success();
    let program = assert_cmd::cargo::cargo_bin("ridgepole");
    let mut child = Process::new(program)
        .arg("tune")
        .args(&args)
        .arg("--out")
        .arg(broken.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Long enough for some training, too short for all of it: should it be over already, there is nothing to resume, and the
    // numbers must be the same all the same.
    std::thread::sleep(Duration::from_millis(2500));
    assert!(Process::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    if status.code() == Some(130) {
        assert_eq!(files(broken.path()), ["tune.checkpoint"], "the checkpoint is kept, and no half of a result");
        // Another search does not take it for its own.
        tune(&[&args[..], &["--seed", "5"]].concat(), broken.path())
            .assert()
            .code(2)
            .stderr(contains("it is of other data, settings or options, or of another device; start over with --fresh"));
        // A damaged one is refused, wherever the damage is, and is left as it is.
        let path = broken.path().join("tune.checkpoint");
        let good = std::fs::read(&path).unwrap();
        for bit in [0, 4 * good.len(), 8 * good.len() - 1] {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &bad).unwrap();
            let why = contains("tune.checkpoint cannot be resumed: it is").and(contains("start over with --fresh"));
            tune(&args, broken.path()).assert().code(2).stderr(why);
            assert_eq!(std::fs::read(&path).unwrap(), bad);
        }
        std::fs::write(&path, &good).unwrap();
        // Another share for early stopping trains other networks.
        tune(&[&args[..], &["--stop-share", "0.2"]].concat(), broken.path())
            .assert()
            .code(2)
            .stderr(contains("other data, settings"));
        tune(&args, broken.path()).assert().success().stderr(contains("resuming from"));
    } else {
        assert!(status.success() || status.code().is_none(), "{status}");
        tune(&args, broken.path()).assert().success();
    }
    assert_eq!(results(broken.path()), results(whole.path()));
    assert_eq!(files(broken.path()), ["model.json", "model.safetensors", "tune.html", "tune.json"]);
}

#[test]
fn anyones_table_is_searched_and_its_text_is_no_markup() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("a<b>.csv");
    let mut text = String::from("u;flat;v;<script>alert(1)</script>\n");
    for i in 0..150 {
        let (u, v) = (f64::from(i % 11) - 5.0, f64::from(i * 7 % 13) / 3.0);
        text += &format!("{u};0.1;{v};{}\n", 100.0 + 30.0 * u + 5.0 * u * v);
    }
    std::fs::write(&file, text).unwrap();
    let args = [
        "--data",
        file.to_str().unwrap(),
        "--label",
        "<script>alert(1)</script>",
        "--l2",
        "0,0.001",
        "--folds",
        "3",
        "--hidden",
        "16",
        "--epochs",
        "30",
        "--batch",
        "10",
        "--by",
        "loss",
    ];
    tune(&args, out.path())
        .assert()
        .success()
        .stdout(contains("RMSE"))
        .stderr(contains("notice: column \"flat\" has one value in every row and is left out"));
    let json = results(out.path());
    assert_eq!((json["score"].as_str(), json["data"]["features"].as_u64()), (Some("rmse"), Some(2)));
    let score = json["settings"][0]["score"]["mean"].as_f64().unwrap();
    assert!(score < 60.0, "the target's own spread is about 100: {score}");
    let html = std::fs::read_to_string(out.path().join("tune.html")).unwrap();
    assert!(!html.contains("<script>alert") && !html.contains("a<b>"), "the user's text became markup");
    for outside in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!html.contains(outside), "the report refers to something outside: {outside}");
    }
}

#[test]
fn what_does_not_fit_is_said_before_anything_runs() {
    let out = tempfile::tempdir().unwrap();
    let bad = |args: &[&str], why: &str| {
        tune(args, out.path()).assert().code(2).stderr(contains(why));
    };
    bad(&["--prox-l1", "0,-0.1"], "--prox-l1 has -0.1, must be from 0 to 1e6");
    bad(&["--l2", "-1"], "--l2 has -1, must be from 0 to 1e6");
    bad(&["--p", "0.1,x"], "\"x\" is not a number");
    bad(&["--l2", "1e-4..1e-2"], "--l2 is a range: set the number of draws with --random");
    bad(&["--folds", "1"], "--folds is 1, must be from 2 to the number of rows, 1797");
    bad(&["--folds", "1000"], "digits: class \"0\" of column \"label\" has 178 rows, fewer than --folds, 1000");
    bad(&["--rows", "2000"], "--rows is 2000, must be from 2 to the number of rows, 1797");
    bad(&["--patience", "0"], "--patience is 0, must be from 1");
    bad(&["--stop-share", "0"], "--stop-share is 0, must be greater than 0");
    bad(&["--hidden", "10"], "--hidden is 10, must be multiples of 4 up to 8192");
    bad(&["--together", "0"], "--together is 0, must be at least 1");
    let table = |text: &str| {
        let file = out.path().join("t.csv");
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_string()
    };
    let of = |text: &str, why: &str| bad(&["--data", &table(text), "--label", "y"], why);
    of("", "t.csv: is empty: expected a line of column names");
    of("a,y\n1,0\nx,1\n", "t.csv: line 3: column \"a\" is \"x\", must be a number");
    of("a,y\n1,0\nNaN,1\n", "t.csv: line 3: column \"a\" is missing (\"NaN\"): fill in or remove rows with missing values first");
    of("a,b,y\n1,3,0\n1,3,1\n", "t.csv: every feature has one value in every row: nothing can be learned from them");
    of("a,y\n1,p\n2,q\n3,p\n4,q\n5,p\n6,p\n", "t.csv: class \"p\" of column \"y\" has 4 rows, fewer than --folds, 5");
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let out = tempfile::tempdir().unwrap();
    let run = |limit: &str| {
        common::on_a_full_disk(limit, "tune --rows 200 --folds 2 --hidden 8 --epochs 2 --p 0,0.1,0.2,0.3,0.4,0.5", out.path())
    };
    run("unlimited").assert().success();
    let before = results(out.path());
    run("2").assert().code(2).stderr(contains("cannot write "));
    let left: Vec<String> = files(out.path()).into_iter().filter(|f| f != "tune.checkpoint").collect();
    assert_eq!(left, ["model.json", "model.safetensors", "tune.html", "tune.json"], "something unfinished was left");
    assert_eq!(results(out.path()), before, "the old result was changed");
}
