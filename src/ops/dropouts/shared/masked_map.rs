//! Maps of a tensor under a random mask: the host's side of `shaders/dropouts/parts/masked_map.wgsl`, which the dropouts share.
use crate::{
    kernels::{
        copy::{self, Place, Tail, windows},
        partition::{self, Window},
        philox::{Draw, Draws, Words},
    },
    op::{Access, Arg, ByName, Caps, Lowered, Slot, Step, check_float},
    options::{Bits, Key, Share, check_p},
    params,
    types::{DType, Error, Space},
    wgsl::{Decl, Source, Spec, View, parts},
};

params! { MaskedParams {
    window: Window,
    scale: f32, offset: f32, other: f32, last: u32,
    draw: Draw,
    pair: u32, start: u32, inner: u32, rows: u32, per_period: u32, per_row: u32, per_column: u32, shift: u32,
    last_word: u32, last_bits: u32
} }

mod mask_source;

pub use mask_source::MaskSource;

/// A tensor and the mask over it, once they are checked.
#[derive(Clone, Copy, Debug)]
pub struct Masked {
    op: &'static str,
    dtype: DType,
    len: u64,
    key: Key,
    bits: Bits,
    draws: Draws,
    /// T, how many of the `bits.range()` values keep an element.
    threshold: u64,
}

/// What a kernel makes of an element that is kept, and of one that is not.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'a> {
    /// The kernel, which defines `outcome`.
    pub shader: Source,
    /// Its entry point.
    pub entry: &'static str,
    /// `params.scale`, `params.offset` and `params.other`.
    pub scalars: [f64; 3],
    /// Further `override` values.
    pub consts: &'a [(&'static str, u32)],
}

impl Rule<'_> {
    /// One that needs neither scalars nor overrides.
    pub fn new(shader: Source, entry: &'static str) -> Self {
        Self::scaled(shader, entry, 0.0)
    }

    /// One that multiplies what is kept.
    pub fn scaled(shader: Source, entry: &'static str, factor: f64) -> Self {
        Self { shader, entry, scalars: [factor, 0.0, 0.0], consts: &[] }
    }
}

/// What becomes of a whole argument where all elements are kept, or none.
#[derive(Clone, Copy, Debug)]
pub enum Settled<'a> {
    /// The second is a copy of the first, bit by bit.
    Copy(Place<'a>, Place<'a>),
    /// +0.
    Zeros(Place<'a>),
}

impl Masked {
    /// The mask of a tensor of this shape that drops with probability p, of decisions that are shared so and have so many bits.
    ///
    /// # Errors
    /// Names `dtype`, `p`, `space` or `key`.
    pub fn new(op: &'static str, dtype: DType, space: &Space, p: f64, key: Key, share: Share, bits: Bits) -> Result<Self, Error> {
        check_float(op, &Arg::read("x", dtype, 0))?;
        check_p(op, p)?;
        let len = space.check(op)?;
        let draws = Draws::new(op, space, &key, share, bits)?;
        Ok(Self { op, dtype, len, key, bits, draws, threshold: bits.threshold(p) })
    }

    /// The probability of keeping an element that is realised.
    pub fn keep(&self) -> f64 {
        self.threshold as f64 / self.bits.range() as f64
    }

    /// Whether no element is dropped.
    pub fn keeps_all(&self) -> bool {
        self.threshold == self.bits.range()
    }

    /// Whether all are.
    pub fn keeps_none(&self) -> bool {
        self.threshold == 0
    }

    /// Where decisions come from that nobody stores: nowhere if nothing is dropped.
    pub fn source(&self) -> MaskSource<'static> {
        if self.keeps_all() { MaskSource::All } else { MaskSource::Drawn(None) }
    }

    /// The dispatches of y = factor·x where an element is kept, +0 where not; copies and zeros where that is the same for all.
    ///
    /// # Errors
    /// If the device's binding limit is too small for a block.
    pub fn scaled(
        &self,
        caps: &Caps,
        (shader, entry): (Source, &'static str),
        factor: f64,
        [x, y]: [Place; 2],
        source: MaskSource,
    ) -> Result<Vec<Step>, Error> {
        let drawn = !matches!(source, MaskSource::All);
        // Zeros are written as such: a factor of 0 would keep NaN.
        if factor == 0.0 || drawn && self.keeps_none() {
            return self.settled(caps, &[Settled::Zeros(y)], source);
        }
        if factor == 1.0 && (self.keeps_all() || !drawn) {
            return self.settled(caps, &[Settled::Copy(x, y)], source);
        }
        self.steps(caps, &Rule::scaled(shader, entry, factor), &[("x", x), ("y", y)], source)
    }

    /// The backward op of such a map: reads dy and, if it is stored, the mask; writes dx. Its kernel is `drawn` without a
    /// stored mask, and the entry point of `stored` with the op's name with one.
    ///
    /// # Errors
    /// As [`Masked::scaled`].
    pub fn backward(
        &self,
        caps: &Caps,
        drawn: (Source, &'static str),
        stored: Source,
        factor: f64,
        args: &[Arg],
    ) -> Result<Lowered, Error> {
        let (kernel, source) = match args.find_at("mask") {
            None => (drawn, MaskSource::Drawn(None)),
            Some(mask) => ((stored, self.op), MaskSource::Stored(mask)),
        };
        let steps = self.scaled(caps, kernel, factor, [args.at("dy"), args.at("dx")], source)?;
        Ok(Lowered { steps, ..Default::default() })
    }

    /// The dispatches where all elements are kept, or none.
    ///
    /// # Errors
    /// If the device's binding limit is too small for a block.
    pub fn settled(&self, caps: &Caps, args: &[Settled], source: MaskSource) -> Result<Vec<Step>, Error> {
        let mut out = Vec::new();
        for arg in args {
            out.extend(match *arg {
                Settled::Copy(x, y) => copy::copy(self.op, &windows(caps), x, y)?,
                Settled::Zeros(y) => copy::fill(self.op, &windows(caps), y, 0, Tail::of(y.1))?,
            });
        }
        if let MaskSource::Drawn(Some(mask)) = source {
            out.extend(self.fill(caps, mask)?);
        }
        Ok(out)
    }

    /// The mask of a tensor that keeps all or nothing.
    fn fill(&self, caps: &Caps, mask: Place) -> Result<Vec<Step>, Error> {
        let value = if self.keeps_none() { 0 } else { u32::MAX };
        copy::fill(self.op, &windows(caps), mask, value, Tail { last_bits: self.last().1, keep_bits: 0 })
    }

    /// The last word of the mask, and its bits that have an element.
    fn last(&self) -> (u32, u32) {
        (self.len.div_ceil(32).wrapping_sub(1) as u32, u32::MAX >> ((32 - self.len % 32) % 32))
    }

    /// The dispatches of a map. `tensors` are its buffers, by their names in the kernel. T must be neither 0 nor all, unless
    /// nothing is drawn.
    ///
    /// # Errors
    /// If the device's binding limit is too small for a block.
    pub fn steps(
        &self,
        caps: &Caps,
        rule: &Rule,
        tensors: &[(&'static str, Place)],
        source: MaskSource,
    ) -> Result<Vec<Step>, Error> {
        self.steps_with(caps, rule, tensors, source, &[], &mut |_| vec![])
    }

    /// As [`Masked::steps`], for a kernel with open names of its own: the parts that fill them, and what they bind beside the
    /// tensors.
    ///
    /// # Errors
    /// As [`Masked::steps`].
    pub fn steps_with(
        &self,
        caps: &Caps,
        rule: &Rule,
        tensors: &[(&'static str, Place)],
        source: MaskSource,
        more: &[Source],
        beside: &mut dyn FnMut(&partition::Piece) -> Vec<(Decl, Slot)>,
    ) -> Result<Vec<Step>, Error> {
        let (draws, caps) = (&self.draws, &windows(caps));
        let (last_word, last_bits) = self.last();
        // A word of the mask is four pairs of quads, and belongs to the lane that writes it.
        let pairs = if matches!(source, MaskSource::Drawn(Some(_))) { 4 } else { 1 };
        let turns = caps.quads.div_ceil(pairs);
        let block_quads = u64::from(caps.lanes) * u64::from(turns * pairs) * 2;
        let (mut parts, calls, mask) = source.parts(draws, caps);
        parts.push(if pairs == 4 { parts::dropouts::MASK_STORE } else { parts::dropouts::MASK_NONE });
        // Where memory is fast it pays to read it in whole lines. H200: 95 % of a copy's bandwidth instead of 69 for f32, 78 instead
        // of 69 for f16, 72 instead of 68 for bf16.
        let side = !caps.cpu && pairs == 1;
        let mut consts = vec![("WG", caps.lanes), ("TURNS", turns), ("PAIRS", pairs), ("SIDE", u32::from(side))];
        consts.extend(rule.consts);
        parts.extend(more);
        let [scale, offset, other] = rule.scalars.map(|v| v as f32);
        let mut out = Vec::new();
        for piece in partition::flat(self.op, caps, self.len, self.dtype.size(), block_quads)? {
            let decl = |&(name, (_, arg)): &(&'static str, Place)| Decl {
                name,
                dtype: self.dtype,
                view: piece.view(),
                writes: arg.access != Access::Read,
            };
            let mut bindings: Vec<Decl> = tensors.iter().map(decl).collect();
            let mut slots: Vec<Slot> = tensors.iter().map(|(_, (i, arg))| piece.slot(*i, arg)).collect();
            let (decls, more_slots): (Vec<_>, Vec<_>) = beside(&piece).into_iter().unzip();
            bindings.extend(decls);
            slots.extend(more_slots);
            if let Some(mask) = &mask {
                bindings.push(Decl { name: "mask", dtype: DType::U32, view: View::Raw("u32"), writes: pairs == 4 });
                slots.push(mask.slot(&piece));
            }
            let Words { first, pair, start } = draws.words(piece.blocks.start * block_quads * 4);
            out.push(Step {
                spec: Spec { shader: rule.shader, entry: rule.entry, parts: parts.clone(), bindings, consts: consts.clone() },
                params: MaskedParams {
                    window: piece.window(),
                    scale,
                    offset,
                    other,
                    last: self.threshold.wrapping_sub(1) as u32,
                    draw: Draw::new(&self.key, first),
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
                workgroups: piece.workgroups(),
                // For each pair: ten rounds for each Philox call, and the runs of eight elements.
                trips: u64::from(turns) * 3 + u64::from(turns * pairs) * (calls * 11 + 9),
            });
        }
        Ok(out)
    }
}
