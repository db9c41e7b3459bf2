//! Dropout and its relatives, and the fused ends of a layer's branch.
use super::*;
use ridgepole::{
    Activation, RowNorm,
    ops::{BiasActDropoutAdd, DropoutAddLayerNorm},
};

#[test]
fn dropout_backward_is_the_derivative_of_dropout() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(3));
    let last = Space::channels_last(3, 5, 4);
    let spaces = [Space::channels_first(3, 5, 4), last];
    let (seed, stream, step) = (77, 2, 9);
    for space in spaces {
        for (share, shared) in [(Share::Element, 1), (Share::Channel, 4), (Share::Sample, 20)] {
            for (p, scaling) in
                [(0.5, Scaling::Inverted), (0.3, Scaling::Inverted), (0.3, Scaling::ScaleAtTest), (1.0, Scaling::Inverted)]
            {
                let first = 40;
                let (x, dy) = (draw(&mut rng, 60, -1.0, 1.0), draw(&mut rng, 60, -1.0, 1.0));
                let factor = if scaling == Scaling::Inverted { 1.0 / cpu::keep(p, 16) } else { 1.0 };
                let mut want = vec![f64::NAN; 60];
                for logical in 0..60u64 {
                    let (n, c, s) = (logical as usize / 20, logical as usize / 4 % 5, logical as usize % 4);
                    let kept = cpu::keeps(p, 16, seed, stream, step, (first + logical) / shared);
                    let i = space.offset(n, c, s);
                    want[i] = slope(x[i], |x| dy[i] * cpu::dropout(x, kept, factor));
                    near("dropout_backward", &[cpu::dropout_backward(dy[i], kept, factor)], &[want[i]], |_| TOLERANCE);
                }
                let key = Key { seed, stream, step, first_element: first };
                let op = ops::Dropout { share, scaling, ..ops::Dropout::new(DType::F32, space, p, key) }.backward();
                gpu_near(&session, &op, &[f32s(&dy), f32s(&[0.0; 60])], &[want], |_, _| 0.0);
            }
        }
    }
    assert_eq!(last.layout, Layout::ChannelsLast);
}

const KEY: Key = Key { seed: 77, stream: 2, step: 9, first_element: 40 };

#[test]
fn alpha_dropout_backward_is_the_derivative_of_alpha_dropout() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(31));
    for p in [0.1, 0.5, 1.0] {
        let (x, dy) = (draw(&mut rng, 61, -1.0, 1.0), draw(&mut rng, 61, -1.0, 1.0));
        let realised = 1.0 - cpu::keep(p, 16);
        let want: Vec<f64> = (0..61)
            .map(|i| {
                let kept = cpu::keeps(p, 16, 77, 2, 9, 40 + i as u64);
                let d = slope(x[i], |x| dy[i] * cpu::alpha_dropout(x, kept, realised));
                near("alpha_dropout_backward", &[cpu::alpha_dropout_backward(dy[i], kept, realised)], &[d], |_| TOLERANCE);
                d
            })
            .collect();
        let op = ops::AlphaDropout::new(DType::F32, Space::flat(61), p, KEY).backward();
        gpu_near(&session, &op, &[f32s(&dy), f32s(&[0.0; 61])], &[want], |_, _| 0.0);
    }
}

#[test]
fn zoneout_backward_is_the_derivative_of_zoneout() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(32));
    for (p, training) in [(0.1, true), (0.5, true), (0.0, true), (1.0, true), (0.3, false), (1.0, false)] {
        let [x, previous, dy] = [(); 3].map(|()| draw(&mut rng, 61, -1.0, 1.0));
        let keep = cpu::keep(p, 16);
        let (mut dx, mut dprevious) = (Vec::new(), Vec::new());
        for i in 0..61 {
            let kept = cpu::keeps(p, 16, 77, 2, 9, 40 + i as u64);
            let y = |x, previous| {
                dy[i] * if training { cpu::zoneout(x, previous, kept) } else { cpu::zoneout_mean(x, previous, keep) }
            };
            let d = [slope(x[i], |x| y(x, previous[i])), slope(previous[i], |v| y(x[i], v))];
            let got = if training { cpu::zoneout_backward(dy[i], kept) } else { cpu::zoneout_mean_backward(dy[i], keep) };
            near("zoneout_backward", &got, &d, |_| TOLERANCE);
            dx.push(d[0]);
            dprevious.push(d[1]);
        }
        let forward = ops::Zoneout { training, ..ops::Zoneout::new(DType::F32, Space::flat(61), p, KEY) };
        let zeros = f32s(&[0.0; 61]);
        gpu_near(&session, &forward.backward(), &[f32s(&dy), zeros.clone(), zeros], &[dx, dprevious], |_, _| 0.0);
    }
}

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

#[test]
fn drop_block_backward_is_the_derivative_of_drop_block() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(47));
    let key = Key { seed: 77, stream: 2, step: 9, first_element: 126 };
    for (space, block) in [(Space::channels_first(2, 3, 42), 3), (Space::channels_last(2, 3, 42), 2)] {
        let mut kept = Vec::new();
        for image in 0..6u64 {
            let begins = |i: usize, j: usize| {
                let number = 126 + 42 * image + (7 * i + j) as u64;
                !cpu::keeps(cpu::block_gamma(0.3, block, [6, 7]), 32, 77, 2, 9, number)
            };
            kept.extend(cpu::block_kept(block, [6, 7], begins));
        }
        let factor = DType::F32.nearest(cpu::block_factor(&kept));
        assert!(factor > 1.0, "nothing is dropped");
        let (x, dy) = (draw(&mut rng, 252, -1.0, 1.0), draw(&mut rng, 252, -1.0, 1.0));
        let mut want = vec![0.0; 252];
        for (i, &kept) in kept.iter().enumerate() {
            let at = space.offset(i / 126, i / 42 % 3, i % 42);
            want[at] = slope(x[at], |x| dy[at] * cpu::drop_block(x, kept, factor));
            near("drop_block_backward", &[cpu::drop_block_backward(dy[at], kept, factor)], &[want[at]], |_| TOLERANCE);
        }
        let op = ops::DropBlock::new(DType::F32, space, 7, block, 0.3, key).backward();
        gpu_near(&session, &op, &[f32s(&dy), f32s(&[factor]), f32s(&[0.0; 252])], &[want], |_, _| 0.0);
    }
}

#[test]
fn drop_connect_backward_is_the_derivative_of_drop_connect() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(43));
    let key = Key { seed: 77, stream: 2, step: 9, first_element: 14 };
    for (p, scaling) in
        [(0.5, Scaling::Inverted), (0.3, Scaling::ScaleAtTest), (0.0, Scaling::Inverted), (1.0, Scaling::Inverted)]
    {
        for accumulate in [false, true] {
            let factor = if scaling == Scaling::Inverted { 1.0 / cpu::keep(p, 16) } else { 1.0 };
            // Weight and bias: where their decisions start.
            let tensor = |rng: &mut Rng, len: usize, first: u64| {
                let [w, d, there] = [(); 3].map(|()| draw(rng, len, -1.0, 1.0));
                let want: Vec<f64> = (0..len)
                    .map(|i| {
                        let kept = cpu::keeps(p, 16, 77, 2, 9, first + i as u64);
                        let by = slope(w[i], |w| d[i] * cpu::drop_connect(w, kept, factor));
                        let got = cpu::drop_connect_backward(d[i], 0.0, kept, factor);
                        near("drop_connect_backward", &[got], &[by], |_| TOLERANCE);
                        by + if accumulate { there[i] } else { 0.0 }
                    })
                    .collect();
                (f32s(&d), f32s(&there), want)
            };
            let (dw, weight, want_weight) = tensor(&mut rng, 63, 14);
            let (db, bias, want_bias) = tensor(&mut rng, 9, (1 << 63) + 2);
            let forward = ops::DropConnect { bias: true, scaling, ..ops::DropConnect::new(DType::F32, [9, 7], p, key) };
            let op = ops::DropConnectBackward { accumulate, ..forward.backward() };
            gpu_near(&session, &op, &[dw, db, weight, bias], &[want_weight, want_bias], |_, _| 0.0);
        }
    }
}

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
