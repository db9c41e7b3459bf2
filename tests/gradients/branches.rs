//! The ends of a layer's branch: bias, activation, dropout.
use super::*;
use ridgepole::{Nonlinearity, ops::BiasActDropoutAdd};

#[test]
fn bias_act_dropout_add_backward_is_the_derivative_of_the_forward_op() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(31));
    let acts = [
        Nonlinearity::None,
        Nonlinearity::Relu,
        Nonlinearity::LeakyRelu { slope: 0.2 },
        Nonlinearity::Silu,
        Nonlinearity::Gelu,
        Nonlinearity::GeluTanh,
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
        if act != Nonlinearity::None {
            data.extend([f32s(&x), f32s(&bias)]);
        }
        data.extend([f32s(&[0.0; 60]), f32s(&[0.0; 4])]);
        gpu_near(&session, &forward.backward(), &data, &[want, dbias], |n, _| if n == 1 { 15.0 * TOLERANCE } else { 0.0 });
    }
}
