//! The library's public items, a line each, held against `docs/api.txt`: what breaks a user's code is seen before it is released.
//!
//! `cargo public-api` wants a nightly compiler and an installation. This takes its library, `public-api`, and the compiler that is there:
//! rustdoc writes JSON for whoever sets `RUSTC_BOOTSTRAP`. Set for cargo, that variable would build every dependency anew, so this program
//! stands in for rustdoc and sets it there alone.
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// The version of rustdoc's JSON that `public-api` reads. When Rust moves on, so do the version of `public-api` in `Cargo.toml` and this.
const FORMAT: u64 = 57;
/// The rustdoc that this program stands in for.
const REAL: &str = "RIDGEPOLE_RUSTDOC";
/// Where the items are written down.
const LIST: &str = "docs/api.txt";

fn main() -> ExitCode {
    if let Some(rustdoc) = env::var_os(REAL) {
        let status = Command::new(rustdoc).args(env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").status();
        return ExitCode::from(status.ok().and_then(|s| s.code()).map_or(1, |code| code as u8));
    }
    let args: Vec<String> = env::args().skip(1).collect();
    let bless = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--bless"] => true,
        _ => {
            eprintln!("cargo xtask api [--bless]");
            return ExitCode::from(2);
        }
    };
    match run(Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("in the workspace"), bless) {
        Ok(Ok(text)) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Err(not_done)) => {
            println!("NOT DONE: {not_done}");
            ExitCode::from(3)
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Compares, or writes the list anew. With a compiler of another JSON nothing can be compared, and that is said.
fn run(root: &Path, bless: bool) -> Result<Result<String, String>, String> {
    let json = documented(root)?;
    let format = version(&json)?;
    if format != FORMAT {
        let why = format!("this Rust's rustdoc writes JSON of version {format}, and xtask reads {FORMAT}");
        return Ok(Err(format!(
            "{why}: take another version of `public-api` in xtask/Cargo.toml, and change FORMAT in xtask/src/bin/api.rs"
        )));
    }
    let api = public_api::Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .map_err(|e| format!("{}: {e}", json.display()))?;
    let items = without_methods_of_traits(api.items().map(ToString::to_string));
    let path = root.join(LIST);
    if bless {
        fs::write(&path, items.join("\n") + "\n").map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        return Ok(Ok(format!("{LIST} has {} items", items.len())));
    }
    // A checkout may have other line ends.
    let list = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let (gone, new) = changes(&list.lines().collect::<Vec<_>>(), &items.iter().map(String::as_str).collect::<Vec<_>>());
    if gone.is_empty() && new.is_empty() {
        return Ok(Ok(format!("the {} public items are those of {LIST}", items.len())));
    }
    let shown = |sign: char, of: &[&str]| of.iter().map(|item| format!("{sign} {item}\n")).collect::<String>();
    let advice = match gone.is_empty() {
        true => "Items are new. `cargo xtask api --bless` writes them down.",
        false => {
            "Items are gone or changed: that breaks who uses them. Keep them, or say so in CHANGELOG.md and raise the version's \
             second number; then `cargo xtask api --bless`."
        }
    };
    Err(format!("{}{}{advice}", shown('-', &gone), shown('+', &new)))
}

/// The items without what `impl Trait for Type` says already: that the type has the trait's methods.
fn without_methods_of_traits(items: impl Iterator<Item = String>) -> Vec<String> {
    let (mut out, mut of) = (Vec::new(), None);
    for item in items {
        let inside = |of: &String| ["fn", "const", "type"].iter().any(|kind| item.starts_with(&format!("pub {kind} {of}::")));
        if item.starts_with("impl") {
            of = item.split_once(" for ").map(|(_, of)| of.to_string());
        } else if of.as_ref().is_some_and(inside) {
            continue;
        } else {
            of = None;
        }
        out.push(item);
    }
    out
}

/// Has rustdoc write the library's JSON, and says where it is.
fn documented(root: &Path) -> Result<PathBuf, String> {
    let me = env::current_exe().map_err(|e| format!("this program does not know itself: {e}"))?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // All packages, as the stage `documentation` has them: alone, the library takes other features of naga, and compiles wgpu once more.
    let status = Command::new(cargo)
        .args(["doc", "--quiet", "--workspace", "--no-deps", "--lib"])
        .env(REAL, env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()))
        .env("RUSTDOC", &me)
        .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json --cap-lints allow")
        .current_dir(root)
        .status();
    if !status.map_err(|e| format!("cargo does not start: {e}"))?.success() {
        return Err("rustdoc fails, see above".into());
    }
    // Beside the folder of this program, which is that of the profile.
    let target = me.parent().and_then(Path::parent).ok_or("this program is in no folder of cargo's")?;
    Ok(target.join("doc/ridgepole.json"))
}

fn version(json: &Path) -> Result<u64, String> {
    let text = fs::read_to_string(json).map_err(|e| format!("cannot read {}: {e}", json.display()))?;
    let digits = text.rsplit("\"format_version\":").next().unwrap_or_default().trim_start();
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().map_err(|_| format!("{} does not say its version", json.display()))
}

/// Lines that only the first has, and those that only the second has.
fn changes<'a>(before: &[&'a str], now: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    let only = |a: &[&'a str], b: &[&str]| {
        let b: std::collections::HashSet<&str> = b.iter().copied().collect();
        a.iter().copied().filter(|line| !b.contains(line)).collect::<Vec<_>>()
    };
    (only(before, now), only(now, before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trait_says_its_methods_once() {
        let all = "pub struct a::S\npub a::S::x: u32\nimpl a::S\npub fn a::S::new() -> Self\nimpl a::Op for a::S\npub fn a::S::args(&self)\n\
                   impl core::convert::From<a::T> for a::S\npub fn a::S::from(a::T) -> Self\npub struct a::T\npub fn a::f()";
        let gone = ["pub fn a::S::args(&self)", "pub fn a::S::from(a::T) -> Self"];
        let want: Vec<&str> = all.lines().filter(|line| !gone.contains(line)).collect();
        assert_eq!(without_methods_of_traits(all.lines().map(String::from)), want);
    }

    #[test]
    fn what_is_gone_and_what_is_new() {
        let before = ["pub fn a::f(u32)", "pub struct a::S", "pub a::S::x: u32"];
        assert_eq!(changes(&before, &before), (vec![], vec![]));
        let now = ["pub struct a::S", "pub a::S::x: u64", "pub fn a::f(u32)"];
        assert_eq!(changes(&before, &now), (vec!["pub a::S::x: u32"], vec!["pub a::S::x: u64"]));
    }
}
