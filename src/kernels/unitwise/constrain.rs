//! Constraints on the norms of units: a factor for each, by which its weights are multiplied in place.
use super::{Coefs, Map, Units};
use crate::{
    op::{Arg, Caps, Cost, Lowered},
    types::{DType, Error, HostData},
    wgsl::{Source, parts},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng},
    verify::Approx,
};

impl Units<'_> {
    /// The only argument.
    pub fn weight(&self) -> Arg {
        Arg::update("weight", self.dtype, self.len())
    }

    /// Norms, a factor from each by `shader` with the scalars `own`, and the products.
    pub fn constrain(&self, caps: &Caps, shader: Source, own: [f32; 4]) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        let cut = self.cut(usize::MAX, caps)?;
        let mut out = Lowered::default();
        let table = out.table(&cut.table(|_| own), caps);
        let partials = self.partials(caps, &mut out, (&cut, &table), 0, parts::unitwise::SQUARES)?;
        let factors = self.coefs(caps, &mut out, (&cut, &table), &partials, &Coefs::by(shader))?;
        let table = out.table(&cut.map_table(|_| own), caps);
        let map = Map { shader: parts::unitwise::SCALE, target: 0, reads: vec![] };
        self.map(caps, &mut out, (&cut, &table), &factors, &map)?;
        Ok(out)
    }

    /// What the weights must be, if a norm becomes a factor by `factor`. NaN where there is no norm.
    #[cfg(feature = "verify")]
    pub fn constrained(&self, weight: &HostData, factor: impl Fn(Approx) -> Approx) -> Vec<Expected> {
        let norms = self.norms(&weight.to_f64());
        let factors: Vec<Approx> = norms.into_iter().map(|n| if n.value.is_nan() { n } else { factor(n) }).collect();
        vec![self.scaled(weight, &factors)]
    }

    /// Weights whose norms lie on both sides of limits near 1: units of many weights get small ones.
    #[cfg(feature = "verify")]
    pub fn fill_near_one(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let longest = self.matrices.iter().map(|m| m.unit_len()).max().unwrap_or(0).clamp(1, 100);
        let most = if self.dtype == DType::F16 { 1.0 } else { 4.0 / (longest as f64).sqrt() };
        self.fill(arg, [-most, most], rng, pattern)
    }

    /// Each element crosses the bus `times` times.
    pub fn cost(&self, times: u64) -> Cost {
        let elements = self.matrices.iter().map(|m| m.len() as u64).sum();
        Cost { bytes: times * elements * self.dtype.size(), elements }
    }
}
