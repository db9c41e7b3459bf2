//! Arguments by name, from and to safetensors files.
use crate::{Failure, Ui, files};
use ridgepole::{Access, Arg, DType, HostData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{collections::HashMap, fs, path::Path};

/// The op's inputs, from the file.
pub(super) struct Inputs(Vec<Input>);

struct Input {
    name: &'static str,
    shape: Vec<usize>,
    data: HostData,
}

impl Inputs {
    /// The contents of an argument that is read or updated.
    ///
    /// # Panics
    /// For any other name; [`load`] found all of these.
    pub fn data(&self, name: &str) -> &HostData {
        &self.0.iter().find(|i| i.name == name).expect("`load` found every input").data
    }

    /// The shape for an output: of the input with its name, else of the first with as many elements, else one row.
    fn shape(&self, arg: &Arg) -> Vec<usize> {
        let same = self.0.iter().find(|i| i.name == arg.name).or_else(|| self.0.iter().find(|i| i.data.len() == arg.len));
        same.map_or_else(|| vec![arg.len], |i| i.shape.clone())
    }
}

/// Reads what the op reads and updates.
pub(super) fn load(path: Option<&Path>, args: &[Arg], ui: &Ui) -> Result<Inputs, Failure> {
    let wanted: Vec<&Arg> = args.iter().filter(|a| a.access != Access::Write).collect();
    let names = wanted.iter().map(|a| format!("`{}`", a.name)).collect::<Vec<_>>().join(", ");
    let Some(path) = path else {
        if wanted.is_empty() {
            return Ok(Inputs(Vec::new()));
        }
        return Err(Failure::usage(format!("the op reads {names}: give them with --in IN.safetensors")));
    };
    let bytes = fs::read(path).map_err(|e| Failure::file("read", path, e))?;
    let file =
        SafeTensors::deserialize(&bytes).map_err(|e| Failure::file("read", path, format!("not a safetensors file: {e}")))?;
    let inputs = wanted.iter().map(|a| one(a, &file)).collect::<Result<_, _>>();
    let inputs = inputs.map_err(|why: String| Failure::usage(format!("{}: {why}", path.display())))?;
    let mut unused: Vec<&str> = file.names().into_iter().filter(|n| wanted.iter().all(|a| a.name != *n)).collect();
    if !unused.is_empty() {
        unused.sort_unstable();
        ui.note(format_args!("note: the op reads {names}; not used: {}", unused.join(", ")));
    }
    Ok(Inputs(inputs))
}

fn one(arg: &Arg, file: &SafeTensors) -> Result<Input, String> {
    let Ok(tensor) = file.tensor(arg.name) else {
        let mut names = file.names();
        names.sort_unstable();
        return Err(format!("no tensor `{}` ({:?}, {} elements); it has: {}", arg.name, arg.dtype, arg.len, names.join(", ")));
    };
    if tensor.dtype() != dtype(arg.dtype) {
        return Err(format!("`{}` is {:?}, the op wants {:?}", arg.name, tensor.dtype(), dtype(arg.dtype)));
    }
    let data = HostData::from_bytes(arg.dtype, tensor.data());
    if data.len() != arg.len {
        let (shape, len) = (tensor.shape(), data.len());
        return Err(format!("`{}` has {len} elements (shape {shape:?}), the op wants {}", arg.name, arg.len));
    }
    Ok(Input { name: arg.name, shape: tensor.shape().to_vec(), data })
}

fn dtype(d: DType) -> Dtype {
    match d {
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::Bf16 => Dtype::BF16,
        _ => Dtype::U32,
    }
}

/// Writes the outputs, whole or not at all.
pub(super) fn save(path: &Path, outputs: &[(&Arg, HostData)], inputs: &Inputs, origin: &str) -> Result<(), Failure> {
    let failed = |why: String| Failure::file("write", path, why);
    let shapes: Vec<Vec<usize>> = outputs.iter().map(|(a, _)| inputs.shape(a)).collect();
    let mut views = Vec::new();
    for ((arg, data), shape) in outputs.iter().zip(shapes) {
        views.push((arg.name, TensorView::new(dtype(arg.dtype), shape, data.bytes()).map_err(|e| failed(e.to_string()))?));
    }
    // A single entry: the order of a map is not fixed, and equal results must give equal files.
    let origin = HashMap::from([("ridgepole".to_string(), format!("{}: {origin}", env!("CARGO_PKG_VERSION")))]);
    let bytes = safetensors::serialize(views, Some(origin)).map_err(|e| failed(e.to_string()))?;
    files::write(path, &bytes)
}
