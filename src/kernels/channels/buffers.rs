//! Bindings and slots of what belongs to channels, and kernels with a lane or a team of lanes for each.
use crate::{
    kernels::reduce::Partials,
    op::{Access, Arg, ByName, Caps, Lowered, Params, Slot, Step},
    params,
    types::DType,
    wgsl::{Decl, Source, Spec, View},
};
use std::ops::Range;

/// Vectors of f32 with a value per channel: name, place, whether it is written.
pub(crate) type Vectors = Vec<(&'static str, Slot, bool)>;

/// The binding of a vector with one f32 per channel.
pub(crate) fn vector(name: &'static str, writes: bool) -> Decl {
    Decl { name, dtype: DType::F32, view: View::Elements, writes }
}

/// The binding of a vector beside tensors: a mask is words, all others have one f32 per channel or place.
pub(super) fn beside(name: &'static str) -> Decl {
    let words = Decl { name, dtype: DType::U32, view: View::Raw("u32"), writes: false };
    if name == "mask" { words } else { vector(name, false) }
}

/// The binding of the four words of coefficients of each channel, for the kernel that writes or reads them.
pub(super) fn coefficients(writes: bool) -> Decl {
    Decl { name: "coefs", dtype: DType::F32, view: View::Raw("vec4<f32>"), writes }
}

/// The argument of this name. Where an op has none, a factor is 1 and a term 0 everywhere, and what nobody wants to be written goes
/// to scratch that nobody reads.
pub(crate) fn given(name: &'static str, args: &[Arg], channels: u64, out: &mut Lowered, caps: &Caps) -> Slot {
    match (args.find(name), name) {
        (None, "weight" | "gain") => Slot::Table(out.constant_table(1.0, channels, caps)),
        (None, "bias") => Slot::Table(out.constant_table(0.0, channels, caps)),
        (None, "dweight" | "dbias" | "dgain" | "running_mean" | "running_var") => Slot::Scratch(out.scratch(4 * channels, caps)),
        _ => args.whole(name),
    }
}

/// Vectors as [`given`], for a kernel with a lane or a team for each channel.
pub(crate) fn vectors(names: &[&'static str], args: &[Arg], channels: u64, out: &mut Lowered, caps: &Caps) -> Vectors {
    let of = |&name| {
        let slot = given(name, args, channels, out, caps);
        let writes = args.find(name).map_or(matches!(slot, Slot::Scratch(_)), |i| args[i].access != Access::Read);
        (name, slot, writes)
    };
    names.iter().map(of).collect()
}

/// A kernel with one lane per channel: its partials or coefficients, then vectors.
pub(crate) fn per_channel(
    caps: &Caps,
    shader: Source,
    (first, slot): (Decl, Slot),
    vectors: Vectors,
    (blocks, params): (u64, Params),
    trips: u64,
) -> Step {
    let (mut bindings, mut slots) = (vec![first], vec![slot]);
    for (name, slot, writes) in vectors {
        bindings.push(vector(name, writes));
        slots.push(slot);
    }
    let entry = shader.name.rsplit('/').next().unwrap_or(shader.name);
    let spec = Spec { shader, entry, parts: vec![], bindings, consts: vec![("WG", caps.lanes)] };
    Step { spec, params, slots, workgroups: blocks, trips }
}

/// Workgroups for a kernel with one lane per channel.
pub(crate) fn blocks(channels: u64, caps: &Caps) -> u64 {
    channels.div_ceil(u64::from(caps.lanes))
}

params! {
    /// What a kernel with `lib/channels/team` is told about the partials that it merges: a field of its parameters.
    pub(crate) Team { blocks: u32, channels: u32, row: u32, stride: u32, count: u32 }
}

/// The last partials of each channel, for a kernel that merges them: a team of lanes for each, see `lib/channels/team`.
#[derive(Clone, Debug)]
pub(crate) struct Merge {
    /// The binding of the partials, and of the coefficients behind them.
    pub partials: (Decl, Slot),
    /// Four words for each channel, empty if the kernel leaves none; and where they start, in fours.
    pub coefs: Range<u64>,
    pub start: u32,
    pub team: Team,
    lanes: u64,
    blocks: u64,
    trips: u64,
}

impl Merge {
    /// Into coefficients.
    pub fn of(partials: &Partials, out: &mut Lowered, caps: &Caps) -> Self {
        Self::into(partials, out.scratch(16 * partials.rows, caps), caps)
    }

    /// Into coefficients at this place behind the partials.
    pub fn into(partials: &Partials, coefs: Range<u64>, caps: &Caps) -> Self {
        // Two partials for a lane, and up to 64 lanes, so that four channels side by side fill a line of memory. On a software device
        // one lane does without a barrier.
        let (channels, count) = (partials.rows, partials.count);
        let lanes = if caps.cpu { 1 } else { count.div_ceil(2).next_power_of_two().min(64).min(u64::from(caps.lanes)) };
        let blocks = (channels * lanes).div_ceil(u64::from(caps.lanes));
        let [row, stride] = [partials.row, partials.stride].map(|n| n as u32);
        Self {
            partials: (partials.monoid.decl("partials", true), Slot::Scratch(partials.range.start..coefs.end)),
            start: ((coefs.start - partials.range.start) / 16) as u32,
            coefs,
            team: Team { blocks: blocks as u32, channels: channels as u32, row, stride, count: count as u32 },
            lanes,
            blocks,
            trips: count.div_ceil(lanes) + u64::from(lanes.ilog2()),
        }
    }

    /// Into vectors alone.
    pub fn alone(partials: &Partials, caps: &Caps) -> Self {
        let end = partials.range.end;
        let mut merge = Self::into(partials, end..end, caps);
        merge.partials.0.writes = false;
        merge
    }

    /// The dispatch of such a kernel.
    pub fn step(&self, caps: &Caps, shader: Source, vectors: Vectors, params: impl Into<Params>) -> Step {
        let mut step = per_channel(caps, shader, self.partials.clone(), vectors, (self.blocks, params.into()), self.trips);
        step.spec.consts.push(("TEAM", self.lanes as u32));
        step
    }
}
