//! Fuzzes the JSON of ops, what ops lower to on 36 kinds of device, and their references. No GPU.
mod describe;
mod devices;
mod mutate;
mod shaders;
mod sound;

use crate::fuzz::{ACCEPTED, Target, fuzz, hash, plain_text};
use ridgepole::{Arg, Caps, Error, HostData, Pattern, Rng, Verify, ops};
use std::sync::LazyLock;

static DEVICES: LazyLock<Vec<Caps>> = LazyLock::new(devices::all);

/// Elements of all arguments together, at most, for the reference to be asked.
const ELEMENTS: usize = 4096;

/// The JSON of every case of every op, and of the bench cases.
fn seeds() -> Vec<Vec<u8>> {
    let (mut out, mut lost) = (Vec::new(), Vec::new());
    for entry in ops::all() {
        for op in (entry.cases)().into_iter().chain((entry.bench)(1 << 20)) {
            let debug = format!("{op:?}");
            let texts: Vec<String> = describe::json(entry.name, &debug).iter().map(ToString::to_string).collect();
            let same = |text: &&String| ops::verify_from_json(text).is_ok_and(|back| format!("{back:?}") == debug);
            match texts.iter().find(same) {
                Some(text) => out.push(text.clone().into_bytes()),
                None => lost.push(debug),
            }
        }
    }
    // Few have numbers that JSON has not, NaN among them.
    assert!(
        lost.len() * 50 < out.len(),
        "{} cases could not be written as JSON, of {}:\n{}",
        lost.len(),
        out.len(),
        lost.join("\n")
    );
    out
}

/// The op's name.
fn about(input: &[u8]) -> String {
    let value = serde_json::from_slice(input).unwrap_or(serde_json::Value::Null);
    value.get("op").and_then(|v| v.as_str()).unwrap_or_default().chars().take(40).collect()
}

fn run(input: &[u8], thorough: bool) -> String {
    let Ok(text) = std::str::from_utf8(input) else { return "not UTF-8".into() };
    let op = match ops::verify_from_json(text) {
        Ok(op) => op,
        // The second where frameworks differ in a default, so that a field must be given.
        Err(e @ (Error::Json { .. } | Error::Argument { .. })) => return plain_text(&e.to_string()),
        Err(e) => panic!("an error of another kind: {e:?}"),
    };
    let hash = hash(input);
    let mut did = op.name().to_string();
    let mut valid = false;
    for (i, caps) in DEVICES.iter().enumerate() {
        // Of the 36, the first, which is the command's, and six others.
        if i > 0 && !thorough && (hash >> (i % 6)) % 6 != i as u64 / 6 {
            continue;
        }
        let args = op.args();
        let bytes = args.iter().fold(0, |sum: u64, a| sum.saturating_add(a.binding_bytes()));
        if i > 0 && valid && !devices::few_windows(bytes, caps) {
            continue;
        }
        match op.lower(caps) {
            Ok(lowered) => {
                valid = true;
                let steps = || lowered.steps().iter().try_for_each(|step| shaders::valid(step, caps));
                if let Err(why) = sound::lowered(&args, &lowered, caps).and_then(|()| steps()) {
                    panic!("{why}\n  of {op:?}\n  on {caps:?}");
                }
                if i == 0 {
                    assert!(op.lower(caps).as_ref() == Ok(&lowered), "lowers to something else the second time: {op:?}");
                }
                if i < 3 {
                    lowered.steps().iter().for_each(|s| did += &format!(" {}", s.spec.entry));
                    did.truncate(400);
                }
            }
            Err(e @ (Error::Unsupported { .. } | Error::HostMemory { .. })) => {
                valid |= i == 0;
                did += &plain_text(&e.to_string());
            }
            Err(e @ Error::Argument { .. }) => {
                assert!(!valid, "the fields are right on another device: {e}\n  {op:?}\n  on {caps:?}");
                // Fields are checked before any device is asked: so say the others.
                return plain_text(&e.to_string());
            }
            Err(e) => panic!("an error of another kind: {e:?}"),
        }
    }
    let args = op.args();
    let elements = args.iter().fold(0, |sum: usize, a| sum.saturating_add(a.len));
    if valid && elements <= ELEMENTS {
        let chosen = hash >> 32;
        for kind in if thorough { 0..KINDS } else { chosen % KINDS..chosen % KINDS + 1 } {
            match on_data(op.as_ref(), &args, hash, kind) {
                Ok(computed) => did += computed,
                Err(why) => panic!("{why}\n  of {op:?}"),
            }
        }
    }
    format!("{}{did}", if valid { ACCEPTED } else { "" })
}

/// Kinds of data.
const KINDS: u64 = 8;
/// The kind that is words at random: divisors of any size among them.
const WORDS: u64 = 7;

/// The reference on data of some kind: those of the checks, zeros, and words drawn at random, which are indices out of range.
fn on_data(op: &dyn Verify, args: &[Arg], hash: u64, kind: u64) -> Result<&'static str, String> {
    let mut rng = Rng::new(hash ^ kind);
    let patterns = [Pattern::Ordinary, Pattern::Zeros, Pattern::Constant, Pattern::Tiny, Pattern::Offset, Pattern::NonFinite];
    let data: Vec<HostData> = args
        .iter()
        .map(|a| match kind {
            0..6 => op.fill(a, &mut rng, patterns[kind as usize]),
            6 => HostData::from_bytes(a.dtype, &vec![0; a.bytes() as usize]),
            _ => {
                let bytes: Vec<u8> = (0..a.bytes()).map(|_| rng.word() as u8).collect();
                HostData::from_bytes(a.dtype, &bytes)
            }
        })
        .collect();
    for (arg, data) in args.iter().zip(&data) {
        if data.len() != arg.len || data.dtype() != arg.dtype {
            return Err(format!("data of another length or type: {arg:?}"));
        }
    }
    sound::reference(op, args, &data, kind < WORDS)
}

#[test]
fn ops() {
    fuzz(&Target { name: "ops", seeds: seeds(), mutate: &mutate::op, smaller: &mutate::smaller, about: &about, run: &run });
}
