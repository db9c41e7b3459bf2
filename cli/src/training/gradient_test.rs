//! The gradients that a training step leaves on the GPU, against finite differences of the same networks in f64.
use super::{
    Member, Recipe, Shape,
    model::{Model, Rows},
    network::{self, Layer, Layout},
};
use crate::op_chain::Chain;
use ridgepole::{DType, HostData, Key, Rng, Session, Space, ops::Dropout};

const ROWS: usize = 12;
const STEP: u64 = 3;
const SEED: u64 = 77;

/// One of the networks, with its parameters as a layout of one model has them.
struct Net {
    layers: Vec<Layer>,
    outputs: usize,
    classes: bool,
    /// The factor by which dropout multiplies each hidden unit, layer by layer.
    masks: Vec<Vec<f64>>,
}

impl Net {
    /// Mean loss over the batch, written as the formulas read.
    fn loss(&self, params: &[f64], x: &[f64], t: &[f64]) -> f64 {
        let mut a = x.to_vec();
        for (i, l) in self.layers.iter().enumerate() {
            let mut z = vec![0.0; ROWS * l.outputs];
            for r in 0..ROWS {
                for o in 0..l.outputs {
                    let product = |k: usize| a[r * l.inputs + k] * params[l.weight + k * l.outputs + o];
                    let bias = if l.bias { params[l.weight + l.inputs * l.outputs + o] } else { 0.0 };
                    z[r * l.outputs + o] = bias + (0..l.inputs).map(product).sum::<f64>();
                }
            }
            if let Some([gamma, beta]) = l.norm {
                for o in 0..l.outputs {
                    let column = |r: usize| r * l.outputs + o;
                    let mean = (0..ROWS).map(|r| z[column(r)]).sum::<f64>() / ROWS as f64;
                    let var = (0..ROWS).map(|r| (z[column(r)] - mean).powi(2)).sum::<f64>() / ROWS as f64;
                    for r in 0..ROWS {
                        z[column(r)] = params[gamma + o] * (z[column(r)] - mean) / (var + 1e-5).sqrt() + params[beta + o];
                    }
                }
            }
            if i + 1 < self.layers.len() {
                z.iter_mut().for_each(|v| *v = v.max(0.0));
                z.iter_mut().zip(&self.masks[i]).for_each(|(v, m)| *v *= m);
            }
            a = z;
        }
        let width = self.outputs.next_multiple_of(4);
        let row = |r: usize| {
            let (z, t) = (&a[r * width..][..self.outputs], &t[r * width..][..self.outputs]);
            if self.classes {
                let norm = z.iter().map(|v| v.exp()).sum::<f64>().ln();
                t.iter().zip(z).map(|(t, z)| t * (norm - z)).sum::<f64>()
            } else {
                t.iter().zip(z).map(|(t, z)| (z - t).powi(2)).sum::<f64>()
            }
        };
        (0..ROWS).map(row).sum::<f64>() / ROWS as f64
    }
}

fn masks(session: &Session, shape: &Shape, p: f64) -> Vec<Vec<f64>> {
    let mask = |(layer, &width): (usize, &usize)| {
        let len = ROWS * width;
        if p == 0.0 {
            return vec![1.0; len];
        }
        let op = Dropout {
            dtype: DType::F32,
            space: Space::flat(len),
            p,
            key: Key { seed: SEED, stream: layer as u32, step: STEP as u32, first_element: 0 },
            share: Default::default(),
            scaling: Default::default(),
            bits: ridgepole::Bits::ThirtyTwo,
            mask: Default::default(),
            training: true,
        };
        session.run(&op, &[vec![1.0; len].into()]).expect("dropout runs")[0].to_f64()
    };
    shape.hidden.iter().enumerate().map(mask).collect()
}

/// Networks side by side, one for each p.
fn check(classes: bool, batch_norm: bool, drops: &[f64]) {
    let session = Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one");
    let shape = Shape { inputs: 7, hidden: vec![8, 4], outputs: if classes { 3 } else { 1 }, batch_norm };
    let (one, models, mut rng) = (Layout::new(&shape, 1), drops.len(), Rng::new(5));
    let layout = Layout::new(&shape, models);
    let mut arena = vec![0.0; layout.len];
    let nets: Vec<Vec<f32>> = (0..models)
        .map(|m| {
            let mut params = network::initial(&shape, &mut rng);
            // Biases, γ and β off their first values, so that their gradients are those of ordinary points.
            params.iter_mut().for_each(|v| *v += 0.2 * (rng.unit() - 0.5) as f32);
            layout.put(&mut arena, m, &params);
            params
        })
        .collect();
    let x: Vec<f32> = (0..ROWS * models * 8).map(|i| if i % 8 == 7 { 0.0 } else { (2.0 * rng.unit() - 1.0) as f32 }).collect();
    let t: Vec<f32> = (0..ROWS * models * 4)
        .map(|i| match i % 4 {
            c if classes => f32::from(u8::from(c == i / 4 % 3)),
            0 => rng.unit() as f32,
            _ => 0.0,
        })
        .collect();
    let member = |&p| Member { recipe: Recipe { p, batch_norm, ..Default::default() }, split: 0, seed: 0 };
    let members: Vec<Member> = drops.iter().map(member).collect();
    let model = Model::new(&session, &shape, &members, classes, SEED).expect("a model");
    session.queue().write_buffer(&model.params, 0, bytemuck::cast_slice(&arena));
    let (work, mut chain) = (model.work(&session, ROWS).expect("buffers"), Chain::new(&session));
    let upload = |v: &[f32]| chain.upload(v).expect("a buffer");
    let (gx, gt, weight) = (upload(&x), upload(&t), upload(&vec![1.0 / ROWS as f32; ROWS * models]));
    let [loss, right] = [0; 2].map(|_| chain.floats(models).expect("a buffer"));
    let rows = Rows { x: gx.slice(..), t: gt.slice(..), weight: weight.slice(..) };
    model.training_step(&mut chain, &work, rows, [loss.slice(..), right.slice(..)]).expect("a step");
    chain.at(STEP).expect("the step's scalars");
    let mut encoder = session.device().create_command_encoder(&Default::default());
    chain.record(&mut encoder.begin_compute_pass(&Default::default()));
    session.queue().submit([encoder.finish()]);
    let download = |b, len| match session.download(b, DType::F32, len).expect("a result") {
        HostData::F32(values) => values,
        _ => unreachable!("downloaded as f32"),
    };
    let (grads, losses) = (download(&model.grads, layout.len), download(&loss, models));

    let wide = |v: &[f32]| HostData::F32(v.to_vec()).to_f64();
    for (m, (params, &p)) in nets.iter().zip(drops).enumerate() {
        let of = |all: &[f32], width: usize| -> Vec<f64> {
            let row = |r: usize| all[(r * models + m) * width..][..width].iter().map(|&v| f64::from(v));
            (0..ROWS).flat_map(row).collect()
        };
        let net = Net { masks: masks(&session, &shape, p), layers: one.layers.clone(), outputs: shape.outputs, classes };
        let mut place = vec![0.0; one.len];
        one.put(&mut place, 0, params);
        let (params, x, t) = (wide(&place), of(&x, 8), of(&t, 4));
        let want = net.loss(&params, &x, &t);
        let loss = f64::from(losses[m]);
        assert!((loss - want).abs() < 1e-5 * want, "model {m}: loss {loss}, want {want}");
        // f64 differences are good to about 1e-9 here; the rest is what f32 leaves after a few layers.
        let difference = |i: usize| {
            let moved = |d: f64| {
                let mut p = params.clone();
                p[i] += d;
                net.loss(&p, &x, &t)
            };
            (moved(1e-5) - moved(-1e-5)) / 2e-5
        };
        for (range, got) in one.ranges(0).into_iter().zip(layout.ranges(m)) {
            let wants: Vec<f64> = range.map(difference).collect();
            let most = wants.iter().fold(0.0f64, |m, w| m.max(w.abs()));
            assert!(most > 1e-4, "a tensor at {} without gradient says nothing", got.start);
            for (want, got) in wants.iter().zip(&grads[got]) {
                let off = (f64::from(*got) - want).abs();
                assert!(off <= 2e-5 * most + 1e-7, "classes {classes}, bn {batch_norm}, p {p}, model {m}: {got}, want {want}");
            }
        }
    }
}

#[test]
fn plain_layers() {
    check(true, false, &[0.0]);
    check(false, false, &[0.0, 0.0, 0.0]);
}

#[test]
fn with_dropout() {
    check(true, false, &[0.4, 0.0, 0.7]);
}

#[test]
fn with_batch_norm() {
    check(true, true, &[0.0, 0.2]);
    check(false, true, &[0.3]);
}
