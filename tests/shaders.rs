//! Without a GPU: every module that any case asks for is valid, agrees with the host about it, and translates.
use ridgepole::*;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    process::{Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// Devices to lower for: a plain one, one with everything, both kinds of workgroup.
fn devices() -> Vec<Caps> {
    let mut all = Vec::new();
    for cpu in [false, true] {
        for features in [wgpu::Features::empty(), wgpu::Features::SUBGROUP | wgpu::Features::SHADER_INT64] {
            let mut caps = Caps::new(wgpu::Limits::default(), features, cpu);
            caps.subgroup = [32, 32];
            all.push(caps);
        }
        // Where lanes of one subgroup are a workgroup.
        let mut teams = Caps::new(wgpu::Limits::default(), wgpu::Features::SUBGROUP, cpu);
        teams.subgroup = [8, 8];
        all.push(teams);
        let limits = wgpu::Limits { max_storage_buffer_binding_size: 1 << 16, ..Default::default() };
        all.push(Caps::new(limits, wgpu::Features::empty(), cpu));
    }
    all
}

/// A pipeline: its parts, and names and types of its parameters.
type Pipeline = (wgsl::Spec, &'static [(&'static str, &'static str)]);

/// What lowering every case on every device gives, once for all tests.
struct Lowerings {
    /// Each distinct pipeline of the table, with an example of its use.
    modules: HashMap<Pipeline, (Step, Vec<Arg>)>,
    /// Steps with more loop trips than allowed, in words.
    long: Vec<String>,
}

static LOWERINGS: LazyLock<Lowerings> = LazyLock::new(|| {
    let cases: Vec<_> = ops::all().flat_map(|e| (e.cases)()).collect();
    let devices = devices();
    let (mut modules, mut long) = (HashMap::new(), Vec::new());
    for (found, trips) in shared_out(&cases, |op| {
        let (mut found, mut long) = (HashMap::new(), Vec::new());
        for caps in &devices {
            let lowered = op.lower(caps).unwrap_or_else(|e| panic!("{op:?}: {e}"));
            long.extend(too_long(op.as_ref(), &lowered));
            for step in lowered.into_steps() {
                found.entry((step.spec.clone(), step.params.fields)).or_insert_with(|| (step, op.args()));
            }
        }
        (found, long)
    }) {
        for (pipeline, example) in found {
            modules.entry(pipeline).or_insert(example);
        }
        long.extend(trips);
    }
    Lowerings { modules, long }
});

fn modules() -> &'static HashMap<Pipeline, (Step, Vec<Arg>)> {
    &LOWERINGS.modules
}

type Parsed = Result<(naga::Module, naga::valid::ModuleInfo), String>;

/// The distinct texts of all modules, with buffers of their own and pooled: different constants often make one text of two pipelines.
static TEXTS: LazyLock<HashMap<String, Parsed>> = LazyLock::new(|| {
    let both = modules().keys().flat_map(|(spec, fields)| [false, true].map(|pooled| wgsl::compose(spec, fields, pooled)));
    let texts: Vec<String> = both.collect::<HashSet<_>>().into_iter().collect();
    let parsed = shared_out(&texts, |text| parse(text));
    texts.into_iter().zip(parsed).collect()
});

/// The results of `what` for each item, in their order, from as many threads as there are cores.
fn shared_out<T: Sync, R: Send>(items: &[T], what: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mine = std::iter::repeat_with(|| next.fetch_add(1, Relaxed)).take_while(|&i| i < items.len());
        mine.map(|i| (i, what(&items[i]))).collect::<Vec<_>>()
    };
    let mut all: Vec<(usize, R)> = std::thread::scope(|threads| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let others: Vec<_> = (0..cores).map(|_| threads.spawn(work)).collect();
        others.into_iter().flat_map(|t| t.join().unwrap_or_else(|why| std::panic::resume_unwind(why))).collect()
    });
    assert_eq!(all.len(), items.len(), "every item once");
    all.sort_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, r)| r).collect()
}

fn capabilities(text: &str) -> naga::valid::Capabilities {
    // Packed halves in 32-bit words: every backend of this crate has them, so wgpu asks no feature for it.
    let mut c = naga::valid::Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    c.set(naga::valid::Capabilities::SHADER_INT64, text.contains("u64"));
    c.set(naga::valid::Capabilities::SUBGROUP, text.contains("subgroup"));
    c
}

fn parse(text: &str) -> Parsed {
    let module = naga::front::wgsl::parse_str(text).map_err(|e| e.emit_to_string(text))?;
    let flags = naga::valid::ValidationFlags::all();
    let info = naga::valid::Validator::new(flags, capabilities(text)).validate(&module);
    Ok((module, info.map_err(|e| e.emit_to_string(text))?))
}

/// The module that is composed of these parts, and where to look for what is wrong with it.
fn parsed(spec: &wgsl::Spec, text: &str) -> (String, &'static naga::Module, &'static naga::valid::ModuleInfo) {
    let at = format!("{}: {}", spec.shader.name, spec.entry);
    let (module, info) = TEXTS[text].as_ref().unwrap_or_else(|why| panic!("{at}: {spec:?}\n{why}"));
    (at, module, info)
}

#[test]
fn every_module_agrees_with_the_host() {
    for ((spec, fields), (step, args)) in modules() {
        for pooled in [false, true] {
            let text = wgsl::compose(spec, fields, pooled);
            let (at, module, info) = parsed(spec, &text);
            let n = module
                .entry_points
                .iter()
                .position(|e| e.name == spec.entry)
                .unwrap_or_else(|| panic!("{at}: no such entry point"));
            for (name, _) in &spec.consts {
                assert!(module.overrides.iter().any(|(_, o)| o.name.as_deref() == Some(name)), "{at}: no override {name}");
            }
            assert_eq!(spec.bindings.len(), step.slots.len(), "{at}: bindings and slots");
            let mut used = BTreeSet::new();
            for (handle, v) in module.global_variables.iter() {
                let Some(b) = v.binding.filter(|_| !info.get_entry_point(n)[handle].is_empty()) else { continue };
                used.insert(b.binding as usize);
                if b.binding == 0 {
                    continue; // Written from the host's declaration.
                }
                let (decl, slot) = (&spec.bindings[b.binding as usize - 1], &step.slots[b.binding as usize - 1]);
                let stores = info.get_entry_point(n)[handle].contains(naga::valid::GlobalUse::WRITE);
                // Atomics count as writes only in the type.
                let atomic = matches!(decl.view, wgsl::View::Raw(t) if t.contains("atomic"));
                assert_eq!(stores || atomic, decl.writes, "{at}: whether `{}` is written", decl.name);
                if let Slot::Arg(i, _) = slot {
                    assert!(!decl.writes || args[*i].access != Access::Read, "{at}: writes `{}`, which the op reads", decl.name);
                }
            }
            let ours: BTreeSet<usize> = (0..=spec.bindings.len()).collect();
            assert_eq!(used, ours, "{at}: bindings that the shader uses, bindings that the host gives");
        }
    }
}

/// Fields that kernels share may be of no use to one of them; to none of them, they are a mistake.
#[test]
fn every_parameter_is_read() {
    let mut unread: HashMap<&[(&str, &str)], BTreeSet<&str>> = HashMap::new();
    let mut users: HashMap<&[(&str, &str)], BTreeSet<&str>> = HashMap::new();
    for (spec, fields) in modules().keys() {
        let (_, module, _) = parsed(spec, &wgsl::compose(spec, fields, false));
        let unread = unread.entry(fields).or_insert_with(|| fields.iter().map(|(name, _)| *name).collect());
        users.entry(fields).or_default().insert(spec.entry);
        for f in module.functions.iter().map(|(_, f)| f).chain(module.entry_points.iter().map(|e| &e.function)) {
            for (_, e) in f.expressions.iter() {
                let naga::Expression::AccessIndex { base, index } = *e else { continue };
                let naga::Expression::GlobalVariable(of) = f.expressions[base] else { continue };
                if module.global_variables[of].name.as_deref() == Some("params") {
                    unread.remove(fields[index as usize].0);
                }
            }
        }
    }
    unread.retain(|_, names| !names.is_empty());
    let told = unread.iter().map(|(fields, names)| format!("{:?}: no kernel reads {names:?}", users[fields]));
    assert!(unread.is_empty(), "{}", told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_module_translates_to_every_backend() {
    let distinct: HashMap<_, _> =
        modules().keys().map(|(spec, fields)| ((wgsl::compose(spec, fields, false), spec.entry, &spec.consts), spec)).collect();
    let distinct: Vec<_> = distinct.into_iter().collect();
    shared_out(&distinct, |((text, ..), spec)| {
        let (at, module, info) = parsed(spec, text);
        let constants = spec.consts.iter().map(|&(k, v)| (k.to_string(), f64::from(v))).collect();
        let entry = Some((naga::ShaderStage::Compute, spec.entry));
        let (module, info) = naga::back::pipeline_constants::process_overrides(module, info, entry, &constants)
            .unwrap_or_else(|e| panic!("{at}: {e}"));
        let stage = naga::ShaderStage::Compute;
        let spv = naga::back::spv::Options { lang_version: (1, 3), ..Default::default() };
        naga::back::spv::write_vec(&module, &info, &spv, None).unwrap_or_else(|e| panic!("{at}: SPIR-V: {e}"));
        let msl = naga::back::msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..Default::default() };
        naga::back::msl::write_string(&module, &info, &msl, &Default::default()).unwrap_or_else(|e| panic!("{at}: MSL: {e}"));
        let hlsl = naga::back::hlsl::Options {
            shader_model: naga::back::hlsl::ShaderModel::V6_2,
            fake_missing_bindings: true,
            ..Default::default()
        };
        let mut out = String::new();
        naga::back::hlsl::Writer::new(&mut out, &hlsl, &Default::default())
            .write(&module, &info, None)
            .unwrap_or_else(|e| panic!("{at}: HLSL: {e}"));
        if text.contains("u64") {
            return; // GLSL has no 64-bit integers; such a device takes the plain variant.
        }
        let glsl = naga::back::glsl::Options { version: naga::back::glsl::Version::Desktop(430), ..Default::default() };
        let pipeline = naga::back::glsl::PipelineOptions { shader_stage: stage, entry_point: spec.entry.into(), multiview: None };
        let mut out = String::new();
        naga::back::glsl::Writer::new(&mut out, &module, &info, &glsl, &pipeline, naga::proc::BoundsCheckPolicies::default())
            .unwrap_or_else(|e| panic!("{at}: GLSL: {e}"))
            .write()
            .unwrap_or_else(|e| panic!("{at}: GLSL: {e}"));
    });
}

/// Tint is Chrome's compiler: barriers only in uniform control flow, and `enable` lines required.
#[test]
fn tint_accepts_every_module_of_the_web() {
    if Command::new("tint").arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        println!("no `tint` on the PATH: Chrome's own check was not made");
        return;
    }
    let both =
        modules().keys().flat_map(|(spec, fields)| [false, true].map(|pooled| (wgsl::compose(spec, fields, pooled), spec)));
    // No u64, which is not WGSL: it is chosen only where a native device has SHADER_INT64.
    let texts: HashMap<String, &wgsl::Spec> = both.filter(|(text, _)| !text.contains("u64")).collect();
    let texts: Vec<_> = texts.into_iter().enumerate().collect();
    shared_out(&texts, |(n, (text, spec))| {
        let enable = if text.contains("subgroup") { "enable subgroups;\n" } else { "" };
        let path = std::env::temp_dir().join(format!("ridgepole-tint-{}-{n}.wgsl", std::process::id()));
        std::fs::write(&path, format!("{enable}{text}")).expect("a temporary file");
        let out = Command::new("tint").args(["--format", "wgsl"]).arg(&path).output().expect("tint runs");
        std::fs::remove_file(&path).expect("the temporary file is there");
        assert!(out.status.success(), "{}: {}\n{}", spec.shader.name, spec.entry, String::from_utf8_lossy(&out.stderr));
    });
}

#[test]
fn every_op_has_its_files_and_every_file_its_op() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = |dir: &str, ext: &str| -> BTreeSet<String> {
        let files = std::fs::read_dir(root.join(dir)).expect("the folder is there").map(|e| e.expect("readable").file_name());
        files.filter_map(|f| f.to_str().and_then(|f| f.strip_suffix(ext)).map(str::to_string)).filter(|f| f != "mod").collect()
    };
    let names: BTreeSet<&str> = ops::all().map(|e| e.name).collect();
    assert_eq!(names.len(), ops::all().count(), "two rows of the table share a name");
    for family in ops::FAMILIES {
        let rows: BTreeSet<String> = family.ops.iter().map(|e| e.name.to_string()).collect();
        for (root, ext) in [("shaders", ".wgsl"), ("src/ops", ".rs"), ("src/verify/reference", ".rs")] {
            let dir = format!("{root}/{}", family.name);
            assert_eq!(list(&dir, ext), rows, "files in {dir}, and the rows of its table");
        }
    }
}

/// Lines of a file that name parts.
fn uses(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|l| l.strip_prefix("//!use ")).map(str::trim)
}

#[test]
fn parts_lie_with_their_kernel_or_their_family() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut users: Vec<(String, String)> = Vec::new(); // A file, and a part that it uses.
    let families = ops::FAMILIES.iter().map(|f| f.name);
    for folder in families.clone() {
        for entry in std::fs::read_dir(root.join("shaders").join(folder)).expect("the folder is there") {
            let path = entry.expect("readable").path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue }; // The folder of its parts.
            let name = format!("{folder}/{}", path.file_stem().and_then(|n| n.to_str()).expect("UTF-8"));
            users.extend(uses(&text).map(|part| (name.clone(), part.to_string())));
        }
    }
    for part in wgsl::LIBRARY {
        users.extend(uses(part.text).map(|used| (part.name.to_string(), used.to_string())));
        let folder = part.name.split('/').nth(usize::from(part.name.starts_with("lib/"))).expect("a part is in a folder");
        if part.name.starts_with("lib/") {
            // What the composer itself adds has no kernel.
            let there = ["", ".rs"].iter().any(|end| root.join(format!("src/kernels/{folder}{end}")).exists());
            assert!(there || folder == "wgsl", "{}: there is no src/kernels/{folder}", part.name);
        } else {
            assert!(families.clone().any(|f| part.name.starts_with(&format!("{f}/parts/"))), "{} is of no family", part.name);
        }
    }
    for (user, part) in &users {
        let family = user.split_once('/').expect("in a folder").0;
        assert!(
            part.starts_with("lib/") || part.starts_with(&format!("{family}/")),
            "{user} uses {part}, which is of another family"
        );
    }
    // Dead parts: neither named by a step of any case, nor used by a part that is.
    let mut live: BTreeSet<&str> = users.iter().map(|(_, part)| part.as_str()).collect();
    live.extend(modules().keys().flat_map(|(spec, _)| spec.parts.iter().chain([&spec.shader])).map(|s| s.name));
    live.extend(["lib/wgsl/pack_f16", "lib/wgsl/pack_bf16"]);
    let dead: Vec<&str> = wgsl::LIBRARY.iter().map(|s| s.name).filter(|n| !live.contains(n)).collect();
    assert!(dead.is_empty(), "no case reaches the parts {dead:?}");
}

#[test]
fn no_loop_is_long_enough_for_a_driver_to_drop_its_end() {
    let long = &LOWERINGS.long;
    assert!(long.is_empty(), "{} steps, the first: {}", long.len(), long[0]);
}

/// The steps of which one invocation makes more trips than allowed.
fn too_long(op: &dyn Verify, lowered: &Lowered) -> Vec<String> {
    let long = lowered.steps().iter().filter(|step| step.trips > MAX_TRIPS);
    long.map(|step| format!("{op:?}: {} makes {} trips", step.spec.entry, step.trips)).collect()
}

#[test]
fn bench_cases_lower_at_every_size_or_name_the_limit() {
    for elements in [bench::LEAST, bench::ELEMENTS, 1 << 26] {
        for caps in devices() {
            let usual = caps.limits == Limits::default();
            // Mixing pairs each window of a batch with each: of the largest, 64 KiB at a time would take gigabytes of dispatches.
            if !usual && elements > bench::ELEMENTS {
                continue;
            }
            for op in bench::cases("", elements) {
                match op.lower(&caps) {
                    Ok(lowered) => {
                        assert!(!lowered.steps().is_empty(), "{op:?}: nothing to time");
                        let long = too_long(op.as_ref(), &lowered);
                        assert!(long.is_empty(), "{}", long.join("\n"));
                    }
                    // What every device has is enough for what is timed where no size is asked for.
                    Err(e) if usual && elements <= bench::ELEMENTS => panic!("{op:?}: {e}"),
                    Err(Error::Unsupported { why, .. }) => assert!(!why.is_empty(), "{op:?}: unsupported for no reason"),
                    Err(e) => panic!("{op:?}: {e}"),
                }
            }
        }
    }
}

#[test]
fn the_comparer_can_fail() {
    use check::compare;
    let want = Expected::Within { value: vec![1.0, 2.0], bound: vec![1e-6, 1e-6] };
    assert!(compare(&HostData::F32(vec![1.0, 2.0]), &want).is_ok());
    assert!(compare(&HostData::F32(vec![1.0, 2.1]), &want).is_err(), "a wrong element");
    assert!(compare(&HostData::F32(vec![1.0, f32::NAN]), &want).is_err(), "NaN");
    assert!(compare(&HostData::F32(vec![1.0]), &want).is_err(), "a short output");
    assert!(compare(&HostData::F32(vec![1.0, f32::INFINITY]), &want).is_err(), "infinity");
    let bits = Expected::Exact(HostData::U32(vec![1, 2]));
    assert!(compare(&HostData::U32(vec![1, 3]), &bits).is_err(), "a wrong bit");
    assert!(compare(&HostData::F32(vec![0.0, 0.0]), &bits).is_err(), "another type");
}
