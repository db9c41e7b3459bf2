//! What a device allows, in numbers and bits of our own: lowering needs no GPU library.

/// The limits of a device that lowering reads, under WebGPU's names. By default they are those that every WebGPU device has.
///
/// With the feature `wgpu-30` a `wgpu::Limits` becomes one, by `From`. Give the others by `..Limits::default()`: more may be read later.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Limits {
    /// Where a uniform binding may start, in bytes.
    pub min_uniform_buffer_offset_alignment: u32,
    /// Where a storage binding may start, in bytes.
    pub min_storage_buffer_offset_alignment: u32,
    /// Storage buffers that a compute shader may bind.
    pub max_storage_buffers_per_shader_stage: u32,
    /// Bytes of one storage binding.
    pub max_storage_buffer_binding_size: u64,
    /// Lanes of a workgroup.
    pub max_compute_invocations_per_workgroup: u32,
    /// Lanes of a workgroup in its first dimension, the only one that is used.
    pub max_compute_workgroup_size_x: u32,
    /// Workgroups of a dispatch, in each dimension.
    pub max_compute_workgroups_per_dimension: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_uniform_buffer_offset_alignment: 256,
            min_storage_buffer_offset_alignment: 256,
            max_storage_buffers_per_shader_stage: 8,
            max_storage_buffer_binding_size: 128 << 20,
            max_compute_invocations_per_workgroup: 256,
            max_compute_workgroup_size_x: 256,
            max_compute_workgroups_per_dimension: 65535,
        }
    }
}

/// The features of a device that lowering reads. By default there are none: whatever an op lowers to then is plain WGSL.
///
/// With the feature `wgpu-30` a `wgpu::Features` becomes one, by `From`. Give the others by `..Features::default()`: more may be read later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Features {
    /// Lanes of a subgroup may hand values to one another: `subgroups` in WebGPU, `SUBGROUP` in wgpu.
    pub subgroups: bool,
    /// Shaders may compute with 64-bit integers: `SHADER_INT64` in wgpu. WebGPU has none, so a text that uses them is for wgpu alone.
    pub int64: bool,
}
