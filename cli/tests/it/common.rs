//! What the tests of commands that write a report and its numbers have in common.
use assert_cmd::Command;
use std::path::Path;

/// The program's subcommand `name` with these arguments, writing into `out`.
pub fn command(name: &str, args: &[&str], out: &Path) -> Command {
    let mut command = Command::cargo_bin("ridgepole").expect("the program was built");
    command.arg(name).args(args).arg("--out").arg(out);
    command
}

/// The numbers in `file`, without the key that says how long it took.
pub fn numbers(folder: &Path, file: &str, time: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    value.as_object_mut().expect("an object").remove(time).expect("times are apart");
    value
}

/// The names in a folder.
pub fn files(folder: &Path) -> Vec<String> {
    let mut all: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

/// The program with these arguments where the system lets no file grow beyond `limit` blocks, as a full disk does: writes fail
/// half-way.
#[cfg(unix)]
pub fn on_a_full_disk(limit: &str, args: &str, out: &Path) -> Command {
    let mut command = Command::new("sh");
    let script = format!("ulimit -f {limit}; trap '' XFSZ; exec \"$0\" {args} --out \"$1\"");
    command.args(["-c", &script]).arg(assert_cmd::cargo::cargo_bin("ridgepole")).arg(out);
    // A driver's cache of compiled kernels is no part of this.
    command.env("MESA_SHADER_CACHE_DISABLE", "true");
    command
}
