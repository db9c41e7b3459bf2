//! Tensors as `run` reads them: no more of a file than its header tells of, whatever the file is. So they need no limit of their own, and
//! are not read as other inputs are.
use crate::Failure;
use serde::Deserialize;
use std::{collections::HashMap, fs::File, io::Read, path::Path};

/// The most bytes that the header of a safetensors file may have, by its format.
const HEADER: u64 = 100_000_000;

/// What of a header tells how long the file is.
#[derive(Deserialize)]
struct Tensor {
    data_offsets: [u64; 2],
}

/// The bytes of a safetensors file. Its header says how many there are, so it comes first.
pub(super) fn tensors(path: &Path) -> Result<Vec<u8>, Failure> {
    let none = |why: &str| format!("not a safetensors file: {why}");
    let read = || {
        let mut file = File::open(path).map_err(|e| e.to_string())?;
        let mut bytes = Vec::new();
        let mut more = |bytes: &mut Vec<u8>, count: u64, what: &str| {
            let room = usize::try_from(count).ok().filter(|n| bytes.try_reserve_exact(*n).is_ok());
            room.ok_or_else(|| format!("the host has no memory for its {count} bytes of {what}"))?;
            let got = file.by_ref().take(count).read_to_end(bytes).map_err(|e| e.to_string())?;
            if (got as u64) < count { Err(none(&format!("it ends within its {what}"))) } else { Ok(()) }
        };
        more(&mut bytes, 8, "header's length")?;
        let header = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
        if !(2..=HEADER).contains(&header) {
            return Err(none(&format!("its header would have {header} bytes, must be 2 to {HEADER}")));
        }
        more(&mut bytes, header, "header")?;
        let mut all: HashMap<String, serde_json::Value> =
            serde_json::from_slice(&bytes[8..]).map_err(|e| none(&ridgepole::types::excerpt(&format!("its header: {e}"))))?;
        all.remove("__metadata__");
        let end = |(name, tensor): (String, serde_json::Value)| {
            let tensor: Result<Tensor, _> = serde_json::from_value(tensor);
            tensor.map(|t| t.data_offsets[1]).map_err(|_| none(&format!("no place of `{}`", ridgepole::types::excerpt(&name))))
        };
        let data = all.into_iter().map(end).try_fold(0, |most, end| Ok::<_, String>(end?.max(most)))?;
        more(&mut bytes, data, "tensors")?;
        let mut one = [0];
        match file.read(&mut one) {
            Ok(0) => Ok(bytes),
            Ok(_) => Err(none("bytes follow behind its tensors")),
            Err(e) => Err(e.to_string()),
        }
    };
    read().map_err(|why: String| Failure::file("read", path, why))
}
