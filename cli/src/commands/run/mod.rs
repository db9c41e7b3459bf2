//! `ridgepole run`: one op on tensors from a file.
#[cfg(test)]
#[path = "../../../../fuzz/tensors.rs"]
mod fuzz_tensors;
mod tensors;

use crate::{Failure, Ui, adapter};
use ridgepole::{Access, Arg, Caps, Error, Expected, HostData, Op, ops, wgpu};
use std::{
    io::Read,
    path::{Path, PathBuf},
};

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
many elements. The output file is written whole or not at all.")]
pub struct Args {
    /// File with the op as JSON; - is stdin
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
    /// The adapter whose name contains this, in any case
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
/// [`Failure::Usage`] names the file, the argument, what was expected and what was found.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let name = if args.op.as_os_str() == "-" { "stdin".into() } else { args.op.display().to_string() };
    let op = ops::from_json(&text(&args.op)?).map_err(|e| Failure::usage(format!("{name}: {e}")))?;
    valid(op.as_ref())?;
    let wanted = op.args();
    let inputs = tensors::load(args.input.as_deref(), &wanted, ui)?;
    let (outputs, by) = match args.device {
        Device::Gpu => on_gpu(op.as_ref(), &wanted, &inputs, args.adapter.as_deref())?,
        Device::Cpu => (on_cpu(op.as_ref(), &wanted, &inputs)?, "the CPU reference".to_string()),
    };
    let written: Vec<_> = wanted.iter().filter(|a| a.access != Access::Read).zip(outputs).collect();
    tensors::save(&args.output, &written, &inputs, &format!("{} on {by}", op.name()))?;
    let names: Vec<&str> = written.iter().map(|(a, _)| a.name).collect();
    ui.note(format_args!("{} on {by}: wrote {} to {}", op.name(), names.join(", "), args.output.display()));
    Ok(())
}

fn text(path: &Path) -> Result<String, Failure> {
    let failed = |e| Failure::file("read", path, e);
    if path.as_os_str() != "-" {
        return std::fs::read_to_string(path).map_err(failed);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Checks the op's fields as the best of devices would: lengths and references rely on them.
fn valid(op: &dyn Op) -> Result<(), Failure> {
    let most = 1 << 40;
    let limits = wgpu::Limits { max_buffer_size: most, max_storage_buffer_binding_size: most, ..Default::default() };
    match op.lower(&Caps::new(limits, wgpu::Features::empty(), false)) {
        // The reference has none of a device's limits.
        Ok(_) | Err(Error::Unsupported { .. }) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

fn on_gpu(op: &dyn Op, wanted: &[Arg], inputs: &tensors::Inputs, name: Option<&str>) -> Result<(Vec<HostData>, String), Failure> {
    let session = adapter::open(name)?;
    let limit = session.device().limits().max_buffer_size;
    if let Some(a) = wanted.iter().find(|a| a.binding_bytes() > limit) {
        let (len, bytes) = (a.len, a.binding_bytes());
        return Err(Failure::usage(format!(
            "`{}` has {len} elements, {bytes} bytes; a buffer of this device may have {limit}",
            a.name
        )));
    }
    let data: Vec<HostData> = wanted.iter().filter(|a| a.access != Access::Write).map(|a| inputs.data(a.name).clone()).collect();
    Ok((session.run(op, &data)?, adapter::name(session.info())))
}

fn on_cpu(op: &dyn Op, wanted: &[Arg], inputs: &tensors::Inputs) -> Result<Vec<HostData>, Failure> {
    // Each element takes a value and an error bound in f64, and the reference needs memory of its own: reserved now, while a failure
    // is an error and does not abort the process.
    let elements = wanted.iter().fold(0usize, |sum, a| sum.saturating_add(a.len));
    let bytes = elements.saturating_mul(32);
    if Vec::<u8>::new().try_reserve_exact(bytes).is_err() {
        return Err(Failure::usage(format!("the reference needs {bytes} bytes of memory for {elements} elements")));
    }
    let data: Vec<HostData> = wanted
        .iter()
        .map(|a| match a.access {
            Access::Write => HostData::from_bytes(a.dtype, &vec![0; a.bytes() as usize]),
            _ => inputs.data(a.name).clone(),
        })
        .collect();
    let results = op.reference(&data).into_iter();
    let rounded = |(a, result): (&Arg, Expected)| match result {
        Expected::Exact(data) => data,
        Expected::Within { value, .. } => HostData::from_f64(a.dtype, value),
    };
    Ok(wanted.iter().filter(|a| a.access != Access::Read).zip(results).map(rounded).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A valid description of an op: for each required field the first of some usual values that the op can read.
    fn usual(entry: &ops::Entry) -> Value {
        let values = [
            json!(1),
            json!(0.5),
            json!("f32"),
            json!(true),
            json!([{}]),
            json!([{ "decay": 0.01 }]),
            json!([{ "lambda": 0.5 }]),
            json!({ "constant": { "std": 0.5 } }),
            json!([{ "start": 0, "len": 5, "group": 0 }]),
            json!([{ "start": 0, "rows": 2, "cols": 3, "group": 0 }]),
            json!({ "n": 2, "c": 3, "s": 4 }),
            json!({ "seed": 1, "stream": 2, "step": 3 }),
            json!({ "per_batch": 0.5 }),
            json!({ "square": 1 }),
            json!("linear"),
            json!("cross_entropy"),
        ];
        let required: Vec<&str> = entry.fields.iter().filter(|f| f.default.is_empty()).map(|f| f.name).collect();
        let mut base = json!({ "op": entry.name });
        for field in &required {
            let fits = |value: &&Value| {
                let mut with = base.clone();
                with[field] = (*value).clone();
                let missing = |e: &str| required.iter().any(|r| r != field && e.contains(&format!("missing field `{r}`")));
                ops::from_json(&with.to_string()).map_or_else(|e| missing(&e.to_string()), |_| true)
            };
            let value = values.iter().find(fits);
            base[field] = value.unwrap_or_else(|| panic!("{}: no usual value fits `{field}`: add one here", entry.name)).clone();
        }
        // Of the right types, but perhaps one is out of its range.
        let others = required.iter().flat_map(|field| values.iter().map(move |v| (field, v)));
        // Widths that must be whole quads.
        let mut quads = base.clone();
        quads.as_object_mut().expect("an object").values_mut().filter(|v| **v == json!(1)).for_each(|v| *v = json!(4));
        let mut all = [base.clone(), quads].into_iter().chain(others.map(|(field, value)| {
            let mut with = base.clone();
            with[field] = value.clone();
            with
        }));
        let works = |d: &Value| ops::from_json(&d.to_string()).is_ok_and(|op| valid(op.as_ref()).is_ok());
        all.find(works).unwrap_or_else(|| panic!("{}: {base} is not valid", entry.name))
    }

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
        let Ok(op) = ops::from_json(&description.to_string()) else { return };
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
