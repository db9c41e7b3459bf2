//! The study's own ops, held against their references by the library's harness, as the library's ops are.
//! `OP='Dense { batch: 50' cargo test -p ridgepole-cli --test study_ops` re-runs the cases whose text contains that.
use ridgepole::{Access, Caps, Gpu, MAX_TRIPS, Op, Session, Slot, Step, check, wgpu, wgsl};
use ridgepole_cli::study::ops;
use std::{
    collections::{BTreeSet, HashMap},
    process::{Command, Stdio},
};

#[test]
fn every_case_in_every_mode() {
    let session = Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one");
    let device = session.device();
    let filter = std::env::var("OP").unwrap_or_default();
    let modes: Vec<_> = check::modes(device).into_iter().map(|(name, caps)| (name, Gpu::with_caps(device, caps))).collect();
    let (mut ran, mut failed) = (0, Vec::new());
    for (i, op) in ops::cases().iter().enumerate() {
        let name = format!("{op:?}");
        if !name.contains(&filter) {
            continue;
        }
        for pattern in op.patterns() {
            let case = check::Case::new(op.as_ref(), pattern, i as u64);
            for (mode, gpu) in &modes {
                ran += 1;
                if let Err(why) = case.run(gpu, session.queue()) {
                    failed.push(format!("{name}, {pattern:?}, {mode}: {why}"));
                }
            }
        }
    }
    eprintln!("{}: {ran} runs", session.info().name);
    assert!(ran > 0, "no case matched OP={filter:?}");
    assert!(failed.is_empty(), "{} of {ran} failed:\n{}", failed.len(), failed[..failed.len().min(12)].join("\n"));
}

/// Each distinct pipeline, with an example of its use; the loops of every case are counted on the way.
fn modules() -> HashMap<wgsl::Spec, (Step, Box<dyn Op>)> {
    let mut out = HashMap::new();
    for cpu in [false, true] {
        let caps = Caps::new(wgpu::Limits::default(), wgpu::Features::empty(), cpu);
        for op in ops::cases() {
            for step in op.lower(&caps).unwrap_or_else(|e| panic!("{op:?}: {e}")).into_steps() {
                assert!(step.trips <= MAX_TRIPS, "{op:?}: {} trips", step.trips);
                let again = ops::cases().into_iter().find(|o| format!("{o:?}") == format!("{op:?}")).expect("the same table");
                out.entry(step.spec.clone()).or_insert((step, again));
            }
        }
    }
    out
}

#[test]
fn every_module_is_valid_and_agrees_with_the_host() {
    for (spec, (step, op)) in modules() {
        let text = wgsl::compose(&spec, false);
        let at = spec.entry;
        let module = naga::front::wgsl::parse_str(&text).unwrap_or_else(|e| panic!("{at}: {}", e.emit_to_string(&text)));
        let mut validator = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        let info = validator.validate(&module).unwrap_or_else(|e| panic!("{at}: {}", e.emit_to_string(&text)));
        let n = module.entry_points.iter().position(|e| e.name == at).expect("the entry point is there");
        let mut used = BTreeSet::new();
        for (handle, v) in module.global_variables.iter() {
            let usage = info.get_entry_point(n)[handle];
            let Some(b) = v.binding.filter(|_| !usage.is_empty()) else { continue };
            used.insert(b.binding as usize);
            if b.binding == 0 {
                let naga::TypeInner::Struct { members, .. } = &module.types[v.ty].inner else { panic!("{at}: no Params") };
                let word = |m: &naga::StructMember| match module.types[m.ty].inner {
                    naga::TypeInner::Scalar(naga::Scalar::U32) => "u32",
                    naga::TypeInner::Scalar(naga::Scalar::F32) => "f32",
                    _ => "no such word",
                };
                let theirs: Vec<_> = members.iter().map(|m| (m.name.as_deref().unwrap_or("?"), word(m))).collect();
                assert_eq!(theirs, step.params.fields, "{at}: Params of shader and host");
                continue;
            }
            let decl = &spec.bindings[b.binding as usize - 1];
            assert_eq!(usage.contains(naga::valid::GlobalUse::WRITE), decl.writes, "{at}: whether `{}` is written", decl.name);
            if let Slot::Arg(i, _) = &step.slots[b.binding as usize - 1] {
                assert!(!decl.writes || op.args()[*i].access != Access::Read, "{at}: writes `{}`, which the op reads", decl.name);
            }
        }
        assert_eq!(used, (0..=spec.bindings.len()).collect(), "{at}: bindings used and given");
    }
}

#[test]
fn shapes_that_the_kernels_cannot_take_are_named() {
    let caps = Caps::new(wgpu::Limits::default(), wgpu::Features::empty(), true);
    let why = |op: &dyn Op| op.lower(&caps).expect_err("too much was accepted").to_string();
    assert_eq!(
        why(&ops::Dense { batch: 1, inputs: 6, outputs: 4, bias: false, relu: false }),
        "dense: `inputs` is 6, must be a multiple of 4 from 4 to 32768: fill up with zeros"
    );
    assert_eq!(
        why(&ops::DenseWeightGrad { batch: 0, inputs: 4, outputs: 4, bias: false }),
        "dense_weight_grad: `batch` is 0, must be in 1..=8192"
    );
    assert_eq!(why(&ops::CrossEntropy { rows: 1, columns: 161 }), "cross_entropy: `columns` is 161, must be in 1..=160");
    assert_eq!(why(&ops::GatherRows { rows: 0, columns: 4, picks: 1 }), "gather_rows: `rows` is 0, must be in 1..2^31");
}

/// Tint is Chrome's compiler; it also refuses barriers in control flow that is not uniform.
#[test]
fn tint_accepts_every_module() {
    if Command::new("tint").arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        println!("no `tint` on the PATH: Chrome's own check was not made");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    for spec in modules().into_keys() {
        for pooled in [false, true] {
            let path = folder.path().join("module.wgsl");
            std::fs::write(&path, wgsl::compose(&spec, pooled)).expect("a temporary file");
            let out = Command::new("tint").args(["--format", "wgsl"]).arg(&path).output().expect("tint runs");
            assert!(out.status.success(), "{}: {}", spec.entry, String::from_utf8_lossy(&out.stderr));
        }
    }
}
