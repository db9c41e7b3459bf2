//! The ends of a layer's branch: bias, activation, dropout.
use super::rows::{dot, furthest, gradient};
use super::*;
use ridgepole::{
    Activation, RowNorm,
    ops::{BiasActDropoutAdd, DropoutAddLayerNorm},
};

#[test]
fn bias_act_dropout_add_backward_is_the_derivative_of_the_forward_op() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(31));
    let acts = [
        Activation::None,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.2 },
        Activation::Silu,
        Activation::Gelu,
        Activation::GeluTanh,
    ];
    for (act, space) in acts.into_iter().flat_map(|a| [(a, Space::channels_first(3, 4, 5)), (a, Space::channels_last(3, 4, 5))]) {
        let key = Key { seed: 5, stream: 1, step: 2, first_element: 0 };
        let forward = BiasActDropoutAdd { act, ..BiasActDropoutAdd::new(DType::F32, space, 0.3, key) };
        let (bias, dy) = (draw(&mut rng, 4, -1.0, 1.0), draw(&mut rng, 60, -1.0, 1.0));
        let mut x = draw(&mut rng, 60, -3.0, 3.0);
        let factor = f64::from((1.0 / cpu::keep(0.3, 16)) as f32);
        let (mut want, mut dbias) = (vec![0.0; 60], vec![0.0; 4]);
        for logical in 0..60 {
            let (n, c, s) = (logical / 20, logical / 5 % 4, logical % 5);
            let i = space.offset(n, c, s);
            if (x[i] + bias[c]).abs() < 3.0 * H {
                x[i] += 0.5;
            }
            let kept = cpu::keeps(0.3, 16, 5, 1, 2, logical as u64);
            want[i] = slope(x[i], |x| dy[i] * cpu::bias_act_dropout_add(x, bias[c], 0.25, kept, factor, act));
            let got = cpu::bias_act_dropout_add_backward(x[i], bias[c], dy[i], kept, factor, act);
            near("bias_act_dropout_add_backward", &[got], &[want[i]], |_| TOLERANCE);
            // The residual passes dy on, the bias gets the sum.
            dbias[c] += want[i];
        }
        let mut data = vec![f32s(&dy)];
        if act != Activation::None {
            data.extend([f32s(&x), f32s(&bias)]);
        }
        data.extend([f32s(&[0.0; 60]), f32s(&[0.0; 4])]);
        gpu_near(&session, &forward.backward(), &data, &[want, dbias], |n, _| if n == 1 { 15.0 * TOLERANCE } else { 0.0 });
    }
}

#[test]
fn dropout_add_layer_norm_backward_is_the_derivative_of_the_forward_op() {
    let (session, mut rng, eps, rows, cols) = (Session::new().expect("an adapter"), Rng::new(32), 1e-3, 3, 7);
    for (norm, dz) in [(RowNorm::Layer, false), (RowNorm::Layer, true), (RowNorm::Rms, false), (RowNorm::Rms, true)] {
        let key = Key { seed: 5, stream: 1, step: 3, first_element: 0 };
        let forward = DropoutAddLayerNorm { norm, ..DropoutAddLayerNorm::new(DType::F32, rows, cols, 0.4, key) };
        let factor = f64::from((1.0 / cpu::keep(0.4, 16)) as f32);
        let kept: Vec<bool> = (0..(rows * cols) as u64).map(|i| cpu::keeps(0.4, 16, 5, 1, 3, i)).collect();
        let [x, residual, dy, mut others] = [(); 4].map(|()| draw(&mut rng, rows * cols, -1.0, 1.0));
        let (weight, bias) = (draw(&mut rng, cols, 0.5, 1.5), draw(&mut rng, cols, -1.0, 1.0));
        if !dz {
            others.fill(0.0);
        }
        let layer = norm == RowNorm::Layer;
        // y of a row, its mean (0 where there is none) and inverse root.
        let of = |z: &[f64], w: &[f64], b: &[f64]| {
            if layer {
                return cpu::layer_norm(z, w, b, eps);
            }
            let (y, rstd) = cpu::rms_norm(z, w, 0.0, eps);
            (y, 0.0, rstd)
        };
        let sums = |x: &[f64], r: &[f64]| cpu::dropout_add_layer_norm(x, r, &kept, factor);
        let loss = |x: &[f64], r: &[f64], w: &[f64], b: &[f64]| {
            let z = sums(x, r);
            let y: f64 = z.chunks(cols).zip(dy.chunks(cols)).map(|(z, dy)| dot(&of(z, w, b).0, dy)).sum();
            y + dot(&z, &others)
        };
        let dx = gradient(&x, |x| loss(x, &residual, &weight, &bias));
        let dresidual = gradient(&residual, |r| loss(&x, r, &weight, &bias));
        let dweight = gradient(&weight, |w| loss(&x, &residual, w, &bias));
        let dbias = gradient(&bias, |b| loss(&x, &residual, &weight, b));
        let z = sums(&x, &residual);
        let [mean, rstd] =
            [0, 1].map(|k| z.chunks(cols).map(|z| of(z, &weight, &bias)).map(|s| [s.1, s.2][k]).collect::<Vec<_>>());
        let exact = |z: &[f64], mean: &[f64], rstd: &[f64]| {
            let by_norm = if layer {
                cpu::layer_norm_backward(z, &dy, mean, rstd, &weight)
            } else {
                let (d, w) = cpu::rms_norm_backward(z, &dy, rstd, &weight, 0.0);
                (d, w, dbias.clone())
            };
            let (dx, dresidual) = cpu::dropout_add_layer_norm_backward(&by_norm.0, &others, &kept, factor);
            [dresidual, dx, by_norm.1, by_norm.2]
        };
        let want = [dresidual, dx, dweight, dbias.clone()];
        for (got, want) in exact(&z, &mean, &rstd).iter().zip(&want) {
            near("dropout_add_layer_norm_backward", got, want, |_| 10.0 * TOLERANCE);
        }
        // The op is given what the forward op stored.
        let f32 = |v: &[f64]| v.iter().map(|&v| DType::F32.nearest(v)).collect::<Vec<_>>();
        let given = exact(&f32(&z), &f32(&mean), &f32(&rstd));
        let slack: Vec<f64> = given.iter().zip(&want).map(|(a, b)| furthest(a, b)).collect();
        let mut data = vec![f32s(&z), f32s(&dy)];
        data.extend(layer.then(|| f32s(&mean)));
        data.extend([f32s(&rstd), f32s(&weight)]);
        data.extend(dz.then(|| f32s(&others)));
        let want = &want[..if layer { 4 } else { 3 }];
        data.extend(want.iter().map(|w| f32s(&vec![0.0; w.len()])));
        gpu_near(&session, &forward.backward(dz), &data, want, |n, _| slack[n]);
    }
}
