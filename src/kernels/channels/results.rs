//! The expectations of an op on channels, gathered channel by channel from the data that it is given.
use super::{Batch, Fused, Pass, difference, places};
use crate::{
    op::{Access, Arg, ByName, Expected, Verify},
    options::RunningUpdate,
    types::{DType, HostData, Space},
    verify::Approx,
};

/// Values and bounds of all that is written, 0 at first.
pub(crate) struct Results {
    space: Space,
    dtype: DType,
    fused: Fused,
    args: Vec<Arg>,
    data: Vec<Vec<f64>>,
    out: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Results {
    pub fn of(op: &dyn Verify, space: &Space, data: &[HostData], fused: Fused) -> Self {
        let args = op.args();
        let out = |a: &Arg| if a.access == Access::Read { 0 } else { a.len };
        Self {
            space: *space,
            dtype: args.arg("x").dtype,
            fused,
            data: args.iter().zip(data).map(|(a, d)| if a.access == Access::Write { vec![] } else { d.to_f64() }).collect(),
            out: args.iter().map(|a| (vec![0.0; out(a)], vec![0.0; out(a)])).collect(),
            args,
        }
    }

    /// An element of an argument as it is before, or `otherwise` if there is none of the name.
    pub fn at(&self, name: &str, i: usize, otherwise: f64) -> f64 {
        self.args.find(name).map_or(otherwise, |a| self.data[a][i])
    }

    pub fn has(&self, name: &str) -> bool {
        self.args.find(name).is_some()
    }

    /// Elements of a tensor at these places.
    pub fn values(&self, name: &str, places: &[usize]) -> Vec<f64> {
        let data = &self.data[self.args.place(name)];
        places.iter().map(|&i| data[i]).collect()
    }

    /// Sets an element of an argument of f32, if there is one of the name. What is not finite must be so exactly.
    pub fn set(&mut self, name: &str, i: usize, v: Approx) {
        if let Some(a) = self.args.find(name) {
            let (values, bounds) = &mut self.out[a];
            (values[i], bounds[i]) = (v.value, if v.value.is_finite() { v.error } else { 0.0 });
        }
    }

    /// Sets an element of a tensor, which is rounded when it is stored.
    pub fn put(&mut self, name: &str, i: usize, v: Approx) {
        self.set(name, i, Approx { error: v.stored(self.dtype), ..v });
    }

    /// Sets y from γ·x̂ + β.
    pub fn put_output(&mut self, i: usize, v: Approx) {
        let residual = self.has("residual").then(|| self.at("residual", i, 0.0));
        self.put("y", i, self.fused.finish(v, residual));
    }

    /// Channel `c` with these statistics, and the gradients as they come back through the activation.
    pub fn pass(&self, c: usize, mean: f64, rstd: Approx) -> Pass {
        self.pass_of(places(&self.space, c), c, mean, rstd)
    }

    /// The same for some of the channel's places.
    pub fn pass_of(&self, places: Vec<usize>, c: usize, mean: f64, rstd: Approx) -> Pass {
        let (weight, bias) = (Approx::exact(self.at("weight", c, 1.0)), Approx::exact(self.at("bias", c, 0.0)));
        let beside = self.fused.beside();
        let g = |&i: &usize| {
            let extra = beside.map_or(0.0, |name| self.at(name, i, 0.0));
            let v = if self.fused.recomputes() {
                let v = Approx::sum([difference(self.at("x", i, 0.0), mean).times(rstd).times(weight), bias]);
                if beside.is_some() { Approx::sum([v, Approx::exact(extra)]) } else { v }
            } else {
                Approx::exact(extra)
            };
            self.fused.gate(v, self.at("dy", i, 0.0))
        };
        Pass { x: self.values("x", &places), g: places.iter().map(g).collect(), places, mean, rstd }
    }

    /// What a backward op writes to the places of a pass: dx as the reference has it, and as the kernels may have it.
    pub fn put_gradients(&mut self, pass: &Pass, dx: &[f64], kernels: impl Iterator<Item = Approx>) {
        for (((&i, g), &value), dx) in pass.places.iter().zip(&pass.g).zip(dx).zip(kernels) {
            self.put("dx", i, Approx { value, ..dx });
            self.put("dresidual", i, *g);
        }
    }

    /// Sets the gradients of γ and β, as the reference has them, and as the kernels may have them.
    pub fn put_sums(&mut self, c: usize, values: [f64; 2], kernels: [Approx; 2]) {
        for ((name, value), kernel) in ["dweight", "dbias"].into_iter().zip(values).zip(kernels) {
            self.set(name, c, Approx { value, ..kernel });
        }
    }

    /// Sets the statistics of a channel, NaN without a batch, and those that follow them. The running variance is `factor` times
    /// that of the batch.
    pub fn put_statistics(&mut self, c: usize, batch: Option<&Batch>, factor: f64, follows: Option<RunningUpdate>) {
        let nan = [Approx::exact(f64::NAN); 3];
        let [mean, rstd, variance] = batch.map_or(nan, |b| [b.mean, b.rstd, b.variance(factor)]);
        self.set("mean", c, mean);
        self.set("rstd", c, rstd);
        for (name, new) in [("running_mean", mean), ("running_var", variance)] {
            let old = self.at(name, c, 0.0);
            self.set(name, c, follows.map_or(Approx::exact(old), |f| f.follow(old, new)));
        }
    }

    /// In the order of the arguments.
    pub fn finish(self) -> Vec<Expected> {
        let pairs = self.out.into_iter().zip(&self.args).filter(|(_, a)| a.access != Access::Read);
        pairs.map(|((value, bound), _)| Expected::Within { value, bound }).collect()
    }
}
