//! `cargo xtask race`: builds what races, and calls `ridgepole race`.
use crate::stages::cargo;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What races if it is among the arguments.
const PEERS: [&str; 3] = ["--torch", "--burn", "--burn-plain"];
/// What the peer for PyTorch is told if it is among the arguments.
const TORCH: [&str; 2] = ["--graphs", "--no-graphs"];

/// Races `ridgepole path` against scikit-learn, and nothing else: the rest of the arguments goes to the peer.
const SKLEARN: &str = "--sklearn";

/// Races ridgepole against PyTorch if `--torch` is among `args`, against Burn if `--burn` is, and against Burn without fusion and
/// autotune if `--burn-plain` is; `--graphs` and `--no-graphs` go to the peer for PyTorch, the rest to `ridgepole race`.
/// With `--sklearn`, see there.
pub fn race(root: &Path, args: &[String]) -> Result<u8, String> {
    if args.iter().any(|a| a == SKLEARN) {
        return sklearn(root, args.iter().filter(|a| *a != SKLEARN));
    }
    let (ours, rest): (Vec<_>, Vec<_>) = args.iter().partition(|a| PEERS.contains(&a.as_str()) || TORCH.contains(&a.as_str()));
    let with = |peer: &str| ours.iter().any(|p| *p == peer);
    let told: Vec<&str> = TORCH.into_iter().filter(|option| with(option)).collect();
    if !told.is_empty() && !with("--torch") {
        return Err(format!("{} is for the peer that runs PyTorch: add --torch", told.join(" ")));
    }
    let mut command = cargo();
    command.args(["run", "--release", "--package", "ridgepole-cli", "--manifest-path"]).arg(root.join("Cargo.toml"));
    command.args(["--", "race"]).args(&rest);
    if with("--torch") {
        let (python, script) = (python("torch", "torch numpy", "--torch")?, root.join("benches/peers/torch_ops.py"));
        let peer = [&[words(&python)?, words(&script)?], &told[..]].concat();
        command.arg("--peer").arg(peer.join(" "));
    }
    for plain in [false, true] {
        if !with(if plain { "--burn-plain" } else { "--burn" }) {
            continue;
        }
        command.arg("--peer").arg(words(&burn(root, plain)?)?);
        // The peer shall run on the same device. It is told in this way, since a name may have blanks.
        if let Some(name) = adapter(&rest) {
            command.env("WGPU_ADAPTER_NAME", name);
        }
    }
    let status = command.status().map_err(|e| format!("cargo does not start: {e}"))?;
    Ok(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1))
}

/// What `--adapter` says among the arguments of `ridgepole race`.
fn adapter<'a>(args: &[&'a String]) -> Option<&'a str> {
    let joined = args.iter().find_map(|a| a.strip_prefix("--adapter="));
    joined.or_else(|| args.iter().skip_while(|a| **a != "--adapter").nth(1).map(|a| a.as_str()))
}

/// Builds the peer that runs Burn, a workspace of its own, and gives its program. Without fusion and autotune it has a folder of its
/// own, so that neither build undoes the other.
fn burn(root: &Path, plain: bool) -> Result<PathBuf, String> {
    let peer = root.join("benches/peers/burn");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| peer.join("target"), PathBuf::from);
    let target = std::path::absolute(&target).map_err(|e| format!("{}: {e}", target.display()))?;
    let target = if plain { target.join("plain") } else { target };
    let program = target.join("release").join(format!("burn-ops{}", std::env::consts::EXE_SUFFIX));
    let mut command = cargo();
    command.args(["build", "--release", "--manifest-path"]).arg(peer.join("Cargo.toml"));
    if plain {
        command.arg("--no-default-features");
    }
    if program.exists() {
        command.arg("--quiet");
    } else {
        println!("Building Burn in {}: the first time, this takes about 20 minutes.", target.display());
    }
    let built = command.arg("--target-dir").arg(&target).status().map_err(|e| format!("cargo does not start: {e}"))?;
    if built.success() {
        return Ok(program);
    }
    Err("the peer for Burn was not built, see above. It needs Rust 1.95 or newer (rustup update stable), the crates that its \
         Cargo.lock names, and 4 GB on the disk; without --burn, the race goes on without it"
        .to_string())
}

/// Builds the program, and lets the script race it.
fn sklearn<'a>(root: &Path, args: impl Iterator<Item = &'a String>) -> Result<u8, String> {
    let python = python("sklearn", "scikit-learn", SKLEARN)?;
    let mut command = cargo();
    command.args(["build", "--release", "--package", "ridgepole-cli", "--manifest-path"]).arg(root.join("Cargo.toml"));
    let built = command.status().map_err(|e| format!("cargo does not start: {e}"))?;
    if !built.success() {
        return Err("the program was not built, see above".to_string());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let program = target.join("release").join(format!("ridgepole{}", std::env::consts::EXE_SUFFIX));
    let program = std::path::absolute(&program).map_err(|e| format!("{}: {e}", program.display()))?;
    let script = root.join("benches/peers/sklearn_path.py");
    let status = Command::new(&python).arg(script).arg("--ridgepole").arg(program).args(args).status();
    let status = status.map_err(|e| format!("{} does not start: {e}", python.display()))?;
    Ok(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1))
}

/// The Python that has a package: `RIDGEPOLE_PYTHON`, or else python3. `install` is what pip calls all that is needed.
fn python(package: &str, install: &str, option: &str) -> Result<PathBuf, String> {
    let python = std::env::var_os("RIDGEPOLE_PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
    let mut probe = Command::new(&python);
    match probe.args(["-c", &format!("import {package}")]).stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(python),
        Ok(_) => Err(format!(
            "{} cannot import {package}; for example: python3 -m venv target/peers && target/peers/bin/pip install {install}, \
             then RIDGEPOLE_PYTHON=target/peers/bin/python cargo xtask race {option}",
            python.display()
        )),
        Err(e) => Err(format!("{} does not start ({e}); RIDGEPOLE_PYTHON names another Python", python.display())),
    }
}

/// A path as a word of a peer's command line, whose words are apart by blanks.
fn words(path: &Path) -> Result<&str, String> {
    let word = path.to_str().filter(|p| !p.contains(char::is_whitespace));
    word.ok_or_else(|| format!("{} has blanks; a peer's command cannot have any in a word", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_is_found_in_both_forms() {
        let of = |line: &str| {
            let args: Vec<String> = line.split('|').map(String::from).collect();
            adapter(&args.iter().collect::<Vec<_>>()).map(String::from)
        };
        assert_eq!(of("dropout|--adapter|NVIDIA H200"), Some("NVIDIA H200".to_string()));
        assert_eq!(of("--adapter=llvm pipe|--turns|1"), Some("llvm pipe".to_string()));
        assert_eq!(of("--turns|1"), None);
        assert_eq!(of("--adapter"), None);
    }

    #[test]
    fn graphs_are_for_pytorch() {
        let error = race(Path::new("."), &["--burn".to_string(), "--graphs".to_string()]).unwrap_err();
        assert_eq!(error, "--graphs is for the peer that runs PyTorch: add --torch");
    }
}
