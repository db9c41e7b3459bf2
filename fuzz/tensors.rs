//! Fuzzes the safetensors that the command `run` reads: what is accepted has the op's lengths, and what is written can be read back.
use super::{
    cases::{self, Case},
    read,
    tensors::{Inputs, save},
};
use crate::{
    Ui,
    fuzz::{self, ACCEPTED, fuzz, plain_text},
};
use ridgepole::{Access, Arg, DType, HostData, Rng};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::path::Path;

/// Ops of which the files are to be the inputs: all storage types, no element, no input, halves of an odd number.
const OPS: [&str; 7] = [
    r#"{"op": "penalty_grad", "dtype": "f32", "segments": [{"start": 0, "len": 3}], "groups": [{"l1": 0.5}]}"#,
    r#"{"op": "penalty_grad", "dtype": "f16", "segments": [{"start": 0, "len": 5}], "groups": [{"l1": 0.5}]}"#,
    r#"{"op": "layer_norm", "dtype": "bf16", "rows": 2, "cols": 3}"#,
    r#"{"op": "penalty", "dtype": "f32", "segments": [], "groups": []}"#,
    r#"{"op": "philox", "len": 8, "seed": 1}"#,
    r#"{"op": "gather_rows", "rows": 3, "columns": 4, "picks": 5}"#,
    r#"{"op": "batch_norm_inference", "dtype": "f32", "space": {"n": 2, "c": 2, "s": 1}}"#,
];

/// Two of them in one process.
const MANY: &str = concat!(
    r#"{"case": "a", "op": "penalty_grad", "dtype": "f32", "segments": [{"start": 0, "len": 3}], "groups": [{"l1": 0.5}]}"#,
    "\n",
    r#"{"case": "b", "op": "philox", "len": 8, "seed": 1}"#,
);

/// Each op by itself, then two together.
fn cases(dir: &Path) -> Vec<Vec<Case>> {
    let path = dir.join("op.json");
    let read = |text| {
        std::fs::write(&path, text).expect("the temporary folder can be written into");
        cases::all(&path, &Ui::listening()).unwrap_or_else(|e| panic!("an op that can no longer be read: {e}: {text}"))
    };
    OPS.into_iter().chain([MANY]).map(read).collect()
}

fn dtype(of: DType) -> Dtype {
    match of {
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::Bf16 => Dtype::BF16,
        _ => Dtype::U32,
    }
}

/// The right file for each of them.
fn seeds(all: &[Vec<Case>]) -> Vec<Vec<u8>> {
    let file = |cases: &Vec<Case>| {
        let read = cases.iter().flat_map(|c| c.args.iter().filter(|a| a.access != Access::Write).map(|a| (c.tensor(a), a)));
        let all: Vec<(String, &Arg, Vec<u8>)> = read.map(|(name, a)| (name, a, vec![1; a.bytes() as usize])).collect();
        let views = all.iter().map(|(name, a, bytes)| {
            let shape = if a.len % 2 == 0 { vec![2, a.len / 2] } else { vec![a.len] };
            (name, TensorView::new(dtype(a.dtype), shape, bytes).expect("as long as its shape says"))
        });
        safetensors::serialize(views, None).expect("tensors with names")
    };
    all.iter().map(file).collect()
}

const WORDS: [&str; 26] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "F32",
    "F16",
    "BF16",
    "U32",
    "F64",
    "I8",
    "F8_E4M3",
    "BOOL",
    "weight",
    "grad",
    "input",
    "x",
    "\"shape\":[0]",
    "\"data_offsets\":[0,0]",
    "__metadata__",
    "\\u0000",
    "\\u001b[2J",
    "\u{202e}",
    "[18446744073709551615,2]",
];

/// A file whose header is as long as it says, more often than chance would have it.
fn mutate(rng: &mut Rng, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut out = fuzz::bytes(rng, input, others, &WORDS);
    if rng.unit() < 0.7
        && let Some(end) = out.iter().skip(8).enumerate().filter(|(_, b)| **b == b'}').map(|(i, _)| i + 1).next_back()
    {
        out[..8].copy_from_slice(&(end as u64).to_le_bytes());
    }
    out
}

#[test]
fn tensors() {
    let dir = fuzz::folder();
    let all = cases(dir.path());
    let [path, out] = ["in.safetensors", "out.safetensors"].map(|n| dir.path().join(n));
    let run = |input: &[u8], _: bool| {
        std::fs::write(&path, input).expect("the temporary folder can be written into");
        let bytes = match read::tensors(&path) {
            Ok(bytes) => bytes,
            Err(e) => return plain_text(&Ui::shown(&e)),
        };
        assert_eq!(bytes, input, "read as something else");
        let mut did = String::new();
        for cases in &all {
            let ui = Ui::listening();
            let inputs = match Inputs::find(Some(&path), &bytes, cases, &ui) {
                Ok(inputs) => inputs,
                Err(e) => {
                    did += &plain_text(&Ui::shown(&e));
                    continue;
                }
            };
            ui.heard().iter().for_each(|note| drop(plain_text(note)));
            let (mut outputs, mut written) = (Vec::new(), Vec::new());
            for case in cases {
                let data = inputs.of(case).expect("memory for a few bytes");
                for (arg, data) in case.args.iter().filter(|a| a.access != Access::Write).zip(data) {
                    assert!(data.len() == arg.len && data.dtype() == arg.dtype, "`{}` of another length or type", arg.name);
                }
                let zeros = |a: &Arg| HostData::from_bytes(a.dtype, &vec![0; a.bytes() as usize]);
                let results: Vec<&Arg> = case.args.iter().filter(|a| a.access != Access::Read).collect();
                outputs.extend(inputs.outputs(case, results.iter().map(|a| zeros(a)).collect()));
                written.extend(results.into_iter().map(|a| (case.tensor(a), zeros(a))));
            }
            save(&out, &outputs, "a test").expect("the outputs can be written");
            let bytes = std::fs::read(&out).expect("it was written");
            let back = SafeTensors::deserialize(&bytes).expect("what was written can be read");
            for (name, data) in &written {
                assert_eq!(back.tensor(name).expect("it was written").data(), data.bytes());
            }
            did.insert_str(0, ACCEPTED);
        }
        did
    };
    fuzz(&fuzz::Target {
        name: "tensors",
        seeds: seeds(&all),
        mutate: &mutate,
        smaller: &fuzz::fewer_bytes,
        about: &fuzz::nothing,
        run: &run,
    });
}
