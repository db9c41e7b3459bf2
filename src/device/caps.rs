//! What wgpu says of a device, as [`Caps`].
use crate::op::{Caps, Features, Limits};

impl From<wgpu::Limits> for Limits {
    fn from(of: wgpu::Limits) -> Self {
        Self {
            min_uniform_buffer_offset_alignment: of.min_uniform_buffer_offset_alignment,
            min_storage_buffer_offset_alignment: of.min_storage_buffer_offset_alignment,
            max_storage_buffers_per_shader_stage: of.max_storage_buffers_per_shader_stage,
            max_storage_buffer_binding_size: of.max_storage_buffer_binding_size,
            max_compute_invocations_per_workgroup: of.max_compute_invocations_per_workgroup,
            max_compute_workgroup_size_x: of.max_compute_workgroup_size_x,
            max_compute_workgroups_per_dimension: of.max_compute_workgroups_per_dimension,
        }
    }
}

impl From<wgpu::Features> for Features {
    fn from(of: wgpu::Features) -> Self {
        Self { subgroups: of.contains(wgpu::Features::SUBGROUP), int64: of.contains(wgpu::Features::SHADER_INT64) }
    }
}

impl Caps {
    /// What `device` can do.
    pub fn of(device: &wgpu::Device) -> Self {
        let info = device.adapter_info();
        let mut caps = Self::new(device.limits(), device.features(), info.device_type == wgpu::DeviceType::Cpu);
        caps.subgroup = [info.subgroup_min_size, info.subgroup_max_size];
        if caps.cpu && caps.features.subgroups {
            // A software driver runs one subgroup through its whole loop before the next one.
            caps.lanes = caps.subgroup[1].clamp(4, 16).next_power_of_two();
        }
        caps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_without_wgpu_is_what_wgpu_says() {
        assert_eq!(Limits::from(wgpu::Limits::default()), Limits::default());
        assert_eq!(Features::from(wgpu::Features::empty()), Features::default());
        let both = Features::from(wgpu::Features::SUBGROUP | wgpu::Features::SHADER_INT64);
        assert_eq!(both, Features { subgroups: true, int64: true });
        assert_eq!(Features::from(wgpu::Features::SUBGROUP), Features { subgroups: true, int64: false });
        // Each field by itself: none is taken for another.
        let mut of = wgpu::Limits::default();
        (of.min_uniform_buffer_offset_alignment, of.min_storage_buffer_offset_alignment) = (32, 64);
        (of.max_storage_buffers_per_shader_stage, of.max_storage_buffer_binding_size) = (11, 1 << 33);
        (of.max_compute_invocations_per_workgroup, of.max_compute_workgroup_size_x) = (512, 128);
        of.max_compute_workgroups_per_dimension = 999;
        let want = Limits {
            min_uniform_buffer_offset_alignment: 32,
            min_storage_buffer_offset_alignment: 64,
            max_storage_buffers_per_shader_stage: 11,
            max_storage_buffer_binding_size: 1 << 33,
            max_compute_invocations_per_workgroup: 512,
            max_compute_workgroup_size_x: 128,
            max_compute_workgroups_per_dimension: 999,
        };
        assert_eq!(Limits::from(of), want);
    }
}
