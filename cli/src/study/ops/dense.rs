//! A dense layer forward. Kernel: `cli/shaders/dense.wgsl`.
use super::{DENSE, Tiles, lanes, quads, sum_bound};
use ridgepole::{Arg, Caps, DType, Error, Expected, HostData, Lowered, Op, Pattern, Slot, Step, params, wgsl::Spec};

params! { DenseParams { batch: u32, in_quads: u32, out_quads: u32, tiles: u32, bias: u32, relu: u32 } }

/// `y = x·w + bias`, then `max(y, 0)` if asked.
///
/// Reads `x` f32\[batch, inputs] and `w` f32\[inputs (+ 1), outputs], whose last row is the bias if there is one; writes `y`
/// f32\[batch, outputs]. `inputs` and `outputs` are multiples of 4. NaN passes through the ReLU. Deterministic. No scratch.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Rows of `x` and `y`.
    pub batch: usize,
    /// Columns of `x`.
    pub inputs: usize,
    /// Columns of `y`.
    pub outputs: usize,
    /// Whether `w` ends with a row that is added to every row of the product.
    pub bias: bool,
    /// Whether negative results become 0.
    pub relu: bool,
}

const NAME: &str = "dense";

impl Op for Dense {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::read("x", DType::F32, self.batch * self.inputs),
            Arg::read("w", DType::F32, (self.inputs + usize::from(self.bias)) * self.outputs),
            Arg::write("y", DType::F32, self.batch * self.outputs),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let t = Tiles::new(NAME, caps, [self.batch, self.inputs, self.outputs], |[_, n, rows]| n * rows)?;
        let mut out = Lowered::default();
        if self.batch > 0 {
            let args = self.args();
            out.push(Step {
                spec: Spec {
                    shader: DENSE,
                    entry: "dense",
                    parts: vec![],
                    bindings: vec![quads("x", false), quads("w", false), quads("y", true)],
                    consts: vec![("WG", lanes(caps))],
                },
                params: DenseParams {
                    batch: self.batch as u32,
                    in_quads: t.in_quads,
                    out_quads: t.out_quads,
                    tiles: t.tiles,
                    bias: self.bias.into(),
                    relu: self.relu.into(),
                }
                .into(),
                slots: args.iter().enumerate().map(|(i, a)| Slot::Arg(i, 0..a.bytes())).collect(),
                workgroups: t.workgroups,
                trips: t.in_quads.into(),
            });
        }
        Ok(out)
    }

    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (x, w) = (args[0].to_f64(), args[1].to_f64());
        let (mut value, mut bound) = (Vec::new(), Vec::new());
        for row in 0..self.batch {
            for column in 0..self.outputs {
                let terms = (0..self.inputs).map(|i| x[row * self.inputs + i] * w[i * self.outputs + column]);
                let bias = if self.bias { w[self.inputs * self.outputs + column] } else { 0.0 };
                let (sum, size) = terms.fold((bias, bias.abs()), |(s, m), t| (s + t, m + t.abs()));
                // max(·, 0) does not enlarge an error.
                value.push(if self.relu { sum.max(0.0) } else { sum });
                bound.push(sum_bound(self.inputs + 1, size));
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

pub(super) fn cases() -> Vec<Box<dyn Op>> {
    let mut out: Vec<Box<dyn Op>> = Vec::new();
    for (batch, inputs, outputs) in [(1, 4, 4), (3, 8, 12), (4, 64, 16), (50, 64, 128), (37, 12, 68), (130, 20, 4), (0, 4, 8)] {
        for (bias, relu) in [(false, false), (true, false), (true, true)] {
            out.push(Box::new(Dense { batch, inputs, outputs, bias, relu }));
        }
    }
    out
}
