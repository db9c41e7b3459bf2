//! Batch norm, in training and with frozen statistics.
use crate::*;

/// One channel of a batch, in f64: its values, their gradients, where they lie in memory, γ and β.
struct Channel {
    at: Vec<usize>,
    x: Vec<f64>,
    dy: Vec<f64>,
    weight: f64,
    bias: f64,
}

/// A batch drawn at random, by channels; with or without γ and β.
fn channels(rng: &mut Rng, space: Space, affine: bool) -> Vec<Channel> {
    let channel = |c: usize| {
        let at: Vec<usize> = (0..space.n * space.s).map(|i| space.offset(i / space.s, c, i % space.s)).collect();
        let (x, dy) = (draw(rng, at.len(), -1.0, 2.0), draw(rng, at.len(), -1.0, 1.0));
        let (weight, bias) = (draw(rng, 1, 0.5, 1.5)[0], draw(rng, 1, -1.0, 1.0)[0]);
        Channel { at, x, dy, weight: if affine { weight } else { 1.0 }, bias: if affine { bias } else { 0.0 } }
    };
    (0..space.c).map(channel).collect()
}

impl Channel {
    /// ∂/∂x, ∂/∂γ and ∂/∂β of Σ dy·y by differences, `y` giving the outputs for inputs, γ and β.
    fn differences(&self, y: impl Fn(&[f64], f64, f64) -> Vec<f64>) -> (Vec<f64>, f64, f64) {
        let loss = |x: &[f64], w: f64, b: f64| y(x, w, b).iter().zip(&self.dy).map(|(y, dy)| y * dy).sum::<f64>();
        let moved = |k: usize, v: f64| {
            let mut x = self.x.clone();
            x[k] = v;
            x
        };
        let dx = (0..self.x.len()).map(|k| slope(self.x[k], |v| loss(&moved(k, v), self.weight, self.bias))).collect();
        (dx, slope(self.weight, |w| loss(&self.x, w, self.bias)), slope(self.bias, |b| loss(&self.x, self.weight, b)))
    }
}

/// Holds the reference of each channel against its differences, then the GPU's results for the whole batch. `given` are
/// the statistics that the op gets, `slack` how far each channel's result moves because those are f32.
fn backward(
    session: &Session,
    op: &dyn Verify,
    all: &[Channel],
    given: [Vec<f64>; 2],
    results: &[(Vec<f64>, f64, f64)],
    slack: &[f64],
) {
    let len = all.iter().map(|c| c.at.len()).sum();
    let [mut x, mut dy, mut dx] = [(); 3].map(|()| vec![0.0; len]);
    let mut channel_of = vec![0; len];
    for (c, (channel, (d, ..))) in all.iter().zip(results).enumerate() {
        for (k, &i) in channel.at.iter().enumerate() {
            (x[i], dy[i], dx[i], channel_of[i]) = (channel.x[k], channel.dy[k], d[k], c);
        }
    }
    let affine = op.args().iter().any(|a| a.name == "weight");
    let mut data = vec![f32s(&x), f32s(&dy), f32s(&given[0]), f32s(&given[1])];
    let mut want = vec![dx];
    if affine {
        data.push(f32s(&all.iter().map(|c| c.weight).collect::<Vec<_>>()));
        want.push(results.iter().map(|r| r.1).collect());
        want.push(results.iter().map(|r| r.2).collect());
    }
    data.extend(want.iter().map(|w| f32s(&vec![0.0; w.len()])));
    gpu_near(session, op, &data, &want, |n, i| slack[if n == 0 { channel_of[i] } else { i }]);
}

fn largest(a: &(Vec<f64>, f64, f64), b: &(Vec<f64>, f64, f64)) -> f64 {
    let (dx, dw, db) = (a.0.iter().zip(&b.0).map(|(a, b)| (a - b).abs()), (a.1 - b.1).abs(), (a.2 - b.2).abs());
    dx.fold(dw.max(db), f64::max)
}

fn batches() -> [Space; 3] {
    [Space::channels_first(3, 4, 5), Space::channels_last(3, 4, 5), Space::channels_last(7, 5, 1)]
}

#[test]
fn batch_norm_backward_is_the_derivative_of_batch_norm() {
    let (session, mut rng, eps) = (Session::new().expect("an adapter"), Rng::new(4), 1e-5);
    for (space, affine) in batches().into_iter().flat_map(|s| [(s, true), (s, false)]) {
        let all = channels(&mut rng, space, affine);
        let (mut means, mut rstds, mut results, mut slack) = (vec![], vec![], vec![], vec![]);
        for c in &all {
            let statistics = |x: &[f64]| {
                let [mean, variance] = cpu::moments(x);
                (mean, cpu::inverse_std(variance, eps))
            };
            let want = c.differences(|x, w, b| {
                let (mean, rstd) = statistics(x);
                x.iter().map(|&x| cpu::batch_norm(x, mean, rstd, w, b)).collect()
            });
            let (mean, rstd) = statistics(&c.x);
            let exact = cpu::batch_norm_backward(&c.x, &c.dy, mean, rstd, c.weight);
            assert!(largest(&exact, &want) <= TOLERANCE, "{space:?}: {exact:?}, differences say {want:?}");
            let (mean, rstd) = (DType::F32.nearest(mean), DType::F32.nearest(rstd));
            slack.push(largest(&exact, &cpu::batch_norm_backward(&c.x, &c.dy, mean, rstd, c.weight)));
            means.push(mean);
            rstds.push(rstd);
            results.push(want);
        }
        let op = ops::BatchNormBackward::from(ops::BatchNorm {
            weight: affine,
            bias: affine,
            ..ops::BatchNorm::new(DType::F32, space)
        });
        backward(&session, &op, &all, [means, rstds], &results, &slack);
    }
}

#[test]
fn batch_norm_frozen_backward_is_the_derivative_of_batch_norm_inference() {
    let (session, mut rng, eps) = (Session::new().expect("an adapter"), Rng::new(5), 1e-3);
    for (space, affine) in batches().into_iter().flat_map(|s| [(s, true), (s, false)]) {
        let all = channels(&mut rng, space, affine);
        let (means, variances) = (draw(&mut rng, space.c, -1.0, 1.0), draw(&mut rng, space.c, 0.1, 2.0));
        let results: Vec<_> = all
            .iter()
            .enumerate()
            .map(|(i, c)| {
                let inference = |x: f64, w, b| cpu::batch_norm_inference(x, means[i], variances[i], eps, w, b);
                let want = c.differences(|x, w, b| x.iter().map(|&x| inference(x, w, b)).collect());
                let rstd = cpu::inverse_std(variances[i], eps);
                let got = cpu::batch_norm_frozen_backward(&c.x, &c.dy, means[i], rstd, c.weight);
                assert!(largest(&got, &want) <= TOLERANCE, "{space:?}: {got:?}, differences say {want:?}");
                want
            })
            .collect();
        let op = ops::BatchNormFrozenBackward {
            eps,
            weight: affine,
            bias: affine,
            ..ops::BatchNormFrozenBackward::new(DType::F32, space)
        };
        backward(&session, &op, &all, [means, variances], &results, &vec![0.0; space.c]);
    }
}
