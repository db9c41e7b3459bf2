//! Dropout, forward. Kernel: `shaders/dropouts/dropout.wgsl`. Reference: `cpu::dropout`.
use crate::{
    Arg, Bits, Caps, DType, Error, Expected, HostData, Key, Lowered, MaskMode, Op, Pattern, Scaling, Share, Slot, Space, Step,
    cpu,
    draws::{Draws, Words},
    kernel, mask,
    ops::Entry,
    params,
    segment::check_float,
    tile,
    wgsl::{Decl, Spec, View, part},
    words::{self, Place, Tail},
};
use reference::{expected, kept};
use serde::{Deserialize, Serialize};

pub(super) mod reference;
pub(super) mod table;

params! { DropoutParams {
    first: u32, blocks: u32, lo: u32, hi: u32, base: u32, end: u32,
    scale: f32, last: u32,
    key_lo: u32, key_hi: u32, step: u32, stream: u32,
    d_lo: u32, d_hi: u32,
    pair: u32, start: u32, inner: u32, rows: u32, per_period: u32, per_row: u32, per_column: u32, shift: u32,
    last_word: u32, last_bits: u32
} }

/// Dropout: y = m·x/(1-p), m drawn anew from the key, an element (or channel, or sample) at a time.
///
/// Reads `x`, writes `y`, both with the elements of `space`; with a stored mask in training also writes `mask`, a bit for each
/// element: see [`MaskMode::Store`]. No scratch.
///
/// The decision of element (n, c, s) is number `(first_element + (n·C + c)·S + s) / shared`, where `shared` is 1, S or C·S
/// elements: it depends on the key and on that number alone, so masks are equal bit for bit on every device, for every
/// layout, storage type and way of cutting the work. An element is kept iff its random bits, as an integer, are less than
/// `T = round(2^b·(1-p))`. See [`Bits`].
///
/// What is dropped is +0 whatever `x` holds, also NaN. T = 2^b (p = 0, inverted scaling after training) copies every bit of
/// x; T = 0 (p = 1) writes zeros. Between those, y is one f32 product with 2^b/T (rounded to f32 on the host), then rounded
/// to the storage type.
///
/// [`Plan::update`](crate::Plan::update) takes another key or p, as long as p is not the first or no longer one that copies
/// or drops all, and `first_element % 8` is not the first or no longer 0.
///
/// ```
/// use ridgepole::{DType, HostData, Key, Session, Space, ops::Dropout};
///
/// let session = Session::new()?;
/// let key = Key { seed: 42, stream: 3, step: 100, first_element: 0 };
/// let dropout = Dropout::new(DType::F32, Space::flat(1000), 0.5, key);
/// let y = session.run(&dropout, &[vec![1.0; 1000].into()])?;
/// assert!(y[0].to_f64().iter().all(|&y| y == 0.0 || y == 2.0));
/// # Ok::<(), ridgepole::Error>(())
/// ```
///
/// Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: a simple way to prevent neural networks from
/// overfitting", 2014.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// How x and y are stored.
    pub dtype: DType,
    /// The shape; [`Space::flat`] where it does not matter.
    pub space: Space,
    /// The probability of dropping, 0 to 1, both included.
    pub p: f64,
    /// What the mask is drawn from.
    pub key: Key,
    /// Which elements share a decision. Channels last (with more than one channel and position), or shared decisions, need
    /// C·S (channels first, by channel: S) of at most 2^30.
    #[serde(default)]
    pub share: Share,
    /// Where the factor goes.
    #[serde(default)]
    pub scaling: Scaling,
    /// Random bits per decision.
    #[serde(default)]
    pub bits: Bits,
    /// Whether the mask is kept.
    #[serde(default)]
    pub mask: MaskMode,
    /// Whether anything is dropped. If not, inverted dropout copies, and the other kind multiplies by T/2^b.
    #[serde(default = "yes")]
    pub training: bool,
}

fn yes() -> bool {
    true
}

const NAME: &str = "dropout";

impl Dropout {
    /// Training, a decision per element of 16 bits, inverted scaling, no stored mask.
    pub fn new(dtype: DType, space: Space, p: f64, key: Key) -> Self {
        let (share, scaling, bits, mask) = Default::default();
        Self { dtype, space, p, key, share, scaling, bits, mask, training: true }
    }

    /// The backward pass of this in training.
    pub fn backward(&self) -> super::DropoutBackward {
        let Self { dtype, space, p, key, share, scaling, bits, mask, .. } = *self;
        super::DropoutBackward { dtype, space, p, key, share, scaling, bits, mask }
    }

    /// Whether the op writes the mask.
    pub fn stores_mask(&self) -> bool {
        self.mask == MaskMode::Store && self.training
    }

    /// The factor that meets an element which is kept, and how many of the `bits.range()` values keep it.
    pub(super) fn factor(&self) -> (f64, u64) {
        let (range, t) = (self.bits.range(), self.bits.threshold(self.p));
        match (self.training, self.scaling) {
            (true, Scaling::Inverted) => (range as f64 / t as f64, t),
            (true, Scaling::ScaleAtTest) => (1.0, t),
            (false, Scaling::Inverted) => (1.0, range),
            // Zeros are written as such: a factor of 0 would keep NaN.
            (false, Scaling::ScaleAtTest) => (t as f64 / range as f64, if t == 0 { 0 } else { range }),
        }
    }

    /// What is wrong with the fields, under the name of `op`; the number of elements.
    pub(super) fn check(&self, op: &'static str, x: &Arg) -> Result<u64, Error> {
        check_float(op, x)?;
        mask::check_p(op, self.p)?;
        let len = self.space.check(op)?;
        Draws::new(op, &self.space, &self.key, self.share, self.bits)?;
        Ok(len)
    }

    /// The steps where every element has the same fate; `None` if there is something to decide or to multiply.
    pub(super) fn settled(&self, op: &'static str, caps: &Caps, x: Place, y: Place) -> Result<Option<Vec<Step>>, Error> {
        let (factor, t) = self.factor();
        match t {
            0 => words::fill(op, caps, y, 0, Tail::of(y.1)).map(Some),
            t if t == self.bits.range() && factor == 1.0 => words::copy(op, caps, x, y).map(Some),
            _ => Ok(None),
        }
    }

    /// All dispatches, under the name of `op`: the backward pass without a stored mask is this same map.
    pub(super) fn steps(
        &self,
        op: &'static str,
        caps: &Caps,
        x: Place,
        y: Place,
        kept: Option<Place>,
    ) -> Result<Vec<Step>, Error> {
        let len = self.check(op, x.1)?;
        let caps = &windows(caps);
        let (last_word, last_bits) = (len.div_ceil(32).wrapping_sub(1) as u32, u32::MAX >> ((32 - len % 32) % 32));
        if let Some(mut steps) = self.settled(op, caps, x, y)? {
            if let Some(mask) = kept {
                let value = if self.factor().1 == 0 { 0 } else { u32::MAX };
                steps.extend(words::fill(op, caps, mask, value, Tail { last_bits, keep_bits: 0 })?);
            }
            return Ok(steps);
        }
        let draws = Draws::new(op, &self.space, &self.key, self.share, self.bits)?;
        let (factor, t) = self.factor();
        // A word of the mask is four pairs of quads, and belongs to one lane.
        let pairs = if kept.is_some() { 4 } else { 1 };
        let units = caps.quads.div_ceil(pairs);
        let block_quads = u64::from(caps.lanes) * u64::from(units * pairs) * 2;
        let mut parts = if self.training { draws.parts(caps) } else { vec![part("lib/draw_all")] };
        parts.push(part(if kept.is_some() { "lib/mask_store" } else { "lib/mask_none" }));
        let mut out = Vec::new();
        for piece in tile::flat(op, caps, len, self.dtype.size(), block_quads)? {
            let decl = |name, writes| Decl { name, dtype: self.dtype, view: piece.view(), writes };
            let (mut bindings, mut slots) =
                (vec![decl("x", false), decl("y", true)], vec![piece.slot(x.0, x.1), piece.slot(y.0, y.1)]);
            if let Some(mask) = kept {
                bindings.push(Decl { name: "mask", dtype: DType::U32, view: View::Raw("u32"), writes: true });
                slots.push(mask_slot(mask.0, &piece));
            }
            let blocks = piece.blocks.end - piece.blocks.start;
            let Words { first, pair, start } = draws.words(piece.blocks.start * block_quads * 4);
            out.push(Step {
                spec: Spec {
                    shader: kernel!("dropouts/dropout"),
                    entry: "dropout",
                    parts: parts.clone(),
                    bindings,
                    consts: vec![("WG", caps.lanes), ("UNITS", units), ("PAIRS", pairs)],
                },
                params: DropoutParams {
                    first: piece.blocks.start as u32,
                    blocks: blocks as u32,
                    lo: piece.quads.start as u32,
                    hi: piece.quads.end as u32,
                    base: piece.base(),
                    end: piece.end(),
                    scale: factor as f32,
                    last: (t - 1) as u32,
                    key_lo: self.key.seed as u32,
                    key_hi: (self.key.seed >> 32) as u32,
                    step: self.key.step,
                    stream: self.key.stream,
                    d_lo: first as u32,
                    d_hi: (first >> 32) as u32,
                    pair,
                    start,
                    inner: draws.inner,
                    rows: draws.rows,
                    per_period: draws.per[0],
                    per_row: draws.per[1],
                    per_column: draws.per[2],
                    shift: draws.shift(),
                    last_word,
                    last_bits,
                }
                .into(),
                slots,
                workgroups: blocks,
                // For each pair: ten rounds for each Philox call, and the runs of eight elements.
                trips: u64::from(units) + u64::from(units * pairs) * (draws.calls() * 11 + 9),
            });
        }
        Ok(out)
    }
}

/// Places in a window are counted in 32 bits, two at a time: windows of at most 2^31 bytes.
pub(super) fn windows(caps: &Caps) -> Caps {
    let mut caps = caps.clone();
    caps.limits.max_storage_buffer_binding_size = caps.limits.max_storage_buffer_binding_size.min(1 << 31);
    caps
}

/// The words of the mask for the elements of a window.
pub(super) fn mask_slot(index: usize, piece: &tile::Piece) -> Slot {
    Slot::Arg(index, piece.elements.start / 8..piece.elements.end.div_ceil(32) * 4)
}

impl Op for Dropout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        let mut args = vec![Arg::read("x", self.dtype, len), Arg::write("y", self.dtype, len)];
        if self.stores_mask() {
            args.push(Arg::write("mask", DType::U32, len.div_ceil(32)));
        }
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        let steps = self.steps(NAME, caps, (0, &args[0]), (1, &args[1]), args.get(2).map(|a| (2, a)))?;
        Ok(Lowered { steps, ..Default::default() })
    }

    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Tiny, Pattern::NonFinite]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (len, bits) = (self.space.len(), if self.bits == Bits::Sixteen { 16 } else { 32 });
        let kept = if self.training { kept(&self.space, self.p, &self.key, self.share, self.bits) } else { vec![true; len] };
        let keep = cpu::keep(self.p, bits);
        let factor = match (self.training, self.scaling) {
            (true, Scaling::Inverted) => 1.0 / keep,
            (false, Scaling::ScaleAtTest) => keep,
            _ => 1.0,
        };
        let copies = if self.training { keep == 1.0 } else { factor == 1.0 };
        let y = expected(&args[0], &kept, keep, copies, factor, cpu::dropout);
        let mut out = vec![y];
        if self.stores_mask() {
            let word = |bits: &[bool]| bits.iter().rev().fold(0, |w, &k| w << 1 | u32::from(k));
            out.push(Expected::Exact(HostData::U32(kept.chunks(32).map(word).collect())));
        }
        out
    }
}

pub(super) const ENTRY: Entry = Entry {
    name: NAME,
    summary: "drops elements, channels or samples at random, and scales the rest; can keep the mask, a bit for each element",
    formula: "y = m·x/(1-p), m = 1 with probability 1-p (scale_at_test: y = m·x, and (1-p)·x after training)",
    fields: table::FIELDS,
    cases: table::forward,
    bench: table::forward_bench,
    parse: crate::ops::parse::<Dropout>,
};
