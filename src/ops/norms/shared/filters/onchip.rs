//! Filters that stay on the chip: one dispatch forward and one backward.
use super::Filters;
use crate::{
    kernels::{
        channels::{LineMap, LineShape, LineSizes, Vectors, vector},
        rows::{OnChip, Place, RowMap},
    },
    op::{Arg, Caps, Lowered, Params, Slot},
    options::FilterAxis,
    params,
    types::{Error, Rows},
    wgsl::{Decl, Source},
};

params! { StandardParams { place: Place, divisor: f32, fan: f32, inside: f32, outside: f32, least: f32, form: u32 } }

fn declared(vectors: Vectors) -> Vec<(Decl, Slot)> {
    vectors.into_iter().map(|v| (vector(v.0, v.2), v.1)).collect()
}

impl Filters {
    /// As rows, where the values of a filter lie one behind the other.
    pub fn as_rows(self) -> Option<Rows> {
        (self.axis == FilterAxis::Rows || self.cols == 1).then(|| Rows::new(self.count(), self.values()))
    }

    /// The layout of a forward op's dispatch; `None` for filters that do not fit.
    pub fn forward_shape(self, size: u64, caps: &Caps) -> Option<(Rows, OnChip)> {
        let of = self.as_rows()?;
        OnChip::apart(of, size, caps).ok().map(|shape| (of, shape))
    }

    /// That of a backward op's.
    pub fn backward_shape(self, size: u64, caps: &Caps) -> Option<(LineSizes, LineShape)> {
        let of = self.as_rows()?;
        let lines = LineSizes { lines: of.rows as u64, groups: 1, per: 1, plane: of.cols as u64 };
        LineShape::of(lines, size, caps).map(|shape| (lines, shape))
    }
}

/// Appends the dispatch of a forward op, from the arguments `tensors` with these parts of `lib/rows/row_forward`.
pub(crate) fn forward(
    op: &'static str,
    (out, caps, args): (&mut Lowered, &Caps, &[Arg]),
    (of, shape): &(Rows, OnChip),
    parts: &[Source],
    tensors: [&'static str; 2],
    vectors: Vectors,
    params: &dyn Fn(Place) -> Params,
) -> Result<(), Error> {
    let beside = declared(vectors);
    RowMap { op, parts, tensors, beside: &beside, consts: &[], params }.append(*of, shape, out, caps, args)
}

/// Appends the dispatch of a backward op, with these parts of `lib/channels/line_backward`.
pub(crate) fn backward(
    op: &'static str,
    (out, caps, args): (&mut Lowered, &Caps, &[Arg]),
    (of, shape): &(LineSizes, LineShape),
    parts: &[Source],
    tensors: [&'static str; 3],
    vectors: Vectors,
) -> Result<(), Error> {
    let beside = declared(vectors);
    LineMap { op, parts, tensors, beside: &beside }.append(*of, shape, out, caps, args)
}

/// The parameters of `norms/parts/row_standard`: the variance's divisor, `terms` as [`WeightStandardization`](crate::ops::WeightStandardization)
/// has them, and whether ε stands outside of the root.
pub(crate) fn standard_params(place: Place, divisor: f64, terms: [f64; 4], outside_root: bool) -> Params {
    let ([fan, inside, outside, least], divisor, form) = (terms.map(|v| v as f32), divisor as f32, u32::from(outside_root));
    StandardParams { place, divisor, fan, inside, outside, least, form }.into()
}
