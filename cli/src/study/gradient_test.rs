//! The gradient that a training step leaves on the GPU, against finite differences of the same network in f64.
use super::{
    chain::Chain,
    model::{Model, Rows},
    net::{Layout, Shape},
    treatments::Recipe,
};
use ridgepole::{DType, HostData, Key, Rng, Session, Space, ops::Dropout};

const ROWS: usize = 12;
const STEP: u64 = 3;
const SEED: u64 = 77;

struct Net {
    layout: Layout,
    outputs: usize,
    classes: bool,
    /// What dropout multiplies each hidden unit by, layer by layer.
    masks: Vec<Vec<f64>>,
}

impl Net {
    /// Mean loss over the batch, written as the formulas read.
    fn loss(&self, params: &[f64], x: &[f64], t: &[f64]) -> f64 {
        let mut a = x.to_vec();
        for (i, l) in self.layout.layers.iter().enumerate() {
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
            if i + 1 < self.layout.layers.len() {
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
            bits: Default::default(),
            mask: Default::default(),
            training: true,
        };
        session.run(&op, &[vec![1.0; len].into()]).expect("dropout runs")[0].to_f64()
    };
    shape.hidden.iter().enumerate().map(mask).collect()
}

fn check(classes: bool, batch_norm: bool, p: f64) {
    let session = Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one");
    let shape = Shape { inputs: 7, hidden: vec![8, 4], outputs: if classes { 3 } else { 1 }, batch_norm };
    let (layout, mut rng) = (Layout::new(&shape), Rng::new(5));
    let mut initial = layout.initial(&mut rng);
    // Biases, γ and β off their first values, so that their gradients are those of ordinary points.
    for s in layout.segments.iter().filter(|s| s.group == 1) {
        initial[s.start..s.start + s.len].iter_mut().for_each(|v| *v += (rng.unit() - 0.5) as f32);
    }
    let x: Vec<f32> = (0..ROWS * 8).map(|i| if i % 8 == 7 { 0.0 } else { (2.0 * rng.unit() - 1.0) as f32 }).collect();
    let t: Vec<f32> = (0..ROWS * 4)
        .map(|i| match i % 4 {
            c if classes => f32::from(u8::from(c == i / 4 % 3)),
            0 => rng.unit() as f32,
            _ => 0.0,
        })
        .collect();
    let recipe = Recipe { p, batch_norm, ..Default::default() };
    let model = Model::new(&session, &shape, &initial, &recipe, classes, SEED).expect("a model");
    let (work, mut chain) = (model.work(&session, ROWS).expect("buffers"), Chain::new(&session));
    let (gx, gt, tally) = (chain.upload(&x).unwrap(), chain.upload(&t).unwrap(), chain.floats(4).unwrap());
    let rows = Rows { x: gx.slice(..), t: gt.slice(..), rows: ROWS };
    model.training_step(&mut chain, &work, rows, tally.slice(..)).expect("a step");
    chain.at(STEP).expect("the step's scalars");
    let mut encoder = session.device().create_command_encoder(&Default::default());
    chain.record(&mut encoder.begin_compute_pass(&Default::default()));
    session.queue().submit([encoder.finish()]);
    let download = |b, len| session.download(b, DType::F32, len).expect("a result").to_f64();
    let (grads, loss) = (download(&model.grads, layout.len), download(&tally, 1)[0] / ROWS as f64);

    let wide = |v: &[f32]| HostData::F32(v.to_vec()).to_f64();
    let net = Net { masks: masks(&session, &shape, p), layout, outputs: shape.outputs, classes };
    let (params, x, t) = (wide(&initial), wide(&x), wide(&t));
    let want = net.loss(&params, &x, &t);
    assert!((loss - want).abs() < 1e-5 * want, "loss {loss}, want {want}");
    // f64 differences are good to about 1e-9 here; the rest is what f32 leaves after a few layers.
    let difference = |i: usize| {
        let moved = |d: f64| {
            let mut p = params.clone();
            p[i] += d;
            net.loss(&p, &x, &t)
        };
        (moved(1e-5) - moved(-1e-5)) / 2e-5
    };
    for s in &net.layout.segments {
        let wants: Vec<f64> = (s.start..s.start + s.len).map(difference).collect();
        let most = wants.iter().fold(0.0f64, |m, w| m.max(w.abs()));
        assert!(most > 1e-4, "a tensor at {} without gradient says nothing", s.start);
        for (i, want) in wants.iter().enumerate() {
            let got = grads[s.start + i];
            let off = (got - want).abs();
            assert!(
                off <= 2e-5 * most + 1e-7,
                "classes {classes}, bn {batch_norm}, p {p}: element {i} of {s:?}: {got}, want {want}"
            );
        }
    }
}

#[test]
fn plain_layers() {
    check(true, false, 0.0);
    check(false, false, 0.0);
}

#[test]
fn with_dropout() {
    check(true, false, 0.4);
}

#[test]
fn with_batch_norm() {
    check(true, true, 0.0);
    check(false, true, 0.3);
}
