//! The spectral norm of a weight by power iteration: products with kept vectors, and their normalisation.
#[cfg(feature = "verify")]
mod bound;
#[cfg(feature = "verify")]
pub(crate) use bound::{expected, quotient};

use crate::{
    kernels::{
        channels::{self, Channels, Reduction, per_channel, vector},
        reduce::{Monoid, Partials},
    },
    op::{Arg, ByName, Caps, Lowered, Slot, Step},
    params,
    types::{Error, Rows},
    wgsl::{Decl, Spec, parts},
};

params! { SumsParams { blocks: u32, channels: u32, row: u32, stride: u32, count: u32, sums: u32 } }
params! { NormalizeParams { blocks: u32, channels: u32, stride: u32, count: u32, eps: f32 } }
params! { SigmaParams { blocks: u32, stride: u32, count: u32, eps: f32 } }

/// The dispatches of an op with the arguments `weight`, `u`, `v` and `sigma`.
pub(crate) struct Power<'a> {
    pub op: &'static str,
    pub of: Rows,
    pub eps: f64,
    pub args: &'a [Arg],
}

fn sums(writes: bool) -> Decl {
    Monoid::SUM4.decl("sums", writes)
}

impl Power<'_> {
    /// The product of the weight, or its transpose, with `from`; then `to` becomes the product and its squares are
    /// summed, or, without `take`, its product with `to` is summed.
    fn product(
        &self,
        out: &mut Lowered,
        caps: &Caps,
        tensor: Channels,
        [from, to]: [&'static str; 2],
        take: bool,
    ) -> Result<Partials, Error> {
        let what = Reduction {
            vectors: &[("vector", self.args.whole(from))],
            ..Reduction::of(&[parts::norms::VECTOR_PRODUCTS], Monoid::SUM4, &[("x", "weight")])
        };
        let partials = tensor.reduce(self.op, out, caps, self.args, &what)?.until(out, caps, 64);
        let blocks = channels::blocks(tensor.channels, caps);
        let totals = Partials::new(self.op, out, caps, Monoid::SUM4, 1, blocks)?;
        if blocks > 0 {
            let params = SumsParams {
                blocks: blocks as u32,
                channels: tensor.channels as u32,
                row: partials.row as u32,
                stride: partials.stride as u32,
                count: partials.count as u32,
                sums: ((totals.range.start - partials.range.start) / 16) as u32,
            };
            let first = (Monoid::SUM4.decl("partials", true), Slot::Scratch(partials.range.start..totals.range.end));
            let vectors = vec![("vector", self.args.whole(to), take)];
            let trips = partials.count + u64::from(caps.lanes.ilog2());
            let mut step = per_channel(caps, parts::norms::VECTOR_SUMS, first, vectors, (blocks, params.into()), trips);
            step.spec.parts = vec![if take { parts::norms::ENTRY_SQUARE } else { parts::norms::ENTRY_PRODUCT }];
            out.steps.push(step);
        }
        Ok(totals.until(out, caps, 64))
    }

    /// The same, and the vector is divided by its norm.
    fn half(&self, out: &mut Lowered, caps: &Caps, tensor: Channels, names: [&'static str; 2]) -> Result<Partials, Error> {
        let totals = self.product(out, caps, tensor, names, true)?;
        let blocks = channels::blocks(tensor.channels, caps);
        if blocks > 0 {
            let params = NormalizeParams {
                blocks: blocks as u32,
                channels: tensor.channels as u32,
                stride: totals.stride as u32,
                count: totals.count as u32,
                eps: self.eps as f32,
            };
            let vectors = vec![("vector", self.args.whole(names[1]), true)];
            let first = (sums(false), totals.slot());
            out.steps.push(per_channel(
                caps,
                parts::norms::VECTOR_NORMALIZE,
                first,
                vectors,
                (blocks, params.into()),
                totals.count,
            ));
        }
        Ok(totals)
    }

    /// Appends the iterations, u before v, and σ.
    pub fn append(&self, out: &mut Lowered, caps: &Caps, iterations: usize) -> Result<(), Error> {
        let (by_row, by_column) = (Channels::by_row(self.of), Channels::by_column(self.of));
        let (mut totals, mut source) = (None, parts::norms::SIGMA_SUM);
        for _ in 0..iterations {
            self.half(out, caps, by_row, ["v", "u"])?;
            totals = Some(self.half(out, caps, by_column, ["u", "v"])?);
            source = parts::norms::SIGMA_NORM;
        }
        let totals = match totals {
            Some(totals) => totals,
            None => self.product(out, caps, by_row, ["v", "u"], false)?,
        };
        let params = SigmaParams { blocks: 1, stride: totals.stride as u32, count: totals.count as u32, eps: self.eps as f32 };
        out.steps.push(Step {
            spec: Spec {
                shader: parts::norms::SIGMA,
                entry: "sigma",
                parts: vec![source],
                bindings: vec![sums(false), vector("sigma", true)],
                consts: vec![("WG", caps.lanes)],
            },
            params: params.into(),
            slots: vec![totals.slot(), self.args.whole("sigma")],
            workgroups: 1,
            trips: totals.count,
        });
        Ok(())
    }
}
