//! Every backward, and the proximal step, against finite differences of the forward's f64 reference; then the GPU against the same.
mod activity;
mod batch_norms;
mod batched_dense;
mod batched_loss;
mod blocks;
mod branches;
mod connections;
mod filters;
mod groups;
mod linear;
mod losses;
mod masks;
mod mixing;
mod noises;
mod orthogonal;
mod response;
mod rows;
mod spectral;
mod units;

use ridgepole::{
    Access, Bits, DType, ElasticNet, Expected, HostData, Key, Layout, MaskMode, Op, Rng, Scaling, Segment, Session, Share, Space,
    cpu, ops,
};

/// Half the distance of the differences; weights closer to a kink than twice this are not drawn.
const H: f64 = 1e-3;

/// df/dx at x by central differences of fourth order: H⁴/30 of the fifth derivative away from it, below 1e-11 for what is
/// differentiated here, and 1e-16/H of the values for their rounding, below 1e-11 for sums of up to 100.
fn slope(x: f64, f: impl Fn(f64) -> f64) -> f64 {
    (8.0 * (f(x + H) - f(x - H)) - (f(x + 2.0 * H) - f(x - 2.0 * H))) / (12.0 * H)
}

/// What a difference may be off by, for derivatives of the order of 1.
const TOLERANCE: f64 = 1e-9;

fn draw(rng: &mut Rng, len: usize, lo: f64, hi: f64) -> Vec<f64> {
    // Values that f32 can hold, so that the GPU is given the very same.
    (0..len).map(|_| DType::F32.nearest(lo + (hi - lo) * rng.unit())).collect()
}

fn f32s(values: &[f64]) -> HostData {
    HostData::from_f64(DType::F32, values.iter().copied())
}

fn near(what: &str, got: &[f64], want: &[f64], allowed: impl Fn(usize) -> f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= allowed(i), "{what}, element {i}: got {g:e}, differences say {w:e} ± {:e}", allowed(i));
    }
}

/// Runs `op` on the GPU; each written argument must be as near to `want` as the op's own bound, the tolerance of the
/// differences, and `slack` allow.
fn gpu_near(session: &Session, op: &dyn Op, data: &[HostData], want: &[Vec<f64>], slack: impl Fn(usize, usize) -> f64) {
    let inputs: Vec<HostData> =
        op.args().iter().zip(data).filter(|(a, _)| a.access != Access::Write).map(|(_, d)| d.clone()).collect();
    let got = session.run(op, &inputs).unwrap_or_else(|e| panic!("{op:?}: {e}"));
    for (n, (expected, (got, want))) in op.reference(data).iter().zip(got.iter().zip(want)).enumerate() {
        let bound = match expected {
            Expected::Exact(data) => vec![0.0; data.len()],
            Expected::Within { bound, .. } => bound.clone(),
        };
        near(&format!("{op:?}, output {n}, GPU"), &got.to_f64(), want, |i| bound[i] + TOLERANCE + slack(n, i));
    }
}

const KINDS: [ElasticNet; 4] = [
    ElasticNet { l1: 0.5, ..ElasticNet::NONE },
    ElasticNet { l2: 0.3, ..ElasticNet::NONE },
    ElasticNet { l2: 0.3, l2_form: ridgepole::L2Form::Half, ..ElasticNet::NONE },
    ElasticNet { l1: 0.5, l2: 0.3, l2_form: ridgepole::L2Form::Sum },
];

/// Two tensors of different groups with a gap between.
fn segments() -> Vec<Segment> {
    vec![Segment { start: 0, len: 37, group: 0 }, Segment { start: 40, len: 21, group: 1 }]
}

#[test]
fn penalty_grad_is_the_derivative_of_penalty() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(1));
    for k in 0..4 {
        let groups = vec![KINDS[k], KINDS[(k + 1) % 4]];
        let mut w: Vec<f64> = draw(&mut rng, 61, -1.0, 1.0).iter().map(|v| if v.abs() < 3.0 * H { 0.5 } else { *v }).collect();
        // At the kink, the differences on both sides cancel: sign(0) = 0.
        (w[5], w[45]) = (0.0, -0.0);
        let grad = draw(&mut rng, 61, -1.0, 1.0);
        let mut want = grad.clone();
        for s in segments() {
            let g = &groups[s.group];
            for i in s.start..s.start + s.len {
                let d = slope(w[i], |w| cpu::penalty(g.l1, g.square_factor(), w));
                near("penalty_grad", &[cpu::penalty_grad(g.l1, g.slope(), w[i])], &[d], |_| TOLERANCE);
                want[i] += d;
            }
        }
        let op = ops::PenaltyGrad::new(DType::F32, segments(), groups);
        gpu_near(&session, &op, &[f32s(&w), f32s(&grad)], &[want], |_, _| 0.0);
    }
}

#[test]
fn prox_minimises_half_the_squared_distance_plus_the_penalty() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(2));
    for step in [0.0, 0.3, 1.5] {
        for k in 0..4 {
            let groups = vec![KINDS[k], KINDS[(k + 1) % 4]];
            let w = draw(&mut rng, 61, -2.0, 2.0);
            let op = ops::Prox { dtype: DType::F32, segments: segments(), groups: groups.clone(), step };
            let mut want = w.clone();
            let mut zeros = 0.0;
            for s in segments() {
                let g = &groups[s.group];
                for i in s.start..s.start + s.len {
                    let v = cpu::prox(step * g.l1, 1.0 + step * g.slope(), w[i]);
                    let cost = |v: f64| 0.5 * (v - w[i]).powi(2) + step * cpu::penalty(g.l1, g.square_factor(), v);
                    if v.abs() > 2.0 * H {
                        near("prox: a smooth minimum is flat", &[slope(v, cost)], &[0.0], |_| TOLERANCE);
                    }
                    // The cost is convex: no lower neighbour, no lower point anywhere. At a minimum of curvature at least 1
                    // a point H away costs at least H²/2 more.
                    for other in [v - H, v + H] {
                        assert!(cost(other) >= cost(v) + H * H / 2.0 * (1.0 - 1e-6), "{op:?}: {} is better than {v}", other);
                    }
                    zeros += f64::from(u8::from(v == 0.0));
                    want[i] = v;
                }
            }
            // Threshold and divisor are f32 numbers on the GPU and in its reference: half an ulp of the old weight.
            let slack = |n: usize, i: usize| if n == 0 { w[i].abs() * f64::from(f32::EPSILON) / 2.0 } else { 0.0 };
            gpu_near(&session, &op, &[f32s(&w), HostData::U32(vec![0])], &[want, vec![zeros]], slack);
        }
    }
}

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
                let (bits, mask) = (Bits::Sixteen, MaskMode::Recompute);
                let op = ops::DropoutBackward { dtype: DType::F32, space, p, key, share, scaling, bits, mask };
                gpu_near(&session, &op, &[f32s(&dy), f32s(&[0.0; 60])], &[want], |_, _| 0.0);
            }
        }
    }
    assert_eq!(last.layout, Layout::ChannelsLast);
}

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
    op: &dyn Op,
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
        let op = ops::BatchNormBackward { weight: affine, bias: affine, ..ops::BatchNormBackward::new(DType::F32, space) };
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
