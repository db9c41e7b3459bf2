//! Where the decisions of a mask come from, and which parts and bindings that takes.
use crate::{
    kernels::{copy::Place, partition, philox::Draws},
    op::{Caps, Slot},
    wgsl::{Source, parts},
};
use std::ops::Range;

/// Where the decisions come from.
#[derive(Clone, Copy, Debug)]
pub enum MaskSource<'a> {
    /// They are drawn, and written to this argument if there is one.
    Drawn(Option<Place<'a>>),
    /// They are read from this argument.
    Stored(Place<'a>),
    /// They are read from a mask with a bit for each decision, which is bound whole where elements do not follow their
    /// decisions.
    Held(&'a Slot),
    /// Every element is kept: after training.
    All,
}

/// The mask that a dispatch binds.
pub(super) struct Bound {
    all: Slot,
    /// Whether it is bound whole, and not by the window of its elements.
    whole: bool,
}

impl MaskSource<'_> {
    /// The shader parts that give the decisions, how many Philox calls a pair of quads takes, and the mask that is bound.
    pub(super) fn parts(&self, draws: &Draws, caps: &Caps) -> (Vec<Source>, u64, Option<Bound>) {
        let of = |(index, arg): Place| Bound { all: Slot::Arg(index, 0..arg.bytes()), whole: false };
        match *self {
            MaskSource::Drawn(mask) => (draws.parts(caps), draws.calls(), mask.map(of)),
            MaskSource::Stored(mask) => (vec![parts::dropouts::DRAW_STORED], 0, Some(of(mask))),
            MaskSource::Held(mask) => {
                // Elements in the order of their decisions have their bits where a stored mask has them.
                let whole = draws.rows != u32::MAX;
                let source = if whole { parts::dropouts::DRAW_BITS } else { parts::dropouts::DRAW_STORED };
                (vec![source], 0, Some(Bound { all: mask.clone(), whole }))
            }
            MaskSource::All => (vec![parts::dropouts::DRAW_ALL], 0, None),
        }
    }
}

impl Bound {
    /// Its words for the elements of a window.
    pub(super) fn slot(&self, piece: &partition::Piece) -> Slot {
        let of = |all: &Range<u64>| all.start + piece.elements.start / 8..all.start + piece.elements.end.div_ceil(32) * 4;
        match &self.all {
            all if self.whole => all.clone(),
            Slot::Arg(index, all) => Slot::Arg(*index, of(all)),
            Slot::Scratch(all) => Slot::Scratch(of(all)),
            Slot::Table(all) => Slot::Table(of(all)),
        }
    }
}
