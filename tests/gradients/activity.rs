//! Penalties on the activations of a batch.
use super::*;
use ridgepole::Per;

#[test]
fn penalty_grad_per_sample_is_the_derivative_of_penalty_per_sample() {
    let (session, mut rng, batch) = (Session::new().expect("an adapter"), Rng::new(41), 7);
    let groups = vec![KINDS[3], KINDS[2]];
    let x: Vec<f64> = draw(&mut rng, 61, -1.0, 1.0).iter().map(|v| if v.abs() < 3.0 * H { 0.5 } else { *v }).collect();
    let grad = draw(&mut rng, 61, -1.0, 1.0);
    // The whole value, as the op's own reference has it: the division is part of what is differentiated.
    let value = ops::Penalty { per: Per::Batch(batch), ..ops::Penalty::new(DType::F32, segments(), groups.clone()) };
    let omega = |i: usize, v: f64| {
        let mut moved = x.clone();
        moved[i] = v;
        segments().iter().fold(0.0, |sum, s| {
            let g = &groups[s.group];
            let terms = moved[s.start..s.start + s.len].iter().map(|&x| cpu::penalty(g.l1, g.square_factor(), x));
            sum + terms.sum::<f64>() / batch as f64
        })
    };
    let Expected::Within { value: whole, .. } = &value.reference(&[f32s(&x), f32s(&[0.0])])[0] else { panic!("a float") };
    near("penalty per sample", whole, &[omega(0, x[0])], |_| TOLERANCE);
    let mut want = grad.clone();
    for i in segments().iter().flat_map(|s| s.start..s.start + s.len) {
        want[i] += slope(x[i], |v| omega(i, v));
    }
    let op = ops::PenaltyGrad { per: Per::Batch(batch), ..ops::PenaltyGrad::new(DType::F32, segments(), groups) };
    gpu_near(&session, &op, &[f32s(&x), f32s(&grad)], &[want], |_, _| 0.0);
}
