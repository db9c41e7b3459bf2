//! Bindings and slots of what belongs to channels, and kernels with a lane for each.
use crate::{
    op::{Arg, Caps, Lowered, Params, Slot, Step},
    types::DType,
    wgsl::{Decl, Source, Spec, View},
};

/// The binding of a vector with one f32 per channel.
pub(crate) fn vector(name: &'static str, writes: bool) -> Decl {
    Decl { name, dtype: DType::F32, view: View::Elements, writes }
}

/// The binding of a vector beside tensors: a mask is words, all others have one f32 per channel or place.
pub(super) fn beside(name: &'static str) -> Decl {
    let words = Decl { name, dtype: DType::U32, view: View::Raw("u32"), writes: false };
    if name == "mask" { words } else { vector(name, false) }
}

/// The slot of a whole argument.
pub(crate) fn whole(args: &[Arg], index: usize) -> Slot {
    Slot::Arg(index, 0..args[index].binding_bytes())
}

/// Where the argument of this name is.
pub(crate) fn position(args: &[Arg], name: &str) -> Option<usize> {
    args.iter().position(|a| a.name == name)
}

/// A vector that the caller gives, or a table that holds `value` for every channel.
pub(crate) fn given_or(value: f32, args: &[Arg], name: &str, channels: u64, out: &mut Lowered, caps: &Caps) -> Slot {
    match position(args, name) {
        Some(i) => whole(args, i),
        None => Slot::Table(out.constant_table(value, channels, caps)),
    }
}

/// A vector that the caller wants, or scratch that nobody reads.
pub(crate) fn unused_or(index: Option<usize>, args: &[Arg], channels: u64, out: &mut Lowered, caps: &Caps) -> Slot {
    match index {
        Some(i) => whole(args, i),
        None => Slot::Scratch(out.scratch(4 * channels, caps)),
    }
}

/// A kernel with one lane per channel: its partials or coefficients, then vectors of f32 (name, place, whether it is written).
pub(crate) fn per_channel(
    caps: &Caps,
    shader: Source,
    (first, slot): (Decl, Slot),
    vectors: Vec<(&'static str, Slot, bool)>,
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

/// Lanes that merge the last partials of a channel together, see `lib/channels/team`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Team {
    lanes: u64,
    pub blocks: u64,
    pub trips: u64,
}

impl Team {
    /// For so many partials of each channel: two for a lane, and up to 64 lanes, so that four channels side by side fill a line of
    /// memory. On a software device one lane does without a barrier.
    pub fn of(channels: u64, count: u64, caps: &Caps) -> Self {
        let lanes = if caps.cpu { 1 } else { count.div_ceil(2).next_power_of_two().min(64).min(u64::from(caps.lanes)) };
        let blocks = (channels * lanes).div_ceil(u64::from(caps.lanes));
        Self { lanes, blocks, trips: count.div_ceil(lanes) + u64::from(lanes.ilog2()) }
    }

    /// What a kernel with `lib/channels/team` is told.
    pub fn consts(&self, caps: &Caps) -> Vec<(&'static str, u32)> {
        vec![("WG", caps.lanes), ("TEAM", self.lanes as u32)]
    }
}

/// As [`per_channel`], for a kernel that merges partials first.
pub(crate) fn per_team(
    caps: &Caps,
    shader: Source,
    first: (Decl, Slot),
    vectors: Vec<(&'static str, Slot, bool)>,
    (team, params): (Team, Params),
) -> Step {
    let mut step = per_channel(caps, shader, first, vectors, (team.blocks, params), team.trips);
    step.spec.consts = team.consts(caps);
    step
}
