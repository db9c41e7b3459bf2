//! What group and instance norm must write, and how far they may be off.
use super::{ChannelGroups, RUNS};
use crate::{
    kernels::channels::{Batch, Fused, Results, SumErrors, difference},
    op::{Arg, Expected, Pattern, Rng, Verify},
    types::{DType, HostData},
    verify::Approx,
};

const E: f64 = DType::F32.epsilon();
const LEAST: f64 = DType::F32.least_normal();

/// Additions that a partial of a line passes through: by a lane of a team, which are 16 or more where fewer lanes take part than a
/// workgroup has, and workgroups have at least 4; and by the tree.
fn merges(per: usize, positions: usize) -> f64 {
    let terms = per * positions.min(RUNS as usize);
    if terms <= 16 { terms as f64 } else { ((terms as f64 / 4.0).min(2048f64.max(per as f64 / 4.0)) + 1.0).max(16.0) + 8.0 }
}

impl ChannelGroups {
    /// Where the values of a channel of a sample lie.
    fn places(&self, n: usize, c: usize) -> Vec<usize> {
        (0..self.space.s).map(|s| self.space.offset(n, c, s)).collect()
    }

    /// Sample, channels and number of each line.
    fn each(&self) -> impl Iterator<Item = (usize, std::ops::Range<usize>, usize)> + use<> {
        let (groups, per) = (self.groups, self.per() as usize);
        (0..self.space.n).flat_map(move |n| (0..groups).map(move |g| (n, g * per..(g + 1) * per, n * groups + g)))
    }

    /// What a forward op writes. `formula` gives y, mean and rstd of a line from its values, channel after channel, and the
    /// weights and biases of its channels.
    pub fn expected(
        &self,
        op: &dyn Verify,
        data: &[HostData],
        eps: f64,
        formula: impl Fn(&[f64], &[f64], &[f64]) -> (Vec<f64>, f64, f64),
    ) -> Vec<Expected> {
        let mut out = Results::of(op, &self.space, data, Fused::PLAIN);
        let nan = Approx::exact(f64::NAN);
        for (n, channels, line) in self.each() {
            let of = |name, absent| channels.clone().map(|c| out.at(name, c, absent)).collect::<Vec<f64>>();
            let (weight, bias) = (of("weight", 1.0), of("bias", 0.0));
            let places: Vec<usize> = channels.clone().flat_map(|c| self.places(n, c)).collect();
            let x = out.values("x", &places);
            let (y, mean, rstd) = formula(&x, &weight, &bias);
            let batch = Batch::of(&x, eps);
            out.set("mean", line, batch.as_ref().map_or(nan, |b| Approx { value: mean, ..b.mean }));
            out.set("rstd", line, batch.as_ref().map_or(nan, |b| Approx { value: rstd, ..b.rstd }));
            for (k, &i) in places.iter().enumerate() {
                let [w, b] = [&weight, &bias].map(|v| Approx::exact(v[k / self.space.s]));
                let v = batch.as_ref().map_or(nan, |batch| Approx {
                    value: y[k],
                    ..Approx::sum([batch.centred(x[k]).times(batch.rstd).times(w), b])
                });
                out.put_output(i, v);
            }
        }
        out.finish()
    }

    /// What a backward op writes. `formula` gives dx, dγ and dβ of a line from its x and dy, its mean and rstd, and its weights.
    pub fn gradients(
        &self,
        op: &dyn Verify,
        data: &[HostData],
        formula: impl Fn(&[f64], &[f64], [f64; 2], &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>),
    ) -> Vec<Expected> {
        let mut out = Results::of(op, &self.space, data, Fused::PLAIN);
        let mut totals = vec![[0.0; 2]; self.space.c];
        let (per, m) = (self.per() as usize, Approx::exact(self.values() as f64));
        let steps = E * (merges(per, self.space.s) + 1.0);
        for (n, channels, line) in self.each() {
            let [mean, rstd] = ["mean", "rstd"].map(|name| out.at(name, line, 0.0));
            let weight: Vec<f64> = channels.clone().map(|c| out.at("weight", c, 1.0)).collect();
            let (mut places, mut sums) = (vec![], [Approx::exact(0.0); 2]);
            for (c, &w) in channels.clone().zip(&weight) {
                let pass = out.pass_of(self.places(n, c), c, mean, Approx::exact(rstd));
                let of_channel = pass.sums();
                // The magnitudes that are added.
                let terms = pass.gradients().into_iter().zip(&pass.x);
                let (far, near) = terms.fold((0.0, 0.0), |(f, n), (g, x)| (f + (g * (x - mean) * rstd).abs(), n + g.abs()));
                for ((sum, s), size) in sums.iter_mut().zip(of_channel).zip([far, near]) {
                    let s = Approx::exact(w).times(s);
                    let flushed = self.space.s as f64 * (1.0 + w.abs()) * LEAST;
                    *sum = Approx {
                        value: sum.value + s.value,
                        error: sum.error + s.error + steps * w.abs() * size * (1.0 + 1e-3) + flushed,
                    };
                }
                places.extend(pass.places);
            }
            let (x, dy) = (out.values("x", &places), out.values("dy", &places));
            let (dx, dweight, dbias) = formula(&x, &dy, [mean, rstd], &weight);
            for (j, c) in channels.enumerate() {
                totals[c] = [totals[c][0] + dweight[j], totals[c][1] + dbias[j]];
            }
            let r = Approx::exact(rstd);
            let (p, t) = (sums[1].over(m), r.times(sums[0].over(m)));
            for (k, &i) in places.iter().enumerate() {
                let g = Approx::exact(dy[k]).times(Approx::exact(weight[k / self.space.s]));
                let away = difference(x[k], mean).times(t);
                let v = r.times(Approx::sum([g, p.negative(), away.negative()]));
                out.put("dx", i, Approx { value: dx[k], ..v });
            }
        }
        for (c, total) in totals.into_iter().enumerate() {
            let (mut xhat, mut dy, mut widest) = (vec![], vec![], 1f64);
            for n in 0..if self.space.is_empty() { 0 } else { self.space.n } {
                let line = n * self.groups + c / per;
                let (places, mean, rstd) = (self.places(n, c), out.at("mean", line, 0.0), out.at("rstd", line, 0.0));
                xhat.extend(out.values("x", &places).into_iter().map(|x| (x - mean) * rstd));
                dy.extend(out.values("dy", &places));
                widest = widest.max(rstd.abs());
            }
            let largest = dy.iter().fold(1.0, |a: f64, v| a.max(v.abs()));
            // The difference, the product with rstd and that with dy round, as SumErrors counts; either may be flushed.
            let off = SumErrors::of(&xhat, &dy, 0.0, 1.0, 0.0);
            let flushed = xhat.len() as f64 * 2.0 * widest * largest * LEAST;
            out.set("dweight", c, Approx { value: total[0], error: off.dweight + flushed });
            out.set("dbias", c, Approx { value: total[1], error: off.dbias });
        }
        out.finish()
    }

    /// Data for the checks. Where a mean is far from 0, it is in every other batch that of the first channel of each group only.
    pub fn fill(&self, dtype: DType, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let data = crate::kernels::channels::fill(&self.space, dtype, arg, rng, pattern);
        if pattern != Pattern::Offset || arg.name != "x" || self.per() < 2 || self.space.n % 2 == 1 {
            return data;
        }
        let (mut values, near) = (data.to_f64(), rng.fill(arg, [-1.0, 1.0], Pattern::Ordinary).to_f64());
        for (n, channels, _) in self.each() {
            for i in channels.skip(1).flat_map(|c| self.places(n, c)) {
                values[i] = near[i];
            }
        }
        HostData::from_f64(arg.dtype, values)
    }
}
