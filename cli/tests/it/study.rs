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
    assert_eq!(files(a.path()), ["model.json", "model.safetensors", "report.html", "results.json"], "nothing but these");
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
    assert_eq!((strongest["treatment"].as_str(), strongest["strength"].as_f64()), (Some("l1-prox"), Some(5.0)));
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
    let none = ["l1", "prox-l1", "l2", "elastic-l1", "prox-l2", "decay", "p", "combined-p", "combined-l2"];
    let none: Vec<String> = none.iter().map(|option| format!("--{option}=0")).collect();
    let none: Vec<&str> = none.iter().map(String::as_str).collect();
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
    // The differences for two widths, gap and sparsity; overfitting in one picture, of two networks; two for each treatment.
    assert_eq!(html.matches("<svg").count(), 2 + 2 + 2 + 2 * 2);
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
}

/// The decimal numbers of a sentence, in order.
fn said(sentence: &str) -> Vec<f64> {
    let words = sentence.split(|c: char| c.is_whitespace() || "();:,".contains(c));
    words.filter(|w| w.contains('.')).filter_map(|w| w.trim_end_matches('.').parse().ok()).collect()
}

#[test]
fn the_answer_comes_first_and_is_that_of_the_runs() {
    let out = tempfile::tempdir().unwrap();
    let args =
        ["--treatments", "none,early-stopping,l2,dropout", "--epochs", "12", "--seeds", "3", "--hidden", "16", "--lr", "0.01"];
    let output = study(&args, out.path()).assert().success().get_output().stdout.clone();
    let (text, json) = (String::from_utf8(output).unwrap(), results(out.path()));
    let html = std::fs::read_to_string(out.path().join("report.html")).unwrap();
    let sentences = ["cost", "help"].map(|k| json["sentences"][k].as_str().unwrap());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("target label: 10 classes") && lines[1..3] == sentences, "{text}");
    assert!(lines.last().unwrap().contains("report.html"));
    for sentence in sentences {
        let at = html.find(&format!("<p class=\"answer\">{sentence}</p>")).expect("the report has it");
        assert!(at < html.find("<svg").unwrap() && at < html.find("<table").unwrap(), "the answer comes first");
    }
    let treatments = json["treatments"].as_array().unwrap();
    let scores = |t: &serde_json::Value, part: fn(&serde_json::Value) -> &serde_json::Value| -> Vec<f64> {
        t["runs"].as_array().unwrap().iter().map(|r| part(r)["score"].as_f64().unwrap()).collect()
    };
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (end, best) = (scores(&treatments[0], |r| &r["test"]), scores(&treatments[0], |r| &r["best"]["test"]));
    let numbers = said(sentences[0]);
    for (said, exact) in numbers.iter().zip([mean(&end), mean(&best), (mean(&best) - mean(&end)).abs()]) {
        assert!((said - 100.0 * exact).abs() <= 0.0501, "{numbers:?} {exact}");
    }
    assert_eq!(scores(&treatments[1], |r| &r["test"]), best, "early stopping is the plain network of its best epoch");
    // Every difference, made anew; its line in the table has it, with the word.
    for t in &treatments[1..] {
        let d = &t["difference"]["score"];
        let each: Vec<f64> = scores(t, |r| &r["test"]).iter().zip(&end).map(|(a, b)| a - b).collect();
        assert!((d["mean"].as_f64().unwrap() - mean(&each)).abs() < 1e-12 && d["n"] == 3);
        let line = lines.iter().find(|l| l.starts_with(t["title"].as_str().unwrap())).unwrap();
        let word = t["difference"]["verdict"].as_str().unwrap().replace('_', " ");
        assert!(line.ends_with(&word), "{line}: {word}");
        let shown: f64 = line.split_once(" points").unwrap().0.split_whitespace().last().unwrap().parse().unwrap();
        assert!((shown - 100.0 * mean(&each)).abs() <= 0.0501, "{line}");
        let [low, high] = [0, 1].map(|i| d["interval"][i].as_f64().unwrap());
        // Student's t at 0.975 with two degrees of freedom.
        let sd = (each.iter().map(|e| (e - mean(&each)).powi(2)).sum::<f64>() / 2.0).sqrt();
        assert!((high - low - 2.0 * 4.302_652_729_749_46 * sd / 3f64.sqrt()).abs() < 1e-9, "{d}");
        assert_eq!(
            word,
            if low > 0.0 {
                "better"
            } else if high < 0.0 {
                "worse"
            } else {
                "not told apart"
            }
        );
    }
}

#[test]
fn one_seed_has_no_interval_and_says_so() {
    let out = tempfile::tempdir().unwrap();
    let args = ["--treatments", "none,l2", "--epochs", "2", "--seeds", "1", "--hidden", "8", "--label-noise", "0"];
    study(&args, out.path()).assert().success().stdout(contains("one seed has no interval: --seeds 2 or more"));
    let json = results(out.path());
    assert_eq!(json["treatments"][1]["difference"]["verdict"].as_str(), Some("one_seed"));
    assert!(json["treatments"][1]["difference"]["score"]["interval"].is_null());
    // Without the plain network there is nothing to compare with.
    let args = ["--treatments", "l2", "--epochs", "2", "--seeds", "2", "--hidden", "8"];
    study(&args, out.path()).assert().success().stdout(contains("Add none to --treatments."));
    assert!(results(out.path())["treatments"][0]["difference"].is_null());
}

/// Strengths by cross-validation: the numbers of the choice, the networks that are trained with it, and what is said of it.
#[test]
fn strengths_are_chosen_by_each_seed_and_then_compared() {
    let (a, b, one) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let small = ["--epochs", "3", "--hidden", "8", "--monte-carlo", "2", "--train-rows", "60", "--batch", "12"];
    let tuned = ["--treatments", "none,early-stopping,l2,combined", "--tuned", "3"];
    for folder in [&a, &b] {
        let said = contains("strengths by cross-validation: 3 folds of the training rows of each seed")
            .and(contains("one choice for all seeds"));
        study(&[&small[..], &tuned, &["--seeds", "2"]].concat(), folder.path()).assert().success().stdout(said);
    }
    let json = results(a.path());
    assert_eq!(json, results(b.path()), "the same bits twice");
    let found = &json["tuned"];
    let names: Vec<_> = found["treatments"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["none", "l2", "combined"]);
    for (t, [candidates, knobs]) in found["treatments"].as_array().unwrap().iter().zip([[1, 0], [8, 1], [9, 2]]) {
        let all = t["candidates"].as_array().unwrap();
        assert_eq!(
            (all.len(), t["chosen"].as_array().unwrap().len(), t["seeds_at_ends"].as_array().unwrap().len()),
            (candidates, 2, knobs)
        );
        for (seed, chosen) in t["chosen"].as_array().unwrap().iter().enumerate() {
            let score = |c: &serde_json::Value| c["seeds"][seed]["score"].as_f64().unwrap();
            let best = all.iter().map(score).fold(0.0, f64::max);
            let place = chosen["candidate"].as_u64().unwrap() as usize;
            assert_eq!((score(&all[place]), &all[place]["strengths"]), (best, &chosen["strengths"]), "the best of its own rows");
            assert_eq!(all[place]["seeds"][seed]["folds"].as_array().map(Vec::len), Some(3));
        }
    }
    // A seed alone chooses and trains the same; so does who types its choice.
    study(&[&small[..], &tuned, &["--seed", "2", "--seeds", "1"]].concat(), one.path()).assert().success();
    let alone = results(one.path());
    let chosen =
        |json: &serde_json::Value, treatment: usize, seed: usize| json["tuned"]["treatments"][treatment]["chosen"][seed].clone();
    let options: Vec<String> = [1, 2]
        .iter()
        .flat_map(|&t| chosen(&json, t, 1)["strengths"].as_object().unwrap().clone())
        .map(|(option, value)| format!("--{option}={value}"))
        .collect();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let typed = tempfile::tempdir().unwrap();
    study(&[&small[..], &tuned[..2], &options, &["--seed", "2", "--seeds", "1"]].concat(), typed.path()).assert().success();
    let typed = results(typed.path());
    assert!(typed["tuned"].is_null() && options.len() == 3, "{options:?}");
    for t in 0..4 {
        let run = |json: &serde_json::Value, seed: usize| json["treatments"][t]["runs"][seed].clone();
        assert_eq!(run(&json, 1), run(&alone, 0));
        assert_eq!(run(&json, 1), run(&typed, 0));
    }
    assert_eq!([1, 2].map(|t| chosen(&json, t, 1)), [1, 2].map(|t| chosen(&alone, t, 0)));
    let html = std::fs::read_to_string(a.path().join("report.html")).unwrap();
    assert!(html.contains("How the strengths were chosen") && html.contains("chosen by 2 seeds"));
}

#[test]
fn a_tables_own_values_choose_strengths_too() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("t.csv");
    let row = |i: i32| format!("{},{},{}\n", i % 11, i * 7 % 13, 100 + 30 * (i % 11) + 5 * (i * 7 % 13));
    std::fs::write(&file, format!("u,v,y\n{}", (0..90).map(row).collect::<String>())).unwrap();
    let path = file.to_str().unwrap();
    let args = ["--data", path, "--label", "y", "--tuned", "2", "--treatments", "weight-decay", "--hidden", "8", "--epochs", "5"];
    let said = contains("the best root of the mean squared error on the held-out folds");
    study(&[&args[..], &["--seeds", "2", "--batch", "10", "--decompose", "2"]].concat(), out.path())
        .assert()
        .success()
        .stdout(said);
    let json = results(out.path());
    let decay = &json["tuned"]["treatments"][1];
    let score = |c: &serde_json::Value| c["seeds"][0]["score"].as_f64().unwrap();
    let least = decay["candidates"].as_array().unwrap().iter().map(score).fold(f64::INFINITY, f64::min);
    let place = decay["chosen"][0]["candidate"].as_u64().unwrap() as usize;
    assert_eq!(score(&decay["candidates"][place]), least, "of an error, the least");
    // What is decomposed is the split of the first seed, around its choice.
    assert_eq!(json["decomposition"]["points"][3]["strength"], decay["chosen"][0]["strengths"]["decay"]);
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
    bad(&["--tuned", "1"], "--tuned is 1, must be from 2 to the number of training rows, 200");
    bad(&["--tuned", "201"], "--tuned is 201, must be from 2 to the number of training rows, 200");
    bad(&["--tuned", "2", "--train-rows", "3"], "--tuned is 2: 3 training rows in 2 folds leave 1 to train on, must leave 2");
    bad(&["--tuned=-1"], "invalid value '-1'");
    bad(&["--tuned", "--elastic-l1", "0.5"], "--elastic-l1 is 0.5, but --tuned chooses it: leave out --elastic-l1");
    bad(
        &["--tuned", "--treatments", "none,batch-norm"],
        "--tuned: --treatments is none,batch-norm, of which none has a strength",
    );
    bad(&["--combined-p", "1.5"], "--combined-p is 1.5, must be from 0 to 1");
    bad(&["--elastic-l2=-1"], "--elastic-l2 is -1, must be from 0 to 1e6");
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
