//! Soft orthogonality.
use super::rows::gradient;
use super::*;
use ridgepole::Gram;

/// The vectors of a weight, as the op's documentation has them.
fn vectors(w: &[f64], cols: usize, by_row: bool) -> Vec<Vec<f64>> {
    let rows: Vec<Vec<f64>> = w.chunks(cols).map(<[f64]>::to_vec).collect();
    if by_row { rows } else { (0..cols).map(|c| rows.iter().map(|r| r[c]).collect()).collect() }
}

#[test]
fn orthogonal_penalty_grad_is_the_derivative_of_orthogonal_penalty() {
    let (session, mut rng, lambda) = (Session::new().expect("an adapter"), Rng::new(51), 0.25);
    for (rows, cols, gram, by_row) in [
        (3, 8, Gram::Rows, true),
        (5, 3, Gram::Rows, true),
        (3, 5, Gram::Columns, false),
        (6, 4, Gram::Smaller, false),
        (4, 4, Gram::Smaller, true),
    ] {
        let (w, grad) = (draw(&mut rng, rows * cols, -0.6, 0.6), draw(&mut rng, rows * cols, -1.0, 1.0));
        let value = |w: &[f64]| lambda * cpu::orthogonal_penalty(&vectors(w, cols, by_row));
        let op = ops::OrthogonalPenalty { gram, ..ops::OrthogonalPenalty::new(DType::F32, rows, cols, lambda) };
        let Expected::Within { value: whole, .. } = &op.reference(&[f32s(&w), f32s(&[0.0])])[0] else { panic!("a float") };
        near("orthogonal_penalty", whole, &[value(&w)], |_| TOLERANCE);
        let want: Vec<f64> = gradient(&w, value).iter().zip(&grad).map(|(d, g)| g + d).collect();
        let op = ops::OrthogonalPenaltyGrad { gram, ..ops::OrthogonalPenaltyGrad::new(DType::F32, rows, cols, lambda) };
        let data = [f32s(&w), f32s(&grad)];
        let Expected::Within { value: reference, .. } = &op.reference(&data)[0] else { panic!("a float") };
        near("orthogonal_penalty_grad", reference, &want, |_| TOLERANCE);
        gpu_near(&session, &op, &data, &[want], |_, _| 0.0);
    }
}
