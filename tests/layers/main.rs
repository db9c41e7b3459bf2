//! The folders of `src` are storeys: a file imports from storeys below its own, never from above, and only what these rules allow.
//! No GPU is needed. Each rule is tried on a small crate with a fault of its kind as well.
mod sources;

use sources::{Need, Sources, cycles};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::LazyLock,
};

/// From the ground up. Folders of one storey do not know each other.
const STOREYS: [&[&str]; 8] =
    [&["types"], &["wgsl"], &["op"], &["options"], &["verify", "device"], &["kernels", "check"], &["ops"], &["bench"]];

/// What lies below and is none of their business all the same.
const NEVER: [[&str; 2]; 3] = [["kernels", "device"], ["ops", "device"], ["ops", "check"]];

/// Where `wgpu` may be named. The root passes it on to users.
const WGPU: [&str; 4] = ["device/", "check/", "bench/", "lib.rs"];

/// A family that imports another, and why.
const FAMILIES: [[&str; 3]; 1] = [[
    "dropouts",
    "norms",
    "dropout_add_layer_norm is a norm behind a dropout; its result is checked as layer_norm's and rms_norm's",
]];

static SOURCES: LazyLock<Sources> = LazyLock::new(|| Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")));
static NEEDS: LazyLock<Vec<Need>> = LazyLock::new(|| SOURCES.needs());

fn folder(file: &str) -> &str {
    file.split_once('/').map_or(file, |(first, _)| first)
}

fn storey(folder: &str) -> Option<usize> {
    STOREYS.iter().position(|s| s.contains(&folder))
}

/// The family of a file in `ops`, if it is of one.
fn family(file: &str) -> Option<&str> {
    file.strip_prefix("ops/")?.split_once('/').map(|(family, _)| family)
}

/// Imports that go up or across.
fn upwards(needs: &[Need]) -> Vec<String> {
    let wrong = |n: &&Need| {
        let (from, to) = (folder(&n.from), folder(&n.to));
        let down = || storey(to).is_some_and(|to| storey(from).is_some_and(|from| to < from));
        from != "lib.rs" && from != to && (!down() || NEVER.contains(&[from, to]))
    };
    needs.iter().filter(wrong).map(|n| format!("{} imports {}, which is in {}", n.from, n.path, n.to)).collect()
}

/// References that know more than the values of fields and how numbers are stored: they would no longer be independent of the kernels.
fn dependent_references(needs: &[Need]) -> Vec<String> {
    let wrong = |n: &&Need| {
        n.from.starts_with("verify/reference/")
            && !["types/", "options/", "verify/reference/"].iter().any(|f| n.to.starts_with(f))
    };
    needs.iter().filter(wrong).map(|n| format!("{} imports {}, which is in {}", n.from, n.path, n.to)).collect()
}

/// Code that calls wgpu where none may.
fn strangers_to_wgpu(sources: &Sources) -> Vec<String> {
    let wrong = sources.outside("wgpu").filter(|(file, _)| !WGPU.iter().any(|w| file.starts_with(w)));
    wrong.map(|(file, path)| format!("{file} names {path}")).collect()
}

/// What a family imports from another, but for the pairs that may.
fn across_families(needs: &[Need]) -> Vec<String> {
    let across = |n: &&Need| {
        let (Some(from), Some(to)) = (family(&n.from), family(&n.to)) else { return false };
        from != to && !FAMILIES.iter().any(|[a, b, _]| [*a, *b] == [from, to])
    };
    needs.iter().filter(across).map(|n| format!("{} imports {}, which is in {}", n.from, n.path, n.to)).collect()
}

/// Shader parts of one family that kernels, or another family, name.
fn parts_of_others(sources: &Sources) -> Vec<String> {
    let wrong = sources.outside("parts").filter(|(file, path)| {
        let of = path.split("::").nth(1).unwrap_or_default();
        Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders").join(of).is_dir() && family(file) != Some(of)
    });
    wrong.map(|(file, path)| format!("{file} names {path}")).collect()
}

#[test]
fn imports_go_down() {
    let (sources, needs, lost) = (&*SOURCES, &*NEEDS, SOURCES.lost());
    assert!(lost.is_empty(), "this test cannot follow {} paths, so it reads wrongly:\n{}", lost.len(), lost.join("\n"));
    assert!(sources.len() > 300 && needs.len() > 2000, "{} files, {} imports: it reads wrongly", sources.len(), needs.len());
    let unknown: BTreeSet<&str> =
        needs.iter().flat_map(|n| [folder(&n.from), folder(&n.to)]).filter(|f| storey(f).is_none()).collect();
    assert_eq!(unknown, BTreeSet::from(["lib.rs"]), "on no storey");
    let wrong = upwards(needs);
    assert!(wrong.is_empty(), "{} of {} imports go up or across:\n{}", wrong.len(), needs.len(), wrong.join("\n"));
}

#[test]
fn references_know_the_values_of_fields_and_nothing_of_kernels() {
    let wrong = dependent_references(&NEEDS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn wgpu_is_named_where_it_is_called_and_nowhere_else() {
    let wrong = strangers_to_wgpu(&SOURCES);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn families_do_not_import_one_another() {
    let wrong = across_families(&NEEDS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let stale = |[a, b, _]: &&[&str; 3]| !NEEDS.iter().any(|n| family(&n.from) == Some(a) && family(&n.to) == Some(b));
    assert_eq!(FAMILIES.iter().find(stale), None, "a pair that is needed no longer");
}

#[test]
fn parts_of_a_family_are_named_by_it_alone() {
    assert!(SOURCES.outside("parts").count() > 250, "it reads wrongly");
    let wrong = parts_of_others(&SOURCES);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_two_files_need_each_other() {
    let cycles = cycles(&NEEDS);
    let shown = |group: &Vec<&str>| {
        let inside = |n: &&Need| !n.passed_on && !n.module && group.contains(&n.from.as_str()) && group.contains(&n.to.as_str());
        let imports: Vec<String> = NEEDS.iter().filter(inside).map(|n| format!("  {} imports {}", n.from, n.path)).collect();
        imports.join("\n")
    };
    assert!(cycles.is_empty(), "circles of imports:\n{}", cycles.iter().map(shown).collect::<Vec<_>>().join("\n\n"));
}

/// A small crate with every kind of import that is right, and these files beside.
fn planted(files: &[(&str, &str)]) -> Sources {
    let right = [
        (
            "lib.rs",
            "pub mod types; mod wgsl; mod op; mod options; mod device; mod verify; mod kernels; mod check; mod ops; mod bench;",
        ),
        ("types/mod.rs", "mod dtype; mod field; pub use dtype::DType; pub use field::{Described, Field};"),
        ("types/dtype.rs", "#[value] pub enum DType { F32 }"),
        ("types/field.rs", "pub struct Field; pub trait Described {}"),
        ("wgsl/mod.rs", "use crate::types::DType; pub struct Source(DType);"),
        ("op/mod.rs", "mod caps; pub use caps::Caps; pub trait Op { fn caps(&self) -> Caps; } pub struct Entry;"),
        ("op/caps.rs", "pub struct Caps(u64);"),
        ("options/mod.rs", "pub enum Activation { None }"),
        ("device/mod.rs", "pub struct Gpu(wgpu::Device); impl Gpu { fn plan(&self, op: &dyn crate::op::Op) {} }"),
        ("verify/mod.rs", "pub mod reference;"),
        ("verify/reference/mod.rs", "use crate::options::Activation; pub fn act(of: Activation) {}"),
        ("kernels/mod.rs", "pub mod reduce;"),
        ("kernels/reduce.rs", "use crate::{op::Caps, wgsl::Source}; pub fn levels(caps: &Caps) {}"),
        ("check/mod.rs", "use crate::device::Gpu; pub fn run(gpu: &Gpu) {}"),
        ("ops/mod.rs", "pub mod norms; pub mod dropouts;"),
        ("ops/norms/mod.rs", "mod layer_norm; pub use layer_norm::LayerNorm;"),
        (
            "ops/norms/layer_norm.rs",
            "use crate::kernels::reduce; #[op(name = \"layer_norm\")] pub struct LayerNorm; fn lower() { reduce::levels(Caps) }",
        ),
        ("ops/dropouts/mod.rs", "pub struct Dropout;"),
        ("bench/mod.rs", "use crate::{check, device::Gpu, ops::norms::LayerNorm}; fn time(gpu: &Gpu) { check::run(gpu) }"),
    ];
    let mut all: BTreeMap<&str, String> = right.iter().map(|(file, text)| (*file, text.to_string())).collect();
    files.iter().for_each(|(file, text)| all.entry(file).or_default().push_str(text));
    Sources::of(all.into_iter().map(|(file, text)| (file.to_string(), text)))
}

#[test]
fn a_crate_without_faults_passes_every_rule() {
    let sources = planted(&[]);
    let needs = sources.needs();
    assert_eq!(sources.lost(), [""; 0]);
    assert_eq!(
        [upwards(&needs), dependent_references(&needs), strangers_to_wgpu(&sources), across_families(&needs)],
        [const { Vec::<String>::new() }; 4]
    );
    assert_eq!(cycles(&needs), Vec::<Vec<&str>>::new());
}

#[test]
fn a_fault_of_each_kind_is_named() {
    let up = |file, text| upwards(&planted(&[(file, text)]).needs());
    assert_eq!(
        up("types/dtype.rs", "use crate::device::Gpu;"),
        ["types/dtype.rs imports crate::device::Gpu, which is in device/mod.rs"]
    );
    assert_eq!(up("kernels/reduce.rs", "fn f() { crate::ops::norms::LayerNorm; }").len(), 1, "a path in code");
    assert_eq!(up("kernels/reduce.rs", "use crate::device::Gpu;").len(), 1, "below, and none of their business");
    assert_eq!(up("ops/norms/layer_norm.rs", "use crate::check;\nfn g() { check::run(Gpu) }").len(), 2);
    assert_eq!(up("ops/norms/layer_norm.rs", "use crate::{device::*};").len(), 1, "a glob");
    assert_eq!(up("options/mod.rs", "fn f() { vec![crate::kernels::reduce::levels] }").len(), 1, "within a macro");
    assert_eq!(up("verify/mod.rs", "use crate::device::Gpu;").len(), 1, "across");
    assert_eq!(up("types/dtype.rs", "#[op(name = \"x\")] pub struct X;").len(), 1, "what an attribute writes");
    // By way of the root, or of a name that the root passes on.
    assert_eq!(up("options/mod.rs", "use super::kernels::reduce::levels;").len(), 1);
    let passed_on = planted(&[("lib.rs", "pub use kernels::reduce as fold;"), ("options/mod.rs", "use crate::fold::levels;")]);
    assert_eq!(upwards(&passed_on.needs()), ["options/mod.rs imports crate::fold::levels, which is in kernels/reduce.rs"]);

    let reference = planted(&[("verify/reference/mod.rs", "use crate::{op::Caps, wgsl::Source};")]);
    assert_eq!(dependent_references(&reference.needs()).len(), 2);

    let stranger = planted(&[("kernels/reduce.rs", "use wgpu::Features;"), ("options/mod.rs", "fn f(of: &wgpu::Limits) {}")]);
    assert_eq!(strangers_to_wgpu(&stranger), ["kernels/reduce.rs names wgpu::Features", "options/mod.rs names wgpu::Limits"]);

    let neighbours = planted(&[("ops/norms/layer_norm.rs", "use crate::ops::dropouts::Dropout;")]);
    assert_eq!(across_families(&neighbours.needs()).len(), 1);
    let allowed = planted(&[("ops/dropouts/mod.rs", "use crate::ops::norms::LayerNorm;")]);
    assert_eq!(across_families(&allowed.needs()), [""; 0]);

    let borrowed = planted(&[
        ("kernels/reduce.rs", "use crate::wgsl::parts; fn f() { parts::norms::SIGMA; parts::reduce::LEVEL }"),
        ("ops/dropouts/mod.rs", "use crate::wgsl::parts; fn f() { vec![parts::norms::SIGMA, parts::dropouts::MASKED_MAP] }"),
    ]);
    assert_eq!(
        parts_of_others(&borrowed),
        ["kernels/reduce.rs names parts::norms::SIGMA", "ops/dropouts/mod.rs names parts::norms::SIGMA"]
    );

    let circle = planted(&[
        ("types/mod.rs", "mod size; pub struct Shape(size::Size);"),
        ("types/size.rs", "use super::Shape; pub struct Size;"),
    ]);
    assert_eq!(cycles(&circle.needs()), [["types/mod.rs", "types/size.rs"]]);
    // Passing a child's name on is no need of it.
    let hub = planted(&[
        ("types/mod.rs", "mod size; pub use size::Size; pub struct Shape;"),
        ("types/size.rs", "use super::Shape; pub struct Size;"),
    ]);
    assert_eq!(cycles(&hub.needs()), Vec::<Vec<&str>>::new());

    assert_eq!(planted(&[("options/mod.rs", "use crate::nowhere::Thing;")]).lost(), ["options/mod.rs: crate::nowhere::Thing"]);
}
