//! What every command's outputs have in common: who may write them, what of a user's text reaches a terminal or a page, which digits
//! numbers have, and commands that can be copied.
#![cfg(unix)]
use crate::common::{command, files, numbers};
use assert_cmd::Command;
use predicates::str::contains;
use std::{
    ffi::OsStr,
    path::Path,
    process::{Command as Process, Stdio},
    time::{Duration, Instant},
};

/// Quick to train.
const TINY: [&str; 6] = ["--hidden", "8", "--epochs", "2", "--batch", "10"];

fn ridgepole(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ridgepole").unwrap();
    command.args(args);
    command
}

/// A table whose target depends on its features.
fn table(path: &Path, heads: [&str; 3], classes: Option<[&str; 2]>, unit: f64) {
    let mut writer = csv::Writer::from_path(path).unwrap();
    writer.write_record(heads).unwrap();
    for i in 0..90 {
        let (u, v) = (f64::from(i % 11) - 5.0, f64::from(i * 7 % 13) / 3.0);
        let y = 3.0 + 0.3 * u + 0.05 * u * v;
        let target = classes.map_or(format!("{:e}", unit * y), |names| names[usize::from(y > 3.0)].to_string());
        writer.write_record([u.to_string(), v.to_string(), target]).unwrap();
    }
    writer.flush().unwrap();
}

#[test]
fn a_folder_has_one_writer_and_a_dead_one_holds_nothing() {
    let out = tempfile::tempdir().unwrap();
    let lock = out.path().join(".ridgepole.lock");
    let mut first = Process::new(assert_cmd::cargo::cargo_bin("ridgepole"))
        .args(["tune", "--rows", "240", "--folds", "3", "--epochs", "100000", "--patience", "100000", "--out"])
        .arg(out.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while std::fs::read_to_string(&lock).map_or(true, |text| !text.ends_with('\n')) {
        assert!(begun.elapsed() < Duration::from_secs(60) && first.try_wait().unwrap().is_none(), "no lock");
        std::thread::sleep(Duration::from_millis(20));
    }
    let said = format!("is in use by `ridgepole tune`, process {} on ", first.id());
    for name in ["tune", "study", "path"] {
        command(name, &[], out.path()).assert().code(2).stdout("").stderr(contains(&*said));
    }
    // No handler of the program runs.
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(lock.exists(), "it could not be removed");
    command("path", &["--lambdas", "3", "--folds", "2"], out.path()).assert().success();
    let left: Vec<String> = files(out.path()).into_iter().filter(|f| f != "tune.checkpoint").collect();
    assert_eq!(left, ["model.json", "path.html", "path.json"]);
}

/// Escape sequences, carriage return, bell, C1, direction, zero width, newline, tab.
const HOSTILE: &str =
    "x\u{1b}]0 t\u{7}\u{1b}[31m\r\u{8}\u{7f}\u{9b}2J\u{85}\u{202e}evil\u{2066}\u{200b}\u{feff}\u{2028}\nerror: forged\t<b>";

fn harmless(what: &str, text: &[u8]) {
    let text = std::str::from_utf8(text).unwrap_or_else(|e| panic!("{what}: {e}"));
    let bad = |c: &char| {
        let seen = matches!(*c, ' '..='~' | '\n' | '\t');
        !seen
            && matches!(*c, '\0'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    assert_eq!(text.chars().find(bad), None, "{what}: {text:?}");
    assert!(!text.lines().any(|l| l.starts_with("error: forged")), "{what}: {text}");
}

/// What a command prints and writes, whether it succeeds or not.
fn harmless_run(args: &[&OsStr], folder: &Path) -> bool {
    let out = Process::new(assert_cmd::cargo::cargo_bin("ridgepole")).args(args).current_dir(folder).output().unwrap();
    let what = format!("{args:?}");
    harmless(&what, &out.stdout);
    harmless(&what, &out.stderr);
    out.status.success()
}

#[test]
fn no_text_of_a_user_moves_a_terminal_or_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let name = HOSTILE.replace('/', "");
    let [numbers, classes] = ["n", "c"].map(|n| format!("{name}{n}.csv"));
    let heads = [&*format!("a{HOSTILE}"), &*format!("b{HOSTILE}"), HOSTILE];
    table(&dir.path().join(&numbers), heads, None, 1.0);
    table(&dir.path().join(&classes), heads, Some([&format!("p{HOSTILE}"), &format!("q{HOSTILE}")]), 1.0);
    let out = format!("out{name}");
    let run = |args: &[&str]| harmless_run(&args.iter().map(OsStr::new).collect::<Vec<_>>(), dir.path());
    for file in [&numbers, &classes] {
        let data = ["--data", file, "--label", HOSTILE, "--out", &out];
        assert!(
            run(&[&["study", "--treatments", "none,dropout", "--seeds", "1", "--decompose", "2"], &data[..], &TINY].concat())
        );
        assert!(run(&[&["tune", "--folds", "2", "--p", "0,0.5"], &data[..], &TINY].concat()));
        let model = if *file == numbers { "linear" } else { "logistic" };
        assert!(run(&["path", file, "--target", HOSTILE, "--model", model, "--folds", "2", "--lambdas", "3", "--out", &out]));
        // And where it is wrong.
        for args in [
            &["tune", "--data", file, "--label", &format!("{HOSTILE}?")][..],
            &["path", file, "--target", "no"],
            &["path", &format!("{file}?"), "--target", "no"],
        ] {
            assert!(!run(args));
        }
    }
    for page in ["report.html", "tune.html", "path.html", "results.json", "tune.json", "path.json", "model.json"] {
        harmless(page, &std::fs::read(dir.path().join(&out).join(page)).unwrap());
    }
    // Ops and cases by name, and words of the command line.
    let case = serde_json::json!({ "case": HOSTILE, "op": "penalty_grad", "dtype": "f32", "segments": [{ "start": 0, "len": 5000 }], "groups": [{ "l1": 0.5 }] });
    let cases = format!("{name}.jsonl");
    std::fs::write(dir.path().join(&cases), format!("{case}\n")).unwrap();
    let quick = ["--rounds", "1", "--sample", "1", "--working-set", "0"];
    for format in [&[][..], &["--csv"], &["--json"], &["--html", "bench.html"], &["--host"], &["--host", "--csv"]] {
        assert!(run(
            &[&["bench", "--cases", &cases][..], &quick[..if format.contains(&"--host") { 2 } else { 6 }], format].concat()
        ));
    }
    harmless("bench.html", &std::fs::read(dir.path().join("bench.html")).unwrap());
    std::fs::write(dir.path().join("op.json"), serde_json::json!({ "op": HOSTILE }).to_string()).unwrap();
    std::fs::write(dir.path().join("wrong.json"), serde_json::json!({ "op": "penalty", HOSTILE: 1 }).to_string()).unwrap();
    for args in [
        &["run", "op.json", "--out", &out][..],
        &["run", "wrong.json", "--out", "o"],
        &["run", &name, "--out", "o"],
        &["check", HOSTILE],
        &["bench", HOSTILE],
        &["ops", HOSTILE],
        &["race", HOSTILE],
        &["check", "--adapter", HOSTILE],
        &["bench", "--compare", &name, &cases],
        &["bench", "--compare", &cases, &cases],
        &["race", "dropout, f32", "--peer", HOSTILE, "--elements", "1024", "--turns", "1", "--rounds", "1", "--sample", "1"],
        &[HOSTILE],
        &["tune", HOSTILE],
        &["tune", &format!("--{HOSTILE}")],
        &["tune", "--l1", HOSTILE],
        &["study", "--treatments", HOSTILE],
        &["tune", "--out", &numbers],
    ] {
        assert!(!run(args), "{args:?}");
    }
}

/// The command after "best:" in what `tune` printed.
fn best(stdout: &[u8]) -> String {
    let text = String::from_utf8(stdout.to_vec()).unwrap();
    text.lines().find_map(|l| l.strip_prefix("best:")).expect("a best setting").trim().to_string()
}

#[test]
fn the_printed_command_runs_whatever_it_is_called_with() {
    let dir = tempfile::tempdir().unwrap();
    // Columns named like options, and a file named like one.
    table(&dir.path().join("-x.csv"), ["--l1-ratio", "-h", "--target"], None, 1.0);
    // All that a shell takes apart.
    let odd = "it's $HOME `id` \"!\" ~ * #\u{1b}[31m\n é λ\\.csv";
    table(&dir.path().join(odd), ["a", "b", odd], None, 1.0);
    // Plain ones are printed as they are.
    for (i, (data, label)) in [("-x.csv", "--target"), (odd, odd)].into_iter().enumerate() {
        let [first, second] = ["a", "b"].map(|n| format!("{n}{i}"));
        let given = [format!("--data={data}"), format!("--label={label}")];
        let args = [&["tune", &given[0], &given[1], "--p", "0,0.5", "--folds", "2"][..], &TINY, &["--out", &first]].concat();
        let printed = best(&ridgepole(&args).current_dir(dir.path()).assert().success().get_output().stdout);
        let folder = assert_cmd::cargo::cargo_bin("ridgepole").parent().unwrap().to_path_buf();
        let path =
            std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap()))).unwrap();
        let line = format!("{printed} --out {second}");
        Command::new("sh").args(["-c", &line]).env("PATH", path).current_dir(dir.path()).assert().success();
        let [all, one] = [first, second].map(|f| numbers(&dir.path().join(f), "tune.json", "times"));
        let best = &all["settings"][all["best"].as_u64().unwrap() as usize];
        assert_eq!(one["settings"][0]["folds"], best["folds"], "{printed}");
    }
}

#[test]
fn numbers_have_digits_at_any_magnitude_and_one_seed_has_no_spread() {
    for (unit, power) in [(1e-10, "e-1"), (1e37, "e3")] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.csv");
        table(&file, ["a", "b", "y"], None, unit);
        let data = ["--data", file.to_str().unwrap(), "--label", "y"];
        let study = [&data[..], &["--treatments", "none", "--seeds", "1", "--monte-carlo", "0"], &TINY].concat();
        let out = command("study", &study, dir.path()).assert().success().get_output().stdout.clone();
        let text = String::from_utf8(out).unwrap();
        let row = text.lines().find(|l| l.starts_with("none")).unwrap();
        assert!(row.contains(power) && !text.contains("1 seeds") && text.contains("1 seed;") && !text.contains('±'), "{text}");
        // The script speaks of numbers, too.
        let page = std::fs::read_to_string(dir.path().join("report.html")).unwrap();
        let page = page.split("<script").next().unwrap();
        for wrong in ["1 seeds", " ± ", ">0.00<", ">0.000<"] {
            assert!(!page.contains(wrong), "{unit}: {wrong} in {page}");
        }
        assert!(page.contains(power), "no digits");
        let tune = [&data[..], &["--p", "0,0.5", "--folds", "2"], &TINY].concat();
        let out = command("tune", &tune, dir.path()).assert().success().get_output().stdout.clone();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().any(|l| l.starts_with("best") && l.contains(power) && l.contains('±')), "{text}");
        let page = std::fs::read_to_string(dir.path().join("tune.html")).unwrap();
        for nothing in [">0.000<", "± 0.0<", "± 0.00<", ">0.000 "] {
            assert!(!page.contains(nothing) && !text.contains(" 0.000 ± "), "{unit}: {nothing}");
        }
        let path = [file.to_str().unwrap(), "--target", "y", "--folds", "2", "--lambdas", "4"];
        let out = command("path", &path, dir.path()).assert().success().get_output().stdout.clone();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().any(|l| l.starts_with("intercept") && l.contains(power)), "{text}");
    }
}
