//! A shader module is whole files laid end to end, behind the declarations of its parameters and of the buffers it works on.
//!
//! A kernel file declares neither: the host says which parameters a dispatch has, which buffers it binds and how they are
//! stored, and [`compose`] writes the declarations and the functions to reach them. So one kernel text serves f32, f16 and
//! bf16, aligned and ragged ends, and host and shader cannot disagree about a binding or a parameter.
mod bits;
mod decl;

pub use decl::{Decl, View};
pub use parts::ALL as LIBRARY;

use crate::types::{DType, Error};
use std::{fmt::Write, hash::Hash};

/// A WGSL file: its name, and its text.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The path under `shaders/`, without the ending.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && (std::ptr::eq(self.text, other.text) || self.text == other.text)
    }
}
impl Eq for Source {}
impl Hash for Source {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// A kernel file by its path under `shaders/`, without the ending.
#[doc(hidden)]
#[macro_export]
macro_rules! kernel {
    ($name:expr) => {
        $crate::wgsl::Source { name: $name, text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name, ".wgsl")) }
    };
}

/// The parts of the library: those that several families share under the kernel that they belong to, the others under their family.
#[rustfmt::skip]
pub mod parts {
    include!(concat!(env!("OUT_DIR"), "/parts.rs"));
}

/// A part of the library, by the name that a `//!use` line gives it.
///
/// # Panics
/// If there is no such part: a mistake in the text of a kernel.
pub fn part(name: &str) -> Source {
    // Kernels of users have known this one by a shorter name.
    let name = if name == "lib/grid" { parts::partition::GRID.name } else { name };
    *LIBRARY.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no shader part `{name}`"))
}

/// What distinguishes one pipeline from another, beside the names and types of its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// The kernel file.
    pub shader: Source,
    /// The entry point.
    pub entry: &'static str,
    /// Library files that fill the kernel's open names.
    pub parts: Vec<Source>,
    /// Storage bindings 1, 2, ... of group 0; binding 0 is `params`, its parameters.
    pub bindings: Vec<Decl>,
    /// `override` values.
    pub consts: Vec<(&'static str, u32)>,
}

impl Spec {
    /// Whether the kernel leaves its parameters to [`compose`].
    ///
    /// # Errors
    /// [`Error::Argument`] names the file that declares them.
    pub(crate) fn check(&self, op: &'static str) -> Result<(), Error> {
        let declares = |source: &&Source| {
            let bare: String = source.text.lines().flat_map(|line| [line.split("//").next().unwrap_or(line), "\n"]).collect();
            let words: Vec<&str> = bare.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
            words.windows(2).any(|pair| pair == ["struct", "Params"] || pair == ["var", "uniform"])
        };
        match self.parts.iter().chain([&self.shader]).find(declares) {
            Some(source) => {
                let why = "declares its parameters, `struct Params` or a `var<uniform>`: leave both out, they are written from the \
                           host's `params!`";
                Err(Error::argument(op, source.name, why))
            }
            None => Ok(()),
        }
    }
}

/// The module's text. Files named by `//!use` lines come before the file that names them, each once.
///
/// `fields` are names and types of the parameters, see [`crate::op::Params`]: the kernel reads them as `params.name`. With
/// `pooled`, every buffer is declared `read_write`, so that sub-ranges of one page can meet in a dispatch.
pub fn compose(spec: &Spec, fields: &[(&str, &str)], pooled: bool) -> String {
    let words: Vec<String> = fields.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
    let mut out = format!("struct Params {{ {} }}\n@group(0) @binding(0) var<uniform> params: Params;\n", words.join(", "));
    let mut seen = Vec::new();
    for (i, decl) in spec.bindings.iter().enumerate() {
        declare(&mut out, i + 1, decl, decl.writes || pooled);
        if decl.dtype.size() == 2 && !matches!(decl.view, View::Raw(_)) {
            add(if decl.dtype == DType::F16 { parts::wgsl::PACK_F16 } else { parts::wgsl::PACK_BF16 }, &mut seen, &mut out);
        }
    }
    for part in &spec.parts {
        add(*part, &mut seen, &mut out);
    }
    add(spec.shader, &mut seen, &mut out);
    out
}

fn add(source: Source, seen: &mut Vec<&'static str>, out: &mut String) {
    if seen.contains(&source.name) {
        return;
    }
    seen.push(source.name);
    for dep in source.text.lines().filter_map(|l| l.strip_prefix("//!use ")) {
        add(part(dep.trim()), seen, out);
    }
    out.push_str(source.text);
    out.push('\n');
}

/// The suffix of `lib/wgsl/pack_*.wgsl` and of the conversion functions in it.
fn suffix(dtype: DType) -> &'static str {
    if dtype == DType::F16 { "f16" } else { "bf16" }
}

fn declare(out: &mut String, binding: usize, decl: &Decl, read_write: bool) {
    let (n, half, s) = (decl.name, decl.dtype.size() == 2, suffix(decl.dtype));
    let mode = if read_write { "read_write" } else { "read" };
    let mut var = |name: &str, ty: &str| {
        writeln!(out, "@group(0) @binding({binding}) var<storage, {mode}> {name}: array<{ty}>;").expect("a String takes all");
    };
    let text = match (decl.view, half) {
        (View::Raw(ty), _) => return var(n, ty),
        (View::Bits(ragged), _) => {
            let view = if ragged { View::Ragged } else { View::Quads };
            declare(out, binding, &Decl { view, ..*decl }, read_write);
            bits::accessors(decl, ragged)
        }
        (View::Quads, false) => {
            var(&format!("{n}_quads"), "vec4<f32>");
            let store = format!("fn {n}_store(q: u32, v: vec4<f32>) {{ {n}_quads[q] = v; }}\n");
            format!("fn {n}_load(q: u32) -> vec4<f32> {{ return {n}_quads[q]; }}\n") + if decl.writes { &store } else { "" }
        }
        (View::Quads, true) => {
            var(&format!("{n}_quads"), "vec2<u32>");
            let store = format!("fn {n}_store(q: u32, v: vec4<f32>) {{ {n}_quads[q] = pack_{s}(v); }}\n");
            format!("fn {n}_load(q: u32) -> vec4<f32> {{ return unpack_{s}({n}_quads[q]); }}\n")
                + if decl.writes { &store } else { "" }
        }
        (View::Ragged, false) => {
            var(&format!("{n}_items"), "f32");
            let mut t = format!(
                "fn {n}_load(q: u32) -> vec4<f32> {{\n    var v = vec4<f32>(0.0);\n    let e = 4u * q;\n    \
                 if e < params.end {{ v.x = {n}_items[e]; }}\n    if e + 1u < params.end {{ v.y = {n}_items[e + 1u]; }}\n    \
                 if e + 2u < params.end {{ v.z = {n}_items[e + 2u]; }}\n    if e + 3u < params.end {{ v.w = {n}_items[e + 3u]; }}\n    \
                 return v;\n}}\n"
            );
            if decl.writes {
                t += &format!(
                    "fn {n}_store(q: u32, v: vec4<f32>) {{\n    let e = 4u * q;\n    \
                     if e < params.end {{ {n}_items[e] = v.x; }}\n    if e + 1u < params.end {{ {n}_items[e + 1u] = v.y; }}\n    \
                     if e + 2u < params.end {{ {n}_items[e + 2u] = v.z; }}\n    if e + 3u < params.end {{ {n}_items[e + 3u] = v.w; }}\n}}\n"
                );
            }
            t
        }
        (View::Ragged, true) => {
            var(&format!("{n}_words"), "u32");
            let mut t = format!(
                "fn {n}_load(q: u32) -> vec4<f32> {{\n    var w = vec2<u32>(0u);\n    let e = 4u * q;\n    \
                 if e < params.end {{ w.x = {n}_words[2u * q]; }}\n    if e + 2u < params.end {{ w.y = {n}_words[2u * q + 1u]; }}\n    \
                 let v = unpack_{s}(w);\n    \
                 let live = vec4<bool>(e < params.end, e + 1u < params.end, e + 2u < params.end, e + 3u < params.end);\n    \
                 return select(vec4<f32>(0.0), v, live);\n}}\n"
            );
            if decl.writes {
                // The half behind an odd end belongs to someone else.
                t += &format!(
                    "fn {n}_store(q: u32, v: vec4<f32>) {{\n    let w = pack_{s}(v);\n    let e = 4u * q;\n    \
                     if e + 1u < params.end {{ {n}_words[2u * q] = w.x; }}\n    \
                     else if e < params.end {{ {n}_words[2u * q] = ({n}_words[2u * q] & 0xffff0000u) | (w.x & 0xffffu); }}\n    \
                     if e + 3u < params.end {{ {n}_words[2u * q + 1u] = w.y; }}\n    \
                     else if e + 2u < params.end {{ {n}_words[2u * q + 1u] = ({n}_words[2u * q + 1u] & 0xffff0000u) | (w.y & 0xffffu); }}\n}}\n"
                );
            }
            t
        }
        (View::Four(_), _) => return four(out, decl, mode, binding),
        (View::Elements, false) => {
            var(&format!("{n}_items"), "f32");
            let put = format!("fn {n}_put(e: u32, v: f32) {{ {n}_items[e] = v; }}\n");
            format!("fn {n}_at(e: u32) -> f32 {{ return {n}_items[e]; }}\n") + if decl.writes { &put } else { "" }
        }
        (View::Elements, true) => {
            assert!(!decl.writes, "`{n}`: two halves share a word, so single ones cannot be written");
            var(&format!("{n}_words"), "u32");
            format!(
                "fn {n}_at(e: u32) -> f32 {{\n    \
                 let v = unpack_{s}(vec2<u32>({n}_words[e >> 1u], 0u));\n    return select(v.x, v.y, (e & 1u) == 1u);\n}}\n"
            )
        }
    };
    out.push_str(&text);
}

fn four(out: &mut String, decl: &Decl, mode: &str, binding: usize) {
    let (n, s) = (decl.name, suffix(decl.dtype));
    let (ty, body) = match (decl.view == View::Four(true), decl.dtype.size() == 2) {
        (true, false) => ("vec4<f32>", format!("return {n}_data[e >> 2u];")),
        (true, true) => ("vec2<u32>", format!("return unpack_{s}({n}_data[e >> 2u]);")),
        (false, false) => (
            "f32",
            format!(
                "let i = min(vec4<u32>(e, e + 1u, e + 2u, e + 3u), vec4<u32>(params.end - 1u));\n    \
                 return vec4<f32>({n}_data[i.x], {n}_data[i.y], {n}_data[i.z], {n}_data[i.w]);"
            ),
        ),
        // Four halves from an odd one on lie in three words.
        (false, true) => (
            "u32",
            format!(
                "let w = e >> 1u;\n    let i = min(vec3<u32>(w, w + 1u, w + 2u), vec3<u32>((params.end - 1u) >> 1u));\n    \
                 let v = vec3<u32>({n}_data[i.x], {n}_data[i.y], {n}_data[i.z]);\n    \
                 let odd = vec2<u32>(v.x >> 16u, v.y >> 16u) | vec2<u32>(v.y << 16u, v.z << 16u);\n    \
                 return unpack_{s}(select(v.xy, odd, (e & 1u) == 1u));"
            ),
        ),
    };
    out.push_str(&format!("@group(0) @binding({binding}) var<storage, {mode}> {n}_data: array<{ty}>;\n"));
    out.push_str(&format!("fn {n}_four(e: u32) -> vec4<f32> {{\n    {body}\n}}\n"));
}
