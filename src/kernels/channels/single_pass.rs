//! Gradients of what was normalised, in one dispatch, where lines stay on the chip: groups of neighbouring channels of one sample,
//! or filters, of one channel each. x and dy are read once.
use crate::{
    kernels::{
        partition::{self, Window},
        rows::alone,
    },
    op::{Arg, ByName, Caps, Lowered, MAX_TRIPS, Slot, Step},
    params,
    types::Error,
    wgsl::{Decl, Source, Spec, View, parts},
};

params! {
    BackwardParams {
        lines: u32, quads: u32, first: u32, blocks: u32, block: u32, lanes: u32, across: u32, turns: u32, base: u32, groups: u32,
        per: u32, values: f32
    }
}

/// Lines one behind the other: `groups` of them belong to a sample, each has `per` channels with `plane` values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineSizes {
    pub lines: u64,
    pub groups: u64,
    pub per: u64,
    pub plane: u64,
}

/// How lines are laid out over workgroups. `lanes`, `across` and `held` set the order of sums: they depend on the kind of device
/// and on the line's channels and positions alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Lanes of a workgroup.
    width: u64,
    /// Lanes that share a channel, and channels side by side: powers of two.
    lanes: u64,
    across: u64,
    /// Quads that a lane holds; 0 where lines stay in a cache, and a lane has each to itself.
    held: u64,
    /// Lines of a workgroup, done in `turns`.
    block: u64,
    turns: u64,
    trips: u64,
}

/// Bindings larger than this change nothing.
const LIMIT: u64 = 64 << 20;

impl Shape {
    /// `None` where a quad may have values of two channels, or a line is too long, or there are too many.
    pub fn of(lines: LineSizes, size: u64, caps: &Caps) -> Option<Self> {
        let LineSizes { lines, per, plane, .. } = lines;
        if lines == 0 || per == 0 || plane == 0 || !plane.is_multiple_of(4) || lines > u64::from(u32::MAX) {
            return None;
        }
        let (quads, mut width) = (plane / 4, u64::from(caps.lanes));
        if !caps.cpu && quads.saturating_mul(per) > 4 * width {
            // A wider workgroup rather than more than four quads for each lane.
            width = width.max(u64::from(caps.widest().min(512)));
        }
        let (lanes, across, held) = if caps.cpu {
            alone(lines, per.checked_mul(plane)?, caps).then_some((1, 1, 0))?
        } else {
            // All channels at once; neighbouring lanes read neighbouring quads, 32 of them if there are, then four quads for each.
            let across = per.checked_next_power_of_two().filter(|a| *a <= width)?;
            let lanes = quads.next_power_of_two().min(32).max(quads.div_ceil(4).next_power_of_two()).min(width / across);
            (lanes, across, [4, 8].into_iter().find(|h| quads <= h * lanes)?)
        };
        let (at_once, deep) = (width / (lanes * across), per.div_ceil(across));
        let each = 2 * quads.div_ceil(lanes).max(held) + quads.div_ceil(64 * lanes) + u64::from(lanes.ilog2()) + 2;
        let once = deep * each + u64::from(across.ilog2());
        let shape = |turns| Self { width, lanes, across, held, block: at_once * turns, turns, trips: turns * (once + 1) };
        // A binding begins at a multiple of the windows' alignment.
        let most = (caps.binding_limit().min(LIMIT) / size).saturating_sub(partition::WINDOW_ALIGN);
        let ok = |s: &Self| s.block.min(lines) * per * plane <= most && s.trips <= MAX_TRIPS;
        let turns = if caps.cpu { (2048 / (per * plane * at_once)).clamp(1, 16) } else { 1 };
        [turns, 1].into_iter().map(shape).find(ok)
    }

    fn part(&self) -> Source {
        match self.held {
            0 => parts::rows::REGS_NONE,
            4 => parts::rows::REGS_4,
            _ => parts::rows::REGS_8,
        }
    }
}

/// A use of `lib/channels/line_backward`.
pub(crate) struct LineMap<'a> {
    pub op: &'static str,
    /// What fills the kernel's open names, but for `lib/rows/regs_*`.
    pub parts: &'a [Source],
    /// The arguments that are its x, dy and dx.
    pub tensors: [&'static str; 3],
    /// Buffers beside these.
    pub beside: &'a [(Decl, Slot)],
}

impl LineMap<'_> {
    /// Appends the dispatch. Several for tensors beyond the binding limit.
    pub fn append(&self, of: LineSizes, shape: &Shape, out: &mut Lowered, caps: &Caps, args: &[Arg]) -> Result<(), Error> {
        let (dtype, quads) = (args.arg(self.tensors[0]).dtype, of.per * of.plane / 4);
        let span = |i: u64| i * shape.block * quads..((i + 1) * shape.block).min(of.lines) * quads;
        let blocks = of.lines.div_ceil(shape.block);
        for piece in partition::pieces(self.op, caps, of.lines * quads * 4, dtype.size(), blocks, span)? {
            let tensor = |name, writes| Decl { name, dtype, view: View::Quads, writes };
            let mut bindings = vec![tensor("x", false), tensor("dy", false), tensor("dx", true)];
            bindings.extend(self.beside.iter().map(|b| b.0));
            let mut slots: Vec<_> = self.tensors.map(|name| piece.of(args, name)).into();
            slots.extend(self.beside.iter().map(|b| b.1.clone()));
            let Window { first, blocks, base, .. } = piece.window();
            out.steps.push(Step {
                spec: Spec {
                    shader: parts::channels::LINE_BACKWARD,
                    entry: "line_backward",
                    parts: std::iter::once(shape.part()).chain(self.parts.iter().copied()).collect(),
                    bindings,
                    consts: vec![("WG", shape.width as u32), ("ALONE", u32::from(shape.lanes * shape.across == 1))],
                },
                params: BackwardParams {
                    lines: of.lines as u32,
                    quads: (of.plane / 4) as u32,
                    first,
                    blocks,
                    block: shape.block as u32,
                    lanes: shape.lanes as u32,
                    across: shape.across as u32,
                    turns: shape.turns as u32,
                    base,
                    groups: of.groups as u32,
                    per: of.per as u32,
                    values: (of.per * of.plane) as f32,
                }
                .into(),
                slots,
                workgroups: piece.workgroups(),
                trips: shape.trips,
            });
        }
        Ok(())
    }
}
