//! Arguments by name, from and to safetensors files.
use super::cases::Case;
use crate::{Failure, Ui, files};
use ridgepole::{Access, Arg, DType, HostData, types::excerpt};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

/// The tensors of a file that is read and found to have all that the cases read and update.
pub(super) struct Inputs<'a>(Option<SafeTensors<'a>>);

/// A result with its name in the file.
pub(super) struct Output {
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    data: HostData,
}

impl<'a> Inputs<'a> {
    /// Finds what the cases read and update in these bytes of `path`.
    pub fn find(path: Option<&Path>, bytes: &'a [u8], cases: &[Case], ui: &Ui) -> Result<Self, Failure> {
        let wanted: Vec<String> = cases.iter().flat_map(|c| inputs(c).map(|a| c.tensor(a))).collect();
        let names = list(wanted.iter().map(|n| format!("`{n}`")));
        let Some(path) = path else {
            if wanted.is_empty() {
                return Ok(Self(None));
            }
            return Err(Failure::usage(format!("the op reads {names}: give them with --in IN.safetensors")));
        };
        let file = SafeTensors::deserialize(bytes);
        let file = file.map_err(|e| Failure::file("read", path, excerpt(&format!("not a safetensors file: {e}"))))?;
        for case in cases {
            for arg in inputs(case) {
                fits(case, arg, &file).map_err(|why| case.fail(Failure::usage(format!("{}: {why}", path.display()))))?;
            }
        }
        let wanted: HashSet<&str> = wanted.iter().map(String::as_str).collect();
        let mut unused: Vec<&str> = file.names().into_iter().filter(|n| !wanted.contains(n)).collect();
        if !unused.is_empty() {
            unused.sort_unstable();
            ui.note(format_args!("note: the op reads {names}; not used: {}", list(unused.into_iter())));
        }
        Ok(Self(Some(file)))
    }

    /// The contents of what the case reads and updates, in the op's order.
    ///
    /// # Errors
    /// If the host has no memory for a copy.
    pub fn of(&self, case: &Case) -> Result<Vec<HostData>, Failure> {
        inputs(case).map(|a| Ok(HostData::try_from_bytes(a.dtype, self.view(case, a).data())?)).collect()
    }

    /// The results of a case, with names and shapes: that of the input with its name, else of the first with as many elements, else
    /// one row.
    pub fn outputs(&self, case: &Case, results: Vec<HostData>) -> Vec<Output> {
        let written = case.args.iter().filter(|a| a.access != Access::Read);
        let shape = |arg: &Arg| {
            let same = inputs(case).find(|a| a.name == arg.name).or_else(|| inputs(case).find(|a| a.len == arg.len));
            same.map_or_else(|| vec![arg.len], |a| self.view(case, a).shape().to_vec())
        };
        let output = |(a, data): (&Arg, _)| Output { name: case.tensor(a), dtype: a.dtype, shape: shape(a), data };
        written.zip(results).map(output).collect()
    }

    fn view(&self, case: &Case, arg: &Arg) -> TensorView<'a> {
        let file = self.0.as_ref().expect("`find` found every input");
        file.tensor(&case.tensor(arg)).expect("`find` found every input")
    }
}

/// What is read or updated.
fn inputs(case: &Case) -> impl Iterator<Item = &Arg> {
    case.args.iter().filter(|a| a.access != Access::Write)
}

/// The names of results, for a message.
pub(super) fn names(outputs: &[Output]) -> String {
    list(outputs.iter().map(|o| o.name.as_str()))
}

/// Names for a message, the first twenty of them.
fn list(names: impl ExactSizeIterator<Item = impl AsRef<str>>) -> String {
    let all = names.len();
    let mut shown: Vec<String> = names.take(20).map(|n| excerpt(n.as_ref())).collect();
    if all > 20 {
        shown.push(format!("and {} more", all - 20));
    }
    shown.join(", ")
}

fn fits(case: &Case, arg: &Arg, file: &SafeTensors) -> Result<(), String> {
    let name = case.tensor(arg);
    let shown = excerpt(&name);
    let Ok(tensor) = file.tensor(&name) else {
        let mut names = file.names();
        names.sort_unstable();
        return Err(format!("no tensor `{shown}` ({:?}, {} elements); it has: {}", arg.dtype, arg.len, list(names.into_iter())));
    };
    if tensor.dtype() != dtype(arg.dtype) {
        return Err(format!("`{shown}` is {:?}, the op wants {:?}", tensor.dtype(), dtype(arg.dtype)));
    }
    // The file is well formed: so many whole elements.
    let len = tensor.data().len() as u64 / arg.dtype.size();
    if len != arg.len as u64 {
        return Err(format!("`{shown}` has {len} elements (shape {}), the op wants {}", dims(tensor.shape()), arg.len));
    }
    Ok(())
}

fn dims(shape: &[usize]) -> String {
    excerpt(&format!("{shape:?}"))
}

fn dtype(d: DType) -> Dtype {
    match d {
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::Bf16 => Dtype::BF16,
        _ => Dtype::U32,
    }
}

/// Writes the outputs of all cases, whole or not at all.
pub(super) fn save(path: &Path, outputs: &[Output], origin: &str) -> Result<(), Failure> {
    let failed = |why: String| Failure::file("write", path, why);
    // A header of some hundred bytes for each, and the file once more in memory.
    let size: usize = outputs.iter().map(|o| o.data.bytes().len() + 2 * o.name.len() + 300).sum();
    let mut room = Vec::<u8>::new();
    room.try_reserve_exact(size).map_err(|_| failed(format!("the host has no memory for its {size} bytes")))?;
    drop(std::hint::black_box(room));
    let mut views = Vec::new();
    for o in outputs {
        let view = TensorView::new(dtype(o.dtype), o.shape.clone(), o.data.bytes());
        views.push((o.name.as_str(), view.map_err(|e| failed(e.to_string()))?));
    }
    // A single entry: the order of a map is not fixed, and equal results must give equal files.
    let origin = HashMap::from([("ridgepole".to_string(), format!("{}: {origin}", env!("CARGO_PKG_VERSION")))]);
    let bytes = safetensors::serialize(views, Some(origin)).map_err(|e| failed(e.to_string()))?;
    files::write(path, &bytes)
}
