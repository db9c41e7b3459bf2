//! The study from end to end: small ones, twice, and what the program says when it cannot.
use crate::common::{command, files, numbers};
use assert_cmd::Command;
use predicates::str::contains;
use std::path::Path;

fn study(args: &[&str], out: &Path) -> Command {
    command("study", args, out)
}

fn results(folder: &Path) -> serde_json::Value {
    numbers(folder, "results.json", "times")
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
    assert_eq!(files(a.path()), ["report.html", "results.json"]);
}

use predicates::boolean::PredicateBooleanExt;

/// A study with its bootstrap networks and passes of dropout.
fn uncertain(args: &[&str]) -> serde_json::Value {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let small = ["--epochs", "2", "--seeds", "2", "--hidden", "8", "--decompose", "3", "--monte-carlo", "4"];
    for folder in [&a, &b] {
        study(&[&small[..], args].concat(), folder.path()).assert().success();
    }
    let json = results(a.path());
    assert_eq!(json, results(b.path()), "the same bits twice");
    let html = std::fs::read_to_string(a.path().join("report.html")).unwrap();
    assert!(html.contains("Bias and variance") && html.contains("Monte-Carlo dropout: dropout"));
    for point in json["decomposition"]["points"].as_array().unwrap() {
        for loss in ["squared", "zero_one"].iter().map(|k| &point[k]).filter(|l| !l.is_null()) {
            let [bias, variance, error] = ["bias", "variance", "error"].map(|k| loss[k]["mean"].as_f64().unwrap());
            assert!((bias + variance - error).abs() <= 1e-12 * error.abs().max(1.0), "{point}");
            assert!(bias > 0.0 && loss["models"] == 3);
        }
    }
    json
}

#[test]
fn bias_and_variance_add_up_and_dropout_says_how_sure_it_is() {
    let json = uncertain(&["--treatments", "none,l1-prox,dropout"]);
    let points = json["decomposition"]["points"].as_array().unwrap();
    assert_eq!(points.len(), 1 + 6 + 6);
    // A penalty that leaves no weight makes all networks alike: bias only.
    let strongest = &points[6];
    assert_eq!((strongest["treatment"].as_str(), strongest["strength"].as_f64()), (Some("l1-prox"), Some(1.0)));
    let found = &json["monte_carlo"][0]["found"];
    assert_eq!(json["monte_carlo"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["plain"]["rows"].as_u64(), Some(2 * 1198));
    let counts = found["sampled"]["bins"].as_array().unwrap().iter().map(|b| b["count"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(counts, 2 * 1198);
    assert!(found["mean_variance"].as_f64().unwrap() > 0.0, "masks differ from pass to pass");
    let test = json["treatments"][2]["test"]["mean"].as_f64().unwrap();
    assert!((found["plain"]["accuracy"].as_f64().unwrap() - test).abs() < 1e-3, "the same networks as in the table");
}

#[test]
fn values_have_bias_variance_and_spread_too() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("t.csv");
    let row = |i: i32| format!("{},{},{}\n", i % 11, i * 7 % 13, 100 + 30 * (i % 11) + 5 * (i * 7 % 13));
    std::fs::write(&file, format!("u,v,y\n{}", (0..120).map(row).collect::<String>())).unwrap();
    let json = uncertain(&["--data", file.to_str().unwrap(), "--label", "y", "--treatments", "none,dropout", "--batch", "10"]);
    let point = &json["decomposition"]["points"][0];
    assert!(point["zero_one"].is_null() && point["squared"]["error"]["mean"].as_f64().unwrap() > 1.0, "in the target's own unit");
    assert!(json["monte_carlo"][0]["found"]["sampled"]["coverage"][1].is_number());
}

/// Whatever the seed: the same split, noise, first weights, batches for all treatments, and masks where p is the same.
#[test]
fn treatments_that_do_nothing_have_the_bits_of_none() {
    let out = tempfile::tempdir().unwrap();
    let none = ["--l1", "0", "--prox-l1", "0", "--l2", "0", "--prox-l2", "0", "--decay", "0", "--p", "0"];
    let args = ["--epochs", "4", "--seeds", "2", "--seed", "11", "--hidden", "16,8", "--monte-carlo", "0"];
    study(&[&args[..], &none].concat(), out.path()).assert().success().stderr(contains("time: preparation"));
    let json = results(out.path());
    let treatments = json["treatments"].as_array().unwrap();
    let runs = |name: &str| &treatments.iter().find(|t| t["name"] == name).unwrap()["runs"];
    assert_eq!(treatments.len(), 10);
    for name in ["l1", "l1-prox", "l2", "elastic-net", "weight-decay", "dropout"] {
        assert_eq!(runs(name), runs("none"), "{name}");
    }
    assert_eq!(runs("combined"), runs("batch-norm"));
    for runs in ["none", "batch-norm"].map(runs) {
        assert_ne!(runs[0]["weights_hash"], runs[1]["weights_hash"]);
    }
    // Early stopping has the curve of none, and weights of an epoch of it.
    for seed in 0..2 {
        assert_eq!(runs("early-stopping")[seed]["curve"], runs("none")[seed]["curve"]);
    }
}

#[test]
fn noise_is_in_the_training_labels_alone_and_off_for_tables_of_ones_own() {
    let dir = tempfile::tempdir().unwrap();
    let small = ["--treatments", "none", "--epochs", "2", "--seeds", "2", "--hidden", "8", "--monte-carlo", "0"];
    let run = |name: &str, more: &[&str]| {
        let out = dir.path().join(name);
        let assert = study(&[&small[..], more].concat(), &out).assert().success();
        (results(&out), String::from_utf8(assert.get_output().stderr.clone()).unwrap())
    };
    let [default, stated, clean] =
        [("a", &[][..]), ("b", &["--label-noise", "0.3"]), ("c", &["--label-noise=-0"])].map(|(n, a)| run(n, a).0);
    assert_eq!(default, stated, "what help says is the default");
    assert_ne!(default["treatments"], clean["treatments"]);
    let file = dir.path().join("t.csv");
    let row = |i: i32| format!("{},{},{}\n", i % 11, i * 7 % 13, ["p", "q", "r"][i as usize % 3]);
    std::fs::write(&file, format!("u,v,y\n{}", (0..60).map(row).collect::<String>())).unwrap();
    let own = ["--data", file.to_str().unwrap(), "--label", "y"];
    let [(plain, _), (none, _)] = [("d", &[][..]), ("e", &["--label-noise", "0"])].map(|(n, a)| run(n, &[&own[..], a].concat()));
    assert_eq!(plain, none);
    let lost = run("f", &[&own[..], &["--label-noise", "0.34", "--train-rows", "3", "--batch", "2"]].concat()).1;
    assert!(lost.contains("notice: --label-noise has replaced every training label of class"), "{lost}");
}

#[test]
fn a_network_learns_and_an_unregularized_one_overfits() {
    let out = tempfile::tempdir().unwrap();
    let args =
        ["--treatments", "none", "--epochs", "40", "--seeds", "1", "--train-rows", "100", "--batch", "25", "--label-noise", "0"];
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
    let mut text = String::from("u;flat;v;<script>alert(1)</script>\n");
    for i in 0..120 {
        let (u, v) = (f64::from(i % 11) - 5.0, f64::from(i * 7 % 13) / 3.0);
        text += &format!("{u};0.1;{v};{}\n", 100.0 + 30.0 * u + 5.0 * u * v);
    }
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let label = "<script>alert(1)</script>";
    let args = ["--data", path, "--label", label, "--treatments", "none,l2", "--epochs", "60", "--seeds", "2", "--batch", "10"];
    study(&args, out.path())
        .assert()
        .success()
        .stdout(contains("train RMSE"))
        .stderr(contains("notice: column \"flat\" has one value in every row and is left out"));
    let json = results(out.path());
    assert_eq!((json["score"].as_str(), json["data"]["features"].as_u64()), (Some("rmse"), Some(2)));
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
    bad(&["--label-noise", "1.5"], "--label-noise is 1.5, must be from 0 to 1");
    bad(&["--label-noise=-0.1"], "--label-noise is -0.1, must be from 0 to 1");
    bad(&["--label-noise", "NaN"], "--label-noise is NaN, must be from 0 to 1");
    bad(&["--label-noise", "30%"], "invalid value '30%'");
    bad(&["--seeds", "0"], "--seeds is 0");
    bad(&["--decompose", "1"], "--decompose is 1, must be from 2 to 1000");
    bad(&["--monte-carlo", "1"], "--monte-carlo is 1, must be 0 or from 2 to 100000");
    bad(&["--lr", "0"], "--lr is 0");
    bad(&["--treatments", "l1,l1"], "--treatments names l1 twice");
    bad(&["--treatments", "l3"], "invalid value 'l3'");
    bad(&["--train-rows", "1797"], "1797 rows are too few for 1797 training");
    bad(&["--data", "x.csv"], "--label");
    let file = out.path().join("bad.csv");
    std::fs::write(&file, "a,y\n1,0\n2\n").unwrap();
    bad(&["--data", file.to_str().unwrap(), "--label", "y"], "bad.csv: line 3: has 1 cells, the header has 2");
    bad(&["--mnist", out.path().to_str().unwrap()], "has neither train-images-idx3-ubyte nor");
    // A file where the folder should be.
    study(&["--epochs", "1"], &file).assert().code(2).stderr(contains("cannot create"));
}
