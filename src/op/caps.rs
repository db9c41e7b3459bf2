//! What a device can do, as data: all that `lower` sees of it.
use super::{Features, Limits};

/// What a device can do. Plain data, so that a test can claim less than is there.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Caps {
    /// The device's limits.
    pub limits: Limits,
    /// The device's features.
    pub features: Features,
    /// Least and greatest subgroup size.
    pub subgroup: [u32; 2],
    /// Whether the "GPU" is a CPU: such drivers want narrow workgroups and long lanes.
    pub cpu: bool,
    /// Lanes of a workgroup in streaming kernels; a power of two.
    pub lanes: u32,
    /// Quads (four elements) that each lane of a streaming kernel handles.
    pub quads: u32,
    /// The same for kernels that also sum: what each lane adds up by itself, no tree has to.
    pub sums: u32,
    /// Lanes that a GPU runs at once, about: kernels whose workgroups each leave partial sums make as many workgroups as these
    /// fill, and give each a longer share. No API tells; this is for 128 processors with 1024 lanes each (an H200 has 132).
    /// A device with fewer may gain from its own number, if you know it.
    pub fill: u32,
    /// Workgroups in a row of the grid; longer grids are wrapped.
    pub fold: u32,
    /// Number the lanes of a workgroup backwards: a missing barrier that one order hides, the other shows.
    pub reverse_lanes: bool,
    /// Keep the counters that wgpu adds to every loop also in this crate's kernels, whose loops are known to end. They cost a
    /// GPU up to half of its speed, as loops that count cannot be unrolled. The kernels of others always have them.
    pub loop_guards: bool,
    /// Bind every buffer `read_write`, so that arguments may be sub-ranges of one pooled buffer.
    pub pooled: bool,
}

impl Caps {
    /// A device with these limits and features, for lowering without a GPU: [`Limits`] and [`Features`], or with the feature `wgpu-30`
    /// those of wgpu.
    ///
    /// ```
    /// use ridgepole::{Caps, Features, Limits};
    ///
    /// let limits = Limits { max_storage_buffer_binding_size: 1 << 30, ..Limits::default() };
    /// assert_eq!(Caps::new(limits, Features::default(), false).binding_limit(), 1 << 30);
    /// ```
    pub fn new(limits: impl Into<Limits>, features: impl Into<Features>, cpu: bool) -> Self {
        let (limits, features) = (limits.into(), features.into());
        let widest = widest(&limits);
        Self {
            fold: limits.max_compute_workgroups_per_dimension,
            limits,
            features,
            subgroup: [4, 128],
            cpu,
            lanes: if cpu { 8 } else { 256.min(widest) },
            // Loops of 5 to about 32 trips are unrolled whole by Mesa, at a high price in compile time. On a GPU, one quad to a lane
            // is fastest (H200: AdamW 93 % of a copy's bandwidth, with four quads 88 %): more lanes wait at once.
            quads: if cpu { 64 } else { 1 },
            sums: if cpu { 64 } else { 4 },
            fill: 1 << 17,
            reverse_lanes: false,
            loop_guards: false,
            pooled: false,
        }
    }

    /// Kernels number what they bind in 32 bits: no more than 4 GiB is bound at once, on a device that could bind more as well.
    pub(crate) fn addressed(mut self) -> Self {
        let limit = &mut self.limits.max_storage_buffer_binding_size;
        *limit = (*limit).min(u32::MAX.into());
        self
    }

    /// For ops some of whose kernels sum: one shape for all of them, so that they agree about blocks.
    pub(crate) fn summing(&self) -> Self {
        Self { quads: self.sums, ..self.clone() }
    }

    /// Whether lanes of a subgroup may hand values to one another.
    pub(crate) fn subgroups(&self) -> bool {
        self.features.subgroups
    }

    /// Whether shaders may compute with 64-bit integers.
    pub(crate) fn int64(&self) -> bool {
        self.features.int64
    }

    /// The most lanes that a workgroup may have, a power of two.
    pub(crate) fn widest(&self) -> u32 {
        widest(&self.limits)
    }

    /// The offset alignment that suits uniform and storage bindings alike, in bytes.
    pub fn alignment(&self) -> u64 {
        u64::from(self.limits.min_storage_buffer_offset_alignment.max(self.limits.min_uniform_buffer_offset_alignment)).max(16)
    }

    /// The largest number of bytes that one storage binding may hold, rounded down to whole aligned rows.
    pub fn binding_limit(&self) -> u64 {
        self.limits.max_storage_buffer_binding_size / self.alignment() * self.alignment()
    }
}

fn widest(limits: &Limits) -> u32 {
    1 << limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x).max(1).ilog2()
}
