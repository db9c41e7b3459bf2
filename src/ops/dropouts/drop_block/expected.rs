//! What DropBlock must give, forward and backward.
use crate::{
    op::Expected,
    ops::dropouts::shared::{
        drop_block_mask::Squares,
        expected::{self, numbers},
    },
    options::{Key, Share},
    types::{DType, HostData},
    verify::reference,
};

/// Which decisions keep, and which elements, in the order of memory.
pub(in crate::ops) fn images(squares: &Squares) -> (Vec<bool>, Vec<bool>) {
    let Squares { space, side, p, key, share, .. } = *squares;
    let (sizes, mut decisions) = (squares.sizes(), Vec::new());
    if squares.total() == 0 {
        return (vec![], vec![]);
    }
    // The first sample's number in the whole, where samples have squares of their own, gives its first decision.
    let first = match share {
        Share::Element => key.first_element,
        Share::Position => key.first_element / space.c as u64,
        _ => 0,
    };
    let gamma = reference::block_gamma(p, side, sizes);
    for image in 0..(squares.total() / space.s) as u64 {
        let at = first + image * space.s as u64;
        let begins =
            |i: usize, j: usize| !reference::keeps(gamma, 32, key.seed, key.stream, key.step, at + (i * sizes[1] + j) as u64);
        decisions.extend(reference::block_kept(side, sizes, begins));
    }
    let kept = of_elements(squares, &decisions);
    (decisions, kept)
}

/// Which elements are kept by these decisions, in the order of memory.
pub(in crate::ops) fn of_elements(squares: &Squares, decisions: &[bool]) -> Vec<bool> {
    let key = Key { first_element: 0, ..squares.key };
    numbers(&squares.space, &key, squares.share).into_iter().map(|i| decisions[i as usize]).collect()
}

/// What the kernel's factor may be off by: 2.5 ulp of the quotient and one for each count, and what these do together.
pub(in crate::ops) fn factor_bound(factor: f64) -> f64 {
    5.0 * DType::F32.epsilon() * factor
}

/// A product with a factor that is off by no more than `error` where kept, +0 where not.
pub(in crate::ops) fn scaled(
    x: &HostData,
    kept: &[bool],
    (factor, error): (f64, f64),
    one: fn(f64, bool, f64) -> f64,
) -> Expected {
    let factor = crate::verify::Approx { value: factor, error };
    let item = |(x, &kept): (f64, &bool)| {
        let error = if kept { crate::verify::Approx::exact(x).times(factor).error } else { 0.0 };
        crate::verify::Approx { value: one(x, kept, factor.value), error }
    };
    expected::within(x.dtype(), x.to_f64().into_iter().zip(kept).map(item))
}
