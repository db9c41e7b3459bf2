//! Groups that stay on the chip: one dispatch forward, as for rows, and one backward with what adds the sums of channels.
use super::ChannelGroups;
use crate::{
    kernels::{
        channels::{LineMap, LineShape, LineSizes, given, vector},
        reduce::{Monoid, Partials},
        rows::{Affine, Forward, OnChip, finish_columns},
    },
    op::{Arg, ByName, Caps, Lowered},
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
        let shape = OnChip::apart(of, args.arg("x").dtype.size(), caps).ok()?;
        let affine = Affine::Channels { groups: self.groups as u64, per: self.per(), plane: self.space.s as u64 };
        let norm = Forward { op: self.op, part: parts::rows::ROW_AFFINE, centered: true, affine, eps };
        Some(norm.append(of, &shape, &mut out, caps, args).map(|()| out))
    }

    /// The dispatch of a backward op that leaves dx and the sums of each channel in each sample, and what adds these. `None` for
    /// lines that do not fit.
    pub(super) fn backward_on_chip(&self, caps: &Caps, args: &[Arg]) -> Option<Result<Lowered, Error>> {
        let (lines, groups) = (self.lines(), self.groups as u64);
        let of = LineSizes { lines, groups, per: self.per(), plane: self.space.s as u64 };
        let shape = LineShape::of(of, args.arg("x").dtype.size(), caps).filter(|_| self.contiguous())?;
        Some(self.backward_as(of, &shape, caps, args))
    }

    fn backward_as(&self, of: LineSizes, shape: &LineShape, caps: &Caps, args: &[Arg]) -> Result<Lowered, Error> {
        let (mut out, channels, samples) = (Lowered::default(), self.space.c as u64, self.space.n as u64);
        let beside = ["weight", "mean", "rstd"];
        let mut beside = beside.map(|name| (vector(name, false), given(name, args, channels, &mut out, caps))).to_vec();
        let mut parts = vec![parts::channels::CENTER_GIVEN, parts::channels::LINE_NORM];
        let mut sums = None;
        if args.find("dweight").or(args.find("dbias")).is_some() {
            let partials = Partials::interleaved(self.op, &mut out, caps, Monoid::SUM4, channels, samples)?;
            beside.push((Monoid::SUM4.decl("partials", true), partials.slot()));
            parts.push(parts::channels::LINE_SUMS_KEPT);
            sums = Some(partials);
        } else {
            parts.push(parts::channels::LINE_SUMS_NONE);
        }
        let map = LineMap { op: self.op, parts: &parts, tensors: ["x", "dy", "dx"], beside: &beside };
        map.append(of, shape, &mut out, caps, args)?;
        if let Some(partials) = sums {
            let last = partials.few(&mut out, caps);
            finish_columns(&mut out, caps, args, &last);
        }
        Ok(out)
    }
}
