//! The dispatches of `lib/samples/map`: a map of every element of a batch that knows its sample, and another sample's element.

use super::draws;
use crate::{
    kernels::partition::{self, Window},
    op::{Arg, ByName, Caps, Lowered, Slot, Step},
    options::{Erasing, Key, Lambda, Partners, Rect, check_held},
    params,
    types::{DType, Error, Layout, Space},
    wgsl::{Decl, Source, Spec, View, parts},
};
use std::ops::Range;

params! {
    SampleParams {
        window: Window, length: u32, at_sample: u32, at_place: u32,
        other_sample: u32, other_samples: u32, other_place: u32, other_end: u32,
        step: u32, positions: u32, width: u32, value: f32
    }
}

/// The most samples of a batch: their numbers travel in one table.
const MAX_SAMPLES: usize = 1 << 20;
/// The most elements of a sample, so that sums of two places fit 32 bits.
const MAX_SAMPLE: u64 = 1 << 30;

/// A batch whose positions are rows of `width`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Images {
    pub space: Space,
    pub width: usize,
}

/// One map over a tensor.
pub(crate) struct Map {
    pub source: Source,
    /// The tensor read and the one written, by their names among the op's arguments.
    pub x: &'static str,
    pub y: &'static str,
    /// Whether the map reads another sample too.
    pub partner: bool,
    pub table: Range<u64>,
    pub value: f32,
}

/// The number of the first sample of a call.
///
/// # Errors
/// Names `key` if its first element is not that of a sample, or is too far out.
pub(crate) fn first_sample(op: &'static str, key: &Key, space: &Space) -> Result<u64, Error> {
    let (first, length) = (key.first_element, (space.c as u64).saturating_mul(space.s as u64).max(1));
    if !first.is_multiple_of(length) {
        return Err(Error::argument(
            op,
            "key",
            format!("has first_element {first}, must be a multiple of {length}, the elements of a sample"),
        ));
    }
    if first / length > 1 << 48 {
        let why = format!("has first_element {first}, that of sample {}: must be at most sample 2^48", first / length);
        return Err(Error::argument(op, "key", why));
    }
    Ok(first / length)
}

impl Images {
    /// A batch without rows: one position after another.
    pub fn flat(space: Space) -> Self {
        Self { space, width: space.s }
    }

    /// Checks the shape: how many samples, how long they are, whether positions are whole rows.
    ///
    /// # Errors
    /// Names `space` or `width`.
    pub fn check(&self, op: &'static str) -> Result<(), Error> {
        let Space { n, c, s, .. } = self.space;
        self.space.check(op)?;
        if n > MAX_SAMPLES {
            let why = format!("has {n} samples, must have at most 2^20: split it, with key.first_element for each part");
            return Err(Error::argument(op, "space", why));
        }
        let length = (c as u64).saturating_mul(s as u64);
        if length > MAX_SAMPLE {
            return Err(Error::argument(op, "space", format!("has {length} elements in a sample, must have at most 2^30")));
        }
        if s > 0 && (self.width == 0 || !s.is_multiple_of(self.width)) {
            let why = format!("is {}, must divide the {s} positions of `space`: it is their columns, W of H·W", self.width);
            return Err(Error::argument(op, "width", why));
        }
        Ok(())
    }

    /// Height and width.
    pub fn sizes(&self) -> [u64; 2] {
        [(self.space.s / self.width.max(1)) as u64, if self.space.s == 0 { 0 } else { self.width as u64 }]
    }

    /// One for each sample, given one for each or one for all.
    ///
    /// # Errors
    /// Names `field` if there are neither one nor as many as samples.
    pub fn each<T: Clone>(&self, op: &'static str, field: &'static str, given: &[T]) -> Result<Vec<T>, Error> {
        let n = self.space.n;
        match given {
            all if all.len() == n => Ok(all.to_vec()),
            [one] => Ok(vec![one.clone(); n]),
            all => {
                let why = format!("gives {}, must give 1 or {n}, one for each sample of `space`", all.len());
                Err(Error::argument(op, field, why))
            }
        }
    }

    /// Checks boxes.
    ///
    /// # Errors
    /// Names `field` and the first one that leaves the image.
    pub fn check_boxes(&self, op: &'static str, field: &'static str, boxes: &[Rect]) -> Result<(), Error> {
        let [height, width] = self.sizes();
        let fits = |start: usize, len: usize, size: u64| start.checked_add(len).is_some_and(|end| end as u64 <= size);
        match boxes.iter().position(|b| !fits(b.top, b.height, height) || !fits(b.left, b.width, width)) {
            None => Ok(()),
            Some(i) => {
                let Rect { top, left, height: h, width: w } = boxes[i];
                let why = format!(
                    "has the box [{i}] of {h} x {w} at row {top}, column {left}: it leaves the image of {height} x {width}"
                );
                Err(Error::argument(op, field, why))
            }
        }
    }

    /// λ of each sample.
    ///
    /// # Errors
    /// Names `field` and the α or λ that is out of range.
    pub fn lambdas(&self, op: &'static str, field: &'static str, lambda: &Lambda, key: &Key) -> Result<Vec<f64>, Error> {
        let (n, first) = (self.space.n, first_sample(op, key, &self.space)?);
        if let Lambda::PerBatch(alpha) | Lambda::PerSample(alpha) = lambda {
            // Written so that NaN fails.
            if !(*alpha > 0.0 && alpha.is_finite()) {
                return Err(Error::argument(
                    op,
                    field,
                    format!("has alpha {alpha}, must be above 0 and finite: Beta(alpha, alpha)"),
                ));
            }
            check_held(op, field, "has alpha", *alpha)?;
        }
        match lambda {
            Lambda::PerBatch(alpha) => Ok(vec![super::beta(key, 0, *alpha); n]),
            Lambda::PerSample(alpha) => Ok((0..n as u64).map(|i| super::beta(key, first + i, *alpha)).collect()),
            Lambda::Given(all) => {
                if let Some(i) = all.iter().position(|v| !(0.0..=1.0).contains(v)) {
                    let why = format!("gives [{i}] = {}, must be in 0..=1: the share of the sample itself", all[i]);
                    return Err(Error::argument(op, field, why));
                }
                all.iter().enumerate().try_for_each(|(i, v)| check_held(op, field, &format!("gives [{i}] ="), *v))?;
                self.each(op, field, all)
            }
        }
    }

    /// The partner of each sample.
    ///
    /// # Errors
    /// Names `partners` and what is no permutation in it.
    pub fn partners(&self, op: &'static str, partners: &Partners, key: &Key) -> Result<Vec<usize>, Error> {
        let n = self.space.n;
        if let Partners::Given(all) = partners {
            let mut seen = vec![false; n];
            let bad = |why| Err(Error::argument(op, "partners", why));
            if all.len() != n {
                return bad(format!("gives {}, must give {n}, one for each sample of `space`", all.len()));
            }
            for (i, &p) in all.iter().enumerate() {
                if p >= n {
                    return bad(format!("gives [{i}] = {p}, must be below {n}, the samples of `space`"));
                }
                if std::mem::replace(&mut seen[p], true) {
                    return bad(format!("gives [{i}] = {p} a second time, must be a permutation"));
                }
            }
        }
        Ok(draws::partners(partners, n, key, first_sample(op, key, &self.space)?))
    }

    /// Appends the dispatches of a map: one, and one for an end that is no whole quad; beyond the binding limit, one for each
    /// pair of windows, of the tensor and of the partners.
    pub fn map(&self, op: &'static str, out: &mut Lowered, caps: &Caps, args: &[Arg], map: &Map) -> Result<(), Error> {
        let (Space { c, s, layout, .. }, len) = (self.space, self.space.len() as u64);
        let (length, dtype) = ((c * s) as u64, args.arg(map.x).dtype);
        let size = dtype.size();
        let aligned = length.is_multiple_of(4);
        let limit = caps.binding_limit() / size;
        let wide = if map.partner && len > limit { limit / partition::WINDOW_ALIGN * partition::WINDOW_ALIGN } else { len };
        let others: Vec<Range<u64>> = (0..len.div_ceil(wide.max(1))).map(|i| i * wide..((i + 1) * wide).min(len)).collect();
        for piece in partition::flat(op, caps, len, size, u64::from(caps.lanes) * u64::from(caps.quads))? {
            for other in &others {
                let decl = |name, view, writes| Decl { name, dtype, view, writes };
                let mut bindings = vec![decl("x", piece.view(), false)];
                let mut slots = vec![piece.of(args, map.x)];
                let mut parts = vec![map.source];
                if map.partner {
                    bindings.push(decl("other", if aligned { View::Quads } else { View::Elements }, false));
                    slots.push(args.bytes(map.x, other.start * size..(other.end * size).next_multiple_of(4)));
                    parts.push(if aligned { parts::samples::PARTNER_QUADS } else { parts::samples::PARTNER_ELEMENTS });
                }
                bindings.push(Decl { name: "table", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false });
                slots.push(Slot::Table(map.table.clone()));
                bindings.push(decl("y", piece.view(), true));
                slots.push(piece.of(args, map.y));
                let split = others.len() > 1;
                let consts =
                    vec![("WG", caps.lanes), ("QUADS", caps.quads), ("ALIGNED", u32::from(aligned)), ("SPLIT", u32::from(split))];
                let (start, from) = (piece.elements.start, other.start);
                out.steps.push(Step {
                    spec: Spec { shader: parts::samples::MAP, entry: "samples", parts, bindings, consts },
                    params: SampleParams {
                        window: piece.window(),
                        length: length as u32,
                        at_sample: (start / length) as u32,
                        at_place: (start % length) as u32,
                        other_sample: (from / length) as u32,
                        other_samples: ((other.end - 1) / length - from / length + 1) as u32,
                        other_place: (from % length) as u32,
                        other_end: (other.end - from) as u32,
                        step: if layout == Layout::ChannelsLast { c as u32 } else { 1 },
                        positions: s as u32,
                        width: self.width as u32,
                        value: map.value,
                    }
                    .into(),
                    slots,
                    workgroups: piece.workgroups(),
                    trips: u64::from(caps.quads) * if aligned { 1 } else { 5 },
                });
            }
        }
        Ok(())
    }
}

/// Checks what random erasing draws from.
///
/// # Errors
/// Names `holes` and the number that is out of range.
pub(crate) fn check_erasing(op: &'static str, of: &Erasing) -> Result<(), Error> {
    let Erasing { p, scale, ratio } = *of;
    let bad = |why| Err(Error::argument(op, "holes", why));
    let ordered = |[low, high]: [f64; 2], most: f64| low <= high && low >= 0.0 && high <= most;
    if !(0.0..=1.0).contains(&p) {
        return bad(format!("has p = {p}, must be in 0..=1: the probability of erasing a sample's rectangle"));
    }
    if !ordered(scale, 1.0) {
        return bad(format!("has scale {scale:?}, must be two shares of the area in 0..=1, the smaller first"));
    }
    if !(ordered(ratio, f64::MAX) && ratio[0] > 0.0) {
        return bad(format!("has ratio {ratio:?}, must be two ratios of height to width above 0, the smaller first"));
    }
    let all = [("p", p), ("scale[0]", scale[0]), ("scale[1]", scale[1]), ("ratio[0]", ratio[0]), ("ratio[1]", ratio[1])];
    all.iter().try_for_each(|(what, v)| check_held(op, "holes", &format!("has {what} ="), *v))
}

/// A table's bytes.
pub(crate) fn table_bytes(rows: impl IntoIterator<Item = [u32; 4]>) -> Vec<u8> {
    rows.into_iter().flatten().flat_map(u32::to_le_bytes).collect()
}

/// A box as the table holds it: top, left, and the row and column behind it.
pub(crate) fn box_row(b: &Rect) -> [u32; 4] {
    [b.top, b.left, b.top + b.height, b.left + b.width].map(|v| v as u32)
}
