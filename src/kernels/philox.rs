//! The host's side of `shaders/lib/philox/draw_*.wgsl`: which decision belongs to which place in memory.
use crate::{
    op::Caps,
    options::{Bits, Key, Share, first_decision},
    params,
    types::{Error, Layout, Space},
    wgsl::{Source, parts},
};

params! {
    /// What a kernel is told about its draws: a field of its [`params!`](crate::params).
    pub Draw {
        /// The low word of the seed.
        key_lo: u32,
        /// The high word of the seed.
        key_hi: u32,
        /// The training step.
        step: u32,
        /// The stream.
        stream: u32,
        /// The low word of the number from which the kernel counts: of a call, or of a decision.
        draw_lo: u32,
        /// The high word of that number.
        draw_hi: u32,
    }
}

impl Draw {
    /// Draws under `key`, counted from `first`.
    pub fn new(key: &Key, first: u64) -> Self {
        let Key { seed, step, stream, .. } = *key;
        let [[key_lo, key_hi], [draw_lo, draw_hi]] = [seed, first].map(|n| [n as u32, (n >> 32) as u32]);
        Self { key_lo, key_hi, step, stream, draw_lo, draw_hi }
    }
}

/// How a kernel finds the decision of an element, for one dispatch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Words {
    /// `lib/philox/draw_pairs`: the call of pair 0. `lib/philox/draw_any`: the decision at the start of `period` 0 of the dispatch.
    pub first: u64,
    /// The pair that `start` belongs to.
    pub pair: u32,
    /// Where in its period that pair's first element lies.
    pub start: u32,
}

/// The decisions of a tensor: memory is periods of `rows` rows of `inner` elements, and the element at
/// (period, row, column) has decision `first + period·per_period + row·per_row + column·per_column`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draws {
    /// The decision of the tensor's first element.
    first: u64,
    /// Elements of a row.
    pub inner: u32,
    /// Rows of a period; `u32::MAX` if the tensor is one endless period.
    pub rows: u32,
    /// Decisions from one period to the next, one row to the next, one column to the next.
    pub per: [u32; 3],
    bits: Bits,
}

/// Periods that are divided by on the GPU are at most this long, so that sums of two places fit 32 bits.
const MAX_PERIOD: u64 = 1 << 30;

impl Draws {
    /// The decisions of `space` under `key`.
    ///
    /// # Errors
    /// As [`first_decision`], and names `space` if a sample or channel is too long to be a period.
    pub fn new(op: &'static str, space: &Space, key: &Key, share: Share, bits: Bits) -> Result<Self, Error> {
        let first = first_decision(op, key, share, space)?;
        let (c, s) = (space.c as u64, space.s as u64);
        // With one channel or one position both orders are the same.
        let last = space.layout == Layout::ChannelsLast && c > 1 && s > 1;
        // Decisions from one sample to the next, one channel to the next, one position to the next.
        let strides = match share {
            Share::Element => [c.saturating_mul(s), s, 1],
            Share::Channel => [c, 1, 0],
            Share::Sample => [1, 0, 0],
            Share::Position => [s, 0, 1],
            Share::BatchElement => [0, s, 1],
            Share::BatchChannel => [0, 1, 0],
            Share::BatchPosition => [0, 0, 1],
            Share::Batch => [0, 0, 0],
        };
        let [by_n, by_c, by_s] = strides;
        let (period, inner, per) = match (share, last) {
            (Share::Element, false) => return Ok(Self { first, inner: 1, rows: u32::MAX, per: [0, 1, 0], bits }),
            // Nothing depends on the place: any period will do.
            (Share::Batch, _) => (MAX_PERIOD, MAX_PERIOD, [0, 0, 0]),
            // Periods shorter than a sample, and rows as long as a sample, where these are enough.
            (Share::Channel, false) => (s, s, [1, 0, 0]),
            (Share::Sample, _) => (c * s, c * s, [1, 0, 0]),
            (Share::BatchElement, false) => (c * s, c * s, [0, 0, 1]),
            (_, false) => (c * s, s, [by_n, by_c, by_s]),
            (_, true) => (c * s, c, [by_n, by_s, by_c]),
        };
        if period > MAX_PERIOD {
            let why =
                format!("has {period} elements in a period of the mask, must have at most 2^30 ({share:?}, {:?})", space.layout);
            return Err(Error::argument(op, "space", why));
        }
        Ok(Self { first, inner: inner as u32, rows: (period / inner.max(1)) as u32, per: per.map(|v| v as u32), bits })
    }

    /// Whether elements follow their decisions, a Philox call to a pair of quads.
    pub fn aligned(&self) -> bool {
        self.rows == u32::MAX && self.first.is_multiple_of(8) && self.bits == Bits::Sixteen
    }

    /// The shader parts that draw.
    pub fn parts(&self, caps: &Caps) -> Vec<Source> {
        vec![mul_wide(caps), if self.aligned() { parts::philox::DRAW_PAIRS } else { parts::philox::DRAW_ANY }]
    }

    /// For a dispatch whose first element is `element`, a multiple of 8.
    pub fn words(&self, element: u64) -> Words {
        let pair = (element / 8) as u32;
        if self.aligned() {
            return Words { first: self.first / 8, pair: 0, start: 0 };
        }
        if self.rows == u32::MAX {
            return Words { first: self.first.wrapping_add(element), pair, start: 0 };
        }
        let period = u64::from(self.inner) * u64::from(self.rows);
        let first = self.first + element / period * u64::from(self.per[0]);
        Words { first, pair, start: (element % period) as u32 }
    }

    /// Philox calls for a pair of quads, at most.
    pub fn calls(&self) -> u64 {
        if self.aligned() { 1 } else { 8 }
    }

    /// The shift that turns a decision into its Philox call.
    pub fn shift(&self) -> u32 {
        if self.bits == Bits::Sixteen { 3 } else { 2 }
    }
}

/// What a call of the generator gives, for draws that the host makes itself: Philox4x32-10 (Salmon et al., "Parallel random numbers: as
/// easy as 1, 2, 3", 2011).
pub fn call(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    (0..10).fold(counter, |[a, b, c, d], round: u32| {
        let [a, c] = [(a, 0xd251_1f53u64), (c, 0xcd9e_8d57)].map(|(word, by)| u64::from(word) * by);
        let [first, second] =
            [(key[0], 0x9e37_79b9u32), (key[1], 0xbb67_ae85)].map(|(key, more)| key.wrapping_add(more.wrapping_mul(round)));
        [(c >> 32) as u32 ^ b ^ first, c as u32, (a >> 32) as u32 ^ d ^ second, a as u32]
    })
}

/// The 64-bit product that suits the device. Both give the same bits.
pub fn mul_wide(caps: &Caps) -> Source {
    if caps.int64() { parts::philox::MUL_WIDE_U64 } else { parts::philox::MUL_WIDE }
}

#[cfg(all(test, feature = "verify"))]
mod tests {
    use super::*;
    use crate::verify::reference;

    /// The authors' known answers, and those of the reference, which was written apart from this.
    #[test]
    fn calls_on_the_host_are_those_of_the_generator() {
        assert_eq!(call([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let pi = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        assert_eq!(call(pi, [0xa409_3822, 0x299f_31d0]), [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
        let mut rng = crate::op::Rng::new(1);
        for _ in 0..1000 {
            let (counter, key) = ([(); 4].map(|()| rng.word()), [(); 2].map(|()| rng.word()));
            assert_eq!(call(counter, key), reference::philox(counter, key), "{counter:?}, {key:?}");
        }
    }

    /// What `lib/philox/draw_any` computes for a place in memory, in 32 bits that must not overflow.
    fn decision(draws: &Draws, dispatch: u64, place: u64) -> u64 {
        let Words { first, pair, start } = draws.words(dispatch);
        let skipped = 8 * ((place / 8) as u32 - pair);
        let at = start.checked_add(skipped).expect("a place in the window fits");
        let length = draws.inner.checked_mul(draws.rows).expect("a period fits");
        let (mut period, mut row, mut column) = (at / length, at % length / draws.inner, at % length % draws.inner);
        for _ in 0..place % 8 {
            column += 1;
            if column == draws.inner {
                (column, row) = (0, row + 1);
            }
            if row == draws.rows {
                (row, period) = (0, period + 1);
            }
        }
        let distance = [period, row, column].iter().zip(draws.per).map(|(&n, per)| u64::from(n) * u64::from(per)).sum::<u64>();
        first + u64::from(u32::try_from(distance).expect("a distance in the window fits"))
    }

    #[test]
    fn places_of_the_largest_tensors_find_their_decisions() {
        let shapes =
            [[1 << 33, 1, 1], [1 << 13, 1 << 10, 1 << 10], [7, 1 << 10, 1 << 20], [10_007, 3, 331_337], [5, 1_000_003, 1009]];
        let key = Key { first_element: 0, ..Key::default() };
        let mut rng = crate::op::Rng::new(1);
        for [n, c, s] in shapes {
            for space in [Space::channels_first(n, c, s), Space::channels_last(n, c, s)] {
                for share in Share::ALL {
                    let draws = Draws::new("x", &space, &key, share, Bits::ThirtyTwo).expect("within the limits");
                    for _ in 0..200 {
                        // A window holds at most 2^30 elements.
                        let dispatch = (rng.unit() * (space.len() - (1 << 30)) as f64) as u64 / 8 * 8;
                        let place = dispatch + (rng.unit() * (1u64 << 30) as f64) as u64;
                        let (c, s) = (space.c as u64, space.s as u64);
                        let logical = match space.layout {
                            Layout::ChannelsFirst => place,
                            Layout::ChannelsLast => (place / (c * s) * c + place % c) * s + place / c % s,
                        };
                        let (n, ch, p) = (logical / (c * s), logical / s % c, logical % s);
                        let want = match share {
                            Share::Element => logical,
                            Share::Channel => n * c + ch,
                            Share::Sample => n,
                            Share::Position => n * s + p,
                            Share::BatchElement => ch * s + p,
                            Share::BatchChannel => ch,
                            Share::BatchPosition => p,
                            Share::Batch => 0,
                        };
                        assert_eq!(decision(&draws, dispatch, place), want, "{space:?}, {share:?}: {place} from {dispatch}");
                    }
                }
            }
        }
    }
}
