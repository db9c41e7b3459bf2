//! Losses, and ReLU with dropout, of models side by side.
use crate::{TOLERANCE, draw, f32s, gpu_near, near, slope};
use ridgepole::{BatchedLossKind, HostData, Key, Rng, Session, cpu, ops};

const MODELS: usize = 3;
const ROWS: usize = 4;
const COLUMNS: usize = 5;
const PADDED: usize = 8;

#[test]
fn gradients_of_losses_are_their_derivatives() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(31));
    for loss in [BatchedLossKind::CrossEntropy, BatchedLossKind::SquaredError] {
        let len = ROWS * MODELS * PADDED;
        let prediction = draw(&mut rng, len, -2.0, 2.0);
        let mut weight = draw(&mut rng, ROWS * MODELS, -0.5, 1.0);
        weight[4] = 0.0;
        let mut target = draw(&mut rng, len, 0.0, 1.0);
        if loss == BatchedLossKind::CrossEntropy {
            // Shares of eighths, exact in f32; they add up to 1, as the gradient supposes.
            for (row, t) in target.chunks_mut(PADDED).enumerate() {
                t[..COLUMNS].fill(0.0);
                t[row % COLUMNS] += 0.625;
                t[(row * 2 + 1) % COLUMNS] += 0.375;
            }
        }
        let (mut grad, mut sums) = (vec![0.0; len], vec![0.0; MODELS]);
        for place in 0..ROWS * MODELS {
            let at = place * PADDED..place * PADDED + COLUMNS;
            let (p, t, w) = (&prediction[at.clone()], &target[at.clone()], weight[place]);
            let (value, exact, _) = cpu::batched_loss(loss, p, t);
            sums[place % MODELS] += w * value;
            for j in 0..COLUMNS {
                let along = |v: f64| {
                    let mut p = p.to_vec();
                    p[j] = v;
                    cpu::batched_loss(loss, &p, t).0
                };
                let d = slope(p[j], along);
                near("batched_loss", &[exact[j]], &[d], |_| TOLERANCE);
                grad[at.start + j] = w * d;
            }
        }
        let op = ops::BatchedLoss { loss, models: MODELS, rows: ROWS, columns: COLUMNS };
        let data = [f32s(&prediction), f32s(&target), f32s(&weight), f32s(&grad), f32s(&sums), f32s(&sums)];
        let right = ridgepole::Verify::reference(&op, &data).pop().expect("three outputs");
        let ridgepole::Expected::Within { value: right, .. } = right else { panic!("no values") };
        gpu_near(&session, &op, &data, &[grad, sums, right], |_, _| 0.0);
    }
}

#[test]
fn batched_relu_dropout_backward_is_the_derivative_of_batched_relu_dropout() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(32));
    let (len, p) = (ROWS * MODELS * PADDED, [0.0, 0.375, 1.0]);
    // Away from the kink.
    let x: Vec<f64> = draw(&mut rng, len, -1.0, 1.0).iter().map(|v| if v.abs() < 0.01 { 0.5 } else { *v }).collect();
    let dy = draw(&mut rng, len, -1.0, 1.0);
    let (mut y, mut want) = (vec![0.0; len], vec![0.0; len]);
    for i in 0..len {
        let (row, m, unit) = (i / PADDED / MODELS, i / PADDED % MODELS, i % PADDED);
        let kept = cpu::keeps(p[m], 32, 5, 0, 9, (row * PADDED + unit) as u64);
        y[i] = cpu::batched_relu_dropout(x[i], p[m], kept);
        want[i] = slope(x[i], |x| dy[i] * cpu::batched_relu_dropout(x, p[m], kept));
        near("batched_relu_dropout_backward", &[cpu::batched_relu_dropout_backward(dy[i], y[i], p[m])], &[want[i]], |_| {
            TOLERANCE
        });
    }
    let key = Key { seed: 5, step: 9, ..Key::default() };
    let op = ops::BatchedReluDropout { models: MODELS, rows: ROWS, width: PADDED, key, training: true };
    gpu_near(&session, &op, &[f32s(&x), f32s(&p), f32s(&y)], std::slice::from_ref(&y), |_, _| 0.0);
    let empty = HostData::F32(vec![0.0; len]);
    gpu_near(&session, &op.backward(), &[f32s(&dy), f32s(&y), f32s(&p), empty], &[want], |_, _| 0.0);
}
