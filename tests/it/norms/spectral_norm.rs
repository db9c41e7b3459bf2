//! Spectral normalisation of weights whose vectors are long.
use ridgepole::{DType, Session, Verify, check, ops::SpectralNorm};

/// Where workgroups have 8 lanes, the squares of such a vector are summed by 626 of them, and by a reduction level that leaves
/// two partials, 512 entries apart, to those that need the norm. A binding of 64 KiB, as small as any that the cross-check
/// pretends, does not hold so many.
#[test]
fn norms_of_long_vectors_are_merged_from_several_partials() {
    let session = Session::new().expect("an adapter");
    for (rows, cols, iterations) in [(1, 5001, 1), (5001, 1, 2), (3, 5001, 1), (5001, 1, 0)] {
        let op = SpectralNorm { iterations, ..SpectralNorm::new(DType::F32, rows, cols) };
        for pattern in op.patterns() {
            let run = check::Case::new(&op, pattern, 7).run(session.gpu(), session.queue());
            assert_eq!(run, Ok(()), "{op:?}, {pattern:?}");
        }
    }
}
