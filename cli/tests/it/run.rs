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

/// The tensor `name` of a file: its shape, and its values.
fn read(path: &Path, name: &str) -> (Vec<usize>, Vec<f32>) {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(name).unwrap();
    assert_eq!((file.len(), tensor.dtype()), (1, Dtype::F32));
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
            assert!(text.starts_with("error: ") && !text.contains("panicked"), "{op}: {text}");
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
