//! `ridgepole run`: the same op on the GPU and by its reference, and every way to call it wrongly.
use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{fs, path::Path};
use tempfile::TempDir;

const OP: &str = r#"{"op": "penalty_grad", "dtype": "f32", "segments": [{"start": 0, "len": 6}],
    "groups": [{"l1": 0.5, "l2": 0.25}]}"#;

/// Name, type, shape and bytes of a tensor.
type Tensor<'a> = (&'a str, Dtype, &'a [usize], &'a [u8]);

/// A folder with `op.json` and `in.safetensors`.
fn folder(op: &str, tensors: &[Tensor]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("op.json"), op).unwrap();
    let views: Vec<_> = tensors.iter().map(|(n, d, s, b)| (*n, TensorView::new(*d, s.to_vec(), b).unwrap())).collect();
    fs::write(dir.path().join("in.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
    dir
}

fn good() -> TempDir {
    let (w, g) = (f32s(&[1.5, -2.0, 0.0, 1e-3, 100.0, -0.25]), f32s(&[0.0, 1.0, -1.0, 0.5, 0.25, 8.0]));
    folder(OP, &[("weight", Dtype::F32, &[6], &w), ("grad", Dtype::F32, &[2, 3], &g)])
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn ridgepole(dir: &Path, more: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ridgepole").unwrap();
    command.current_dir(dir).args(["run", "op.json", "--in", "in.safetensors", "--out", "out.safetensors"]).args(more);
    command
}

/// The only tensor of a file, `name`: its shape, and its values.
fn read(path: &Path, name: &str) -> (Vec<usize>, Vec<f32>) {
    assert_eq!(SafeTensors::deserialize(&fs::read(path).unwrap()).unwrap().len(), 1);
    tensor(path, name)
}

/// The tensor `name` of a file: its shape, and its values.
fn tensor(path: &Path, name: &str) -> (Vec<usize>, Vec<f32>) {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(name).unwrap();
    assert_eq!(tensor.dtype(), Dtype::F32);
    let values = tensor.data().chunks(4).map(|c| f32::from_le_bytes(c.try_into().unwrap())).collect();
    (tensor.shape().to_vec(), values)
}

#[test]
fn gpu_and_reference_agree_and_keep_the_shape() {
    let dir = good();
    let out = dir.path().join("out.safetensors");
    ridgepole(dir.path(), &[]).assert().success().stderr(contains("penalty_grad on ").and(contains("wrote grad")));
    let (shape, gpu) = read(&out, "grad");
    let file = fs::read(&out).unwrap();
    ridgepole(dir.path(), &[]).assert().success();
    assert_eq!(file, fs::read(&out).unwrap(), "equal runs make equal files");
    ridgepole(dir.path(), &["--device", "cpu"]).assert().success();
    let (reference_shape, cpu) = read(&out, "grad");
    assert_eq!((shape, reference_shape), (vec![2, 3], vec![2, 3]));
    // g + 0.5·sign(w) + 2·0.25·w, by hand.
    let want = [1.25, -0.5, -1.0, 1.0005, 50.75, 7.375];
    for ((g, c), w) in gpu.iter().zip(&cpu).zip(want) {
        assert!((g - w).abs() <= 4e-7 * w.abs() && (c - w).abs() <= 1.2e-7 * w.abs(), "{g} {c} {w}");
    }
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "no temporary file stays: {left:?}");
}

#[test]
fn the_op_may_come_from_stdin() {
    let dir = good();
    let mut command = Command::cargo_bin("ridgepole").unwrap();
    command.current_dir(&dir).args(["run", "-", "--in", "in.safetensors", "--out", "out.safetensors", "--device", "cpu"]);
    command.write_stdin(OP).assert().success();
    assert_eq!(read(&dir.path().join("out.safetensors"), "grad").0, [2, 3]);
}

#[test]
fn a_device_file_is_written_to_and_not_replaced() {
    if cfg!(unix) {
        let dir = good();
        let mut command = Command::cargo_bin("ridgepole").unwrap();
        command.current_dir(&dir).args(["run", "op.json", "--in", "in.safetensors", "--out", "/dev/null", "--device", "cpu"]);
        command.assert().success();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let six = f32s(&[1.0; 6]);
    let cases: [(&[Tensor], &str); 4] = [
        (&[("weight", Dtype::F32, &[6], &six)], "no tensor `grad` (F32, 6 elements); it has: weight"),
        (&[("weight", Dtype::F32, &[6], &six), ("grad", Dtype::F16, &[6], &six[..12])], "`grad` is F16, the op wants F32"),
        (
            &[("weight", Dtype::F32, &[5], &six[..20]), ("grad", Dtype::F32, &[6], &six)],
            "`weight` has 5 elements (shape [5]), the op wants 6",
        ),
        (&[("weight", Dtype::I32, &[6], &six), ("grad", Dtype::F32, &[6], &six)], "`weight` is I32, the op wants F32"),
    ];
    for (tensors, message) in cases {
        for device in ["gpu", "cpu"] {
            let dir = folder(OP, tensors);
            ridgepole(dir.path(), &["--device", device]).assert().code(2).stderr(contains(message));
            assert!(!dir.path().join("out.safetensors").exists());
        }
    }
}

#[test]
fn tensors_that_are_not_arguments_are_mentioned() {
    let six = f32s(&[1.0; 6]);
    let dir =
        folder(OP, &[("weight", Dtype::F32, &[6], &six), ("grad", Dtype::F32, &[6], &six), ("bias", Dtype::F32, &[6], &six)]);
    ridgepole(dir.path(), &["--device", "cpu"]).assert().success().stderr(contains("not used: bias"));
}

#[test]
fn descriptions_that_make_no_op_are_explained() {
    for (op, message) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("[1, 2]", "wants an object with the key \"op\""),
        (r#"{"op": 3}"#, "wants an object with the key \"op\""),
        (r#"{"op": "gradient"}"#, "no such op; there are: "),
        (r#"{"op": "penalty_grad"}"#, "missing field"),
        (r#"{"op": "penalty_grad", "dtype": "f32", "segments": [], "groups": [], "lambda": 1}"#, "unknown field `lambda`"),
        (r#"{"op": "penalty_grad", "dtype": "f64", "segments": [], "groups": []}"#, "unknown variant `f64`"),
        (
            r#"{"op": "penalty_grad", "dtype": "u32", "segments": [], "groups": []}"#,
            "penalty_grad: `dtype` is U32, must be f32, f16 or bf16",
        ),
        (
            r#"{"op": "penalty_grad", "dtype": "f32", "segments": [{"start": 0, "len": 4, "group": 9}], "groups": []}"#,
            "penalty_grad: `segments`",
        ),
        (
            r#"{"op": "penalty_grad", "dtype": "f32", "segments": [{"start": 0, "len": 4}], "groups": [{"l1": -1}]}"#,
            "penalty_grad: `groups`",
        ),
        (
            r#"{"op": "penalty_grad", "dtype": "f32", "segments": [{"start": 8, "len": 18446744073709551615}], "groups": [{}]}"#,
            "",
        ),
    ] {
        for device in ["gpu", "cpu"] {
            let dir = folder(op, &[]);
            let run = ridgepole(dir.path(), &["--device", device]).assert().code(2).stderr(contains(message));
            let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
            assert!(text.lines().any(|l| l.starts_with("error: ")) && !text.contains("panicked"), "{op}: {text}");
        }
    }
}

#[test]
fn files_that_are_not_there_or_no_tensors_are_named() {
    let dir = good();
    let run = |args: &[&str], message: &str| {
        let mut command = Command::cargo_bin("ridgepole").unwrap();
        command.current_dir(&dir).arg("run").args(args).assert().code(2).stderr(contains(message));
    };
    run(&["no.json", "--out", "o"], "cannot read no.json");
    run(&["op.json", "--out", "o"], "the op reads `weight`, `grad`: give them with --in");
    run(&["op.json", "--in", "no.safetensors", "--out", "o"], "cannot read no.safetensors");
    run(&["op.json", "--in", "op.json", "--out", "o"], "not a safetensors file");
    run(&["op.json", "--in", "in.safetensors", "--device", "cpu", "--out", "no/o"], "cannot write no/o");
    run(&["op.json", "--in", "in.safetensors", "--device", "cpu", "--out", "."], "it is a directory");
    run(&["op.json", "--in", "in.safetensors", "--device", "tpu", "--out", "o"], "invalid value 'tpu'");
    run(&["op.json", "--in", "in.safetensors"], "--out");
    assert!(!dir.path().join("o").exists());
}

/// The text of a failed run: nothing was written, nothing panicked, and nothing of what a terminal obeys is in it.
fn failed(mut command: Command, dir: &Path) -> String {
    let run = command.assert().code(2);
    let text = String::from_utf8(run.get_output().stderr.clone()).expect("text");
    assert!(text.lines().any(|l| l.starts_with("error: ")) && !text.contains("panicked") && text.len() < 5000, "{text}");
    assert!(!text.trim_end().contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    assert!(!dir.join("out.safetensors").exists());
    text
}

/// The cases of the example in docs/program.md, and their tensors.
fn example() -> TempDir {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/program.md")).unwrap();
    let lines = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the example");
    let (weight, grad) = (f32s(&[1.0, -2.0, 0.0]), f32s(&[0.0, 1.0, 2.0]));
    let tensors = ["lasso.weight", "lasso.grad", "ridge.weight", "ridge.grad"]
        .map(|name| (name, Dtype::F32, &[3][..], if name.ends_with("weight") { &weight[..] } else { &grad[..] }));
    folder(lines, &tensors)
}

#[test]
fn many_cases_run_in_one_process() {
    let dir = example();
    let out = dir.path().join("out.safetensors");
    for device in ["gpu", "cpu"] {
        let run = ridgepole(dir.path(), &["--device", device]);
        let mut run = run;
        run.assert().success().stderr(contains("2 cases on ").and(contains("wrote lasso.grad, ridge.grad to")));
        assert_eq!(tensor(&out, "lasso.grad"), (vec![3], vec![0.5, 0.5, 2.0]));
        assert_eq!(tensor(&out, "ridge.grad"), (vec![3], vec![1.0, -1.0, 2.0]));
        fs::remove_file(&out).unwrap();
    }
    // From stdin, with empty lines and other line ends between.
    let text = fs::read_to_string(dir.path().join("op.json")).unwrap();
    let mut command = Command::cargo_bin("ridgepole").unwrap();
    command.current_dir(&dir).args(["run", "-", "--in", "in.safetensors", "--out", "out.safetensors", "--device", "cpu"]);
    command.write_stdin(format!("\u{feff}\r\n{}\r\n", text.replace('\n', "\r\n\r\n"))).assert().success();
    assert_eq!(tensor(&out, "lasso.grad"), (vec![3], vec![0.5, 0.5, 2.0]));
    // A single one has the prefix if it has the name.
    fs::write(dir.path().join("op.json"), text.lines().next().unwrap()).unwrap();
    ridgepole(dir.path(), &["--device", "cpu"]).assert().success().stderr(contains("not used: ridge.grad, ridge.weight"));
    assert_eq!(read(&out, "lasso.grad").1, [0.5, 0.5, 2.0]);
}

#[test]
fn of_many_cases_the_wrong_one_is_named() {
    let good = r#"{"case": "a", "op": "clip_by_value", "dtype": "f32", "segments": [{"start": 0, "len": 2}], "max": 1}"#;
    let long = "n".repeat(201);
    let two = f32s(&[3.0, -3.0]);
    for (line, message) in [
        (good.to_string(), "op.json, line 3, case \"a\": line 1 has a case of this name"),
        (
            good.replace("\"a\"", "\"b\""),
            "op.json, line 3, case \"b\": in.safetensors: no tensor `b.grad` (F32, 2 elements); it has: a.grad",
        ),
        (good.replace("\"case\": \"a\", ", ""), "op.json, line 3: wants the key \"case\""),
        (good.replace("\"a\"", "7"), "op.json, line 3: `case` is 7, must be a text of 1 to 200 characters"),
        (good.replace("\"a\"", "\"\""), "op.json, line 3: `case` is \"\", must be"),
        (good.replace("\"a\"", "\"\\u001b[2J\""), "op.json, line 3: `case` is \"\\u001b[2J\", must be"),
        (good.replace("\"a\"", &format!("\"{long}\"")), "... (203 characters), must be"),
        (good.replace("clip_by_value", "clip"), "op.json, line 3, case \"a\": clip: no such op"),
        (good.replace("max", "most"), "op.json, line 3, case \"a\": clip_by_value: unknown field `most`"),
        (good.replace("\"max\": 1", "\"max\": NaN"), "op.json, line 3: the op's JSON: `max` is NaN: JSON has no such number"),
        (good.replace("\"len\": 2", "\"len\": 3").replace("\"a\"", "\"b\""), "no tensor `b.grad` (F32, 3 elements)"),
        ("{".to_string(), "op.json, line 3: the op's JSON: EOF"),
        ("[]".to_string(), "op.json, line 3: wants the key \"case\""),
    ] {
        let dir = folder(&format!("{good}\n\n{line}\n"), &[("a.grad", Dtype::F32, &[2], &two)]);
        let text = failed(ridgepole(dir.path(), &["--device", "cpu"]), dir.path());
        assert!(text.contains(message), "{text}\n{message}");
    }
}

#[test]
fn json_in_every_encoding() {
    let wide = |unit: fn(u16) -> [u8; 2]| format!("\u{feff}{OP}").encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    for bytes in [format!("\u{feff}{OP}").into_bytes(), wide(u16::to_le_bytes), wide(u16::to_be_bytes)] {
        let dir = good();
        fs::write(dir.path().join("op.json"), &bytes).unwrap();
        ridgepole(dir.path(), &["--device", "cpu"]).assert().success();
    }
    let dir = good();
    fs::write(dir.path().join("op.json"), b"{\"op\": \"\xff\"}").unwrap();
    assert!(
        failed(ridgepole(dir.path(), &[]), dir.path())
            .contains("cannot read op.json: line 1: is not UTF-8 text (byte 0xff, the 9. of the line)")
    );
}

#[test]
fn what_no_op_may_hold_is_named_and_short() {
    let name = format!("evil\u{1b}]0;title\u{7}{}", "x".repeat(2_000_000));
    for (op, message) in [
        (format!(r#"{{"op": "{}"}}"#, "x".repeat(2_000_000)), "x... (2000000 characters): no such op"),
        (serde_json::json!({ "op": name }).to_string(), "evil\\u{1b}]0;title\\u{7}xx"),
        (serde_json::json!({ "op": "philox", "len": 1, "seed": 1, name: 1 }).to_string(), "characters) ..."),
        (OP.replace("\"f32\"", &format!("\"{}\"", "y".repeat(2_000_000))), "characters) ..."),
        (OP.replace("0.25", "-Infinity"), "`groups[0].l2` is -Infinity: JSON has no such number, must be finite in f32 (line 2,"),
        (OP.replace("0.25", "1e400"), "`groups[0].l2` is 1e400: no f64 is as large, must be finite in f32"),
        (OP.replace("\"l2\"", "\"l1\""), "the key `l1` stands twice"),
        (format!("{{\"op\": {}", "[".repeat(1 << 20)), "recursion limit exceeded"),
        (format!("{{\"op\": {}", "{\"a\":".repeat(1 << 20)), "recursion limit exceeded"),
        ("\0".repeat(65 << 20), "has more than 67108864 bytes, the most that descriptions of ops may have"),
    ] {
        let dir = folder(&op, &[]);
        let text = failed(ridgepole(dir.path(), &[]), dir.path());
        assert!(text.contains(message), "{text}");
    }
}

/// A safetensors file is read as far as its header says.
#[test]
fn files_that_never_end_or_lie() {
    let dir = good();
    let bytes = fs::read(dir.path().join("in.safetensors")).unwrap();
    let lies = |header: u64, rest: &[u8]| [&header.to_le_bytes(), rest].concat();
    let far = br#"{"weight":{"dtype":"F32","shape":[6],"data_offsets":[0,9223372036854775807]}}"#;
    for (file, message) in [
        (lies(u64::MAX, b"{}"), "its header would have 18446744073709551615 bytes"),
        (lies(0, b""), "its header would have 0 bytes"),
        (lies(100, b"{}"), "it ends within its header"),
        (lies(far.len() as u64, far), "the host has no memory for its 9223372036854775807 bytes of tensors"),
        (lies(2, b"[]"), "its header: invalid type"),
        (lies(8, b"{\"a\": 1}"), "no place of `a`"),
        (bytes[..5].to_vec(), "it ends within its header's length"),
        (bytes[..bytes.len() - 1].to_vec(), "it ends within its tensors"),
        ([&bytes[..], &[0]].concat(), "bytes follow behind its tensors"),
    ] {
        fs::write(dir.path().join("in.safetensors"), file).unwrap();
        let text = failed(ridgepole(dir.path(), &[]), dir.path());
        assert!(text.contains("cannot read in.safetensors: ") && text.contains(message), "{text}");
    }
    if cfg!(unix) {
        let run = |args: &[&str]| {
            let mut command = Command::cargo_bin("ridgepole").unwrap();
            command.current_dir(&dir).arg("run").args(args).args(["--out", "out.safetensors", "--device", "cpu"]);
            command
        };
        let text = failed(run(&["op.json", "--in", "/dev/zero"]), dir.path());
        assert!(text.contains("cannot read /dev/zero: not a safetensors file: its header would have 0 bytes"), "{text}");
        assert!(failed(run(&["/dev/zero"]), dir.path()).contains("cannot read /dev/zero: has more than"));
        // A pipe is as good as a file.
        run(&["op.json", "--in", "/dev/stdin"]).write_stdin(bytes).assert().success();
    }
}

/// What the reference would need of the host's memory is an error before it starts, never an abort.
#[test]
fn too_little_memory_is_an_error() {
    let none = &[][..];
    let empty = [("weight", Dtype::F32, &[0][..], none), ("grad", Dtype::F32, &[0], none), ("x", Dtype::F32, &[0], none)];
    let dir =
        folder(r#"{"op": "orthogonal_penalty_grad", "dtype": "f32", "rows": 1073741828, "cols": 0, "lambda": 0.5}"#, &empty);
    ridgepole(dir.path(), &["--device", "cpu"]).assert().success();
    assert!(tensor(&dir.path().join("out.safetensors"), "grad").1.is_empty());
    let dir = folder(r#"{"op": "orthogonal_penalty", "dtype": "f32", "rows": 17179869180, "cols": 0, "lambda": 0.5}"#, &empty);
    ridgepole(dir.path(), &["--device", "cpu"]).assert().success();
    assert_eq!(tensor(&dir.path().join("out.safetensors"), "value").1, [8_589_934_590.0]);
    fs::remove_file(dir.path().join("out.safetensors")).unwrap();
    let text = failed(ridgepole(dir.path(), &["--device", "gpu"]), dir.path());
    assert!(text.contains("orthogonal_penalty: not possible on this device: must bind "), "{text}");
    fs::write(dir.path().join("op.json"), r#"{"op": "philox", "len": 17179869180, "seed": 1}"#).unwrap();
    if cfg!(unix) {
        for len in ["17179869180", "300000000"] {
            fs::write(dir.path().join("op.json"), format!(r#"{{"op": "philox", "len": {len}, "seed": 1}}"#)).unwrap();
            let mut command = Command::new("sh");
            let script = "ulimit -v 2000000; exec \"$0\" run op.json --out out.safetensors --device cpu";
            command.current_dir(&dir).args(["-c", script]).arg(assert_cmd::cargo::cargo_bin("ridgepole"));
            let run = command.assert().code(predicates::ord::lt(3)).failure();
            let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
            assert!(text.contains("the host has no memory for "), "{text}");
        }
    }
}

/// The example of the help, as a shell runs it.
#[test]
#[cfg(unix)]
fn the_example_of_the_help_runs() {
    let dir = tempfile::tempdir().unwrap();
    let program = assert_cmd::cargo::cargo_bin("ridgepole");
    let help = Command::new(&program).args(["run", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let lines: Vec<&str> = help.lines().map(str::trim).filter(|l| l.contains("ops.jsonl")).collect();
    assert_eq!(lines.len(), 3, "{help}");
    let script = lines.join("\n").replace("ridgepole run", "\"$0\" run");
    Command::new("sh").current_dir(&dir).args(["-e", "-c", &script]).arg(&program).assert().success();
    let bytes = fs::read(dir.path().join("words.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut shapes: Vec<_> = file.tensors().into_iter().map(|(n, t)| (n, t.shape().to_vec())).collect();
    shapes.sort();
    assert_eq!(shapes, [("a.words".to_string(), vec![4]), ("b.words".to_string(), vec![8])]);
}
