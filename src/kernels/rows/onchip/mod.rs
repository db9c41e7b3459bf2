//! Rows that stay on the chip: one dispatch reads each value once, from its statistics to what becomes of it.
//!
//! On a GPU a row is held in registers, a few quads for each lane of a workgroup. A software driver has no registers for
//! that; there a row that was read a moment ago comes from the cache, and what counts is how many accesses are made: so a
//! lane takes several rows together, and fetches what belongs to the columns once for them. Where there are rows enough, no other lane
//! has a part in them.
pub(crate) mod backward;
mod forward;
mod lanes;

pub(crate) use forward::{Affine, Forward, Place, RowMap};

use crate::{
    kernels::partition::WINDOW_ALIGN,
    op::{Caps, MAX_TRIPS},
    types::Rows,
    wgsl::{Source, parts},
};
use lanes::{CACHED, OffChip, across, lanes, team, widened};

/// How rows are laid out over workgroups. `lanes` and `held` set the order of sums along a row: they depend on the kind of
/// device, on the length of a row and, on a software device, on whether there are rows enough. The rest sets that of sums over
/// rows: on their number too. Below 64 MiB, either may depend on the binding limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OnChip {
    /// Lanes of a workgroup.
    pub width: u64,
    /// Lanes that share a row, a power of two.
    pub lanes: u64,
    /// Quads that a lane holds; 0 where rows stay in a cache.
    pub held: u64,
    /// Lanes of a subgroup, where they join by shuffles; else 0.
    pub team: u64,
    /// Neighbouring rows that a lane takes together.
    pub together: u64,
    /// Rows of a workgroup, done in `turns`.
    pub block: u64,
    pub turns: u64,
    pub trips: u64,
}

/// Bindings larger than this change nothing.
const LIMIT: u64 = 64 << 20;

/// Whether a software device gives each row of so many values a lane of its own, which waits for no other: such drivers stop a
/// workgroup at a barrier and take it up again with all that it holds in memory, which costs more than x read from a cache. Rows that
/// are read at once must fit that cache, and there must be workgroups for several cores.
pub(crate) fn alone(rows: u64, values: u64, caps: &Caps) -> bool {
    let width = u64::from(caps.lanes);
    width.saturating_mul(values) <= 8 * CACHED && rows >= 16 * width
}

impl OnChip {
    /// For a norm of these rows, of elements of `size` bytes.
    pub fn forward(of: Rows, size: u64, caps: &Caps) -> Result<Self, OffChip> {
        let (lanes, held) = lanes(of, &[1, 2, 4, 8, 16], across(caps), caps)?;
        let (rows, values) = (of.rows as u64, of.cols as u64);
        let shared = || Self::with(of, size, (lanes, held), 4, 1, caps, |_| true);
        if !caps.cpu || !alone(rows, values, caps) {
            return shared();
        }
        let together = [4, 2].into_iter().find(|t| alone(rows / t, t * values, caps)).unwrap_or(1);
        Self::with(of, size, (1, held), together, 1, caps, |_| true).or_else(|_| shared())
    }

    /// For a norm of rows none of which has the weights of the next: what a lane would fetch once for several, it cannot. On a
    /// software device they are worth one dispatch to lanes that are alone.
    pub fn apart(of: Rows, size: u64, caps: &Caps) -> Result<Self, OffChip> {
        let (lanes, held) = lanes(of, &[1, 2, 4, 8, 16], across(caps), caps)?;
        if caps.cpu && !alone(of.rows as u64, of.cols as u64, caps) {
            return Err(OffChip::Long);
        }
        Self::with(of, size, (if caps.cpu { 1 } else { lanes }, held), 1, 1, caps, |_| true)
    }

    /// For its gradients, of which so many belong to the columns.
    pub fn backward(of: Rows, size: u64, columns: u64, caps: &Caps) -> Result<Self, OffChip> {
        let caps = &Caps { lanes: widened(of, caps), ..caps.clone() };
        // Each quad takes four registers for x, for dy and for both sums: one quad to a lane, and more lanes wait at once.
        let each = if team(caps) > 0 { 1 } else { 4 };
        let (lanes, held) = lanes(of, &[1, 2, 4, 8], each, caps)?;
        let (rows, values) = (of.rows as u64, of.cols as u64);
        // As many workgroups as a GPU holds at once, so that none waits for a second turn; more would leave more partial sums.
        let turns = (rows * lanes / u64::from(caps.fill.max(1))).clamp(1, 256);
        let limit = caps.binding_limit().min(LIMIT).saturating_sub(caps.alignment());
        let fits = |s: &Self| rows.div_ceil(s.block) * s.left() * columns * 4 * values <= limit;
        let shared = || Self::with(of, size, (lanes, held), 8, turns, caps, fits);
        // With fewer rows together, the columns' sums would cost more than barriers do. x and dy are read.
        match [8, 4].into_iter().find(|t| caps.cpu && alone(rows / t, 2 * t * values, caps)) {
            Some(together) => Self::with(of, size, (1, held), together, 1, caps, fits).or_else(|_| shared()),
            None => shared(),
        }
    }

    fn with(
        of: Rows,
        size: u64,
        (lanes, held): (u64, u64),
        together: u64,
        turns: u64,
        caps: &Caps,
        fits: impl Fn(&Self) -> bool,
    ) -> Result<Self, OffChip> {
        let (rows, cols, at_once) = (of.rows as u64, of.cols as u64, u64::from(caps.lanes) / lanes);
        let shape = |together: u64, turns: u64| {
            let tree = u64::from(lanes.ilog2());
            // A lane that holds its share goes over it three times, and joins others twice.
            let once = if held > 0 {
                3 * held + 2 * (tree + lanes.checked_div(team(caps)).unwrap_or(0)) + 3
            } else {
                together * (2 * (cols / 4).div_ceil(lanes) + tree + 8)
            };
            // Sums over the lanes that have the same columns, at the end.
            let end = if held > 0 { held * (1 + 2 * u64::from(caps.lanes.ilog2())) } else { 0 };
            Self {
                width: u64::from(caps.lanes),
                lanes,
                held,
                team: if held > 0 { team(caps) } else { 0 },
                together,
                block: at_once * together * turns,
                turns,
                trips: turns * once + end,
            }
        };
        // A binding begins at a multiple of the windows' alignment.
        let most = (caps.binding_limit().min(LIMIT) / size).saturating_sub(WINDOW_ALIGN);
        let ok = |s: &Self| s.block.min(rows) * cols <= most && s.trips <= MAX_TRIPS && fits(s);
        let few = |together: u64| if caps.cpu { (2048 / (cols * at_once * together)).clamp(1, 16) } else { turns };
        let widest = if caps.cpu && rows >= 64 { together } else { 1 };
        let together = [8, 4, 2, 1].into_iter().filter(|r| *r <= widest);
        // More turns leave fewer partial sums, fewer fit smaller bindings.
        let near = |t: u64| (1..=128).map(move |m| m * t).chain((1..8).map(move |d| (t >> d).max(1)));
        let shapes = together.flat_map(|r| near(few(r)).map(move |turns| (r, turns)));
        shapes
            .map(|(r, turns)| shape(r, turns))
            .find(|s| ok(s))
            .or_else(|| Some(shape(1, 1)).filter(|s| ok(s)))
            .ok_or(OffChip::Long)
    }

    /// Partial sums of a column that a workgroup leaves.
    pub fn left(&self) -> u64 {
        if self.held > 0 { 1 } else { self.width / self.lanes }
    }

    /// The kernel of which `plain` is the one that joins lanes by way of workgroup memory.
    fn kernel(&self, plain: Source, team: Source) -> Source {
        if self.team > 0 { team } else { plain }
    }

    /// Entries of workgroup memory for lanes that do not hold their shares.
    fn room(&self) -> [(&'static str, u32); 1] {
        [("SLOTS", if self.held > 0 { 1 } else { (self.width * self.together) as u32 })]
    }

    /// How lanes join, for such a kernel.
    fn joined(&self, quads: u64, parts: &mut Vec<Source>, consts: &mut Vec<(&'static str, u32)>) {
        parts.push(if self.team > 0 { parts::rows::TEAM_SUBGROUP } else { parts::rows::TEAM_NONE });
        consts.push(("FULL", u32::from(self.held > 0 && quads == self.held * self.lanes)));
        if self.team > 0 {
            consts.extend([("SUBGROUP", self.team as u32), ("TEAM_COUNT", (self.width / self.team) as u32)]);
        }
    }

    fn part(&self) -> Source {
        match self.held {
            0 => parts::rows::REGS_NONE,
            1 => parts::rows::REGS_1,
            2 => parts::rows::REGS_2,
            4 => parts::rows::REGS_4,
            8 => parts::rows::REGS_8,
            _ => parts::rows::REGS_16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Features, Limits};

    fn caps(limit: u64, cpu: bool) -> Caps {
        let limits = Limits { max_storage_buffer_binding_size: limit, ..Default::default() };
        Caps::new(limits, Features::default(), cpu)
    }

    /// Lanes of a row, quads held, rows together, rows of a block, turns.
    fn shape(rows: usize, cols: usize, caps: &Caps) -> Result<[u64; 5], OffChip> {
        OnChip::forward(Rows::new(rows, cols), 4, caps).map(|s| [s.lanes, s.held, s.together, s.block, s.turns])
    }

    #[test]
    fn the_shape_follows_from_the_row_and_the_kind_of_device() {
        let (gpu, cpu) = (caps(128 << 20, false), caps(128 << 20, true));
        assert_eq!(shape(1000, 4, &gpu), Ok([1, 1, 1, 256, 1]));
        assert_eq!(shape(1000, 256, &gpu), Ok([32, 2, 1, 8, 1]));
        assert_eq!(shape(1000, 1024, &gpu), Ok([64, 4, 1, 4, 1]));
        assert_eq!(shape(1000, 4096, &gpu), Ok([256, 4, 1, 1, 1]));
        assert_eq!(shape(1000, 4100, &gpu), Ok([256, 8, 1, 1, 1]));
        assert_eq!(shape(1000, 16_384, &gpu), Ok([256, 16, 1, 1, 1]));
        assert_eq!(shape(1000, 16_388, &gpu), Err(OffChip::Long));
        assert_eq!(shape(1000, 4, &cpu), Ok([1, 0, 4, 512, 16]));
        assert_eq!(shape(1000, 1024, &cpu), Ok([1, 0, 4, 32, 1]));
        assert_eq!(shape(1000, 8192, &cpu), Ok([1, 0, 1, 8, 1]));
        assert_eq!(shape(127, 1024, &cpu), Ok([8, 0, 4, 4, 1]));
        assert_eq!(shape(8, 1024, &cpu), Ok([8, 0, 1, 2, 2]));
        assert_eq!(shape(1000, 16_388, &cpu), Err(OffChip::Long));
        // Lanes of one subgroup join faster, so fewer of them share a row.
        let mut teams = gpu.clone();
        (teams.features, teams.subgroup) = (Features { subgroups: true, int64: false }, [32, 32]);
        assert_eq!(shape(1000, 1024, &teams), Ok([32, 8, 1, 8, 1]));
        assert_eq!(shape(1000, 8192, &teams), Ok([256, 8, 1, 1, 1]));
        let back = |caps: &Caps| OnChip::backward(Rows::new(1000, 1024), 4, 2, caps).map(|s| [s.lanes, s.held, s.team]);
        assert_eq!((back(&teams), back(&gpu)), (Ok([256, 1, 32]), Ok([64, 4, 0])));
        teams.subgroup = [8, 32];
        assert_eq!((back(&teams), shape(1000, 1024, &teams)), (back(&gpu), shape(1000, 1024, &gpu)));
        for caps in [gpu, cpu] {
            assert_eq!(shape(1000, 1023, &caps), Err(OffChip::Ragged));
            assert_eq!(shape(0, 1024, &caps), Err(OffChip::Empty));
            assert_eq!(shape(3, 0, &caps), Err(OffChip::Empty));
        }
    }

    #[test]
    fn a_small_binding_holds_fewer_rows() {
        let (wide, narrow) = (caps(128 << 20, true), caps(1 << 16, true));
        assert_eq!(shape(100, 8192, &wide), Ok([8, 0, 4, 4, 1]));
        assert_eq!(shape(100, 8192, &narrow), Ok([8, 0, 1, 1, 1]));
        assert_eq!(shape(1000, 8192, &narrow), Ok([8, 0, 1, 1, 1]));
        assert_eq!(shape(1000, 1024, &narrow), Ok([1, 0, 1, 8, 1]));
        assert_eq!(shape(1000, 16_384, &narrow), Err(OffChip::Long));
    }

    #[test]
    fn trips_stay_short() {
        for (cpu, cols) in [(true, 4), (true, 16_384), (false, 4), (false, 8192), (true, 1200)] {
            let (of, caps) = (Rows::new(1024, cols), caps(128 << 20, cpu));
            for s in [OnChip::forward(of, 2, &caps), OnChip::backward(of, 2, 2, &caps)].map(|s| s.expect("it fits")) {
                assert!(s.trips <= MAX_TRIPS, "{cols}: {s:?}");
            }
        }
    }

    #[test]
    fn the_sums_of_columns_fit_a_binding_and_do_not_depend_on_one_of_64_mib_or_more() {
        for (rows, cols) in [(8192, 1024), (1 << 22, 64), (512, 8192), (1 << 13, 4096)] {
            for cpu in [false, true] {
                let of = Rows::new(rows, cols);
                let shape = |limit| OnChip::backward(of, 4, 2, &caps(limit, cpu));
                let s = shape(64 << 20).expect("it fits");
                assert_eq!(shape(2 << 30), Ok(s));
                let left = of.rows as u64 / s.block * s.left();
                assert!(left * 8 * cols as u64 <= 64 << 20, "{of:?}: {s:?}");
            }
        }
    }
}
