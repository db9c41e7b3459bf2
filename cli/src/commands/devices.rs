//! `ridgepole devices`: the adapters, and how ridgepole would use each.
use crate::{Failure, Ui, adapter};
use ridgepole::{Caps, Session, wgpu};
use serde_json::{Value, json};

/// Options of `ridgepole devices`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ridgepole devices
  ridgepole devices --json | jq '.[].name'
  WGPU_BACKEND=vulkan ridgepole devices")]
pub struct Args {
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// Features that ridgepole uses.
const FEATURES: [(&str, wgpu::Features); 5] = [
    ("SUBGROUP", wgpu::Features::SUBGROUP),
    ("SHADER_INT64", wgpu::Features::SHADER_INT64),
    ("SHADER_F16", wgpu::Features::SHADER_F16),
    ("TIMESTAMP_QUERY", wgpu::Features::TIMESTAMP_QUERY),
    ("PIPELINE_CACHE", wgpu::Features::PIPELINE_CACHE),
];

/// Lists the adapters.
///
/// # Errors
/// [`Failure::Usage`] if there is none.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let all: Vec<Value> = adapter::all()?.iter().map(describe).collect();
    if args.json {
        return ui.json(&Value::Array(all));
    }
    for device in &all {
        ui.line(device["name"].as_str().unwrap_or_default())?;
        for key in ["backend", "driver", "type", "error"] {
            if let Some(text) = device[key].as_str() {
                ui.line(format_args!("  {key:<10}{text}"))?;
            }
        }
        for key in ["limits", "features", "paths"] {
            for (i, (name, value)) in device[key].as_object().into_iter().flatten().enumerate() {
                ui.line(format_args!("  {:<10}{name:<40}{}", if i == 0 { key } else { "" }, plain(value)))?;
            }
        }
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    match value {
        Value::Bool(b) => if *b { "yes" } else { "no" }.into(),
        Value::Number(n) => n.as_u64().map_or_else(|| n.to_string(), bytes),
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

/// Large powers of two as people read them, next to the number itself.
fn bytes(n: u64) -> String {
    match n {
        0x10_0000.. => format!("{n} ({:.1} Mi)", n as f64 / 1048576.0),
        _ => n.to_string(),
    }
}

fn describe(a: &wgpu::Adapter) -> Value {
    let info = a.get_info();
    let mut out = json!({
        "name": info.name,
        "backend": format!("{:?}", info.backend).to_lowercase(),
        "driver": format!("{} {}", info.driver, info.driver_info).trim(),
        "type": match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete GPU",
            wgpu::DeviceType::IntegratedGpu => "integrated GPU",
            wgpu::DeviceType::VirtualGpu => "virtual GPU",
            wgpu::DeviceType::Cpu => "CPU (software driver)",
            wgpu::DeviceType::Other => "other",
        },
        "limits": limits(&a.limits(), &info),
        "features": FEATURES.iter().map(|(name, f)| (name.to_string(), a.features().contains(*f).into()))
            .collect::<serde_json::Map<_, _>>(),
    });
    match Session::open(a) {
        Ok(session) => out["paths"] = paths(session.gpu().caps(), session.device().features()),
        Err(e) => out["error"] = e.to_string().into(),
    }
    out
}

fn limits(l: &wgpu::Limits, info: &wgpu::AdapterInfo) -> Value {
    json!({
        "max_buffer_size": l.max_buffer_size,
        "max_storage_buffer_binding_size": l.max_storage_buffer_binding_size,
        "max_storage_buffers_per_shader_stage": l.max_storage_buffers_per_shader_stage,
        "max_compute_workgroups_per_dimension": l.max_compute_workgroups_per_dimension,
        "max_compute_invocations_per_workgroup": l.max_compute_invocations_per_workgroup,
        "max_compute_workgroup_storage_size": l.max_compute_workgroup_storage_size,
        "min_storage_buffer_offset_alignment": l.min_storage_buffer_offset_alignment,
        "subgroup_size": format!("{} to {}", info.subgroup_min_size, info.subgroup_max_size),
    })
}

fn paths(caps: &Caps, features: wgpu::Features) -> Value {
    json!({
        "streaming": format!("workgroups of {} lanes x {} quads of 4 elements", caps.lanes, caps.quads),
        "sums": "fixed order: a tree in workgroup memory, partials by block",
        "philox multiply": if caps.features.int64 { "64-bit integers" } else { "16-bit halves in 32-bit words" },
        "window": format!("{} bytes of a buffer in a dispatch; longer tensors take more dispatches", caps.binding_limit()),
        "offsets": format!("buffers start at multiples of {} bytes", caps.alignment()),
        "grid": format!("rows of {} workgroups; longer grids are wrapped", caps.fold),
        "bench clock": if features.contains(wgpu::Features::TIMESTAMP_QUERY) && !caps.cpu { "GPU timestamps" } else { "wall time" },
    })
}
