//! Gaussian dropout.
use super::*;

#[test]
fn gaussian_dropout_backward_is_the_derivative_of_gaussian_dropout() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(41));
    for p in [0.0, 0.1, 0.5, 0.9] {
        let (x, dy) = (draw(&mut rng, 61, -1.0, 1.0), draw(&mut rng, 61, -1.0, 1.0));
        let deviation = cpu::gaussian_deviation(p);
        let want: Vec<f64> = (0..61)
            .map(|i| {
                let z = cpu::normal(77, 2, 9, 42 + i as u64);
                let d = slope(x[i], |x| dy[i] * cpu::gaussian_dropout(x, z, deviation));
                near("gaussian_dropout_backward", &[cpu::gaussian_dropout_backward(dy[i], z, deviation)], &[d], |_| TOLERANCE);
                d
            })
            .collect();
        let key = Key { seed: 77, stream: 2, step: 9, first_element: 42 };
        let op = ops::GaussianDropout::new(DType::F32, Space::flat(61), p, key).backward();
        gpu_near(&session, &op, &[f32s(&dy), f32s(&[0.0; 61])], &[want], |_, _| 0.0);
    }
}
