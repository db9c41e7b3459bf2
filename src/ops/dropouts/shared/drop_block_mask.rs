//! The mask of DropBlock: the host's side of `shaders/dropouts/parts/square_*.wgsl`.
use crate::{
    kernels::{
        philox::{Draw, mul_wide},
        reduce::{Monoid, Partials},
        samples::Images,
    },
    op::{Caps, Lowered, Slot, Step},
    ops::dropouts::shared::masked_map::Masked,
    options::{Bits, Key, Share, first_decision},
    params,
    types::{DType, Error, Space},
    wgsl::{Decl, Source, Spec, View, parts},
};
use std::ops::Range;

params! { SeedParams { blocks: u32, words: u32, last: u32, draw: Draw } }
params! { MaskParams { blocks: u32, words: u32, last_bits: u32, width: u32, height: u32, side: u32, mask_at: u32, partials_at: u32 } }
params! { FactorParams { blocks: u32, total: u32 } }

/// Words of the mask that a lane makes.
const WORDS: u32 = 4;
/// The largest square: with its own 32 elements, a word needs seeds of 63 columns.
const MAX_SIDE: usize = 32;
/// The most decisions.
const MAX_DECISIONS: u64 = 1 << 31;

/// A tensor of images and the squares over it.
#[derive(Clone, Copy, Debug)]
pub struct Squares {
    /// The op, for errors.
    pub op: &'static str,
    /// How the elements are stored.
    pub dtype: DType,
    /// The shape, s being H·W.
    pub space: Space,
    /// W.
    pub width: usize,
    /// Rows and columns of a square.
    pub side: usize,
    /// The probability of dropping.
    pub p: f64,
    /// What the seeds are drawn from.
    pub key: Key,
    /// Which images have the same squares.
    pub share: Share,
}

impl Squares {
    /// H and W.
    pub fn sizes(&self) -> [usize; 2] {
        [self.space.s / self.width.max(1), self.width]
    }

    /// How many decisions there are: elements of which none shares a decision with another.
    pub fn total(&self) -> usize {
        self.space.len() / (self.share.extent(&self.space) as usize).max(1)
    }

    /// T, of 2^32 values those that do not begin a square.
    pub fn threshold(&self) -> u64 {
        if self.total() == 0 {
            return Bits::ThirtyTwo.range();
        }
        // A seed drops a square, and there are fewer places for seeds than elements.
        let ([h, w], side) = (self.sizes(), self.side);
        let places = ((h - side + 1) * (w - side + 1)) as f64;
        Bits::ThirtyTwo.threshold(self.p * (h * w) as f64 / ((side * side) as f64 * places))
    }

    /// The mask over the tensor, read by decision. Its key begins at 0, since a mask is of one tensor.
    ///
    /// # Errors
    /// Names `dtype`, `p` or `space`.
    pub fn masked(&self) -> Result<Masked, Error> {
        let key = Key { first_element: 0, ..self.key };
        Masked::new(self.op, self.dtype, &self.space, self.p, key, self.share, Bits::ThirtyTwo)
    }

    /// Checks everything; the number of the first decision.
    ///
    /// # Errors
    /// Names `dtype`, `p`, `space`, `width`, `block`, `share` or `key`.
    pub fn check(&self) -> Result<u64, Error> {
        let Self { op, space, width, side, share, key, .. } = *self;
        if !matches!(share, Share::Element | Share::Position | Share::BatchElement | Share::BatchPosition) {
            let why = format!("is {share:?}, must leave positions apart: element, position, batch_element or batch_position");
            return Err(Error::argument(op, "share", why));
        }
        self.masked()?;
        Images { space, width }.check(op)?;
        let [h, w] = self.sizes();
        if side == 0 || side > MAX_SIDE || space.s > 0 && side > h.min(w) {
            let why = format!("is {side}, must be 1 to 32 and fit the images of {h} x {w}");
            return Err(Error::argument(op, "block", why));
        }
        // Also decisions of elements come in whole samples, so that they are of whole images.
        first_decision(op, &key, Share::Position, &space)?;
        if self.total() as u64 > MAX_DECISIONS {
            let why = format!("has {} decisions, must have at most 2^31: split it", self.total());
            return Err(Error::argument(op, "space", why));
        }
        first_decision(op, &key, share, &space)
    }

    /// The words of the mask.
    pub fn words(&self) -> usize {
        self.total().div_ceil(32)
    }

    /// The bits of the last word that have a decision.
    pub fn last_bits(&self) -> u32 {
        u32::MAX >> ((32 - self.total() as u32 % 32) % 32)
    }

    /// The dispatches that make the mask, a bit for each decision, in `stored` or else in scratch, and the factor in `factor` if
    /// there is one. T must be neither 0 nor 2^32. Gives the mask's place.
    ///
    /// # Errors
    /// As [`Squares::check`], and if the device cannot bind seeds and mask at once.
    pub fn steps(&self, caps: &Caps, out: &mut Lowered, stored: Option<Slot>, factor: Option<Slot>) -> Result<Slot, Error> {
        let (first, words, [height, width]) = (self.check()?, self.words() as u64, self.sizes());
        let limit = caps.limits.max_storage_buffer_binding_size;
        let fits = |bytes: u64, what: &str| {
            let why = format!("needs to bind {what} of {bytes} bytes at once, max_storage_buffer_binding_size is {limit}");
            if bytes <= limit { Ok(()) } else { Err(Error::unsupported(self.op, why)) }
        };
        fits(words * 4, "the mask")?;
        let blocks = words.div_ceil(u64::from(caps.lanes) * u64::from(WORDS));
        let seeds = out.scratch(words * 4, caps);
        let held = stored.is_none().then(|| out.scratch(words * 4, caps));
        let partials = match factor {
            Some(_) => Some(Partials::new(self.op, out, caps, Monoid::COUNT, 1, blocks)?),
            None => None,
        };
        // One binding of all scratch: a dispatch cannot read one range of a buffer and write another by a second binding.
        let work = seeds.start..out.scratch;
        fits(work.end - work.start, "seeds, mask and counts")?;
        let place = |range: Option<&Range<u64>>| range.map_or(0, |r| (r.start - work.start) / 4) as u32;
        let consts = vec![("WG", caps.lanes), ("WORDS", WORDS)];
        let raw = |name, writes| Decl { name, dtype: DType::U32, view: View::Raw("u32"), writes };
        let spec =
            |shader: Source, entry, parts: Vec<Source>, bindings| Spec { shader, entry, parts, bindings, consts: consts.clone() };
        out.steps.push(Step {
            spec: spec(parts::dropouts::SQUARE_SEEDS, "square_seeds", vec![mul_wide(caps)], vec![raw("seeds", true)]),
            params: SeedParams {
                blocks: blocks as u32,
                words: words as u32,
                last: self.threshold().wrapping_sub(1) as u32,
                draw: Draw::new(&self.key, first),
            }
            .into(),
            slots: vec![Slot::Scratch(seeds)],
            workgroups: blocks,
            trips: u64::from(WORDS) * (9 * 11 + 1),
        });
        let count = if partials.is_some() { parts::dropouts::SQUARE_COUNT } else { parts::dropouts::SQUARE_COUNT_NONE };
        let kept = if stored.is_some() { parts::dropouts::SQUARE_MASK_STORED } else { parts::dropouts::SQUARE_MASK_HELD };
        let (mut bindings, mut slots) = (vec![raw("work", true)], vec![Slot::Scratch(work.clone())]);
        bindings.extend(stored.is_some().then(|| raw("mask", true)));
        slots.extend(stored.clone());
        // A word has parts of this many rows at most; each looks at the rows of a square, and doubles five times.
        let rows = 32 / self.width as u64 + 2;
        out.steps.push(Step {
            spec: spec(parts::dropouts::SQUARE_MASK, "square_mask", vec![count, kept], bindings),
            params: MaskParams {
                blocks: blocks as u32,
                words: words as u32,
                last_bits: self.last_bits(),
                width: width as u32,
                height: height as u32,
                side: self.side as u32,
                mask_at: place(held.as_ref()),
                partials_at: place(partials.as_ref().map(|p| &p.range)),
            }
            .into(),
            slots,
            workgroups: blocks,
            trips: u64::from(WORDS) * (1 + rows * (self.side as u64 + 6)) + u64::from(caps.lanes.ilog2()),
        });
        if let (Some(partials), Some(factor)) = (partials, factor) {
            let merged = partials.until(out, caps, 1);
            let decl = Decl { name: "factor", dtype: DType::F32, view: View::Raw("f32"), writes: true };
            let bindings = vec![Monoid::COUNT.decl("partials", false), decl];
            out.steps.push(Step {
                spec: Spec {
                    shader: parts::dropouts::SQUARE_FACTOR,
                    entry: "square_factor",
                    parts: vec![],
                    bindings,
                    consts: vec![("WG", 1)],
                },
                params: FactorParams { blocks: 1, total: self.total() as u32 }.into(),
                slots: vec![merged.slot(), factor],
                workgroups: 1,
                trips: 0,
            });
        }
        Ok(stored.or(held.map(Slot::Scratch)).expect("the mask is stored or held"))
    }
}
