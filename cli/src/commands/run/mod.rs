//! `ridgepole run`: an op, or many in one process, on tensors from a file.
mod cases;
#[cfg(test)]
#[path = "../../../../fuzz/tensors.rs"]
mod fuzz_tensors;
mod read;
mod tensors;

use crate::{Failure, Ui, adapter};
use cases::Case;
use ridgepole::{Access, HostData, Session, check};
use std::path::PathBuf;
use tensors::Inputs;

/// Options of `ridgepole run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  echo '{\"op\": \"penalty_grad\", \"dtype\": \"f32\",
         \"segments\": [{\"start\": 0, \"len\": 3}], \"groups\": [{\"l1\": 0.5}]}' > op.json
  python3 -c 'import numpy as np; from safetensors.numpy import save_file
  x = {\"weight\": np.float32([1, -2, 0]), \"grad\": np.zeros(3, np.float32)}
  save_file(x, \"in.safetensors\")'
  ridgepole run op.json --in in.safetensors --out out.safetensors
  ridgepole run op.json --in in.safetensors --out reference.safetensors --device cpu

The input holds a tensor for every argument that the op reads or updates, under the argument's name (`ridgepole ops NAME` \
lists them): F32, F16, BF16 or U32 as the op requires, in any shape with the right number of elements. The output holds \
every argument that it writes or updates, in the shape of the input of the same name, or of the first input with as \
many elements. The output file is written whole or not at all.

Many cases, in one process: a line of JSON for each op, with the key \"case\" that names it. The tensors of the case \"a\" \
are `a.weight`, `a.grad` and so on, in the input and in the output. The device is opened once, equal kernels are compiled \
once, and an error names the line.

  echo '{\"case\": \"a\", \"op\": \"philox\", \"len\": 4, \"seed\": 1}' > ops.jsonl
  echo '{\"case\": \"b\", \"op\": \"philox\", \"len\": 8, \"seed\": 2}' >> ops.jsonl
  ridgepole run ops.jsonl --out words.safetensors

JSON is text in UTF-8 or UTF-16, gzip-compressed or not, of at most 64 MiB.")]
pub struct Args {
    /// File with the op as JSON, or with one op on each line; - is stdin
    #[arg(value_name = "OP.json")]
    op: PathBuf,
    /// File with the tensors that the op reads or updates
    #[arg(long = "in", value_name = "IN.safetensors")]
    input: Option<PathBuf>,
    /// File for the tensors that the op writes or updates
    #[arg(long = "out", value_name = "OUT.safetensors")]
    output: PathBuf,
    /// Run on a GPU, or the f64 reference on the CPU, rounded to the storage type
    #[arg(long, value_enum, default_value_t = Device::Gpu)]
    device: Device,
    /// Use the adapter whose name contains this, in any case (see `ridgepole devices`)
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
}

/// Where the op runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Device {
    /// The adapter
    Gpu,
    /// The reference
    Cpu,
}

/// Reads, computes, writes.
///
/// # Errors
/// [`Failure::Usage`] names the file, the line, the argument, what was expected and what was found.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let cases = cases::all(&args.op, ui)?;
    let bytes = args.input.as_deref().map(read::tensors).transpose()?;
    let inputs = Inputs::find(args.input.as_deref(), bytes.as_deref().unwrap_or_default(), &cases, ui)?;
    let session = match args.device {
        Device::Gpu => Some(adapter::open(args.adapter.as_deref())?),
        Device::Cpu => None,
    };
    if let Some(session) = &session {
        cases.iter().try_for_each(|case| fits(session, case).map_err(|e| case.fail(e)))?;
    }
    let mut outputs = Vec::new();
    for case in &cases {
        let results = inputs.of(case).and_then(|data| match &session {
            Some(session) => Ok(session.run(case.op.as_ref(), &data)?),
            None => on_cpu(case, data),
        });
        outputs.extend(inputs.outputs(case, results.map_err(|e| case.fail(e))?));
    }
    let by = session.map_or_else(|| "the CPU reference".to_string(), |s| adapter::name(s.info()));
    let what = match cases.as_slice() {
        [case] => case.op.name().to_string(),
        all => format!("{} cases", all.len()),
    };
    tensors::save(&args.output, &outputs, &format!("{what} on {by}"))?;
    ui.note(format_args!("{what} on {by}: wrote {} to {}", tensors::names(&outputs), args.output.display()));
    Ok(())
}

/// Whether the device may have buffers as large as the case's.
fn fits(session: &Session, case: &Case) -> Result<(), Failure> {
    let limit = session.device().limits().max_buffer_size;
    match case.args.iter().find(|a| a.binding_bytes() > limit) {
        None => Ok(()),
        Some(a) => {
            let (name, len, bytes) = (a.name, a.len, a.binding_bytes());
            Err(Failure::usage(format!("`{name}` has {len} elements, {bytes} bytes; a buffer of this device may have {limit}")))
        }
    }
}

fn on_cpu(case: &Case, inputs: Vec<HostData>) -> Result<Vec<HostData>, Failure> {
    let mut inputs = inputs.into_iter();
    let data = case.args.iter().map(|a| match a.access {
        Access::Write => HostData::try_zeros(a.dtype, a.len),
        _ => Ok(inputs.next().expect("one for each that is read")),
    });
    Ok(check::reference(case.op.as_ref(), &data.collect::<Result<Vec<_>, _>>()?)?)
}

#[cfg(test)]
#[allow(dead_code, reason = "each program uses its own part")]
#[path = "../../../../tests/common/descriptions.rs"]
mod descriptions;

#[cfg(test)]
mod tests {
    use super::{cases::valid, descriptions::usual};
    use ridgepole::{Access, Arg, HostData, ops};
    use serde_json::{Value, json};

    /// Values for a field: usual, wrong and hostile ones.
    fn hostile() -> Vec<Value> {
        let big = u64::MAX;
        let mut all = vec![
            json!(null),
            json!(true),
            json!(false),
            json!(-1),
            json!(0),
            json!(3),
            json!(0.5),
            json!(1e300),
            json!(-1e300),
            json!(5e-324),
            json!(big),
            json!(i64::MIN),
            json!(""),
            json!("f16"),
            json!("u32"),
            json!("thirty_two"),
            json!([]),
            json!({}),
            json!([{}]),
            json!([[]]),
            json!([{ "l1": -1 }]),
            json!([{ "l1": 1e300, "l2": 1e300 }]),
            json!([{ "start": 3, "len": 1 }]),
            json!([{ "start": 0, "len": 4, "group": 7 }]),
            json!([{ "start": 4, "len": big }]),
            json!([{ "start": big - 3, "len": 4 }]),
            json!([{ "start": 8, "len": 8 }, { "start": 0, "len": 8 }]),
            json!([{ "start": 0, "rows": big, "cols": big }]),
            json!([{ "start": 4, "rows": big, "cols": 1 }]),
            json!([{ "start": big - 3, "rows": 1, "cols": 4, "unit": "whole" }]),
            json!([{ "start": 0, "rows": 0, "cols": 3, "unit": "columns" }, { "start": 1, "rows": 1, "cols": 1 }]),
            json!({ "annealed": { "eta": -1.0, "gamma": 1e300 } }),
            json!({ "constant": { "std": 1e300 } }),
            json!([{ "lambda": 1e300, "l1": -1 }]),
            json!({ "seed": big, "stream": u32::MAX, "step": u32::MAX, "first_element": big }),
            json!({ "seed": 0, "stream": 0, "step": 0, "first_element": 1 }),
            json!({ "update": { "momentum": 2.0 } }),
            json!({ "update": { "cumulative": { "seen": big } } }),
        ];
        for layout in ["channels_first", "channels_last"] {
            for [n, c, s] in [
                [0, 0, 0],
                [1, 1, 1],
                [0, 1 << 34, 1 << 34],
                [1 << 34, 0, 1 << 34],
                [0, big, big],
                [big, 1, 1],
                [big, big, 2],
                [1, 3, 0],
                [1 << 20, 1 << 20, 0],
            ] {
                all.push(json!({ "n": n, "c": c, "s": s, "layout": layout }));
            }
        }
        all
    }

    fn try_one(description: &Value) {
        let Ok(op) = ops::verify_from_json(&description.to_string()) else { return };
        if valid(op.as_ref()).is_err() {
            return;
        }
        let args = op.args();
        let small = |a: &Arg| a.len <= 10_000;
        if args.iter().all(small) {
            let data = args.iter().map(|a| HostData::from_bytes(a.dtype, &vec![0; a.bytes() as usize])).collect::<Vec<_>>();
            let results = op.reference(&data);
            assert_eq!(results.len(), args.iter().filter(|a| a.access != Access::Read).count(), "{description}");
        }
    }

    #[test]
    fn no_description_panics() {
        let mut failed = Vec::new();
        for entry in ops::all() {
            let base = usual(entry);
            for field in entry.fields {
                for value in hostile() {
                    let mut description = base.clone();
                    description[field.name] = value;
                    if std::panic::catch_unwind(|| try_one(&description)).is_err() {
                        failed.push(description);
                    }
                }
            }
        }
        assert!(failed.is_empty(), "{failed:#?}");
    }
}
