//! Devices on paper: 36 kinds, of which each has something that no other has.
use ridgepole::{Caps, wgpu};

/// All of them: GPUs and CPUs, three sets of features, six sets of limits.
pub fn all() -> Vec<Caps> {
    let none = wgpu::Features::empty();
    let features = [none, wgpu::Features::SUBGROUP, wgpu::Features::SUBGROUP | wgpu::Features::SHADER_INT64];
    let mut out = Vec::new();
    for cpu in [false, true] {
        for (which, features) in features.into_iter().enumerate() {
            for kind in 0..6 {
                let mut caps = Caps::new(limits(kind), features, cpu);
                // Where a subgroup is a workgroup, where all have one size, and where sizes vary.
                caps.subgroup = [[4, 128], [8, 8], [32, 32]][(which + kind) % 3];
                caps.pooled = kind == 3;
                caps.reverse_lanes = kind == 2;
                if kind == 4 {
                    (caps.fold, caps.fill) = (7, 1 << 9);
                }
                out.push(caps);
            }
        }
    }
    out
}

fn limits(kind: usize) -> wgpu::Limits {
    let of =
        |binding: u64| wgpu::Limits { max_storage_buffer_binding_size: binding, max_buffer_size: binding, ..Default::default() };
    match kind {
        // Of the command `run`, which asks only whether the fields are right.
        0 => of(1 << 32),
        // WebGPU's defaults.
        1 => wgpu::Limits::default(),
        2 => wgpu::Limits { min_storage_buffer_offset_alignment: 16, min_uniform_buffer_offset_alignment: 16, ..of(1 << 16) },
        3 => wgpu::Limits { max_compute_invocations_per_workgroup: 128, max_compute_workgroup_size_x: 128, ..of(1 << 27) },
        4 => wgpu::Limits {
            max_compute_invocations_per_workgroup: 1024,
            max_compute_workgroup_size_x: 1024,
            max_storage_buffers_per_shader_stage: 16,
            ..of((1 << 31) - 4)
        },
        // No multiple of the alignment, a small grid, few buffers.
        _ => wgpu::Limits {
            max_storage_buffers_per_shader_stage: 4,
            max_compute_workgroups_per_dimension: 255,
            ..of((1 << 20) + 100)
        },
    }
}

/// Whether lowering makes few enough steps: a tensor of 2^34 elements in windows of 64 KiB is a million of them, rightly.
pub fn few_windows(bytes: u64, caps: &Caps) -> bool {
    bytes / caps.binding_limit().max(1) <= 300
}
