//! A dense layer backward, to its input. Kernel: `cli/shaders/dense_input_grad.wgsl`.
use super::{DENSE_INPUT_GRAD, Tiles, lanes, quads, sum_bound};
use ridgepole::{Arg, Caps, DType, Error, Expected, HostData, Lowered, Op, Pattern, Slot, Step, params, wgsl::Spec};

params! { InputGradParams { batch: u32, in_quads: u32, out_quads: u32, tiles: u32 } }

/// `dx = dy·wᵀ` where `gate > 0`, else 0.
///
/// Reads `dy` f32\[batch, outputs], `w` f32\[inputs, outputs] (a bias row behind it is not touched) and `gate` f32\[batch,
/// inputs], the output of the ReLU between this layer and the one before; writes `dx` f32\[batch, inputs]. `inputs` and
/// `outputs` are multiples of 4. Deterministic. No scratch.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseInputGrad {
    /// Rows of `dy`, `gate` and `dx`.
    pub batch: usize,
    /// Columns of `gate` and `dx`.
    pub inputs: usize,
    /// Columns of `dy`.
    pub outputs: usize,
}

const NAME: &str = "dense_input_grad";

impl Op for DenseInputGrad {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::read("dy", DType::F32, self.batch * self.outputs),
            Arg::read("w", DType::F32, self.inputs * self.outputs),
            Arg::read("gate", DType::F32, self.batch * self.inputs),
            Arg::write("dx", DType::F32, self.batch * self.inputs),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let t = Tiles::new(NAME, caps, [self.batch, self.inputs, self.outputs], |[m, _, rows]| m * rows)?;
        let mut out = Lowered::default();
        if self.batch > 0 {
            let args = self.args();
            out.push(Step {
                spec: Spec {
                    shader: DENSE_INPUT_GRAD,
                    entry: "dense_input_grad",
                    parts: vec![],
                    bindings: vec![quads("dy", false), quads("w", false), quads("gate", false), quads("dx", true)],
                    consts: vec![("WG", lanes(caps))],
                },
                params: InputGradParams {
                    batch: self.batch as u32,
                    in_quads: t.in_quads,
                    out_quads: t.out_quads,
                    tiles: t.tiles,
                }
                .into(),
                slots: args.iter().enumerate().map(|(i, a)| Slot::Arg(i, 0..a.bytes())).collect(),
                workgroups: t.workgroups,
                trips: t.out_quads.into(),
            });
        }
        Ok(out)
    }

    fn patterns(&self) -> Vec<Pattern> {
        // No subnormal gates: a device may take them for 0.
        vec![Pattern::Ordinary, Pattern::Zeros]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (dy, w, gate) = (args[0].to_f64(), args[1].to_f64(), args[2].to_f64());
        let (mut value, mut bound) = (Vec::new(), Vec::new());
        for row in 0..self.batch {
            for i in 0..self.inputs {
                let terms = (0..self.outputs).map(|o| dy[row * self.outputs + o] * w[i * self.outputs + o]);
                let (sum, size) = terms.fold((0.0, 0.0), |(s, m), t: f64| (s + t, m + t.abs()));
                let open = gate[row * self.inputs + i] > 0.0;
                value.push(if open { sum } else { 0.0 });
                bound.push(if open { sum_bound(self.outputs, size) } else { 0.0 });
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

pub(super) fn cases() -> Vec<Box<dyn Op>> {
    [(1, 4, 4), (3, 8, 12), (4, 64, 16), (50, 128, 64), (37, 12, 68), (130, 20, 4), (0, 4, 8)]
        .into_iter()
        .map(|(batch, inputs, outputs)| Box::new(DenseInputGrad { batch, inputs, outputs }) as Box<dyn Op>)
        .collect()
}
