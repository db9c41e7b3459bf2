//! Groups that stay on the chip: one dispatch forward, as for rows, and one backward with what adds the sums of channels.
use super::ChannelGroups;
use crate::{
    kernels::{
        channels::{LineMap, LineShape, LineSizes, given_or, named, position, vector, whole},
        reduce::{Monoid, Partials},
        rows::{Affine, Forward, OnChip, finish_columns},
    },
    op::{Arg, Caps, Lowered},
    types::{Error, Rows},
    wgsl::parts,
};

impl ChannelGroups {
    /// The one dispatch of a forward op; `None` for lines that do not fit.
    pub(super) fn forward_on_chip(&self, caps: &Caps, args: &[Arg], eps: f64) -> Option<Result<Lowered, Error>> {
        if !self.contiguous() {
            return None;
        }
        let (of, mut out) = (Rows::new(self.lines() as usize, self.values() as usize), Lowered::default());
        let shape = OnChip::apart(of, args[0].dtype.size(), caps).ok()?;
        let affine = Affine::Channels { groups: self.groups as u64, per: self.per(), plane: self.space.s as u64 };
        let norm = Forward { op: self.op, part: parts::rows::ROW_AFFINE, centered: true, affine, eps };
        Some(norm.append(of, &shape, &mut out, caps, args, 0).map(|()| out))
    }

    /// The dispatch of a backward op that leaves dx and the sums of each channel in each sample, and what adds these. `None` for
    /// lines that do not fit. Arguments `x`, `dy`, `mean`, `rstd` come first.
    pub(super) fn backward_on_chip(&self, caps: &Caps, args: &[Arg]) -> Option<Result<Lowered, Error>> {
        let (lines, groups) = (self.lines(), self.groups as u64);
        let of = LineSizes { lines, groups, per: self.per(), plane: self.space.s as u64 };
        let shape = LineShape::of(of, args[0].dtype.size(), caps).filter(|_| self.contiguous())?;
        Some(self.backward_as(of, &shape, caps, args))
    }

    fn backward_as(&self, of: LineSizes, shape: &LineShape, caps: &Caps, args: &[Arg]) -> Result<Lowered, Error> {
        let (mut out, channels, samples) = (Lowered::default(), self.space.c as u64, self.space.n as u64);
        let (dweight, dbias) = (position(args, "dweight"), position(args, "dbias"));
        let weight = given_or(1.0, args, "weight", channels, &mut out, caps);
        let mut beside = vec![(vector("weight", false), weight)];
        beside.extend([("mean", 2), ("rstd", 3)].map(|v| (vector(v.0, false), whole(args, v.1))));
        let mut parts = vec![parts::channels::CENTER_GIVEN, parts::channels::LINE_NORM];
        let mut sums = None;
        if (dweight, dbias) != (None, None) {
            let partials = Partials::interleaved(self.op, &mut out, caps, Monoid::SUM4, channels, samples)?;
            beside.push((Monoid::SUM4.decl("partials", true), partials.slot()));
            parts.push(parts::channels::LINE_SUMS_KEPT);
            sums = Some(partials);
        } else {
            parts.push(parts::channels::LINE_SUMS_NONE);
        }
        let map = LineMap { op: self.op, parts: &parts, tensors: [0, 1, named(args, "dx")], beside: &beside };
        map.append(of, shape, &mut out, caps, args)?;
        if let Some(partials) = sums {
            let last = partials.few(&mut out, caps);
            finish_columns(&mut out, caps, args, &last, dweight, dbias);
        }
        Ok(out)
    }
}
