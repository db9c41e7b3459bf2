//! `cargo xtask race`: builds what races, and calls `ridgepole race`.
use crate::stages::cargo;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Races ridgepole against PyTorch if `--torch` is among `args`; the rest goes to `ridgepole race`.
pub fn race(root: &Path, args: &[String]) -> Result<u8, String> {
    let (torch, rest): (Vec<_>, Vec<_>) = args.iter().partition(|a| *a == "--torch");
    let mut command = cargo();
    command.args(["run", "--release", "--package", "ridgepole-cli", "--manifest-path"]).arg(root.join("Cargo.toml"));
    command.args(["--", "race"]).args(&rest);
    if !torch.is_empty() {
        let script = root.join("benches/peers/torch_ops.py");
        command.arg("--peer").arg(format!("{} {}", words(&python()?)?, words(&script)?));
    }
    let status = command.status().map_err(|e| format!("cargo does not start: {e}"))?;
    Ok(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1))
}

/// The Python that has PyTorch: `RIDGEPOLE_PYTHON`, or else python3.
fn python() -> Result<PathBuf, String> {
    let python = std::env::var_os("RIDGEPOLE_PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
    let mut probe = Command::new(&python);
    match probe.args(["-c", "import torch"]).stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(python),
        Ok(_) => Err(format!(
            "{} has no PyTorch; for example: python3 -m venv target/peers && target/peers/bin/pip install torch numpy, \
             then RIDGEPOLE_PYTHON=target/peers/bin/python cargo xtask race --torch",
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
