//! Spectral normalisation.
use crate::*;

#[test]
fn spectral_norm_backward_is_the_derivative_of_spectral_norm_with_its_vectors_kept() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(61));
    for (rows, cols) in [(3, 8), (5, 3), (4, 4), (1, 5)] {
        let (w, dy) = (draw(&mut rng, rows * cols, -0.5, 1.0), draw(&mut rng, rows * cols, -1.0, 1.0));
        let (u, v) = (draw(&mut rng, rows, 0.2, 0.8), draw(&mut rng, cols, 0.2, 0.8));
        let lines = |w: &[f64]| w.chunks(cols).map(<[f64]>::to_vec).collect::<Vec<_>>();
        let sigma = |w: &[f64]| cpu::spectral_norm(&lines(w), &u, &v, 0, 1e-12).2;
        let loss = |w: &[f64]| dot(w, &dy) / sigma(w);
        let want = gradient(&w, loss);
        let exact = cpu::spectral_norm_backward(&w, &dy, &u, &v, sigma(&w));
        let scale = want.iter().fold(1.0, |a: f64, d| a.max(d.abs()));
        near("spectral_norm_backward", &exact, &want, |_| 100.0 * TOLERANCE * scale);
        let given = DType::F32.nearest(sigma(&w));
        let slack = furthest(&cpu::spectral_norm_backward(&w, &dy, &u, &v, given), &want);
        let data = [f32s(&w), f32s(&dy), f32s(&u), f32s(&v), f32s(&[given]), f32s(&vec![0.0; w.len()])];
        let op = ops::SpectralNormBackward::new(DType::F32, rows, cols);
        gpu_near(&session, &op, &data, &[want], |_, _| slack);
    }
}
