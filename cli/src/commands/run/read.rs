//! Files as `run` reads them: no more of them than it can use, whatever they are.
use crate::Failure;
use serde::Deserialize;
use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The most bytes that descriptions of ops may have.
const DESCRIPTIONS: u64 = 64 << 20;

/// The most bytes that the header of a safetensors file may have, by its format.
const HEADER: u64 = 100_000_000;

/// The text of a file, or of stdin (`-`): UTF-8, or UTF-16 with a byte-order mark.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    let failed = |why: String| Failure::file("read", path, why);
    let mut bytes = Vec::new();
    let most = DESCRIPTIONS + 1;
    let read = match path.to_str() {
        Some("-") => io::stdin().lock().take(most).read_to_end(&mut bytes),
        _ => File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    };
    read.map_err(|e| failed(e.to_string()))?;
    if bytes.len() as u64 == most {
        return Err(failed(format!("has more than {DESCRIPTIONS} bytes, the most that descriptions of ops may have")));
    }
    decoded(bytes).map_err(failed)
}

fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let (units, rest) = bytes[2..].as_chunks::<2>();
        let text = String::from_utf16(&units.iter().map(|u| unit(*u)).collect::<Vec<_>>());
        text.ok().filter(|_| rest.is_empty()).ok_or_else(|| "is not the UTF-16 that its byte-order mark tells of".to_string())
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => decoded(rest.to_vec()),
        _ => String::from_utf8(bytes).map_err(|e| {
            let at = e.utf8_error().valid_up_to();
            format!("is no text: byte {at} is not UTF-8 (UTF-16 is read where it begins with a byte-order mark)")
        }),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_every_encoding() {
        let (text, mark) = ("{\"λ\": \"𝄞\"}", '\u{feff}');
        let wide = |unit: fn(u16) -> [u8; 2]| format!("{mark}{text}").encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        for bytes in [text.into(), format!("{mark}{text}").into(), wide(u16::to_le_bytes), wide(u16::to_be_bytes)] {
            assert_eq!(decoded(bytes).expect("text"), text);
        }
        assert_eq!(decoded(b"ab\xff".to_vec()).expect_err("no text").split(" is not").next(), Some("is no text: byte 2"));
        for bytes in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8"] {
            assert!(decoded(bytes.to_vec()).expect_err("no text").contains("UTF-16"));
        }
    }
}
