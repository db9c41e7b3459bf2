//! Dense layers of many models: gradients against differences of the forward, through the ReLU and the dropout in front.
use crate::{TOLERANCE, draw, f32s, gpu_near, near, slope};
use ridgepole::{DType, HostData, Rng, Session, cpu, ops};

const MODELS: usize = 3;
const ROWS: usize = 5;
const INPUTS: usize = 8;
const OUTPUTS: usize = 4;

/// The factor of each value that the dropout lets through: 1/(1 - p). Of p that f32 holds exactly.
const P: [f64; MODELS] = [0.0, 0.5, 0.75];

fn column(w: &[f64], o: usize) -> Vec<f64> {
    w.iter().skip(o).step_by(OUTPUTS).copied().collect()
}

/// Σ dy·y of one row and model, of the values in front of ReLU and dropout.
fn loss(z: &[f64], kept: &[bool], p: f64, w: &[f64], dy: &[f64]) -> f64 {
    let h = layer_input(z, kept, p);
    let y = |o: usize| {
        let weights = column(w, o);
        cpu::batched_dense(&h, &weights[..INPUTS], weights[INPUTS])
    };
    (0..OUTPUTS).map(|o| dy[o] * y(o)).sum()
}

fn layer_input(z: &[f64], kept: &[bool], p: f64) -> Vec<f64> {
    z.iter().zip(kept).map(|(z, kept)| if *kept { z.max(0.0) / (1.0 - p) } else { 0.0 }).collect()
}

#[test]
fn gradients_are_the_derivatives_of_the_forward() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(41));
    // Not near the kink of the ReLU.
    let z: Vec<f64> =
        draw(&mut rng, ROWS * MODELS * INPUTS, -1.0, 1.0).iter().map(|z| DType::F32.nearest(z + 0.25 * z.signum())).collect();
    let kept: Vec<bool> = (0..z.len()).map(|i| P[i / INPUTS % MODELS] == 0.0 || rng.word() % 2 == 0).collect();
    let weights = (INPUTS + 1) * OUTPUTS;
    let w = draw(&mut rng, MODELS * weights, -1.0, 1.0);
    let dy = draw(&mut rng, ROWS * MODELS * OUTPUTS, -1.0, 1.0);
    let mut dz = vec![0.0; z.len()];
    let mut dw = vec![0.0; w.len()];
    let mut gate = vec![0.0; z.len()];
    for m in 0..MODELS {
        let own = &w[m * weights..][..weights];
        let rows: Vec<usize> = (0..ROWS).map(|r| r * MODELS + m).collect();
        let [z, g] = [&z, &dy].map(|of| {
            let width = of.len() / ROWS / MODELS;
            rows.iter().map(|at| of[at * width..][..width].to_vec()).collect::<Vec<_>>()
        });
        let kept: Vec<&[bool]> = rows.iter().map(|at| &kept[at * INPUTS..][..INPUTS]).collect();
        for r in 0..ROWS {
            let h = layer_input(&z[r], kept[r], P[m]);
            gate[rows[r] * INPUTS..][..INPUTS].copy_from_slice(&h);
            for i in 0..INPUTS {
                let along = |v: f64| {
                    let mut z = z[r].clone();
                    z[i] = v;
                    loss(&z, kept[r], P[m], own, &g[r])
                };
                let d = slope(z[r][i], along);
                let got = cpu::batched_dense_input_grad(&g[r], &own[i * OUTPUTS..][..OUTPUTS], h[i], P[m]);
                near("batched_dense_input_grad", &[got], &[d], |_| TOLERANCE);
                dz[rows[r] * INPUTS + i] = d;
            }
        }
        for k in 0..weights {
            let along = |v: f64| {
                let mut w = own.to_vec();
                w[k] = v;
                (0..ROWS).map(|r| loss(&z[r], kept[r], P[m], &w, &g[r])).sum()
            };
            let d = slope(own[k], along);
            let (i, o) = (k / OUTPUTS, k % OUTPUTS);
            let input = |r: usize| if i < INPUTS { gate[rows[r] * INPUTS + i] } else { 1.0 };
            let x: Vec<f64> = (0..ROWS).map(input).collect();
            let slopes: Vec<f64> = g.iter().map(|g| g[o]).collect();
            near("batched_dense_weight_grad", &[cpu::batched_dense_weight_grad(&x, &slopes)], &[d], |_| TOLERANCE);
            dw[m * weights + k] = d;
        }
    }
    let empty = |n: usize| HostData::F32(vec![0.0; n]);
    let (models, rows, inputs, outputs, bias) = (MODELS, ROWS, INPUTS, OUTPUTS, true);
    // Powers of 2 divide exactly: the outputs of the dropout are f32 numbers, and so is 1/(1 - p).
    let op = ops::BatchedDenseInputGrad { models, rows, inputs, outputs, bias };
    gpu_near(&session, &op, &[f32s(&dy), f32s(&w), f32s(&gate), f32s(&P), empty(dz.len())], &[dz], |_, _| 0.0);
    let op = ops::BatchedDenseWeightGrad { models, rows, inputs, outputs, bias };
    gpu_near(&session, &op, &[f32s(&gate), f32s(&dy), empty(dw.len())], &[dw], |_, _| 0.0);
}
