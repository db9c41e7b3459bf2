//! `ridgepole lower`: the same JSON as the library's, for the device that was said, and every way to call it wrongly.
use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};
use ridgepole::{Caps, Features, Limits, Portable, ops};
use serde_json::Value;
use std::{fs, path::Path};
use tempfile::TempDir;

const OP: &str = r#"{"op": "clip_by_global_norm", "dtype": "f32", "max_norm": 1.0, "segments": [{"start": 0, "len": 100000}]}"#;

fn folder(op: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("op.json"), op).unwrap();
    dir
}

fn lower(dir: &Path, more: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ridgepole").unwrap();
    command.current_dir(dir).args(["lower", "op.json"]).args(more);
    command
}

/// What it prints: one line.
fn printed(dir: &Path, more: &[&str]) -> String {
    let run = lower(dir, more).assert().success().stderr("");
    let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    assert!(text.ends_with("}\n") && text.lines().count() == 1, "{text}");
    text
}

fn library(limits: Limits, features: Features, cpu: bool, change: impl Fn(&mut Caps)) -> String {
    let mut caps = Caps::new(limits, features, cpu);
    change(&mut caps);
    Portable::new(ops::from_json(OP).unwrap().as_ref(), &caps).unwrap().to_json() + "\n"
}

#[test]
fn the_program_says_what_the_library_says() {
    let dir = folder(OP);
    let plain = library(Limits::default(), Features::default(), false, |_| ());
    assert_eq!(printed(dir.path(), &[]), plain);
    let mut stdin = Command::cargo_bin("ridgepole").unwrap();
    stdin.args(["lower", "-"]).write_stdin(OP).assert().success().stdout(plain.clone());
    // Each option reaches what it names.
    let limits = Limits {
        max_storage_buffer_binding_size: 1 << 17,
        max_storage_buffers_per_shader_stage: 10,
        max_compute_invocations_per_workgroup: 512,
        max_compute_workgroup_size_x: 128,
        max_compute_workgroups_per_dimension: 300,
        min_storage_buffer_offset_alignment: 32,
        min_uniform_buffer_offset_alignment: 64,
    };
    let given: Vec<String> = match serde_json::to_value(&limits).unwrap() {
        Value::Object(all) => all.iter().flat_map(|(name, n)| ["--limit".to_string(), format!("{name}={n}")]).collect(),
        other => panic!("{other}"),
    };
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let narrow = library(limits, Features::default(), false, |_| ());
    assert_eq!(printed(dir.path(), &given), narrow);
    let steps = |text: &str| serde_json::from_str::<Value>(text).unwrap()["steps"].as_array().unwrap().len();
    assert!(steps(&narrow) > steps(&plain));
    let cpu =
        library(Limits::default(), Features { subgroups: true, int64: true }, true, |c| (c.subgroup, c.pooled) = ([8, 8], true));
    let more = ["--cpu", "--pooled", "--feature", "subgroups", "--feature", "int64", "--subgroup-sizes", "8,8"];
    assert_eq!(printed(dir.path(), &more), cpu);
    // The help has a line for each limit, with its default.
    let help = Command::cargo_bin("ridgepole").unwrap().args(["lower", "--help"]).assert().success();
    let help = String::from_utf8(help.get_output().stdout.clone()).unwrap();
    let words: Vec<Vec<&str>> = help.lines().map(|l| l.split_whitespace().collect()).collect();
    for (name, default) in serde_json::to_value(Limits::default()).unwrap().as_object().unwrap() {
        assert!(words.iter().any(|w| w.first() == Some(&&**name) && w.get(1) == Some(&&*default.to_string())), "{name}");
    }
}

#[test]
fn an_adapter_is_lowered_for_as_run_uses_it() {
    let dir = folder(OP);
    let session = ridgepole::Session::new().unwrap();
    let want = Portable::new(ops::from_json(OP).unwrap().as_ref(), session.gpu().caps()).unwrap().to_json() + "\n";
    assert_eq!(printed(dir.path(), &["--adapter", &session.info().name]), want);
    lower(dir.path(), &["--adapter", "Voodoo2"]).assert().code(2).stderr(contains("no name contains \"Voodoo2\"")).stdout("");
    lower(dir.path(), &["--adapter", "x", "--cpu"]).assert().code(2).stderr(contains("cannot be used with")).stdout("");
    // Without one, no GPU is looked for.
    lower(dir.path(), &[]).env("WGPU_ADAPTER_NAME", "Voodoo2").env("WGPU_BACKEND", "vulcan").assert().success();
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let dir = folder(OP);
    let out = dir.path().join("out.json");
    lower(dir.path(), &["--out", "out.json"])
        .assert()
        .success()
        .stdout("")
        .stderr(contains("clip_by_global_norm: wrote ").and(contains("steps with")));
    assert_eq!(fs::read_to_string(&out).unwrap(), printed(dir.path(), &[]));
    fs::write(&out, "before").unwrap();
    lower(dir.path(), &["--out", "out.json", "--limit", "max_storage_buffers_per_shader_stage=1"]).assert().code(2);
    assert_eq!(fs::read_to_string(&out).unwrap(), "before");
    lower(dir.path(), &["--out", "no/out.json"]).assert().code(2).stderr(contains("cannot write no/out.json"));
}

#[test]
fn what_is_wrong_is_named() {
    let limit = |text: &'static str, message: &'static str| (OP, vec!["--limit", text], message);
    for (op, more, message) in [
        ("{", vec![], "op.json: the op's JSON: EOF"),
        ("[]", vec![], "op.json: the op's JSON: wants an object with the key \"op\""),
        (r#"{"op": "clip\u001b[2J"}"#, vec![], "clip\\u{1b}[2J: no such op; there are: "),
        (r#"{"op": "clip_by_value", "dtype": "f64", "segments": []}"#, vec![], "op.json: clip_by_value: "),
        (r#"{"op": "penalty_grad", "dtype": "f32", "segments": [], "groups": [{"l1": -1}]}"#, vec![], "penalty_grad: `groups`"),
        (
            "{\"op\": \"philox\", \"len\": 1, \"seed\": 1}\n{\"op\": \"philox\", \"len\": 2, \"seed\": 1}",
            vec![],
            "op.json has an op on each line; `lower` takes one op",
        ),
        limit("max_storage_buffers_per_shader_stage=1", "clip_by_global_norm: not possible on this device: needs "),
        limit("max_buffer_size=1", "no such limit: max_buffer_size; there are max_storage_buffer_binding_size, "),
        limit("max_storage_buffer_binding_size", "must be a name and a number"),
        limit(
            "max_storage_buffer_binding_size=",
            "max_storage_buffer_binding_size is , must be a whole number from 65536 to 4294967295",
        ),
        limit("max_storage_buffer_binding_size=1", "must be a whole number from 65536 to 4294967295"),
        limit("max_storage_buffer_binding_size=4294967296", "must be a whole number from 65536 to 4294967295"),
        limit("max_compute_workgroup_size_x=-1", "max_compute_workgroup_size_x is -1, must be"),
        limit("min_storage_buffer_offset_alignment=48", "must be a power of two from 16 to 65536"),
        limit("min_uniform_buffer_offset_alignment=1e2", "min_uniform_buffer_offset_alignment is 1e2, must be"),
        limit("\u{1b}[2J=1", "no such limit: \\u{1b}[2J"),
        (OP, ["--limit", "max_compute_workgroup_size_x=256"].repeat(2), "--limit max_compute_workgroup_size_x is given twice"),
        (OP, vec!["--feature", "f16"], "invalid value 'f16'"),
        (OP, vec!["--subgroup-sizes", "8,8"], "--feature"),
        (OP, vec!["--feature", "int64", "--subgroup-sizes", "8,8"], "--subgroup-sizes wants --feature subgroups"),
        (
            OP,
            vec!["--feature", "subgroups", "--subgroup-sizes", "32,8"],
            "is 32,8, must be two powers of two from 1 to 128, the least first",
        ),
        (OP, vec!["--feature", "subgroups", "--subgroup-sizes", "8"], "is 8, must be two powers of two"),
        (OP, vec!["--feature", "subgroups", "--subgroup-sizes", "12,12"], "is 12,12, must be two powers of two"),
    ] {
        let dir = folder(op);
        let run = lower(dir.path(), &more).assert().code(2).stdout("").stderr(contains(message));
        let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(!text.contains("panicked") && !text.trim_end().contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    }
    let dir = folder(OP);
    let mut none = Command::cargo_bin("ridgepole").unwrap();
    none.current_dir(&dir).args(["lower", "no.json"]).assert().code(2).stderr(contains("cannot read no.json"));
}
