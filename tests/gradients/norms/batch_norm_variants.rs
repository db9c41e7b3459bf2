//! Batch norm with what may follow or replace its parts: values that are normalised together, in sets.
use crate::*;
use ridgepole::Activation;

/// A batch in which some sets of elements are normalised, each by its own mean and variance or by given ones.
struct Batch {
    space: Space,
    x: Vec<f64>,
    dy: Vec<f64>,
    residual: Vec<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
    activation: Activation,
    /// The channel and the elements of each set.
    sets: Vec<(usize, Vec<usize>)>,
    /// Mean and variance of each channel, if they are no function of x.
    frozen: Option<[Vec<f64>; 2]>,
    /// r and d of each channel, constants.
    correction: Option<[Vec<f64>; 2]>,
}

const EPS: f64 = 1e-3;

impl Batch {
    fn statistics(&self, set: usize, x: &[f64]) -> (f64, f64) {
        let (c, at) = &self.sets[set];
        let [mean, variance] = match &self.frozen {
            Some([mean, variance]) => [mean[*c], variance[*c]],
            None => cpu::moments(&at.iter().map(|&i| x[i]).collect::<Vec<_>>()),
        };
        (mean, cpu::inverse_std(variance, EPS))
    }

    /// What is activated; 0 outside of all sets.
    fn sums(&self, x: &[f64], weight: &[f64], bias: &[f64], residual: &[f64]) -> Vec<f64> {
        self.sums_by([x, weight, bias, residual], |v| v)
    }

    /// The same from statistics that `round` may change.
    fn sums_by(&self, [x, weight, bias, residual]: [&[f64]; 4], round: fn(f64) -> f64) -> Vec<f64> {
        let mut v = vec![0.0; x.len()];
        for (set, (c, at)) in self.sets.iter().enumerate() {
            let (mean, rstd) = self.statistics(set, x);
            let (mean, rstd) = (round(mean), round(rstd));
            for &i in at {
                let y = match &self.correction {
                    None => cpu::batch_norm(x[i], mean, rstd, weight[*c], bias[*c]),
                    Some([r, d]) => cpu::batch_renorm(x[i], [mean, rstd], [r[*c], d[*c]], weight[*c], bias[*c]),
                };
                v[i] = y + residual[i];
            }
        }
        v
    }

    fn loss(&self, x: &[f64], weight: &[f64], bias: &[f64], residual: &[f64]) -> f64 {
        let v = self.sums(x, weight, bias, residual);
        v.iter().zip(&self.dy).map(|(v, dy)| dy * cpu::activation(self.activation, *v).0).sum()
    }

    /// By differences: of x, γ, β and the residual.
    fn gradients(&self) -> [Vec<f64>; 4] {
        let all = [&self.x, &self.weight, &self.bias, &self.residual];
        let one = |which: usize| {
            let derivative = |i: usize| {
                let moved = |to: f64| {
                    let mut all = all.map(Clone::clone);
                    all[which][i] = to;
                    self.loss(&all[0], &all[1], &all[2], &all[3])
                };
                slope(all[which][i], moved)
            };
            (0..all[which].len()).map(derivative).collect()
        };
        [one(0), one(1), one(2), one(3)]
    }

    /// By the formulas, from statistics that `round` may change: dx, dγ and dβ of each set, added by channel, and dresidual.
    fn formulas(&self, round: fn(f64) -> f64) -> [Vec<f64>; 4] {
        let v = self.sums_by([&self.x, &self.weight, &self.bias, &self.residual], round);
        let g: Vec<f64> = v.iter().zip(&self.dy).map(|(v, dy)| cpu::activation_backward(self.activation, *v, *dy)).collect();
        let mut out = [self.x.len(), self.space.c, self.space.c, self.x.len()].map(|len| vec![0.0; len]);
        for (set, (c, at)) in self.sets.iter().enumerate() {
            let (mean, rstd) = self.statistics(set, &self.x);
            let of = |v: &[f64]| at.iter().map(|&i| v[i]).collect::<Vec<_>>();
            let (x, g, weight) = (of(&self.x), of(&g), self.weight[*c]);
            let (mean, rstd) = (round(mean), round(rstd));
            let backward = if self.frozen.is_some() { cpu::batch_norm_frozen_backward } else { cpu::batch_norm_backward };
            let (dx, dweight, dbias) = match &self.correction {
                None => backward(&x, &g, mean, rstd, weight),
                Some([r, d]) => cpu::batch_renorm_backward(&x, &g, [mean, rstd], [r[*c], d[*c]], weight),
            };
            at.iter().zip(dx).for_each(|(&i, d)| out[0][i] = d);
            at.iter().zip(g).for_each(|(&i, d)| out[3][i] = d);
            out[1][*c] += dweight;
            out[2][*c] += dbias;
        }
        out
    }

    /// Holds the formulas, the op's reference and the GPU against the differences.
    fn check(&self, session: &Session, op: &dyn Verify, more: &[(&str, Vec<f64>)]) {
        self.check_with(session, op, more, 0.0);
    }

    /// The same, where what is given moves results by up to `rounding` beyond what the formulas show.
    fn check_with(&self, session: &Session, op: &dyn Verify, more: &[(&str, Vec<f64>)], rounding: f64) {
        let want = self.gradients();
        let (exact, rounded) = (self.formulas(|v| v), self.formulas(|v| DType::F32.nearest(v)));
        for (got, want) in exact.iter().zip(&want) {
            near(&format!("{op:?}, formula"), got, want, |_| TOLERANCE);
        }
        // What the op is given was rounded to f32: that moves each result as it moves the formulas.
        let slack = |n: usize, i: usize| rounding + exact.get(n).map_or(0.0, |e| (e[i] - rounded[n][i]).abs());
        let v = self.sums(&self.x, &self.weight, &self.bias, &self.residual);
        let y: Vec<f64> = v.iter().map(|v| cpu::activation(self.activation, *v).0).collect();
        let given = |name: &str| match name {
            "x" => &self.x,
            "dy" => &self.dy,
            "y" => &y,
            "residual" => &self.residual,
            "weight" => &self.weight,
            "bias" => &self.bias,
            _ => &more.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("{op:?}: `{name}`")).1,
        };
        let data: Vec<HostData> = op
            .args()
            .iter()
            .map(|a| match a.access {
                Access::Write => HostData::from_f64(a.dtype, vec![0.0; a.len]),
                _ => HostData::from_f64(a.dtype, given(a.name).iter().copied()),
            })
            .collect();
        let written: Vec<usize> = op
            .args()
            .iter()
            .filter(|a| a.access != Access::Read)
            .map(|a| match a.name {
                "dx" => 0,
                "dweight" | "sum_dy_xhat" => 1,
                "dbias" | "sum_dy" => 2,
                "dresidual" => 3,
                name => panic!("{name} is no gradient"),
            })
            .collect();
        for (expected, &n) in op.reference(&data).iter().zip(&written) {
            let Expected::Within { value, .. } = expected else { panic!("{op:?}: no values") };
            near(&format!("{op:?}, reference"), value, &want[n], |i| TOLERANCE + slack(n, i) * (1.0 + 1e-6));
        }
        let wants: Vec<Vec<f64>> = written.iter().map(|&n| want[n].clone()).collect();
        gpu_near(session, op, &data, &wants, |k, i| slack(written[k], i) * (1.0 + 1e-6));
    }
}

/// Random, and drawn again until nothing that is activated is near the kink at 0: an x that moves by 2H moves it by less.
fn batch(rng: &mut Rng, space: Space, activation: Activation, residual: bool, frozen: bool) -> Batch {
    loop {
        let len = space.len();
        let sets = (0..space.c).map(|c| (c, (0..space.n * space.s).map(|i| space.offset(i / space.s, c, i % space.s)).collect()));
        let it = Batch {
            space,
            x: draw(rng, len, -1.0, 2.0),
            dy: draw(rng, len, -1.0, 1.0),
            residual: if residual { draw(rng, len, -1.0, 1.0) } else { vec![0.0; len] },
            weight: draw(rng, space.c, 0.5, 1.5),
            bias: draw(rng, space.c, -1.0, 1.0),
            activation,
            sets: sets.collect(),
            frozen: frozen.then(|| [draw(rng, space.c, -1.0, 1.0), draw(rng, space.c, 0.5, 2.0)]),
            correction: None,
        };
        let v = it.sums(&it.x, &it.weight, &it.bias, &it.residual);
        if activation == Activation::None || v.iter().all(|v| v.abs() > 20.0 * H) {
            return it;
        }
    }
}

fn ways() -> Vec<(Space, Activation, bool)> {
    let leaky = Activation::LeakyRelu { slope: 0.25 };
    let [first, last] = [Space::channels_first(3, 2, 4), Space::channels_last(4, 3, 2)];
    vec![
        (first, Activation::Relu, false),
        (last, Activation::Relu, true),
        (last, leaky, false),
        (first, leaky, true),
        (first, Activation::None, true),
        (first, Activation::Silu, false),
        (last, Activation::Silu, true),
        (last, Activation::Gelu, false),
        (first, Activation::Gelu, true),
        (first, Activation::GeluTanh, true),
    ]
}

#[test]
fn gradients_come_back_through_the_activation_and_the_residual() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(20));
    for (space, activation, residual) in ways() {
        let it = batch(&mut rng, space, activation, residual, false);
        let of: Vec<(f64, f64)> = (0..space.c).map(|c| it.statistics(c, &it.x)).collect();
        let given = [("mean", of.iter().map(|s| s.0).collect()), ("rstd", of.iter().map(|s| s.1).collect())];
        let op = ops::BatchNormBackward::from(ops::BatchNorm { activation, residual, ..ops::BatchNorm::new(DType::F32, space) });
        it.check(&session, &op, &given);
        let it = batch(&mut rng, space, activation, residual, true);
        let [mean, variance] = it.frozen.clone().expect("given");
        let given = [("running_mean", mean), ("running_var", variance)];
        let new = ops::BatchNormFrozenBackward::new(DType::F32, space);
        it.check(&session, &ops::BatchNormFrozenBackward { eps: EPS, activation, residual, ..new }, &given);
    }
}

#[test]
fn only_what_a_mask_keeps_has_gradients() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(21));
    for space in [Space::channels_first(3, 2, 5), Space::channels_last(4, 3, 4)] {
        let mut it = batch(&mut rng, space, Activation::None, false, false);
        let positions = space.n * space.s;
        let word = rng.word() | 0b1001;
        let kept = |p: &usize| word >> p & 1 == 1;
        let at = |c: usize| (0..positions).filter(kept).map(|p| space.offset(p / space.s, c, p % space.s)).collect();
        it.sets = (0..space.c).map(|c| (c, at(c))).collect();
        let of: Vec<(f64, f64)> = (0..space.c).map(|c| it.statistics(c, &it.x)).collect();
        let given = [
            ("mean", of.iter().map(|s| s.0).collect()),
            ("rstd", of.iter().map(|s| s.1).collect()),
            ("mask", vec![f64::from(word)]),
        ];
        it.check(&session, &ops::BatchNormMaskedBackward::new(DType::F32, space), &given);
    }
}

/// Sums and then dx, as ranks do it; here with one rank.
#[test]
fn gradients_by_way_of_sums_are_those_of_the_whole() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(22));
    for (space, activation, residual) in ways() {
        let it = batch(&mut rng, space, activation, residual, false);
        let of: Vec<(f64, f64)> = (0..space.c).map(|c| it.statistics(c, &it.x)).collect();
        let [_, dweight, dbias, _] = it.formulas(|v| DType::F32.nearest(v));
        let given = [
            ("mean", of.iter().map(|s| s.0).collect()),
            ("rstd", of.iter().map(|s| s.1).collect()),
            ("sum_dy", dbias.clone()),
            ("sum_dy_xhat", dweight.clone()),
            ("count", vec![(space.n * space.s) as f64]),
        ];
        let sums = ops::BatchNormBackwardSums { activation, residual, ..ops::BatchNormBackwardSums::new(DType::F32, space) };
        it.check(&session, &sums, &given);
        // dx inherits the rounding of the sums to f32, half an ulp each, times γ·rstd·(1 + |x̂|)/m: below 1.5·4·5/8.
        let largest = dweight.iter().chain(&dbias).fold(0.0f64, |m, v| m.max(v.abs()));
        let worst = largest * f64::from(f32::EPSILON) / 2.0;
        let apply = ops::BatchNormBackwardApply::from(ops::BatchNormApply {
            activation,
            residual,
            ..ops::BatchNormApply::new(DType::F32, space)
        });
        it.check_with(&session, &apply, &given, worst * 4.0);
    }
}

#[test]
fn the_correction_of_batch_renorm_is_constant_to_the_gradient() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(23));
    for space in [Space::channels_first(3, 2, 4), Space::channels_last(4, 3, 2)] {
        let mut it = batch(&mut rng, space, Activation::None, false, false);
        it.correction = Some([draw(&mut rng, space.c, 0.5, 2.0), draw(&mut rng, space.c, -1.0, 1.0)]);
        let of: Vec<(f64, f64)> = (0..space.c).map(|c| it.statistics(c, &it.x)).collect();
        let given = [
            ("mean", of.iter().map(|s| s.0).collect()),
            ("rstd", of.iter().map(|s| s.1).collect()),
            ("correction", it.correction.clone().expect("given").concat()),
        ];
        it.check(&session, &ops::BatchRenormBackward::new(DType::F32, space), &given);
    }
}

#[test]
fn virtual_batches_share_weight_and_bias() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(24));
    for space in [Space::channels_first(6, 2, 3), Space::channels_last(4, 3, 3)] {
        let mut it = batch(&mut rng, space, Activation::None, false, false);
        let at = |g: usize, c: usize| {
            let places = |i: usize| space.offset(2 * g + i / space.s, c, i % space.s);
            (c, (0..2 * space.s).map(places).collect())
        };
        it.sets = (0..space.n / 2).flat_map(|g| (0..space.c).map(move |c| (g, c))).map(|(g, c)| at(g, c)).collect();
        let of: Vec<(f64, f64)> = (0..it.sets.len()).map(|set| it.statistics(set, &it.x)).collect();
        let given = [("mean", of.iter().map(|s| s.0).collect()), ("rstd", of.iter().map(|s| s.1).collect())];
        it.check(&session, &ops::BatchNormGhostBackward::new(DType::F32, space, 2), &given);
    }
}
