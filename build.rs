//! Makes a constant of each shader part, from the files on disk: `shaders/lib/<kernel>/<part>.wgsl` and `shaders/<family>/parts/<part>.wgsl`.
//! Families whose features are off have none; the names of their ops become a table, so that an error can say what is missing.
//!
//! A part that is named wrongly in Rust does not compile, and one that is named wrongly in a `//!use` line fails here; nobody keeps a list.
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

fn main() {
    println!("cargo:rerun-if-changed=shaders");
    println!("cargo:rerun-if-changed=build.rs");
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let out = folder.join("parts.rs");
    let (parts, mut uses) = (parts(), Vec::new());
    let mut text = String::new();
    for (folder, names) in &parts {
        let of = folder.strip_prefix("lib/").or(folder.strip_suffix("/parts")).expect("one of both");
        text += &format!("/// Parts in `shaders/{folder}`.\npub mod {of} {{\n    use crate::wgsl::Source;\n");
        for name in names {
            let (path, wgsl) = (format!("{folder}/{name}"), read(&format!("{folder}/{name}.wgsl")));
            let about =
                wgsl.lines().find_map(|l| l.strip_prefix("// ")).unwrap_or_else(|| panic!("shaders/{path}.wgsl: what is it?"));
            text +=
                &format!("    #[doc = {:?}]\n    pub const {}: Source = {};\n", plain(about), name.to_uppercase(), source(&path));
            uses.push((path, wgsl));
        }
        text += "}\n\n";
    }
    let all: Vec<&String> = uses.iter().map(|(path, _)| path).collect();
    let rows: String = all.iter().map(|path| format!("    {},\n", source(path).replace("Source", "super::Source"))).collect();
    text += &format!("/// All of them, for `//!use` lines.\npub const ALL: &[super::Source] = &[\n{rows}];\n");
    for (path, wgsl) in &uses {
        for used in wgsl.lines().filter_map(|l| l.strip_prefix("//!use ")) {
            assert!(all.iter().any(|p| *p == used.trim()), "shaders/{path}.wgsl uses {used}, and there is no such part");
        }
    }
    fs::write(&out, text).unwrap_or_else(|e| panic!("{}: {e}", out.display()));
    let absent: Vec<String> = families().into_iter().filter(|family| !has(family)).collect();
    let rows: String = absent.iter().map(|family| format!("(&{:?}, {family:?}),", kernels(family))).collect();
    let out = folder.join("absent.rs");
    fs::write(&out, format!("&[{rows}]")).unwrap_or_else(|e| panic!("{}: {e}", out.display()));
    println!("cargo:rustc-check-cfg=cfg(whole)");
    if absent.is_empty() && has("verify") {
        println!("cargo:rustc-cfg=whole");
    }
}

/// Whether a feature is on.
fn has(feature: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some()
}

/// The families, each with a feature of its name.
fn families() -> Vec<String> {
    entries("shaders").into_iter().filter(|folder| folder != "lib").collect()
}

/// The kernels of a family, which are named as its ops.
fn kernels(family: &str) -> Vec<String> {
    let names = entries(&format!("shaders/{family}")).into_iter();
    names.filter_map(|file| file.strip_suffix(".wgsl").map(String::from)).collect()
}

/// A comment as documentation: no brackets that would be links or tags.
fn plain(comment: &str) -> String {
    let (mut out, mut code) = (String::new(), false);
    for c in comment.chars() {
        code ^= c == '`';
        if !code && "[]<>*_".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn source(path: &str) -> String {
    format!("Source {{ name: {path:?}, text: include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/shaders/{path}.wgsl\")) }}")
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new("shaders").join(path)).unwrap_or_else(|e| panic!("shaders/{path}: {e}"))
}

/// The names of the parts in each folder that has any and is compiled.
fn parts() -> BTreeMap<String, Vec<String>> {
    let folders = families().into_iter().filter(|family| has(family)).map(|family| format!("{family}/parts"));
    let folders = folders.filter(|parts| Path::new("shaders").join(parts).is_dir());
    let shared = entries("shaders/lib").into_iter().map(|kernel| format!("lib/{kernel}"));
    folders.chain(shared).map(|folder| (folder.clone(), files(&format!("shaders/{folder}")))).collect()
}

fn files(dir: &str) -> Vec<String> {
    let name =
        |file: String| file.strip_suffix(".wgsl").map(String::from).unwrap_or_else(|| panic!("{dir}/{file} is no WGSL file"));
    entries(dir).into_iter().map(name).collect()
}

fn entries(dir: &str) -> Vec<String> {
    let read = fs::read_dir(dir).unwrap_or_else(|e| panic!("{dir}: {e}"));
    let mut names: Vec<String> = read.map(|e| e.expect("readable").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}
