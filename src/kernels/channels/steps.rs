//! The dispatches of channel-wise ops.
use super::{Channels, MOMENTS, Vectors, beside, blocks, buffers::coefficients, per_channel};
use crate::{
    kernels::{
        partition::{self, Window},
        reduce::{Monoid, Partials},
    },
    op::{Access, Arg, ByName, Caps, Lowered, Params, Slot, Step},
    params,
    types::Error,
    wgsl::{Decl, Source, Spec, View, parts},
};
use std::ops::Range;

params! {
    ReduceParams {
        chunks: u32, first: u32, outer: u32, channels: u32, inner: u32, rows: u32, segment: u32, across: u32, base: u32, end: u32,
        eps: f32
    }
}
params! {
    ApplyParams {
        window: Window, length: u32, period: u32, at_place: u32, at_channel: u32,
        step_place: u32, step_channel: u32, phases: u32
    }
}

/// What [`Channels::reduce`] accumulates: its parts, how partials merge, and buffers beside the tensors.
pub(crate) struct Reduction<'a> {
    pub parts: &'a [Source],
    pub monoid: Monoid,
    /// Tensors: name in the kernel, argument.
    pub tensors: &'a [(&'static str, &'static str)],
    /// Vectors of f32, one value per channel or per place across the channels; `mask`: words with a bit per position.
    pub vectors: &'a [(&'static str, Slot)],
    pub consts: &'a [(&'static str, u32)],
    pub eps: f32,
}

/// What [`Channels::apply`] does to every element: its part, and buffers beside the coefficients.
pub(crate) struct Map<'a> {
    pub part: Source,
    /// Tensors: name in the kernel, argument.
    pub tensors: &'a [(&'static str, &'static str)],
    /// Vectors of f32, one value per channel or per place in a plane; `mask`: words with a bit per position.
    pub vectors: &'a [(&'static str, Slot)],
    pub consts: &'a [(&'static str, u32)],
}

impl<'a> Reduction<'a> {
    /// With nothing beside the tensors.
    pub fn of(parts: &'a [Source], monoid: Monoid, tensors: &'a [(&'static str, &'static str)]) -> Self {
        Self { parts, monoid, tensors, vectors: &[], consts: &[], eps: 0.0 }
    }
}

impl<'a> Map<'a> {
    /// With coefficients and nothing else.
    pub fn of(part: Source, tensors: &'a [(&'static str, &'static str)]) -> Self {
        Self { part, tensors, vectors: &[], consts: &[] }
    }
}

/// The moments of each channel of `x`.
pub(super) const MOMENTS_OF_X: Reduction<'static> = Reduction {
    parts: &[parts::channels::MOMENTS],
    monoid: MOMENTS,
    tensors: &[("x", "x")],
    vectors: &[],
    consts: &[],
    eps: 0.0,
};

/// Kernels count along each axis in 32 bits.
fn counted(op: &'static str, axes: [u64; 3]) -> Result<(), Error> {
    match axes.into_iter().max() {
        Some(longest) if longest > u64::from(u32::MAX) => {
            Err(Error::unsupported(op, format!("{longest} values along one axis, must be below 2^32: split the tensor")))
        }
        _ => Ok(()),
    }
}

impl Channels {
    /// Appends the dispatches that reduce every channel of the tensors to partials, one row per channel.
    pub fn reduce(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        what: &Reduction,
    ) -> Result<Partials, Error> {
        self.reduce_within((self.outer, u64::MAX), op, out, caps, args, what)
    }

    /// Appends those that find the moments of every channel of the argument `x`, and leave few enough partials for a
    /// [`Merge`](super::Merge).
    pub fn moments(&self, op: &'static str, out: &mut Lowered, caps: &Caps, args: &[Arg]) -> Result<Partials, Error> {
        Ok(self.reduce(op, out, caps, args, &MOMENTS_OF_X)?.few(out, caps))
    }

    /// The same as [`reduce`](Self::reduce), with no chunk across a multiple of `batch` rows, and no more than `runs` in each if that can be.
    pub fn reduce_within(
        &self,
        (batch, runs): (u64, u64),
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        what: &Reduction,
    ) -> Result<Partials, Error> {
        self.reduce_writing((batch, runs), op, out, caps, args, (what, &[]))
    }

    /// Whether no quad has values of two planes, or of two rows of channels.
    pub fn whole(&self) -> bool {
        (if self.inner == 1 { self.channels } else { self.inner }).is_multiple_of(4)
    }

    /// The same with arguments that the parts write to, where quads are [`whole`](Self::whole).
    pub fn reduce_writing(
        &self,
        (batch, runs): (u64, u64),
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        (what, written): (&Reduction, &[&'static str]),
    ) -> Result<Partials, Error> {
        if self.len() == 0 {
            return Partials::interleaved(op, out, caps, what.monoid, self.channels, 0);
        }
        counted(op, [self.outer, self.channels, self.inner])?;
        let k = self.chunks_within(batch, runs, caps);
        let partials = Partials::interleaved(op, out, caps, what.monoid, self.channels, k.count)?;
        let dtype = args.arg(what.tensors[0].1).dtype;
        let aligned = self.whole();
        for (chunks, elements) in self.windows(op, caps, k, dtype.size())? {
            let mut bindings: Vec<Decl> =
                what.tensors.iter().map(|t| Decl { name: t.0, dtype, view: View::Four(aligned), writes: false }).collect();
            bindings.extend(written.iter().map(|name| Decl { name, dtype, view: View::Quads, writes: true }));
            bindings.extend(what.vectors.iter().map(|v| beside(v.0)));
            bindings.push(what.monoid.decl("partials", true));
            let size = dtype.size();
            let window = elements.start * size..(elements.end * size).next_multiple_of(4);
            let mut slots: Vec<Slot> = what
                .tensors
                .iter()
                .map(|t| t.1)
                .chain(written.iter().copied())
                .map(|name| args.bytes(name, window.clone()))
                .collect();
            slots.extend(what.vectors.iter().map(|v| v.1.clone()));
            slots.push(partials.slot());
            let mut consts = vec![("WG", caps.lanes), ("COLUMNS", k.columns as u32), ("MASKED", u32::from(!aligned))];
            consts.extend(what.consts);
            out.steps.push(Step {
                spec: Spec {
                    shader: parts::channels::REDUCE,
                    entry: "channel_reduce",
                    parts: what.parts.to_vec(),
                    bindings,
                    consts,
                },
                params: ReduceParams {
                    chunks: (chunks.end - chunks.start) as u32,
                    first: chunks.start as u32,
                    outer: self.outer as u32,
                    channels: self.channels as u32,
                    inner: self.inner as u32,
                    rows: k.rows as u32,
                    segment: k.segment as u32,
                    across: k.across as u32,
                    base: elements.start as u32,
                    end: (elements.end - elements.start) as u32,
                    eps: what.eps,
                }
                .into(),
                slots,
                workgroups: chunks.end - chunks.start,
                trips: k.trips + 4 + u64::from(caps.lanes.ilog2()),
            });
        }
        Ok(partials)
    }

    /// Appends the dispatch of a kernel with a lane per channel that makes coefficients of vectors, and gives them. `params` gets the
    /// numbers of blocks and of channels.
    pub fn coefficients(
        &self,
        out: &mut Lowered,
        caps: &Caps,
        kernel: Source,
        vectors: Vectors,
        params: impl FnOnce(u32, u32) -> Params,
    ) -> Range<u64> {
        let (coefs, blocks) = (out.scratch(16 * self.channels, caps), blocks(self.channels, caps));
        let (first, params) = ((coefficients(true), Slot::Scratch(coefs.clone())), params(blocks as u32, self.channels as u32));
        out.steps.push(per_channel(caps, kernel, first, vectors, (blocks, params), 0));
        coefs
    }

    /// Appends the dispatches of `lib/channels/apply` with this map; `coefs` holds four words per channel.
    pub fn apply(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        map: &Map,
        coefs: Range<u64>,
    ) -> Result<(), Error> {
        self.apply_filled(op, out, caps, args, (map, &[]), coefs)
    }

    /// The same for a map with open names, which these parts fill.
    pub fn apply_filled(
        &self,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        (map, fills): (&Map, &[Source]),
        coefs: Range<u64>,
    ) -> Result<(), Error> {
        self.apply_within(self.outer, op, out, caps, args, (map, fills, coefs))
    }

    /// The same, where each `batch` rows have coefficients of their own, one such batch after the other.
    pub fn apply_within(
        &self,
        batch: u64,
        op: &'static str,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        (map, fills, coefs): (&Map, &[Source], Range<u64>),
    ) -> Result<(), Error> {
        let own = batch < self.outer;
        // How many elements a unit has, how many units a plane has, after how many planes channels repeat.
        let (by, unit, length, period) = match *self {
            Self { channels: 1, .. } if map.vectors.is_empty() && !own => (0, 4, 1, 1),
            Self { inner, channels, .. } if inner % 4 == 0 => (0, 4, inner / 4, channels),
            Self { inner: 1, channels, .. } if channels % 4 == 0 => (1, 4, 1, channels / 4),
            Self { inner, channels, .. } => (2, 1, inner, channels),
        };
        // Units across the channels; those of the whole tensor where it matters which batch they are in.
        let (width, period) = (period, if own { period * self.outer } else { period });
        if by == 2 && length >= 1 << 31 {
            return Err(Error::unsupported(op, format!("planes of {length} elements, 2^31 or more, must be a multiple of 4")));
        }
        counted(op, [length, period, width])?;
        let dtype = args.arg(map.tensors[0].1).dtype;
        // Where each quad has coefficients of four channels, a lane that comes back to its channels fetches them once.
        // Two quads of halves are as many bytes as one of f32.
        let halves = if dtype.size() == 2 && !caps.cpu { 2 } else { 1 };
        let quads = if by == 1 { caps.sums } else { caps.quads * halves };
        let Map { part: map, tensors, vectors, consts: more } = *map;
        let tensors: Vec<_> = tensors.iter().map(|t| (t.0, args.at(t.1))).collect();
        // Backwards, like the kernel's blocks: what the statistics were taken of last is still in a cache.
        for piece in
            partition::flat(op, caps, self.len(), dtype.size(), u64::from(caps.lanes) * u64::from(quads))?.into_iter().rev()
        {
            // Of the first block, which may begin before the window does.
            let start = piece.blocks.start * u64::from(caps.lanes) * u64::from(quads) * 4 / unit;
            let step = u64::from(caps.lanes) * 4 / unit;
            // After how many steps of a lane its channels repeat, if that is soon.
            let again = (1..=u64::from(quads) / 2).find(|k| (k * step).is_multiple_of(length * period));
            let mut bindings: Vec<Decl> = tensors
                .iter()
                .map(|(name, (_, arg))| Decl { name, dtype, view: piece.view(), writes: arg.access != Access::Read })
                .collect();
            bindings.extend(vectors.iter().map(|v| beside(v.0)));
            bindings.push(coefficients(false));
            let mut slots: Vec<Slot> = tensors.iter().map(|(_, (i, arg))| piece.slot(*i, arg)).collect();
            slots.extend(vectors.iter().map(|v| v.1.clone()));
            slots.push(Slot::Scratch(coefs.clone()));
            let mut consts = vec![
                ("WG", caps.lanes),
                ("QUADS", quads),
                ("BY", by),
                ("HELD", u32::from(again.is_some())),
                ("KEPT", u32::from(caps.cpu && by == 0)),
            ];
            consts.extend(more);
            if own {
                consts.extend([("SPAN", (width * batch) as u32), ("WIDTH", width as u32)]);
            }
            out.steps.push(Step {
                spec: Spec {
                    shader: parts::channels::APPLY,
                    entry: "channel_apply",
                    parts: std::iter::once(&map).chain(fills).copied().collect(),
                    bindings,
                    consts,
                },
                params: ApplyParams {
                    window: piece.window(),
                    length: length as u32,
                    period: period as u32,
                    at_place: (start % length) as u32,
                    at_channel: (start / length % period) as u32,
                    step_place: (step % length) as u32,
                    step_channel: (step / length % period) as u32,
                    phases: again.unwrap_or(1) as u32,
                }
                .into(),
                slots,
                workgroups: piece.workgroups(),
                trips: again.unwrap_or(0) + u64::from(quads),
            });
        }
        Ok(())
    }
}
