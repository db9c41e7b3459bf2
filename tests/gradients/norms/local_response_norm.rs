//! Local response normalisation.
use crate::*;
use ridgepole::AlphaForm;

#[test]
fn local_response_norm_backward_is_the_derivative_of_local_response_norm() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(63));
    let choices = [
        (5, 1.0, 0.5, 0.75, AlphaForm::Mean),
        (4, 2.0, 0.3, 0.5, AlphaForm::Sum),
        (3, 1.0, 0.7, 1.0, AlphaForm::Sum),
        (2, 1.5, 0.9, 1.3, AlphaForm::Mean),
    ];
    for (size, k, alpha, beta, alpha_form) in choices {
        for space in [Space::channels_first(2, 7, 4), Space::channels_last(2, 7, 3)] {
            let (x, dy) = (draw(&mut rng, space.len(), -1.0, 2.0), draw(&mut rng, space.len(), -1.0, 1.0));
            let (sides, a) =
                ([size / 2, (size - 1) / 2], if alpha_form == AlphaForm::Mean { alpha / size as f64 } else { alpha });
            let mut want = vec![0.0; space.len()];
            for (n, s) in (0..space.n).flat_map(|n| (0..space.s).map(move |s| (n, s))) {
                let places: Vec<usize> = (0..space.c).map(|c| space.offset(n, c, s)).collect();
                let at = |from: &[f64]| places.iter().map(|&i| from[i]).collect::<Vec<_>>();
                let (x, dy) = (at(&x), at(&dy));
                let dx = gradient(&x, |x| dot(&cpu::local_response_norm(x, sides, k, a, beta), &dy));
                let exact = cpu::local_response_norm_backward(&x, &dy, sides, k, a, beta);
                near(&format!("local_response_norm_backward, size {size}"), &exact, &dx, |_| TOLERANCE);
                places.iter().zip(dx).for_each(|(&i, dx)| want[i] = dx);
            }
            let base = ops::LocalResponseNorm::new(DType::F32, space, size);
            let op = ops::LocalResponseNormBackward::from(ops::LocalResponseNorm { k, alpha, beta, alpha_form, ..base });
            let data = [f32s(&x), f32s(&dy), f32s(&vec![0.0; space.len()])];
            gpu_near(&session, &op, &data, &[want], |_, _| 0.0);
        }
    }
}
