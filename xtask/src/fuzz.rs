//! `cargo xtask fuzz`: runs the fuzz targets for a time, each in a process of its own that it may bring down.
use crate::stages::cargo;
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// A target, and the test that it is.
struct Target {
    name: &'static str,
    package: &'static str,
    program: &'static [&'static str],
    test: &'static str,
}

const LIBRARY: &[&str] = &["--test", "it"];
const PROGRAM: &[&str] = &["--lib"];

/// All of them. The parts of the program are private, so their targets are unit tests.
const TARGETS: [Target; 6] = [
    Target { name: "ops", package: "ridgepole", program: LIBRARY, test: "fuzz_ops::ops" },
    Target { name: "tensors", package: "ridgepole-cli", program: PROGRAM, test: "commands::run::fuzz_tensors::tensors" },
    Target { name: "csv", package: "ridgepole-cli", program: PROGRAM, test: "data::fuzz_tables::csv" },
    Target { name: "gzip", package: "ridgepole-cli", program: PROGRAM, test: "data::fuzz_tables::gzip" },
    Target { name: "idx", package: "ridgepole-cli", program: PROGRAM, test: "data::fuzz_tables::idx" },
    Target {
        name: "checkpoint",
        package: "ridgepole-cli",
        program: PROGRAM,
        test: "commands::tune::fuzz_checkpoint::checkpoint",
    },
];

/// What is asked for.
#[derive(Debug, Default, PartialEq)]
struct Options {
    targets: Vec<String>,
    minutes: Option<f64>,
    inputs: Option<u64>,
    seed: u64,
    replay: Option<PathBuf>,
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut out = Options { seed: 1, ..Options::default() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} wants a value"));
        let number = |text: &String| text.parse::<u64>().map_err(|e| format!("{arg} is {text:?}: {e}"));
        match arg.as_str() {
            "--minutes" => {
                let text = value()?;
                let minutes = text.parse().ok().filter(|m: &f64| *m > 0.0 && *m <= 1e5);
                out.minutes = Some(minutes.ok_or_else(|| format!("--minutes is {text:?}, must be a number from 0 to 100000"))?);
            }
            "--inputs" => out.inputs = Some(number(value()?)?),
            "--seed" => out.seed = number(value()?)?,
            "--replay" => out.replay = Some(value()?.into()),
            name if TARGETS.iter().any(|t| t.name == name) => out.targets.push(name.to_string()),
            other => {
                let names: Vec<&str> = TARGETS.iter().map(|t| t.name).collect();
                return Err(format!("no such target or option: {other:?}; the targets are {}", names.join(", ")));
            }
        }
    }
    if out.replay.is_some() && out.targets.len() != 1 {
        return Err("--replay wants one target, to which the file belongs".into());
    }
    Ok(out)
}

/// How often a target is begun anew after it brought its process down.
const ENDS: u64 = 20;

/// Runs the targets that are asked for, or all, one after the other, and says what was tried and found.
pub fn fuzz(root: &Path, args: &[String]) -> Result<u8, String> {
    let options = options(args)?;
    let out = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("fuzz");
    let replay = options.replay.as_ref().map(|file| std::path::absolute(file).map_err(|e| format!("{}: {e}", file.display())));
    let replay = replay.transpose()?;
    let mut lines = Vec::new();
    let mut failed = false;
    for target in TARGETS.iter().filter(|t| options.targets.is_empty() || options.targets.iter().any(|n| n == t.name)) {
        let (ok, line) = one(root, target, &options, &out, replay.as_deref())?;
        failed |= !ok;
        lines.push(line);
    }
    println!("\n{}", lines.join("\n"));
    Ok(u8::from(failed))
}

fn one(root: &Path, target: &Target, options: &Options, out: &Path, replay: Option<&Path>) -> Result<(bool, String), String> {
    let name = target.name;
    let folder = out.join(name);
    let limit = Duration::from_secs_f64(60.0 * options.minutes.unwrap_or(if options.inputs.is_some() { 1e5 } else { 1.0 }));
    let (start, mut tried, mut ok, mut ends) = (Instant::now(), 0, true, 0);
    loop {
        let _ = fs::remove_file(folder.join("current"));
        let seed = options.seed + ends;
        println!("\n== fuzz {name}, seed {seed}");
        let mut command = cargo();
        // Both packages, so that no dependency is built once more with other features.
        command.args(["test", "--package", "ridgepole", "--package", "ridgepole-cli"]).args(target.program);
        command.args(["--", "--exact", target.test, "--nocapture", "--test-threads", "1"]).current_dir(root);
        command.env("RIDGEPOLE_FUZZ_OUT", out).env("RIDGEPOLE_FUZZ_SEED", seed.to_string());
        command.env("RIDGEPOLE_FUZZ_MINUTES", (limit.saturating_sub(start.elapsed()).as_secs_f64() / 60.0).to_string());
        if let Some(inputs) = options.inputs {
            command.env("RIDGEPOLE_FUZZ_INPUTS", inputs.saturating_sub(tried).to_string());
        }
        if let Some(file) = replay {
            command.env("RIDGEPOLE_FUZZ_FILE", file);
        }
        let _ = fs::remove_file(folder.join("tried"));
        ok &= command.status().map_err(|e| format!("cargo does not start: {e}"))?.success();
        // Left behind by a process that ended with this input: eight bytes each for its number and its length come first.
        let Ok(last) = fs::read(folder.join("current")) else { break };
        let (numbers, input) = last.split_at_checked(16).ok_or("the program ended before its first input")?;
        let number = |i: usize| u64::from_le_bytes(numbers[i..i + 8].try_into().expect("eight bytes"));
        let input = &input[..input.len().min(number(8) as usize)];
        tried += number(0);
        let file = folder.join(format!("end-{seed}"));
        fs::write(&file, input).map_err(|e| format!("{}: {e}", file.display()))?;
        println!("the program ended with an input of {} bytes: cargo xtask fuzz {name} --replay {}", input.len(), file.display());
        (ok, ends) = (false, ends + 1);
        if replay.is_some() || ends > ENDS || start.elapsed() >= limit || options.inputs.is_some_and(|n| tried >= n) {
            break;
        }
    }
    let last = fs::read_to_string(folder.join("tried")).ok().and_then(|t| t.parse::<u64>().ok());
    if last.is_none() && ends == 0 {
        return Err(format!("{name}: no input was tried; is there no test `{}` in {}?", target.test, target.package));
    }
    tried += last.unwrap_or(0);
    let found = if ok { "nothing found".to_string() } else { format!("see above, and {}", folder.display()) };
    let ended = if ends > 0 { format!(", {ends} ended the program") } else { String::new() };
    Ok((ok, format!("{name}: {tried} inputs in {:.0} s{ended}: {found}", start.elapsed().as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_or_refused() {
        let of = |line: &str| options(&line.split_whitespace().map(String::from).collect::<Vec<_>>());
        let want = Options { targets: vec!["csv".into()], minutes: Some(0.5), inputs: Some(9), seed: 7, replay: None };
        assert_eq!(of("csv --minutes 0.5 --inputs 9 --seed 7"), Ok(want));
        assert_eq!(of("").unwrap().seed, 1);
        let refused = |line: &str| of(line).unwrap_err();
        assert!(refused("cvs").starts_with("no such target or option: \"cvs\"; the targets are ops, tensors, csv,"));
        assert_eq!(refused("--minutes x"), "--minutes is \"x\", must be a number from 0 to 100000");
        assert_eq!(refused("--inputs"), "--inputs wants a value");
        assert!(refused("--replay f").starts_with("--replay wants one target"));
    }

    #[test]
    fn every_corpus_has_a_target_and_every_target_a_corpus() {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("in a workspace").join("fuzz/corpus");
        let mut folders: Vec<String> = fs::read_dir(corpora)
            .expect("the corpora are there")
            .map(|e| e.expect("readable").file_name().into_string().expect("UTF-8"))
            .collect();
        folders.sort();
        let mut names = TARGETS.map(|t| t.name);
        names.sort_unstable();
        assert_eq!(folders, names);
    }
}
