//! What can be named as an input and is none, at every option that names one: an error, soon, and nothing written.
use crate::common::command;
use assert_cmd::Command;
use std::path::Path;

/// A way to name an input: the words before it and behind it, and whether --max-input is its limit.
struct Way {
    before: &'static [&'static str],
    behind: &'static [&'static str],
    table: bool,
}

const WAYS: [Way; 10] = [
    Way { before: &["study", "--data"], behind: &["--label", "y"], table: true },
    Way { before: &["tune", "--data"], behind: &["--label", "y"], table: true },
    Way { before: &["path"], behind: &["--target", "y"], table: true },
    Way { before: &["predict"], behind: &["--data", "record.csv"], table: true },
    Way { before: &["predict", "model.json", "--data"], behind: &[], table: true },
    Way { before: &["run"], behind: &["--device", "cpu"], table: false },
    Way { before: &["run", "op.json", "--device", "cpu", "--in"], behind: &[], table: false },
    Way { before: &["bench", "--cases"], behind: &["--host"], table: false },
    Way { before: &["bench", "--compare", "record.csv"], behind: &[], table: false },
    Way { before: &["bench", "--html", "page.html", "--draw"], behind: &[], table: false },
];

/// A folder with what the other words name.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let op = r#"{"op": "clip_by_value", "dtype": "f32", "segments": [{"start": 0, "len": 2}], "max": 1}"#;
    std::fs::write(dir.path().join("op.json"), op).unwrap();
    let model = r#"{"format": "ridgepole-model", "version": 1, "program": "", "data": "", "fitted": "", "missing": "refuse",
        "columns": [{"name": "a", "kind": "number"}], "left_out": [], "features": [{"name": "a", "column": 0, "mean": 0}],
        "target": {"name": "y"}, "linear": {"family": "linear", "path": [{"lambda": 1, "intercept": 0, "coefficients": [1]}],
        "best": 0, "one_standard_error": 0}}"#;
    std::fs::write(dir.path().join("model.json"), model).unwrap();
    let header = "device,version,op,case,bytes,elements,dispatches,seconds,lower_quartile,upper_quartile,gb_per_s,copy_gb_per_s,\
                  share,cpu_seconds,cpu_share,rounds,clock\n";
    std::fs::write(dir.path().join("record.csv"), format!("{header}card,1,x,a,8,1,1,1,1,1,1,1,0.5,,,11,wall\n")).unwrap();
    dir
}

/// What every way says of the input `file`.
fn said(dir: &Path, file: &str, more: &[&str]) -> Vec<String> {
    let of = |way: &Way| {
        let mut run = Command::cargo_bin("ridgepole").unwrap();
        run.current_dir(dir).args(way.before).arg(file).args(way.behind);
        if way.table {
            run.args(more);
        }
        if way.before[0] != "bench" {
            run.args(["--out", "out"]);
        }
        let done = run.timeout(std::time::Duration::from_secs(120)).assert();
        let output = done.get_output();
        let text = String::from_utf8(output.stderr.clone()).expect("text");
        let what = format!("{} {file}: {:?}: {text:.3000}", way.before.join(" "), output.status);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{what}");
        assert!(text.contains("error: ") && text.len() < 5000 && !text.contains("panicked"), "{what}");
        assert!(!["out", "page.html"].iter().any(|f| dir.join(f).exists()), "{what}");
        text
    };
    WAYS.iter().map(of).collect()
}

#[test]
fn what_is_no_input_is_an_error_at_every_option() {
    let dir = folder();
    for (file, text) in [("missing", "cannot read missing: "), (".", "cannot read .: ")] {
        said(dir.path(), file, &[]).iter().for_each(|why| assert!(why.contains(text), "{why}"));
    }
    // Longer than any limit, without a byte on the disk.
    let long = std::fs::File::create(dir.path().join("long")).unwrap();
    long.set_len(3 << 30).unwrap();
    let all = said(dir.path(), "long", &[]);
    all.iter().zip(&WAYS).for_each(|(why, way)| {
        let text = if way.before.contains(&"--in") { "its header would have 0 bytes" } else { "more than " };
        assert!(why.contains(text), "{why}");
    });
    // Of one line, within the limits.
    std::fs::write(dir.path().join("line"), vec![b'a'; 20 << 20]).unwrap();
    said(dir.path(), "line", &[]);
    std::fs::write(dir.path().join("empty"), b"").unwrap();
    said(dir.path(), "empty", &[]);
    // No text.
    std::fs::write(dir.path().join("zeros"), vec![0; 1000]).unwrap();
    said(dir.path(), "zeros", &[]);
}

#[cfg(unix)]
#[test]
fn what_never_ends_is_an_error_at_every_option() {
    let dir = folder();
    let all = said(dir.path(), "/dev/zero", &["--max-input", "1Mi"]);
    all.iter().zip(&WAYS).for_each(|(why, way)| {
        let text = if way.before.contains(&"--in") { "its header would have 0 bytes" } else { "more than " };
        assert!(why.contains("cannot read /dev/zero: ") && why.contains(text), "{why}");
    });
    // A pipe whose writer writes on as long as somebody reads.
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let to = pipe.clone();
    std::thread::spawn(move || {
        loop {
            let Ok(mut pipe) = std::fs::OpenOptions::new().write(true).open(&to) else { return };
            while std::io::Write::write_all(&mut pipe, &[b'1'; 1 << 16]).is_ok() {}
            drop(pipe);
            // The next reader is another process, which opens the pipe anew.
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    });
    said(dir.path(), "pipe", &["--max-input", "1Mi"]).iter().for_each(|why| assert!(why.contains("cannot read pipe: "), "{why}"));
}

#[cfg(unix)]
#[test]
fn a_checkpoint_or_a_folder_of_images_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let tune = || command("tune", &["--hidden", "8", "--epochs", "1", "--l2", "0", "--folds", "2"], &out);
    let checkpoint = out.join("tune.checkpoint");
    let refused = |why: &str| {
        let done = tune().timeout(std::time::Duration::from_secs(120)).assert().code(2).stdout("");
        let text = String::from_utf8(done.get_output().stderr.clone()).unwrap();
        assert!(text.contains(why) && text.contains("start over with --fresh"), "{text}");
    };
    std::os::unix::fs::symlink("/dev/zero", &checkpoint).unwrap();
    refused("it is no file");
    std::fs::remove_file(&checkpoint).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&checkpoint).status().unwrap().success());
    refused("it is no file");
    std::fs::remove_file(&checkpoint).unwrap();
    std::fs::File::create(&checkpoint).unwrap().set_len((8 << 30) + 1).unwrap();
    refused("it has 8589934593 bytes, more than 8Gi bytes, which none has that this program writes");
    let missing = |path: &str| {
        let done = command("study", &["--mnist", path], &dir.path().join("no")).assert().code(2).stdout("");
        String::from_utf8(done.get_output().stderr.clone()).unwrap()
    };
    assert!(missing("/dev/zero").contains("/dev/zero"), "{}", missing("/dev/zero"));
    assert!(missing(out.to_str().unwrap()).contains("error: "));
}

#[test]
fn descriptions_of_ops_are_text_of_every_encoding_for_every_command() {
    let dir = folder();
    let op = r#"{"case":"a","op":"clip_by_value","dtype":"f32","segments":[{"start":0,"len":5000}],"max":1}"#;
    let two = format!("{op}\r{}\r", op.replace("\"a\"", "\"b\""));
    let wide = |unit: fn(u16) -> [u8; 2]| two.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    std::io::Write::write_all(&mut packed, two.as_bytes()).unwrap();
    for bytes in [
        two.clone().into_bytes(),
        [b"\xef\xbb\xbf", two.as_bytes()].concat(),
        [b"\xff\xfe".to_vec(), wide(u16::to_le_bytes)].concat(),
        wide(u16::to_be_bytes),
        packed.finish().unwrap(),
    ] {
        std::fs::write(dir.path().join("ops"), &bytes).unwrap();
        let program = |args: &[&str]| {
            let mut run = Command::cargo_bin("ridgepole").unwrap();
            run.current_dir(dir.path()).args(args);
            run
        };
        // Both cases are found: what is asked for next is the tensors of both.
        let run = program(&["run", "ops", "--out", "o", "--device", "cpu"]).assert().code(2);
        let text = String::from_utf8(run.get_output().stderr.clone()).unwrap();
        assert!(text.contains("a.grad") || text.contains("case \"a\""), "{text}");
        let bench = program(&["bench", "--cases", "ops", "--host", "--rounds", "1", "--json"]).assert().success();
        let json: serde_json::Value = serde_json::from_slice(&bench.get_output().stdout).unwrap();
        assert_eq!([0, 1].map(|i| json["host"][i]["case"].clone()), ["a", "b"]);
        let piped = program(&["bench", "--cases", "-", "no such case"]).write_stdin(bytes).assert().code(2);
        assert!(String::from_utf8_lossy(&piped.get_output().stderr).contains("stdin: no case contains"));
    }
    // What is wrong with a line is said alike.
    std::fs::write(dir.path().join("ops"), format!("{op}\r\n{}", op.replace("\"max\":1", "\"max\":-Infinity"))).unwrap();
    for args in [&["run", "ops", "--out", "o"][..], &["bench", "--cases", "ops"]] {
        let mut run = Command::cargo_bin("ridgepole").unwrap();
        let done = run.current_dir(dir.path()).args(args).assert().code(2);
        let text = String::from_utf8(done.get_output().stderr.clone()).unwrap();
        assert!(text.contains("ops, line 2") && text.contains("-Infinity: JSON has no such number"), "{text}");
    }
}
