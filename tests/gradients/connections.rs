//! DropConnect.
use super::*;

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
