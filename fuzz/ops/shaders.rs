//! The shaders that an op asks for are valid, with the constants that it gives them.
use ridgepole::{Caps, Step, wgsl};
use std::{
    collections::{HashMap, HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::{LazyLock, Mutex},
};

type Parsed = Result<(naga::Module, naga::valid::ModuleInfo), String>;

/// Texts by their hash: each is read once.
static TEXTS: LazyLock<Mutex<HashMap<u64, Parsed>>> = LazyLock::new(Mutex::default);
/// Pipelines that were right.
static RIGHT: LazyLock<Mutex<HashSet<u64>>> = LazyLock::new(Mutex::default);

/// Memory of a workgroup: WebGPU's least limit.
const WORKGROUP: u64 = 16 << 10;

/// Checks the pipeline of a step.
///
/// # Errors
/// What naga says, or how much memory a workgroup would need.
pub fn valid(step: &Step, caps: &Caps) -> Result<(), String> {
    let spec = &step.spec;
    let mut pipeline = DefaultHasher::new();
    (spec, step.params.fields, caps.pooled).hash(&mut pipeline);
    let pipeline = pipeline.finish();
    if RIGHT.lock().unwrap_or_else(|e| e.into_inner()).contains(&pipeline) {
        return Ok(());
    }
    let text = wgsl::compose(spec, step.params.fields, caps.pooled);
    let mut texts = TEXTS.lock().unwrap_or_else(|e| e.into_inner());
    let parsed = texts.entry(crate::fuzz::hash(text.as_bytes())).or_insert_with(|| parse(&text));
    let (module, info) = parsed.as_ref().map_err(|e| format!("a shader is not valid: {e}"))?;
    let constants = spec.consts.iter().map(|(name, value)| (name.to_string(), f64::from(*value))).collect();
    let entry = Some((naga::ShaderStage::Compute, spec.entry));
    let (module, _) = naga::back::pipeline_constants::process_overrides(module, info, entry, &constants)
        .map_err(|e| format!("the constants are not valid: {e}"))?;
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).map_err(|e| format!("types have no size: {e}"))?;
    let shared = module.global_variables.iter().filter(|(_, v)| v.space == naga::AddressSpace::WorkGroup);
    let bytes: u64 = shared.map(|(_, v)| u64::from(layouter[v.ty].size)).sum();
    if bytes > WORKGROUP {
        return Err(format!("too much memory of a workgroup: {bytes} bytes"));
    }
    RIGHT.lock().unwrap_or_else(|e| e.into_inner()).insert(pipeline);
    Ok(())
}

fn parse(text: &str) -> Parsed {
    use naga::valid::{Capabilities, ValidationFlags, Validator};
    let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    capabilities.set(Capabilities::SHADER_INT64, text.contains("u64"));
    capabilities.set(Capabilities::SUBGROUP, text.contains("subgroup"));
    let module = naga::front::wgsl::parse_str(text).map_err(|e| e.emit_to_string(text))?;
    let info = Validator::new(ValidationFlags::all(), capabilities).validate(&module);
    Ok((module, info.map_err(|e| e.emit_to_string(text))?))
}
