//! `ridgepole path` from end to end, and what it says when it cannot.
use crate::common::{self, command, files, numbers};
use assert_cmd::Command;
use predicates::{boolean::PredicateBooleanExt, str::contains};
use std::path::Path;

fn path(args: &[&str], out: &Path) -> Command {
    command("path", args, out)
}

fn results(folder: &Path) -> serde_json::Value {
    numbers(folder, "path.json", "seconds")
}

#[test]
fn the_same_path_twice_gives_the_same_bits() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let args = ["--lambdas", "30", "--folds", "4", "--l1-ratio", "0.7"];
    for folder in [&a, &b] {
        path(&args, folder.path()).assert().success().stdout(contains("one standard error").and(contains("path.html")));
    }
    assert_eq!(results(a.path()), results(b.path()));
    assert_eq!(files(a.path()), ["model.json", "path.html", "path.json"], "nothing but the three files");
    let json = results(a.path());
    let fits = json["path"].as_array().unwrap();
    assert_eq!((fits.len(), fits[0]["nonzeros"].as_u64(), fits[29]["nonzeros"].as_u64()), (30, Some(0), Some(10)));
    assert!(fits.windows(2).all(|w| w[0]["lambda"].as_f64() > w[1]["lambda"].as_f64()));
    assert_eq!(fits[3]["cv_folds"].as_array().map(Vec::len), Some(4));
    let other = tempfile::tempdir().unwrap();
    path(&[&args[..], &["--seed", "2"]].concat(), other.path()).assert().success();
    assert_ne!(results(other.path())["folds"], json["folds"], "another seed draws other folds");
}

#[test]
fn coefficients_are_in_the_units_of_the_data() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("line.csv");
    // The year's mean is two hundred times its spread; noise keeps the folds apart.
    let mut text = String::from("year,idle,price\n");
    for i in 0..200 {
        let (year, idle) = (2000 + i % 21, i * 37 % 101);
        text += &format!("{year},{idle},{}\n", -40_000.0 + 25.0 * f64::from(year) + f64::from(i * 13 % 7 - 3) * 0.01);
    }
    std::fs::write(&file, text).unwrap();
    path(&[file.to_str().unwrap(), "--target", "price", "--eps", "1e-5"], out.path()).assert().success();
    let json = results(out.path());
    let last = json["path"].as_array().unwrap().last().unwrap().clone();
    let [slope, intercept] = [&last["coefficients"][0], &last["intercept"]].map(|v| v.as_f64().unwrap());
    assert!((slope - 25.0).abs() < 0.01 && (intercept + 40_000.0).abs() < 20.0, "{slope}, {intercept}");
}

#[test]
fn anyones_table_is_fitted_and_its_text_is_no_markup() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("a<b>&\"c\".csv");
    let mut text = String::from("u;<i>v</i>;flat;<script>alert(1)</script>\n");
    for i in 0..90 {
        let (u, v) = (f64::from(i % 11) - 5.0, f64::from(i * 7 % 13) / 3.0);
        text += &format!("{u};{v};0.1;{}\n", if u + 0.3 * v + f64::from(i * 5 % 4) > 2.0 { "<b>yes" } else { "no&" });
    }
    std::fs::write(&file, text).unwrap();
    let args = [file.to_str().unwrap(), "--target", "<script>alert(1)</script>", "--model", "logistic", "--folds", "5"];
    path(&args, out.path())
        .assert()
        .success()
        .stdout(contains("cv loss"))
        .stderr(contains("notice: column \"flat\" has one value in every row and is left out"));
    assert_eq!(results(out.path())["columns"], serde_json::json!(["u", "<i>v</i>"]));
    let html = std::fs::read_to_string(out.path().join("path.html")).unwrap();
    assert_eq!(html.matches("<script").count(), 1, "the page's own script, no other");
    assert!(!html.contains("<script>alert") && !html.contains("<i>v") && !html.contains("<b>"), "the user's text became markup");
    assert!(html.contains("a&lt;b&gt;&amp;&quot;c&quot;.csv"));
    for outside in ["http", "src=", "@import", "url("] {
        assert!(!html.contains(outside), "the report refers to something outside: {outside}");
    }
    assert_eq!((html.matches("<svg").count(), html.matches("</svg>").count()), (2, 2));
    assert_eq!(html.matches("<desc").count(), 2, "pictures say what they show");
    assert!(html.contains("prefers-color-scheme: dark"));
    assert_eq!(results(out.path())["classes"], serde_json::json!(["<b>yes", "no&"]));
}

#[test]
fn a_grid_is_taken_as_it_is_and_sorted() {
    let out = tempfile::tempdir().unwrap();
    path(&["--grid", "1,20,5", "--folds", "3"], out.path()).assert().success();
    let json = results(out.path());
    let lambdas: Vec<f64> = json["path"].as_array().unwrap().iter().map(|f| f["lambda"].as_f64().unwrap()).collect();
    assert_eq!(lambdas, [20.0, 5.0, 1.0]);
}

#[test]
fn a_tolerance_out_of_reach_is_reported() {
    let out = tempfile::tempdir().unwrap();
    let small = |more: &[&str]| path(&[&["--lambdas", "5", "--folds", "2"], more].concat(), out.path()).assert().success();
    small(&["--tolerance", "1e-18"])
        .stderr(contains("violate the optimality conditions by more than 1.0e-18 of the largest λ·r"));
    assert!(results(out.path())["unfinished"].as_u64() > Some(0));
    let page = || std::fs::read_to_string(out.path().join("path.html")).unwrap();
    assert!(page().contains("double precision does not reach smaller ones here"));
    small(&["--device", "gpu", "--polish", "0"]).stderr(contains("without --polish 0 the host finishes them"));
    let json = results(out.path());
    let worst = json["worst_violation"].as_f64().unwrap();
    assert!((1e-9..1e-3).contains(&worst) && json["gpu"]["worst_violation"].as_f64() == Some(worst), "{worst}");
    assert_eq!((json["solver"].as_str(), json["gpu"]["polish"].as_u64()), (Some("gpu"), Some(0)));
    assert!(page().contains("single precision does not reach"));
    small(&["--device", "gpu", "--polish", "3"]).stderr(contains("have more than 3 features, and the host did not finish them"));
    let json = results(out.path());
    let left = json["gpu"]["not_polished"].as_u64().unwrap();
    assert!(left > 0 && left < 15 && json["unfinished"].as_u64() <= Some(left), "{left} of 15");
    let done =
        small(&["--device", "gpu"]).stderr(contains("notice").not().and(contains("solver: ")).and(contains("; --device gpu")));
    let said = String::from_utf8(done.get_output().stdout.clone()).unwrap();
    assert!(
        said.contains("largest violation of the optimality conditions in 15 models: ")
            && said.contains("before the host finished them")
    );
    let json = results(out.path());
    assert!(json["worst_violation"].as_f64() <= Some(1e-9) && json["gpu"]["worst_violation"].as_f64() > Some(1e-9), "{json:#}");
}

#[test]
fn the_host_needs_no_adapter_and_any_number_of_threads_gives_the_same_bits() {
    let [a, b] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    let small = ["--lambdas", "20", "--folds", "3"];
    // No machine has Direct3D and Metal at once.
    let none = if cfg!(windows) { "metal" } else { "dx12" };
    let with = |device: &[&str], out: &Path| {
        let mut command = path(&[&small, device].concat(), out);
        command.env("WGPU_BACKEND", none).env("RAYON_NUM_THREADS", "3");
        command
    };
    with(&["--device", "cpu"], a.path())
        .assert()
        .success()
        .stderr(contains("solver: host, coordinate descent in f64 on 3 threads; --device cpu"));
    let auto = with(&[], b.path());
    { auto }.env("RAYON_NUM_THREADS", "1").assert().success().stderr(contains(
        "solver: host, coordinate descent in f64 on 1 thread; 442 rows × 10 features × 80 models are too few for a GPU",
    ));
    let [mut one, mut other] = [&a, &b].map(|folder| results(folder.path()));
    for json in [&mut one, &mut other] {
        let device = json.as_object_mut().unwrap().remove("device").unwrap();
        assert!(device.as_str().unwrap().starts_with("host, "));
    }
    assert_eq!(one, other);
    assert!(one["solver"] == "cpu" && one["gpu"].is_null() && one["worst_violation"].as_f64() <= Some(1e-9), "{one:#}");
    with(&["--device", "gpu"], b.path()).assert().code(2).stdout("").stderr(contains("no GPU adapter").and(contains("install")));
}

#[test]
fn features_without_a_correlation_have_no_path_but_models() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("xor.csv");
    let corners = "-1,-1,1\n-1,1,-1\n1,-1,-1\n1,1,1\n".repeat(3);
    std::fs::write(&file, format!("a,b,y\n{corners}")).unwrap();
    let args = [file.to_str().unwrap(), "--target", "y", "--folds", "3"];
    path(&args, &out.path().join("out"))
        .assert()
        .code(2)
        .stderr(contains("no feature is correlated with the target: there is no path"));
    let grid = [&args[..], &["--grid", "1,0.1,1e-3"]].concat();
    path(&grid, &out.path().join("out")).assert().success().stderr(contains("notice").not());
}

#[test]
fn a_table_with_more_features_than_a_gpu_takes_is_fitted_on_the_host() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("wide.csv");
    let mut text: String = (0..4100).map(|j| format!("x{j},")).collect::<String>() + "y\n";
    for i in 0..12u64 {
        let cells: Vec<u64> = (0..4100).map(|j| (i * 7919 + j * 104_729 + i * i * j) % 1009).collect();
        let y = cells[5] * 2 + cells[77];
        cells.iter().for_each(|c| text += &format!("{c},"));
        text += &format!("{y}\n");
    }
    std::fs::write(&file, text).unwrap();
    let args = [file.to_str().unwrap(), "--target", "y", "--folds", "3", "--lambdas", "20"];
    let to = out.path().join("out");
    path(&args, &to).assert().success();
    assert!(results(&to)["worst_violation"].as_f64() <= Some(1e-9));
    let gpu = [&args[..], &["--device", "gpu"]].concat();
    path(&gpu, &to)
        .assert()
        .code(2)
        .stderr(contains("--device gpu takes at most 4000 features, and there are 4100: --device cpu takes them"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing_behind() {
    use std::{io::Read, process::Stdio};
    let out = tempfile::tempdir().unwrap();
    let args = ["path", "--lambdas", "10000", "--folds", "400", "--eps", "1e-6", "--out"];
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("ridgepole"))
        .args(args)
        .arg(out.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The line that names the solver is the last before the work.
    let (mut said, mut byte) = (Vec::new(), [0]);
    let mut stderr = child.stderr.take().unwrap();
    while !String::from_utf8_lossy(&said).contains("too few for a GPU") && stderr.read(&mut byte).unwrap() == 1 {
        said.push(byte[0]);
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "four million models are not solved in a moment: {rest}");
    assert!(rest.contains("error: interrupted; nothing was written"), "{rest}");
    assert_eq!(files(out.path()), [""; 0]);
}

#[test]
fn what_does_not_fit_is_said_before_anything_runs() {
    let out = tempfile::tempdir().unwrap();
    let results = out.path().join("results");
    let bad = |args: &[&str], why: &str| {
        path(args, &results).assert().code(2).stderr(contains(why)).stdout("");
        assert!(!results.exists(), "{args:?}: something was written");
    };
    bad(&["--l1-ratio", "1.5"], "--l1-ratio is 1.5, must be from 0 to 1");
    bad(&["--l1-ratio", "nan"], "--l1-ratio is NaN");
    bad(&["--lambdas", "1"], "--lambdas is 1, must be from 2 to 10000");
    bad(&["--eps", "1"], "--eps is 1, must be greater than 0 and less than 1");
    bad(&["--tolerance", "0"], "--tolerance is 0, must be greater than 0 and less than 1");
    bad(&["--tolerance", "nan"], "--tolerance is NaN, must be greater than 0");
    bad(&["--device", "tpu"], "invalid value 'tpu'");
    bad(&["--device", "cpu", "--adapter", "llvmpipe"], "--adapter chooses a GPU, but --device is cpu: leave one of them out");
    bad(&["--device", "cpu", "--polish", "5"], "--polish finishes what a GPU began, but --device is cpu: leave one of them out");
    bad(&["--grid", "1,-0.5"], "--grid is -0.5 at one place, must be greater than 0 and finite everywhere");
    bad(&["--grid", "1,0"], "--grid is 0 at one place");
    bad(&["--grid", "1,inf"], "--grid is inf at one place");
    bad(&["--grid", "1,2,1"], "--grid has 1 twice");
    bad(&["--grid", "1e300,1"], "the largest λ is 1.0e300, with a target of standard deviation 7.7e1: ");
    bad(&["--grid", "1e31", "--l1-ratio", "0"], "λ·(1 - r), must be at most 1e30");
    bad(&["--grid", "1", "--lambdas", "5"], "cannot be used with");
    bad(&["--folds", "1"], "--folds is 1, must be from 2 to 1000");
    bad(&["--folds", "443"], "--folds is 443, must be from 2 to the number of rows, 442");
    bad(&["--model", "poisson"], "invalid value 'poisson'");
    bad(&["--target", "weight"], "no column is called \"weight\" (--target)");
    bad(&["--model", "logistic"], "column \"target\" has 214 distinct values");
    bad(&["houses.csv"], "--target");
    bad(&["houses.csv", "--target", "y"], "cannot read houses.csv");
}

#[test]
fn bad_tables_are_named_with_line_and_column() {
    let out = tempfile::tempdir().unwrap();
    let results = out.path().join("results");
    let bad = |text: &str, model: &str, why: &str| {
        let file = out.path().join("bad.csv");
        std::fs::write(&file, text).unwrap();
        let args = [file.to_str().unwrap(), "--target", "y", "--model", model, "--folds", "3"];
        path(&args, &results).assert().code(2).stderr(contains("bad.csv: ").and(contains(why))).stdout("");
        assert!(!results.exists(), "something was written");
    };
    bad("", "linear", "is empty: expected a line of column names, then rows of numbers");
    bad("a,y\n", "linear", "has a header but no rows");
    bad("a,y\n1,2\nred,3\n4,5\n", "linear", "line 3: column \"a\" is \"red\", must be a number");
    bad("a,y\n1,2\nnan,3\n4,5\n", "linear", "line 3: column \"a\" is missing (\"nan\")");
    bad("a,y\n1,2\n,3\n4,5\n", "linear", "line 3: column \"a\" is empty");
    bad("a,y\n1,2\n2,NaN\n4,5\n", "linear", "line 3: column \"y\" is missing (\"NaN\")");
    bad("a,b,y\n1,7,2\n1,7,3\n1,7,5\n", "linear", "every feature has one value in every row");
    bad("a,y\n1,2\n2,2\n3,2\n", "linear", "column \"y\" has one value in every row");
    bad("a,y\n1,n\n2,n\n3,n\n4,p\n5,p\n", "logistic", "class \"p\" of column \"y\" has 2 rows, fewer than --folds, 3");
}

#[test]
fn a_place_that_cannot_be_written_into_is_said_before_the_work() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("file");
    std::fs::write(&file, "").unwrap();
    path(&["--lambdas", "2", "--folds", "2"], &file).assert().code(2).stderr(contains("cannot create ")).stdout("");
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let out = tempfile::tempdir().unwrap();
    let run = |limit: &str| common::on_a_full_disk(limit, "path --lambdas 20 --folds 2", out.path());
    run("unlimited").assert().success();
    let before = results(out.path());
    run("4").assert().code(2).stderr(contains("cannot write ").and(contains("path.json")));
    assert_eq!(files(out.path()), ["model.json", "path.html", "path.json"], "something unfinished was left");
    assert_eq!(results(out.path()), before, "the old result was changed");
}

#[test]
fn a_flat_target_far_from_zero_has_its_page_and_its_numbers() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("flat.csv");
    // Errors of 1e18, equal but for their last digits.
    std::fs::write(&file, "a,y\n1,1e9\n2,1e9\n3,1\n4,1\n").unwrap();
    let to = out.path().join("out");
    path(&[file.to_str().unwrap(), "--target", "y", "--folds", "2", "--lambdas", "4"], &to).assert().success();
    assert_eq!(files(&to), ["model.json", "path.html", "path.json"]);
}
