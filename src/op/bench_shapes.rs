//! Shapes of bench cases: how they grow with the number of elements that is asked for.
//!
//! What a model fixes stays as it is, the values of a row or the channels of a layer, and the batch grows; weights grow both ways.
//! The count comes as near to the size as whole rows, samples and quads allow: models have no others, and lengths that are no
//! whole quads take other kernels.
use crate::types::{Rows, Segment, Space};

/// How many of `one` come nearest to `elements`: at least 1.
fn times(elements: usize, one: usize) -> usize {
    ((elements + one / 2) / one).max(1)
}

/// The nearest multiple of 4, at least 4.
fn quads(len: usize) -> usize {
    4 * times(len, 4)
}

/// Rows of `cols` values; a single shorter one where the size is smaller than a row.
pub(crate) fn rows(elements: usize, cols: usize) -> Rows {
    let cols = cols.min(elements).max(1);
    Rows::new(times(elements, cols), cols)
}

/// A weight whose sides are in proportion as these.
pub(crate) fn matrix(elements: usize, [rows, cols]: [usize; 2]) -> Rows {
    let side = (elements as f64 * cols as f64 / rows as f64).sqrt();
    let cols = quads(side.round() as usize);
    Rows::new(times(elements, cols), cols)
}

/// A weight in proportion as this one until it has as many rows; larger ones have longer rows.
pub(crate) fn vectors(elements: usize, [rows, cols]: [usize; 2]) -> Rows {
    let rows = matrix(elements, [rows, cols]).rows.min(rows);
    Rows::new(rows, quads(times(elements, rows)))
}

/// A layer's batch, channels first and channels last: `n` samples or a multiple, of `c` channels of `s` positions. Where the
/// size is smaller than `n` of these, positions become fewer, down to `least`, then channels.
pub(crate) fn batch(elements: usize, [n, c, s]: [usize; 3], least: usize) -> [Space; 2] {
    let whole = n * c * s;
    let [n, c, s] = if elements < whole {
        [n, times(elements, n * least).min(c), quads(elements / (n * c)).clamp(least, s)]
    } else {
        [n * times(elements, whole), c, s]
    };
    [Space::channels_first(n, c, s), Space::channels_last(n, c, s)]
}

/// As [`batch`], of square images of this side, and their width. Smaller ones have rows of whole quads, as those of models, and
/// are as high as makes them about square; `least` is 16 or more, so that there is a quad.
pub(crate) fn images(elements: usize, [n, c, side]: [usize; 3], least: usize) -> ([Space; 2], usize) {
    let spaces = batch(elements, [n, c, side * side], least);
    let width = spaces[0].s.isqrt() / 4 * 4;
    (spaces.map(|space| Space { s: space.s / width * width, ..space }), width)
}

/// The tensors of a model in one arena: 300, each longer than the one before, the last about 160 times as long as the first.
/// None is empty. Together they have as many elements as asked for (at least 300), without what lies between them.
pub(crate) fn tensors(elements: usize) -> Vec<Segment> {
    const COUNT: usize = 300;
    let (ratio, rest) = (160f64.powf(1.0 / (COUNT - 1) as f64), elements.saturating_sub(COUNT) as f64);
    // Where tensor i begins: sums of the series are rounded, not its members, so that nothing gets lost.
    let sum = |i: usize| ratio.powi(i as i32) - 1.0;
    let start = |i: usize| i + (rest * sum(i) / sum(COUNT)).round() as usize;
    let lens: Vec<usize> = (0..COUNT).map(|i| start(i + 1) - start(i)).collect();
    Segment::pack(&lens, 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(of: [Space; 2]) -> [usize; 3] {
        let [first, last] = of;
        assert_eq!((first.n, first.c, first.s), (last.n, last.c, last.s));
        [first.n, first.c, first.s]
    }

    #[test]
    fn rows_keep_their_length_until_the_size_is_shorter() {
        let of = |elements| (rows(elements, 1024).rows, rows(elements, 1024).cols);
        assert_eq!([1000, 1024, 2500, 1 << 22].map(of), [(1, 1000), (1, 1024), (2, 1024), (4096, 1024)]);
    }

    #[test]
    fn weights_keep_their_proportions_and_vectors_their_number() {
        assert_eq!(matrix(1 << 22, [4096, 1024]), Rows::new(4096, 1024));
        assert_eq!(matrix(1 << 10, [4, 1]), Rows::new(64, 16));
        assert_eq!(matrix(1 << 22, [1, 9]), Rows::new(683, 6144));
        assert_eq!(vectors(1 << 12, [256, 256]), Rows::new(64, 64));
        assert_eq!(vectors(1 << 22, [256, 256]), Rows::new(256, 1 << 14));
    }

    #[test]
    fn a_batch_loses_samples_first_then_positions_then_channels() {
        let of = |elements| shape(batch(elements, [2, 64, 3136], 16));
        assert_eq!(of(1 << 22), [20, 64, 3136]);
        assert_eq!(of(401_408), [2, 64, 3136]);
        assert_eq!(of(401_407), [2, 64, 3136]);
        assert_eq!(of(1 << 16), [2, 64, 512]);
        assert_eq!(of(1 << 11), [2, 64, 16]);
        assert_eq!(of(1 << 10), [2, 32, 16]);
    }

    #[test]
    fn images_are_rows_of_whole_quads() {
        let of = |elements| (shape(images(elements, [2, 3, 224], 16).0), images(elements, [2, 3, 224], 16).1);
        assert_eq!(of(1 << 22), ([28, 3, 224 * 224], 224));
        assert_eq!(of(1 << 16), ([2, 3, 105 * 104], 104));
        assert_eq!(of(1 << 10), ([2, 3, 14 * 12], 12));
    }

    #[test]
    fn the_tensors_of_a_model_have_the_size_together() {
        for elements in [1 << 10, 999_999, 1 << 22, 1 << 26] {
            let lens: Vec<usize> = tensors(elements).iter().map(|s| s.len).collect();
            assert_eq!((lens.len(), lens.iter().sum::<usize>()), (300, elements));
            // Those at the ends, where rounding to whole elements does not show.
            if elements > 1 << 20 {
                assert_eq!((lens[299] as f64 / lens[0] as f64).round(), 160.0, "{elements}");
            }
            assert!(lens[0] >= 1);
        }
    }
}
