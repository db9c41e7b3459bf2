//! Maps of a tensor with a normal number for each element: the host's side of `shaders/dropouts/parts/noise_map.wgsl`.
use crate::{
    kernels::{
        copy::{self, Place, windows},
        partition::{self, Window},
        philox::{Draw, Draws, Words, mul_wide},
    },
    op::{Arg, Caps, Lowered, Step, check_float},
    options::{Bits, Key, Share},
    params,
    types::{DType, Error, Space},
    wgsl::{Decl, Source, Spec, parts},
};

params! { NoisedParams {
    window: Window, deviation: f32,
    draw: Draw,
    pair: u32, start: u32, inner: u32, rows: u32, per_period: u32, per_row: u32, per_column: u32
} }

/// A tensor and the normal numbers over it.
#[derive(Clone, Copy, Debug)]
pub struct Noised {
    /// The op, for errors.
    pub op: &'static str,
    /// How the elements are stored.
    pub dtype: DType,
    /// The shape.
    pub space: Space,
    /// The standard deviation of what is added, or multiplied by.
    pub deviation: f64,
    /// What the numbers are drawn from.
    pub key: Key,
    /// Which elements share a number.
    pub share: Share,
}

impl Noised {
    /// The dispatches of the map from the first place to the second by this kernel; a copy if the deviation is 0.
    ///
    /// # Errors
    /// Names `dtype`, `space` or `key`, and if the device's binding limit is too small for a block.
    pub fn lower(&self, caps: &Caps, (shader, entry): (Source, &'static str), [x, y]: [Place; 2]) -> Result<Lowered, Error> {
        check_float(self.op, &Arg::read("x", self.dtype, 0))?;
        let (len, caps) = (self.space.check(self.op)?, &windows(caps));
        // Normal numbers take blocks as decisions of 32 bits do: four to a block.
        let draws = Draws::new(self.op, &self.space, &self.key, self.share, Bits::ThirtyTwo)?;
        if self.deviation == 0.0 {
            return Ok(Lowered { steps: copy::copy(self.op, caps, x, y)?, ..Default::default() });
        }
        let (source, calls) =
            if draws.rows == u32::MAX { (parts::dropouts::NOISE_ROWS, 2) } else { (parts::dropouts::NOISE_ANY, 4) };
        let block_quads = u64::from(caps.lanes) * u64::from(caps.quads);
        let mut out = Lowered::default();
        for piece in partition::flat(self.op, caps, len, self.dtype.size(), block_quads)? {
            let decl = |name, writes| Decl { name, dtype: self.dtype, view: piece.view(), writes };
            let Words { first, pair, start } = draws.words(piece.blocks.start * block_quads * 4);
            out.steps.push(Step {
                spec: Spec {
                    shader,
                    entry,
                    parts: vec![mul_wide(caps), source],
                    bindings: vec![decl("x", false), decl("y", true)],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: NoisedParams {
                    window: piece.window(),
                    deviation: self.deviation as f32,
                    draw: Draw::new(&self.key, first),
                    pair,
                    start,
                    inner: draws.inner,
                    rows: draws.rows,
                    per_period: draws.per[0],
                    per_row: draws.per[1],
                    per_column: draws.per[2],
                }
                .into(),
                slots: vec![piece.slot(x.0, x.1), piece.slot(y.0, y.1)],
                workgroups: piece.workgroups(),
                // For each quad: ten rounds for each Philox call, and its elements.
                trips: u64::from(caps.quads) * (calls * 10 + 5),
            });
        }
        Ok(out)
    }
}
