//! Fuzzes the safetensors that the command `run` reads: what is accepted has the op's lengths, and what is written can be read back.
use super::tensors::{load, save};
use crate::{
    Ui,
    fuzz::{self, ACCEPTED, fuzz, plain_text},
};
use ridgepole::{Access, Arg, DType, HostData, Rng, ops};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// Ops of which the files are to be the inputs: all storage types, no element, no input, halves of an odd number.
const OPS: [&str; 7] = [
    r#"{"op": "penalty_grad", "dtype": "f32", "segments": [{"start": 0, "len": 3}], "groups": [{"l1": 0.5}]}"#,
    r#"{"op": "penalty_grad", "dtype": "f16", "segments": [{"start": 0, "len": 5}], "groups": [{"l1": 0.5}]}"#,
    r#"{"op": "layer_norm", "dtype": "bf16", "rows": 2, "cols": 3}"#,
    r#"{"op": "penalty", "dtype": "f32", "segments": [], "groups": []}"#,
    r#"{"op": "philox", "len": 8, "seed": 1}"#,
    r#"{"op": "gather_rows", "models": 2, "rows": 3, "cols": 4, "sources": 5}"#,
    r#"{"op": "batch_norm_inference", "dtype": "f32", "space": {"n": 2, "c": 2, "s": 1}}"#,
];

fn args() -> Vec<Vec<Arg>> {
    OPS.iter().filter_map(|text| ops::from_json(text).ok()).map(|op| op.args()).collect()
}

fn dtype(of: DType) -> Dtype {
    match of {
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::Bf16 => Dtype::BF16,
        _ => Dtype::U32,
    }
}

/// The right file for each op.
fn seeds(all: &[Vec<Arg>]) -> Vec<Vec<u8>> {
    let file = |args: &Vec<Arg>| {
        let read: Vec<&Arg> = args.iter().filter(|a| a.access != Access::Write).collect();
        let bytes: Vec<Vec<u8>> = read.iter().map(|a| vec![1; a.bytes() as usize]).collect();
        let view = |(a, bytes): (&&Arg, &'static [u8])| {
            let shape = if a.len % 2 == 0 { vec![2, a.len / 2] } else { vec![a.len] };
            (a.name, TensorView::new(dtype(a.dtype), shape, bytes).expect("as long as its shape says"))
        };
        let views = read.iter().zip(bytes.into_iter().map(|b| &*b.leak())).map(view);
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
    let all = args();
    assert!(all.len() >= 5, "ops that can no longer be read: {}", OPS.len() - all.len());
    let dir = fuzz::folder();
    let [path, out] = ["in.safetensors", "out.safetensors"].map(|n| dir.path().join(n));
    let run = |input: &[u8], _: bool| {
        std::fs::write(&path, input).expect("the temporary folder can be written into");
        let mut did = String::new();
        for (args, text) in all.iter().zip(OPS) {
            let ui = Ui::listening();
            let inputs = match load(Some(&path), args, &ui) {
                Ok(inputs) => inputs,
                Err(e) => {
                    did += &plain_text(&Ui::shown(&e));
                    continue;
                }
            };
            ui.heard().iter().for_each(|note| drop(plain_text(note)));
            for arg in args.iter().filter(|a| a.access != Access::Write) {
                let data = inputs.data(arg.name);
                assert!(data.len() == arg.len && data.dtype() == arg.dtype, "`{}` of another length or type: {text}", arg.name);
            }
            let zeros = |a: &Arg| HostData::from_bytes(a.dtype, &vec![0; a.bytes() as usize]);
            let written: Vec<(&Arg, HostData)> =
                args.iter().filter(|a| a.access != Access::Read).map(|a| (a, zeros(a))).collect();
            save(&out, &written, &inputs, "a test").expect("the outputs can be written");
            let bytes = std::fs::read(&out).expect("it was written");
            let back = SafeTensors::deserialize(&bytes).expect("what was written can be read");
            for (arg, data) in &written {
                assert_eq!(back.tensor(arg.name).expect("it was written").data(), data.bytes());
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
        known: &["control characters in a text", "a text too long to read"],
        about: &fuzz::nothing,
        run: &run,
    });
}
