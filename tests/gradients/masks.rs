//! Alpha dropout and zoneout.
use super::*;

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
